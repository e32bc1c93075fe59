"""What the desk adds to a household's page: its next visit, one line of time, and the button to post a need."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.formats import format_duration
from linkage.core.permissions import Actor, may
from linkage.desk import words
from linkage.desk.timeline import Event, facts
from linkage.households.models import Household
from linkage.households.parts import part
from linkage.households.words import PURPOSE_WORDS
from linkage.needs import queries as needs
from linkage.needs.models import Need
from linkage.needs.permissions import may_post
from linkage.services.words import listed, named
from linkage.visits import queries, status
from linkage.visits.models import Assignment, Visit
from linkage.visits.status import Status
from linkage.visits.words import FACE_WORDS, cancelled_because, rhythm

MOST_AHEAD, MOST_PAST = 5, 30
AHEAD = timedelta(days=28)
KINDS = ("all", "visits", "needs", "checks", "papers", "changes", "consent")
TONES = {
    Status.CONFIRMED: "ok",
    Status.DONE: "ok",
    Status.UNMET: "bad",
    Status.MISSED: "bad",
    Status.LATE: "bad",
    Status.OPEN: "warn",
    Status.HALF: "warn",
    Status.CANCELLED: "quiet",
}


def visits_of(household: Household, actor: Actor, now: datetime) -> tuple[list[Visit], list[Visit]]:
    """The nearest coming visits (latest first) and the last ones that are over, of those the actor may see."""
    wanted = (
        queries.visible(actor)
        .where(Visit.household_id == household.id)
        .options(joinedload(Visit.service), joinedload(Visit.person))
    )
    ahead = wanted.where(Visit.latest_at > now, Visit.earliest_at < now + AHEAD, Visit.cancelled_at.is_(None))
    past = wanted.where((Visit.latest_at <= now) | Visit.cancelled_at.is_not(None))
    coming = db.session.scalars(ahead.order_by(Visit.earliest_at, Visit.id).limit(MOST_AHEAD)).all()
    over = db.session.scalars(past.order_by(Visit.latest_at.desc(), Visit.id).limit(MOST_PAST)).all()
    return list(coming), list(over)


def events_of(household: Household, actor: Actor, now: datetime) -> tuple[list[Event], list[Event]]:
    """What is ahead and what is past, each the latest first."""
    coming, over = visits_of(household, actor, now)
    both = coming + over
    states, booked = status.statuses(both, now), queries.active_of([visit.id for visit in both])
    visits = [_visit(visit, states[visit.id], booked[visit.id]) for visit in both]
    events = [*visits, *_needs(household, actor), *_consents(household), *facts(household, actor, now)]
    events.sort(key=lambda event: event.at, reverse=True)
    begun = (Status.DONE, Status.CONFIRMED, Status.CANCELLED)
    ahead = [event for event in events if event.at > now and event.state not in begun]
    return ahead, [event for event in events if event not in ahead]


def _visit(visit: Visit, state: Status, booked: list[Assignment]) -> Event:
    at = booked[0].starts_at if booked else visit.earliest_at
    return Event(
        at,
        "visits",
        words.service_of(visit),
        _outcome(visit, state, booked),
        "house",
        TONES.get(state, "accent"),
        state,
        visit=visit,
    )


def _outcome(visit: Visit, state: Status, booked: list[Assignment]) -> str:
    people = listed(one.person.name for one in booked) if booked else ""
    spent = sum(one.attendance.minutes or 0 for one in booked if one.attendance is not None)
    if spent:
        people = _("%(names)s, %(time)s", names=people, time=format_duration(spent))
    if state is Status.CANCELLED:
        return cancelled_because(visit.cancel_reason)
    if state is Status.CONFIRMED and visit.rating:
        return _("%(names)s; the household says: %(face)s", names=people, face=FACE_WORDS[visit.rating])
    return people or (_("nobody was found") if visit.closed_unmet_at is not None else "")


def _needs(household: Household, actor: Actor) -> list[Event]:
    rows = db.session.scalars(
        needs.visible(actor)
        .where(Need.household_id == household.id)
        .options(joinedload(Need.service))
        .order_by(Need.created_at.desc())
        .limit(MOST_PAST)
    ).all()
    found = []
    for need in rows:
        title = _("Need: %(service)s, %(rhythm)s", service=named(need.service), rhythm=rhythm(need))
        text = _("%(number)s, posted", number=need.number)
        found.append(Event(need.created_at, "needs", title, text, "plus-lg", "quiet", need=need))
        if need.withdrawn_at is not None:
            over = _("Need withdrawn: %(service)s", service=named(need.service))
            found.append(Event(need.withdrawn_at, "needs", over, need.number, "slash-circle", "quiet", need=need))
    return found


def _consents(household: Household) -> list[Event]:
    given: dict[datetime, list[str]] = {}
    found = []
    for row in household.consents:
        purpose = str(PURPOSE_WORDS[row.purpose])
        given.setdefault(row.created_at, []).append(purpose)
        if row.withdrawn_at is not None:
            over = _("Consent withdrawn: %(purpose)s", purpose=purpose)
            found.append(Event(row.withdrawn_at, "consent", over, "", "file-earmark-text", "warn"))
    for at, purposes in given.items():
        text = listed(purposes)
        found.append(Event(at, "consent", _("Consent given"), text, "file-earmark-text", "ok", whole_day=True))
    return found


def next_visit(household: Household, actor: Actor, now: datetime) -> tuple[Visit, Status, list[Assignment]] | None:
    """The visit that comes next or is under way, with its state and who comes."""
    coming, _over = visits_of(household, actor, now)
    states, booked = status.statuses(coming, now), queries.active_of([visit.id for visit in coming])
    ahead = [visit for visit in coming if states[visit.id] not in (Status.DONE, Status.CONFIRMED)]
    first = min(ahead, key=lambda v: booked[v.id][0].starts_at if booked[v.id] else v.earliest_at, default=None)
    return None if first is None else (first, states[first.id], booked[first.id])


@part("actions")
def _post_button(household: Household, actor: Actor, now: datetime) -> str:
    allowed = household.closed_on is None and may(actor, may_post, household)
    return render_template("desk/_post_button.html", household=household) if allowed else ""


@part("side")
def _next_card(household: Household, actor: Actor, now: datetime) -> str:
    found = next_visit(household, actor, now)
    if found is None and household.closed_on is not None:
        return ""
    visit, state, booked = found or (None, None, [])
    return render_template("desk/_next_visit.html", visit=visit, state=state, booked=booked, **_words(actor))


@part("main")
def _line_of_time(household: Household, actor: Actor, now: datetime) -> str:
    ahead, past = events_of(household, actor, now)
    shown = request.args.get("show", "all")
    kinds = {kind: len([e for e in ahead + past if kind in ("all", e.kind)]) for kind in KINDS}
    if shown in KINDS[1:]:
        ahead, past = ([e for e in events if e.kind == shown] for events in (ahead, past))
    return render_template(
        "desk/_history.html",
        ahead=ahead,
        past=past[:MOST_PAST],
        kinds=kinds,
        shown=shown if shown in KINDS else "all",
        household=household,
        **_words(actor),
    )


def _words(actor: Actor) -> dict[str, Any]:
    return {"actor": actor, "words": words, "today": local_date(actor.at)}
