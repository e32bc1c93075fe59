"""Repairing the plan in force: who lost their carer is given another, and as few others as can be are moved.

A carer reported ill, a volunteer who cannot come after all, an urgent visit: what stands stays (`standing`), and the
result is a draft like any other, whose changes are looked at person by person before it is published.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased, selectinload

import matching.instance as m
from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.extensions import db
from linkage.offers.models import OfferRound
from linkage.planning.horizon import Horizon, where_in
from linkage.planning.models import Plan, PlanUnserved
from linkage.planning.snapshot import Snapshot, take
from linkage.visits.models import Assignment, Slot, Visit

LOST = ("absent", "withdrew", "died", "papers", "replaced", "consent", "need_changed")
"""Reasons of a release that leave a household waiting for somebody else."""
VITAL = 1
URGENT_HOURS = 48
"""A vital visit within so many hours cannot wait for the next plan; of today no other can, either."""


@dataclass(frozen=True)
class Standing:
    """What stands, with everything pinned, in the surrogates of the instance that is repaired; and the visits that
    come first."""

    instance: m.Instance
    first: list[str]


def standing_for(area: Area, horizon: Horizon, snapshot: Snapshot) -> Standing:
    """Read what stands, in the transaction in which `snapshot` was taken (so that surrogates agree)."""
    held = take(area, horizon, hold_everything=True)
    found = {visit.id for visit in to_repair(area.id, horizon.first, horizon.last, horizon.now)}
    first = [f"v{number}" for number, name in enumerate(snapshot.names.visits) if name in found]
    return Standing(held.instance, first)


def to_repair(area_id: int, first: date, last: date, now: datetime) -> list[Visit]:
    """Visits of first..last without anyone (nor a question) that have lost somebody or cannot wait for the next plan.

    The earliest first.
    """
    rows = db.session.scalars(
        _waiting(now)
        .where(Visit.planning_area_id == area_id, Visit.day.between(max(first, clock.local_date(now)), last))
        .options(selectinload(Visit.slots), selectinload(Visit.person), selectinload(Visit.service))
    )
    return _not_over(rows, now)


def _not_over(visits: Iterable[Visit], now: datetime) -> list[Visit]:
    """Those whose last window has not closed, the earliest first."""
    return sorted((one for one in visits if one.latest_at > now), key=lambda one: (one.earliest_at, one.number))


def _waiting(now: datetime) -> Select[Visit]:
    return select(Visit).where(
        Visit.cancelled_at.is_(None),
        Visit.closed_unmet_at.is_(None),
        or_(_open_slot(lost=True), _open_slot(lost=False) & _urgent(now)),
    )


def _urgent(now: datetime) -> ColumnElement[bool]:
    """A day that is planned already, and vital within two days, or today and not looked at by that plan."""
    today, soon = clock.local_date(now), clock.local_date(now + timedelta(hours=URGENT_HOURS))
    planned = exists().where(
        Plan.area_id == Visit.planning_area_id,
        Plan.published_at.is_not(None),
        Plan.first_day <= Visit.day,
        Plan.last_day >= Visit.day,
    )
    known = exists().where(
        PlanUnserved.visit_id == Visit.id, PlanUnserved.plan_id == Plan.id, Plan.published_at.is_not(None)
    )
    vital = and_(Visit.priority == VITAL, Visit.day <= soon)
    return and_(planned, or_(vital, and_(Visit.day == today, ~known)))


def urgent_of(need_id: uuid.UUID, now: datetime) -> list[Visit]:
    """The visits of a need that have nobody and cannot wait for the next plan."""
    rows = db.session.scalars(_waiting(now).where(Visit.need_id == need_id, _open_slot(lost=False)))
    return _not_over(rows, now)


def losses(visit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Assignment]:
    """Slot → who would have come to it until lately, and no longer does; only slots that nobody has taken since."""
    held = aliased(Assignment)
    free = ~exists().where(held.slot_id == Assignment.slot_id, held.released_at.is_(None))
    found: dict[uuid.UUID, Assignment] = {}
    for row in where_in(Assignment, Assignment.visit_id, visit_ids, Assignment.release_reason.in_(LOST), free):
        last = found.get(row.slot_id)
        if last is None or (row.released_at, row.booked_at) > (last.released_at, last.booked_at):
            found[row.slot_id] = row
    return found


def not_in(plan: Plan, visits: Sequence[Visit]) -> list[Visit]:
    """Those of `visits` that a draft does not answer: they came, or lost somebody, after it was made."""
    known = {stop.visit_id for stop in plan.stops} | {row.visit_id for row in plan.unserved}
    since = {row.visit_id for row in losses([visit.id for visit in visits]).values() if _after(plan, row)}
    return [visit for visit in visits if visit.id not in known or visit.id in since]


def _after(plan: Plan, lost: Assignment) -> bool:
    return lost.released_at is not None and lost.released_at > plan.solved_from


def _open_slot(*, lost: bool) -> ColumnElement[bool]:
    """The visit has a place without anyone and without an open question (that somebody has left)."""
    held, left = aliased(Assignment), aliased(Assignment)
    active = exists().where(held.slot_id == Slot.id, held.released_at.is_(None))
    asked = exists().where(OfferRound.slot_id == Slot.id, OfferRound.closed_at.is_(None))
    conditions: list[Any] = [Slot.visit_id == Visit.id, Slot.position < Visit.people, ~active, ~asked]
    if lost:
        conditions.append(exists().where(left.slot_id == Slot.id, left.release_reason.in_(LOST)))
    return exists().where(*conditions)
