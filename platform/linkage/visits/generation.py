"""Visits of a need, up to four weeks ahead, by a stable key: making them twice makes nothing new."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from linkage.areas.models import Area, Place
from linkage.areas.queries import planning_area_of
from linkage.core import audit
from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.households.models import Household
from linkage.needs import recurrence
from linkage.needs.models import Need
from linkage.visits.models import Slot, Visit

MINUTES_PER_DAY = 1440


def horizon(now: datetime) -> date:
    """The last day up to which visits exist."""
    return local_date(now) + timedelta(days=rule("visits.ahead_days", local_date(now)))


def key_of(need: Need, day: date) -> str:
    """The stable key of an occurrence; it is also the visit's number."""
    return f"{need.number}-{day:%y%m%d}"


def windows_of(need: Need) -> list[list[int]]:
    """Spans in minutes from local midnight of the visit's day, one for each day on which it may lie."""
    return [
        [need.window_start + number * MINUTES_PER_DAY, need.window_end + number * MINUTES_PER_DAY]
        for number in range(need.flexible_days)
    ]


def due_days(need: Need, now: datetime) -> list[date]:
    """The need's days from today (a window that has closed is left out) up to the horizon."""
    today = local_date(now)
    first = today - timedelta(days=need.flexible_days - 1)
    days = recurrence.days(need.starts_on, need.recurrence, need.ends_on, first=first, last=horizon(now))
    return [day for day in days if latest_end(need, day) - timedelta(minutes=need.duration_minutes) >= now]


def latest_end(need: Need, day: date) -> datetime:
    return at_minutes(day, windows_of(need)[-1][1])


def make_visits(need: Need, *, now: datetime) -> list[Visit]:
    """Make the visits that `need` should have by now and does not have; return the new ones.

    A withdrawn need gets none. Each visit keeps a snapshot of address, place and planning area.
    """
    if need.withdrawn_at is not None:
        return []
    days = due_days(need, now)
    known = set(db.session.scalars(select(Visit.key).where(Visit.need_id == need.id)))
    where = where_of(need.household)
    fresh = [_make(need, day, where, now) for day in days if key_of(need, day) not in known]
    need.visits_until = horizon(now)
    db.session.flush()
    if fresh:
        audit.record("visits.make", need, by=None, now=now, count=len(fresh))
    return fresh


def _make(need: Need, day: date, where: Where, now: datetime) -> Visit:
    visit = Visit(
        number=key_of(need, day),
        key=key_of(need, day),
        key_id=need.key_id,
        need_id=need.id,
        household_id=need.household_id,
        service_id=need.service_id,
        day=day,
        created_at=now,
    )
    follow_need(visit, need)
    place_at(visit, where)
    visit.slots = [Slot(position=number) for number in range(need.people)]
    db.session.add(visit)
    return visit


def follow_need(visit: Visit, need: Need) -> None:
    """Take over what the need says: who, when, how long, how many, wishes, priority."""
    visit.person_id = need.person_id
    visit.windows = windows_of(need)
    visit.preferred_start = need.preferred_start
    visit.duration_minutes = need.duration_minutes
    visit.people = need.people
    visit.priority = need.priority
    visit.wishes = dict(need.wishes)
    visit.earliest_at = at_minutes(visit.day, need.window_start)
    visit.latest_at = latest_end(need, visit.day)


@dataclass(frozen=True)
class Where:
    """A household's service address, looked up once for all visits of a need."""

    place: Place
    area_id: int
    planning_area_id: int
    address: str | None


def where_of(household: Household) -> Where:
    place = db.session.get(Place, household.place_id)
    area = db.session.get(Area, household.area_id)
    assert place is not None and area is not None
    planning = planning_area_of(area)
    return Where(place, area.id, planning.id if planning else area.id, place.address)


def place_at(visit: Visit, where: Where) -> None:
    """Take the snapshot of the address."""
    visit.place_id, visit.area_id, visit.planning_area_id = where.place.id, where.area_id, where.planning_area_id
    visit.address = where.address


def needs_to_extend(now: datetime, limit: int) -> list[uuid.UUID]:
    """Needs whose visits do not reach the horizon yet."""
    today = local_date(now)
    return list(
        db.session.scalars(
            select(Need.id)
            .where(
                Need.withdrawn_at.is_(None),
                or_(Need.visits_until.is_(None), Need.visits_until < horizon(now)),
                or_(Need.ends_on.is_(None), Need.ends_on >= today),
                or_(Need.recurrence.is_not(None), Need.visits_until.is_(None), Need.starts_on > Need.visits_until),
            )
            .order_by(Need.id)
            .limit(limit)
        )
    )


def extend(need_ids: Iterable[uuid.UUID], *, now: datetime) -> int:
    """Make the missing visits of these needs; return how many were made."""
    made: list[Any] = []
    for need_id in need_ids:
        need = db.session.get(Need, need_id)
        if need is not None:
            audit.record("visits.extend", need, by=None, now=now)
            made += make_visits(need, now=now)
    return len(made)
