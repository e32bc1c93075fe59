"""How a state looks: one table of icon, word and tone for every state of the house (状态的图形、词、颜色).

A tone is one of ok, warn, bad, info, accent, quiet; tokens.css gives it a colour. The word is always shown: colour and
icon only help. Rooms ask by (kind, key), `ui.state("visit", "late")`, and may say the word more exactly.
"""

from typing import NamedTuple
from urllib.parse import urlencode

from flask import Flask, request
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict


class Look(NamedTuple):
    """Tone, icon of bootstrap-icons, and the word to read."""

    tone: str
    icon: str
    word: object


STATES: dict[str, dict[str, Look]] = {
    "visit": {
        "draft": Look("quiet", "circle", _l("Draft")),
        "open": Look("quiet", "circle", _l("Not planned yet")),
        "unstaffed": Look("bad", "person-x-fill", _l("Nobody can go")),
        "half_staffed": Look("warn", "circle-half", _l("One of two missing")),
        "asked": Look("info", "hourglass-split", _l("Waiting for an answer")),
        "booked": Look("ok", "check-circle-fill", _l("Arranged")),
        "accepted": Look("ok", "check-circle-fill", _l("Accepted")),
        "locked": Look("accent", "lock-fill", _l("Locked")),
        "set_out": Look("ok", "check-circle-fill", _l("On the way")),
        "next": Look("accent", "arrow-right-circle-fill", _l("Next visit")),
        "under_way": Look("info", "play-circle-fill", _l("Under way")),
        "will_be_late": Look("warn", "clock-fill", _l("Will be late")),
        "late": Look("bad", "alarm-fill", _l("Late")),
        "missed": Look("bad", "x-octagon-fill", _l("Nobody came")),
        "no_one_home": Look("warn", "door-closed", _l("Nobody opened")),
        "no_check_out": Look("warn", "exclamation-triangle-fill", _l("No check-out")),
        "to_confirm": Look("warn", "question-circle-fill", _l("To be confirmed")),
        "done": Look("quiet", "check-lg", _l("Done")),
        "confirmed": Look("ok", "check-circle-fill", _l("Confirmed")),
        "disputed": Look("bad", "x-octagon-fill", _l("Disputed")),
        "cancelled": Look("quiet", "slash-circle", _l("Cancelled")),
    },
    "offer": {
        "open": Look("info", "hourglass-split", _l("Waiting for an answer")),
        "accepted": Look("ok", "check-circle-fill", _l("Accepted")),
        "declined": Look("quiet", "slash-circle", _l("Declined")),
        "expired": Look("quiet", "clock-history", _l("No answer in time")),
        "taken": Look("quiet", "person-check-fill", _l("Someone else goes")),
        "withdrawn": Look("quiet", "slash-circle", _l("Withdrawn")),
        "fallback": Look("info", "arrow-right-circle-fill", _l("A paid carer goes")),
    },
    "need": {
        "draft": Look("quiet", "pencil", _l("Draft")),
        "open": Look("warn", "question-circle-fill", _l("Not arranged yet")),
        "asked": Look("info", "hourglass-split", _l("Waiting for an answer")),
        "arranged": Look("ok", "check-circle-fill", _l("Arranged")),
        "partly": Look("warn", "circle-half", _l("Partly arranged")),
        "unmet": Look("bad", "person-x-fill", _l("Nobody can go")),
        "met": Look("ok", "check-circle-fill", _l("Met")),
        "paused": Look("quiet", "pause-circle-fill", _l("Paused")),
        "repeated": Look("warn", "arrow-repeat", _l("Asked again")),
        "withdrawn": Look("quiet", "slash-circle", _l("Withdrawn")),
        "ended": Look("quiet", "check-lg", _l("Ended")),
    },
    "plan": {
        "draft": Look("quiet", "circle", _l("Draft")),
        "waiting": Look("info", "hourglass-split", _l("Waiting its turn")),
        "solving": Look("info", "play-circle-fill", _l("Being worked out")),
        "ready": Look("ok", "check-circle-fill", _l("Ready to look at")),
        "published": Look("ok", "check-circle-fill", _l("Published")),
        "superseded": Look("quiet", "clock-history", _l("Replaced by a later one")),
        "cancelled": Look("quiet", "slash-circle", _l("Stopped")),
        "refused": Look("bad", "x-octagon-fill", _l("Refused by the checker")),
        "failed": Look("bad", "x-octagon-fill", _l("Failed")),
        "proven": Look("quiet", "check-lg", _l("Proven")),
        "searching": Look("quiet", "search", _l("Still searching")),
    },
    "job": {
        "waiting": Look("info", "hourglass-split", _l("Waiting its turn")),
        "running": Look("info", "play-circle-fill", _l("Running")),
        "done": Look("ok", "check-circle-fill", _l("Done")),
        "cancelled": Look("quiet", "slash-circle", _l("Stopped")),
        "failed": Look("bad", "x-octagon-fill", _l("Failed")),
    },
    "import": {
        "checking": Look("info", "play-circle-fill", _l("Being checked")),
        "to_fix": Look("bad", "x-octagon-fill", _l("To be fixed")),
        "fixed": Look("ok", "pencil", _l("Fixed, to be checked")),
        "ready": Look("ok", "check-circle-fill", _l("Ready")),
        "taken": Look("ok", "check-circle-fill", _l("Taken in")),
        "undone": Look("quiet", "arrow-counterclockwise", _l("Undone")),
        "failed": Look("bad", "x-octagon-fill", _l("Failed")),
    },
    "paper": {
        "valid": Look("ok", "check-circle-fill", _l("Valid")),
        "expiring": Look("warn", "calendar-event-fill", _l("Expires soon")),
        "expired": Look("bad", "x-octagon-fill", _l("Expired")),
        "missing": Look("warn", "file-earmark-text-fill", _l("Missing")),
        "withdrawn": Look("quiet", "slash-circle", _l("Withdrawn")),
        "future": Look("quiet", "clock-history", _l("Not yet valid")),
    },
    "account": {
        "invited": Look("info", "hourglass-split", _l("Invited")),
        "active": Look("ok", "check-circle-fill", _l("Active")),
        "disabled": Look("quiet", "slash-circle", _l("Disabled")),
        "paused": Look("quiet", "pause-circle-fill", _l("Paused")),
        "left": Look("quiet", "slash-circle", _l("Has left")),
    },
    "line": {
        "enough": Look("ok", "check-circle-fill", _l("Enough left")),
        "tight": Look("warn", "exclamation-triangle-fill", _l("Nearly used up")),
        "critical": Look("bad", "exclamation-octagon-fill", _l("Almost nothing left")),
        "used_up": Look("bad", "x-octagon-fill", _l("Used up")),
        "ended": Look("quiet", "check-lg", _l("Ended")),
        "future": Look("quiet", "clock-history", _l("Not yet valid")),
    },
    "contract": {
        "running": Look("ok", "check-circle-fill", _l("Now in force")),
        "future": Look("quiet", "clock-history", _l("Not begun yet")),
        "suspended": Look("warn", "pause-circle-fill", _l("Suspended")),
        "ended": Look("quiet", "check-lg", _l("Ended")),
    },
    "tender": {
        "draft": Look("quiet", "pencil", _l("Draft")),
        "published": Look("info", "megaphone-fill", _l("Open for bids")),
        "closed": Look("warn", "lock-fill", _l("To be opened")),
        "opened": Look("info", "play-circle-fill", _l("Being evaluated")),
        "evaluated": Look("warn", "question-circle-fill", _l("To be decided")),
        "decided": Look("warn", "megaphone-fill", _l("Result to be published")),
        "noticed": Look("ok", "check-circle-fill", _l("Result published")),
        "done": Look("quiet", "check-lg", _l("Done")),
        "withdrawn": Look("quiet", "slash-circle", _l("Given up")),
        "cancelled": Look("quiet", "slash-circle", _l("Cancelled")),
        "suspended": Look("warn", "pause-circle-fill", _l("Suspended")),
    },
    "call": {
        "promised": Look("info", "telephone-outbound-fill", _l("To ring back")),
        "overdue": Look("bad", "telephone-x-fill", _l("Overdue to ring back")),
        "returned": Look("ok", "check-circle-fill", _l("Rung back")),
        "answered": Look("quiet", "telephone-inbound", _l("Answered")),
        "arranged": Look("ok", "check-circle-fill", _l("Arranged")),
        "nobody": Look("bad", "person-x-fill", _l("Nobody can go")),
    },
    "check": {
        "passed": Look("ok", "check-circle-fill", _l("Fine")),
        "warning": Look("warn", "exclamation-triangle-fill", _l("Look at it")),
        "failed": Look("bad", "x-octagon-fill", _l("Failed")),
    },
    "bid_entry": {
        "sealed": Look("ok", "lock-fill", _l("Sealed")),
        "withdrawn": Look("quiet", "x-circle", _l("Withdrawn")),
        "confirmed": Look("info", "check-circle", _l("Confirmed")),
    },
    "sealed_bid": {
        "opened": Look("ok", "unlock-fill", _l("Opened")),
        "void": Look("bad", "x-octagon-fill", _l("Void")),
        "not_opened": Look("warn", "lock-fill", _l("Not opened")),
    },
}


def look(kind: str, key: str) -> Look:
    """The look of a state; raises KeyError that names the known states, so that a typing error shows in a test."""
    try:
        return STATES[kind][key]
    except KeyError:
        known = sorted(STATES.get(kind, STATES))
        raise KeyError(f"no look for {kind!r} {key!r}; known: {', '.join(known)}") from None


def with_args(**changes: object) -> str:
    """This page's address with some query arguments changed (None removes one), for sorting, pages and filters."""
    query = MultiDict(request.args)
    for name, value in changes.items():
        query.poplist(name)
        if value is not None:
            query[name] = str(value)
    pairs = [(name, value) for name, values in query.lists() for value in values]
    return request.path + ("?" + urlencode(pairs) if pairs else "")


def init_app(app: Flask) -> None:
    """Give templates `look(kind, key)` and `with_args(page=2)`."""
    app.jinja_env.globals.update(look=look, with_args=with_args)
