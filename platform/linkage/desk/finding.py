"""Find somebody for a visit that has nobody: who could come, and booking or asking exactly them. Callers, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func

from linkage.core.clock import local_date
from linkage.core.errors import Conflict, DomainError
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role, may
from linkage.core.web import current_actor, go, request_now, require_actor
from linkage.desk import choices
from linkage.desk.permissions import may_find
from linkage.desk.posting import found_households
from linkage.desk.room import room
from linkage.desk.values import common
from linkage.households.models import Household
from linkage.households.parts import part
from linkage.needs.models import Need
from linkage.needs.permissions import may_post
from linkage.needs.queries import may_be_open, visible
from linkage.planning.recommendation import Draft
from linkage.services.words import listed, named
from linkage.visits import queries, status
from linkage.visits.models import Visit
from linkage.visits.status import Status
from linkage.visits.words import spoken_time

DAYS_READ_OUT = timedelta(days=3)


def draft_of(visit: Visit) -> Draft:
    """The visit as a question to the engine."""
    return Draft(
        household=visit.household,
        person_id=visit.person_id,
        service=visit.service,
        day=visit.day,
        windows=tuple((first, last) for first, last in visit.windows),
        duration_minutes=visit.duration_minutes,
        people=visit.people,
        preferred_start=visit.preferred_start,
        wishes=dict(visit.wishes),
        priority=visit.priority,
    )


def may_find_for(visit: Visit) -> bool:
    """For the visit's page: whether the reader may look for somebody for it."""
    actor = current_actor()
    return actor is not None and may(actor, may_find, visit)


@room.get("/visits/<uuid:visit_id>/who", permission=may_find, subject=queries.get_visit)
def who(visit: Visit) -> str:
    """Who could come to this visit, best first; and why the others cannot."""
    actor, now = require_actor(), request_now()
    state = status.status_of(visit, now)
    panel = choices.panel(draft_of(visit), None, now) if state is Status.OPEN else None
    values = {"visit": visit, "state": state, "panel": panel, "summary": choices.summary}
    return render_template("desk/who.html", **values, **common(actor))


@room.post("/visits/<uuid:visit_id>/who", permission=may_find, subject=queries.get_visit)
def choose(visit: Visit) -> ResponseReturnValue:
    """Book or ask exactly the people of the chosen row."""
    try:
        key = request.form.get("choice", "")
        done = choices.take(visit, draft_of(visit), key, by=require_actor(), now=request_now())
    except DomainError as error:
        raise Conflict(
            _("In the meantime this has become impossible; look at who can come now."), remedy=error.message
        ) from error
    flash(_("Done: %(came)s.", came=done), "ok")
    return go("visits.page", visit_id=visit.id)


@room.get("/calls/find", permission=may_post)
def find_caller() -> str:
    """Who is calling: households for a telephone or a name, with what is open for them."""
    actor, now = require_actor(), request_now()
    text = request.args.get("q", "").strip()[:60]
    found = found_households(actor, text, local_date(now)) if text else []
    counts = _open_needs(actor, found, now)
    return render_template("desk/_callers.html", found=found, counts=counts, text=text, **common(actor))


def _open_needs(actor: Actor, found: list[Household], now: datetime) -> dict[Any, int]:
    rows = db.session.execute(
        visible(actor)
        .where(Need.household_id.in_([home.id for home in found]), may_be_open(local_date(now)))
        .with_only_columns(Need.household_id, func.count(Need.id))
        .group_by(Need.household_id)
    )
    return {row[0]: row[1] for row in rows}


@part("main")
def read_out(household: Household, actor: Actor, now: datetime) -> str:
    """For the operator: who comes in the next days, as sentences to read to the caller."""
    if not actor.has(Role.OPERATOR):
        return ""
    return render_template("desk/_read_out.html", sentences=sentences(household, actor, now))


def sentences(household: Household, actor: Actor, now: datetime) -> list[str]:
    """One sentence a visit of today and the next three days."""
    rows = db.session.scalars(
        queries.visible(actor)
        .where(
            Visit.household_id == household.id,
            Visit.latest_at > now,
            Visit.earliest_at < now + DAYS_READ_OUT,
            Visit.cancelled_at.is_(None),
        )
        .order_by(Visit.earliest_at, Visit.id)
    ).all()
    booked, states = queries.active_of([row.id for row in rows]), status.statuses(rows, now)
    return [_sentence(row, states[row.id], booked[row.id], now) for row in rows if states[row.id] not in status.OVER]


def _sentence(visit: Visit, state: Status, booked: list[Any], now: datetime) -> str:
    service = named(visit.service)
    if booked:
        day = choices.near_day(booked[0].starts_at, now)
        names = listed(one.person.name for one in booked)
        at = spoken_time(booked[0].starts_at)
        return _("%(day)s at %(time)s %(names)s comes: %(service)s.", day=day, time=at, names=names, service=service)
    day = choices.near_day(visit.earliest_at, now)
    if state is Status.ASKED:
        return _("%(day)s, %(service)s: a volunteer has been asked and has not answered yet.", day=day, service=service)
    return _("%(day)s, %(service)s: we are still looking for somebody.", day=day, service=service)
