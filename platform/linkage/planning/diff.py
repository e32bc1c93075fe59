"""What a plan would change against what stands: computed the same for the page and for publishing."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from linkage.core.extensions import db
from linkage.offers.models import Offer, OfferRound
from linkage.planning.models import Plan, PlanStop
from linkage.planning.repairing import losses
from linkage.visits.models import Assignment, Slot, Visit

# book: a paid carer newly; move: the same person at another time; replace: another person; ask: a volunteer;
# drop: nobody in the plan; keep: nothing changes.
KINDS = ("book", "move", "replace", "ask", "drop", "keep")


@dataclass(frozen=True)
class Change:
    """One slot's change. `stop` is None for a drop; `held` is the assignment that stands now; `lost` the one that
    stood until somebody could not come after all."""

    kind: str
    slot: Slot
    visit: Visit
    stop: PlanStop | None
    held: Assignment | None
    lost: Assignment | None = None

    @property
    def told(self) -> set[uuid.UUID]:
        """The people who must be told: who comes, and who no longer comes."""
        people = {self.held.person_id} if self.held is not None else set()
        return people | ({self.stop.person_id} if self.stop is not None else set())

    @property
    def home_told(self) -> bool:
        """Whether the household expects somebody else, or another hour, than the plan sends now."""
        return self.kind in ("move", "replace") or (self.kind == "book" and self.lost is not None)


def changes(plan: Plan, *, now: datetime) -> list[Change]:
    """Every slot of the plan's visits that publishing at `now` would change (and those it keeps)."""
    stops = {stop.slot_id: stop for stop in plan.stops}
    visit_ids = {stop.visit_id for stop in plan.stops} | {row.visit_id for row in plan.unserved}
    held, asked, lost = held_of(visit_ids), asked_of(visit_ids), losses(visit_ids)
    found = []
    for visit in _visits(visit_ids):
        for slot in visit.places:
            stop = stops.get(slot.id)
            kind = _kind(stop, held.get(slot.id), asked.get(slot.id), now)
            if kind is not None:
                found.append(Change(kind, slot, visit, stop, held.get(slot.id), lost.get(slot.id)))
    return found


def _kind(stop: PlanStop | None, held: Assignment | None, asked: Offer | None, now: datetime) -> str | None:
    if stop is None:
        return _without(held, now)
    if held is not None:
        if held.person_id != stop.person_id:
            return "replace"
        return "keep" if held.starts_at == stop.starts_at and held.line_id == stop.line_id else "move"
    if stop.capacity == "volunteer":
        return "keep" if asked is not None and asked.starts_at == stop.starts_at else "ask"
    return "book"


def _without(held: Assignment | None, now: datetime) -> str | None:
    """A booking that the plan does not hold: dropped, unless it was agreed or has begun."""
    if held is None:
        return None
    agreed = held.accepted_at is not None or held.capacity == "volunteer" or held.starts_at <= now
    return "keep" if agreed else "drop"


def _visits(ids: set[uuid.UUID]) -> list[Visit]:
    rows: list[Visit] = []
    for part in _parts(ids):
        rows += db.session.scalars(
            select(Visit)
            .where(Visit.id.in_(part))
            .options(selectinload(Visit.slots), selectinload(Visit.person), selectinload(Visit.service))
        )
    return sorted(rows, key=lambda row: (row.day, row.number))


def held_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Assignment]:
    """Slot → the assignment that stands, of these visits, with its attendance."""
    rows: dict[uuid.UUID, Assignment] = {}
    for part in _parts(ids):
        query = select(Assignment).where(Assignment.visit_id.in_(part), Assignment.released_at.is_(None))
        query = query.options(selectinload(Assignment.attendance))
        rows.update({row.slot_id: row for row in db.session.scalars(query)})
    return rows


def asked_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Offer]:
    """Slot → the open question that was asked first, of these visits."""
    rows: dict[uuid.UUID, Offer] = {}
    for part in _parts(ids):
        query = (
            select(Offer)
            .join(OfferRound, OfferRound.id == Offer.round_id)
            .join(Slot, Slot.id == Offer.slot_id)
            .where(
                Slot.visit_id.in_(part),
                OfferRound.closed_at.is_(None),
                Offer.declined_at.is_(None),
                Offer.expired_at.is_(None),
                Offer.withdrawn_at.is_(None),
            )
            .order_by(Offer.asked_at.desc())
        )
        rows.update({row.slot_id: row for row in db.session.scalars(query)})
    return rows


def _parts(ids: Iterable[uuid.UUID]) -> list[list[uuid.UUID]]:
    ordered = sorted(ids, key=str)
    return [ordered[start : start + 500] for start in range(0, len(ordered), 500)]


def by_person(found: list[Change]) -> dict[uuid.UUID, list[Change]]:
    """The changes per person who must be told, without those that are kept."""
    grouped: dict[uuid.UUID, list[Change]] = defaultdict(list)
    for change in found:
        if change.kind != "keep":
            for person_id in change.told:
                grouped[person_id].append(change)
    return dict(grouped)
