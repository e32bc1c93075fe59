"""A carer's and a volunteer's own pages on the phone: where to go next, check in and out, the day, the hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _

from linkage.core.clock import at_minutes, local_date
from linkage.core.permissions import may
from linkage.core.rulesets import rule
from linkage.core.web import Room, go, request_now, require_actor
from linkage.needs.recurrence import describe
from linkage.people.words import LANGUAGE_WORDS
from linkage.services.words import named
from linkage.visits import attendance, operations, permissions, queries, status, words
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment
from linkage.visits.queries import get_assignment

room = Room("me", __name__, url_prefix="/me", template_folder="templates")
AHEAD = timedelta(days=28)


@room.get("/", permission=permissions.may_see_own)
def today() -> str:
    """Where do I go next? The next visit large, the day below it."""
    actor, now = require_actor(), request_now()
    day = at_minutes(local_date(now), 0)
    mine = queries.mine(actor, day, day + timedelta(days=1))
    following = next((one for one in mine if not _is_over(one, now)), None)
    later = queries.mine(actor, day + timedelta(days=1), day + AHEAD)
    return render_template(
        "me/today.html",
        route=mine,
        place=mine.index(following) + 1 if following else 0,
        later=later,
        given=queries.minutes_given(actor.person_id),
        **_visit(following),
    )


@room.get("/visits", permission=permissions.may_see_own)
def commitments() -> str:
    """What I have said yes to, and what I have done in the last four weeks."""
    actor, now = require_actor(), request_now()
    rows = queries.mine(actor, now - AHEAD, now + AHEAD)
    return render_template(
        "me/commitments.html",
        coming=[one for one in rows if not _is_over(one, now)],
        past=[one for one in reversed(rows) if _is_over(one, now)],
        **_common(),
    )


@room.get("/visits/<uuid:assignment_id>", permission=permissions.may_see_own, subject=get_assignment)
def visit(assignment: Assignment) -> str:
    day = at_minutes(local_date(assignment.starts_at), 0)
    route = queries.mine(require_actor(), day, day + timedelta(days=1))
    return render_template("me/visit.html", route=route, **_visit(assignment))


def _is_over(one: Assignment, now: datetime) -> bool:
    row = one.attendance
    if row is None or row.checked_in_at is None:
        return one.ends_at + timedelta(minutes=rule("visits.missed_minutes", local_date(now))) < now or bool(
            row and row.no_show_at
        )
    return row.checked_out_at is not None


def _common() -> dict[str, Any]:
    return {
        "words": words,
        "named": named,
        "state_of": _state_of,
        "languages": LANGUAGE_WORDS,
        "describe": describe,
        "open_after": timedelta(minutes=rule("visits.open_after_minutes", local_date(request_now()))),
    }


def _state_of(one: Assignment) -> str:
    """The look of this person's own part of a visit."""
    row, now = one.attendance, request_now()
    if one.released_at is not None or one.visit.cancelled_at is not None:
        return "cancelled"
    if row is not None and row.checked_out_at is not None:
        return "done"
    if row is not None and row.checked_in_at is not None:
        return "no_check_out" if now > one.ends_at + timedelta(minutes=30) else "under_way"
    if row is not None and row.nobody_home_at is not None:
        return "no_one_home"
    rules = status.clocks(local_date(now))
    if (row is not None and row.no_show_at is not None) or now >= one.starts_at + rules.missed:
        return "missed"
    if now >= one.starts_at + rules.late:
        return "late"
    return "accepted" if one.accepted_at is not None else "booked"


def _visit(one: Assignment | None) -> dict[str, Any]:
    """What the visit's page shows; the door opens only to whoever is booked, until two hours after the end."""
    found: dict[str, Any] = {"one": one, **_common()}
    if one is None:
        return found
    actor, now = require_actor(), request_now()
    row = one.attendance
    shown = one.released_at is None and may(actor, permissions.may_see, one.visit)
    limit = rule("visits.wrong_codes", local_date(now))
    wrong = row.wrong_codes if row else 0
    return {
        **found,
        "shown": shown and one.person_id == actor.person_id,
        "mine": one.person_id == actor.person_id and may(actor, permissions.may_attend, one),
        "visit": one.visit,
        "partners": [other for other in queries.active_of([one.visit_id])[one.visit_id] if other.id != one.id],
        "checked_in": row is not None and row.checked_in_at is not None,
        "checked_out": row is not None and row.checked_out_at is not None,
        "attendance": row,
        "opens_at": one.starts_at - timedelta(minutes=rule("visits.early_minutes", local_date(now))),
        "tries_left": max(0, limit - wrong),
        "wrong": bool(request.args.get("wrong")) and wrong > 0,
        "state": _state_of(one),
    }


def _demand_open(one: Assignment) -> None:
    """Until two hours after the end; later the call desk records the times, so that nobody's hours grow overnight."""
    after = timedelta(minutes=rule("visits.open_after_minutes", local_date(request_now())))
    if request_now() > one.ends_at + after:
        raise Refused("too_late")


@room.post("/visits/<uuid:assignment_id>/check-in", permission=permissions.may_attend, subject=get_assignment)
def check_in(assignment: Assignment) -> Any:
    _demand_open(assignment)
    code = request.form.get("code", "")[:8]
    answer = attendance.check_in_by_code(assignment, code, by=require_actor(), now=request_now())
    if not answer.right:
        return go("me.visit", assignment_id=assignment.id, wrong=1)
    flash(_("You have checked in."), "ok")
    return go("me.visit", assignment_id=assignment.id)


@room.post("/visits/<uuid:assignment_id>/check-out", permission=permissions.may_attend, subject=get_assignment)
def check_out(assignment: Assignment) -> Any:
    _demand_open(assignment)
    row = attendance.check_out(assignment, method="app", by=require_actor(), now=request_now())
    flash(_("You have checked out: %(n)s minutes.", n=row.minutes), "ok")
    return go("me.visit", assignment_id=assignment.id)


@room.post("/visits/<uuid:assignment_id>/nobody-home", permission=permissions.may_attend, subject=get_assignment)
def nobody_home(assignment: Assignment) -> Any:
    _demand_open(assignment)
    attendance.report_nobody_home(assignment, by=require_actor(), now=request_now())
    flash(_("The community has been told and will call. If somebody opens, check in as usual."), "ok")
    return go("me.visit", assignment_id=assignment.id)


@room.get("/visits/<uuid:assignment_id>/give-back", permission=permissions.may_attend, subject=get_assignment)
def giving_back(assignment: Assignment) -> str:
    return render_template("me/give_back.html", **_visit(assignment))


@room.post("/visits/<uuid:assignment_id>/give-back", permission=permissions.may_attend, subject=get_assignment)
def give_back(assignment: Assignment) -> Any:
    operations.give_back(assignment, by=require_actor(), now=request_now())
    flash(_("You do not go there. Thank you for saying so in time; the community looks for somebody else."), "ok")
    return go("me.commitments")


@room.get("/hours", permission=permissions.may_see_hours)
def hours() -> str:
    """The volunteer's service record, the same day; a correction keeps the original beside it."""
    actor = require_actor()
    entries = queries.record_of(actor)
    corrected = {entry.corrects_id for entry, _assignment in entries if entry.corrects_id}
    return render_template(
        "me/hours.html",
        entries=entries,
        corrected=corrected,
        total=queries.minutes_given(actor.person_id),
        **_common(),
    )
