"""Repairing the plan in force: who lost their carer is given another, and as few others as can be are moved.

A carer reported ill, a volunteer who cannot come after all, an urgent visit: what stands stays (`standing`), and the
result is a draft like any other, whose changes are looked at person by person before it is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased, selectinload

import matching.instance as m
from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.extensions import db
from linkage.offers.models import OfferRound
from linkage.planning.horizon import Horizon
from linkage.planning.snapshot import Snapshot, take
from linkage.visits.models import Assignment, Slot, Visit

LOST = ("absent", "withdrew", "died")
"""Reasons of a release that leave a household waiting for somebody else."""
VITAL = 1
URGENT_HOURS = 48
"""A vital visit without anyone within so many hours cannot wait for the next plan."""


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
    """Visits of first..last that have lost somebody, or are vital, soon and without anyone (no open question)."""
    soon = clock.local_date(now + timedelta(hours=URGENT_HOURS))
    urgent = (Visit.priority == VITAL) & (Visit.day <= soon)
    query = (
        select(Visit)
        .where(
            Visit.planning_area_id == area_id,
            Visit.day.between(max(first, clock.local_date(now)), last),
            Visit.cancelled_at.is_(None),
            Visit.closed_unmet_at.is_(None),
            or_(_open_slot(lost=True), _open_slot(lost=False) & urgent),
        )
        .options(selectinload(Visit.slots), selectinload(Visit.person), selectinload(Visit.service))
        .order_by(Visit.day, Visit.number)
    )
    rows = db.session.scalars(query)
    return [row for row in rows if clock.at_minutes(row.day, row.windows[-1][1]) > now]


def _open_slot(*, lost: bool) -> ColumnElement[bool]:
    """The visit has a place without anyone and without an open question (that somebody has left)."""
    held, left = aliased(Assignment), aliased(Assignment)
    active = exists().where(held.slot_id == Slot.id, held.released_at.is_(None))
    asked = exists().where(OfferRound.slot_id == Slot.id, OfferRound.closed_at.is_(None))
    conditions: list[Any] = [Slot.visit_id == Visit.id, ~active, ~asked]
    if lost:
        conditions.append(exists().where(left.slot_id == Slot.id, left.release_reason.in_(LOST)))
    return exists().where(*conditions)
