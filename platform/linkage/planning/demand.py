"""The visits of a snapshot: what is to be placed, and what of it is agreed already."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import selectinload

import matching.instance as m
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.households.models import Household, Member
from linkage.households.queries import consent_for, may_be_served
from linkage.offers.models import Offer, OfferRound
from linkage.planning.horizon import DAY, Horizon, Numbers
from linkage.planning.sites import Sites
from linkage.services.models import Service
from linkage.visits.models import Assignment, Slot, Visit

GENDERS = {"F": m.Gender.FEMALE, "M": m.Gender.MALE}
PAID = (m.ProviderKind.CARER, m.ProviderKind.SOCIAL_WORKER)
KNOWN_DAYS = 180  # who came within this time is no new face
RECENT_DAYS = 60  # who came for this need within this time continues it
OPEN_OFFER = (Offer.declined_at, Offer.expired_at, Offer.withdrawn_at, Offer.accepted_at)


@dataclass(frozen=True)
class ServiceFacts:
    """What is needed of a service, without a database row: a snapshot may outlive its session."""

    id: uuid.UUID
    code: str
    unit: str
    provider_kinds: tuple[str, ...]
    mixes: tuple[tuple[str, str], ...]
    qualifications: tuple[str, ...]
    volunteer_qualifications: tuple[str, ...]
    risk: str
    adults_only: bool
    charge_each_person: bool

    @classmethod
    def of(cls, row: Service) -> ServiceFacts:
        return cls(
            id=row.id,
            code=row.code,
            unit=row.unit,
            provider_kinds=tuple(row.provider_kinds),
            mixes=tuple((one, two) for one, two in row.mixes),
            qualifications=tuple(row.qualifications),
            volunteer_qualifications=tuple(row.volunteer_qualifications),
            risk=row.risk,
            adults_only=row.adults_only,
            charge_each_person=row.charge_each_person,
        )


class Demand:
    """The open visits of one planning area and horizon, with their bookings and questions."""

    def __init__(self, area: Area, horizon: Horizon, sites: Sites, *, hold_everything: bool) -> None:
        self.area, self.horizon, self.sites, self.hold_everything = area, horizon, sites, hold_everything
        self.services = {row.id: ServiceFacts.of(row) for row in db.session.scalars(select(Service))}
        ahead = [row for row in self._open() if self.windows(row)]
        self.rows = [row for row in ahead if may_be_served(row.household, row.day)]
        served = {row.id for row in self.rows}
        self.refused = [row.id for row in ahead if row.id not in served]  # no consent, closed, or nobody lives there
        self.number = {row.id: n for n, row in enumerate(self.rows)}
        self.held = self._held()
        self.rounds = self._rounds()
        self.households, self.recipients = Numbers("h"), Numbers("r")
        self.approximate = 0
        self.included: uuid.UUID | None = None

    # --- reading ---------------------------------------------------------------------------------------------

    def _in_horizon(self) -> tuple[Any, ...]:
        return (
            Visit.planning_area_id == self.area.id,
            Visit.day.between(self.horizon.first, self.horizon.last),
            Visit.cancelled_at.is_(None),
            Visit.closed_unmet_at.is_(None),
        )

    def _open(self) -> list[Visit]:
        """Visits of the horizon that nobody has begun."""
        begun = exists().where(
            Assignment.visit_id == Visit.id,
            Assignment.released_at.is_(None),
            Assignment.starts_at <= self.horizon.now,
        )
        return list(
            db.session.scalars(
                select(Visit)
                .where(*self._in_horizon(), ~begun)
                .options(
                    selectinload(Visit.slots),
                    selectinload(Visit.household).selectinload(Household.consents),
                    selectinload(Visit.household).selectinload(Household.members).joinedload(Member.person),
                )
                .order_by(Visit.day, Visit.number)
            )
        )

    def windows(self, visit: Visit) -> tuple[m.TimeWindow, ...]:
        """Windows for the *start* of service: the span of the whole visit less its length, not before now + lead.

        Of a visit that may lie on several days, those that reach beyond the horizon count as far as it goes.
        """
        offset, end = self.horizon.day_index(visit.day) * DAY, self.horizon.days * DAY
        earliest = self.horizon.minute(self.horizon.now) + self.horizon.rule("planning.lead_minutes")
        spans = [(max(offset + a, earliest), min(offset + b, end) - visit.duration_minutes) for a, b in visit.windows]
        return tuple(m.TimeWindow(first, last) for first, last in spans if first <= last)

    def _held(self) -> dict[uuid.UUID, Assignment]:
        rows = db.session.scalars(
            select(Assignment)
            .join(Visit, Visit.id == Assignment.visit_id)
            .where(Assignment.released_at.is_(None), *self._in_horizon())
        )
        return {row.slot_id: row for row in rows if row.visit_id in self.number}

    def _rounds(self) -> dict[uuid.UUID, OfferRound]:
        rows = db.session.scalars(
            select(OfferRound)
            .join(Slot, Slot.id == OfferRound.slot_id)
            .join(Visit, Visit.id == Slot.visit_id)
            .where(OfferRound.closed_at.is_(None), *self._in_horizon())
            .options(selectinload(OfferRound.offers))
        )
        own = {slot.id for visit in self.rows for slot in visit.places}
        return {row.slot_id: row for row in rows if row.slot_id in own}

    def question(self, slot: Slot) -> Offer | None:
        """The open question of this slot that is kept in the plan: the first that was asked."""
        found = self.rounds.get(slot.id)
        offers = found.offers if found is not None else []
        return next((o for o in offers if not (o.declined_at or o.expired_at or o.withdrawn_at)), None)

    def keeps_fallback(self, visit: Visit) -> bool:
        """Somebody paid stands behind an open question about it already: her time and minutes are kept for it."""
        rounds = (self.rounds.get(slot.id) for slot in visit.places)
        return any(row is not None and row.fallback_person_id is not None for row in rounds)

    def own_charge(self, line_id: uuid.UUID, month: str, person_id: uuid.UUID | None = None) -> int:
        """What the visits of this snapshot hold of a line already: it is theirs to place anew."""
        total = 0
        for visit in self.rows:
            if visit.day.strftime("%Y-%m") != month or person_id not in (None, visit.person_id):
                continue
            for slot in visit.places:
                held = self.held.get(slot.id)
                total += held.charge if held is not None and held.line_id == line_id else 0
        return total

    def include(self, household: Household) -> None:
        """Make a household and its members known though none of the visits goes there."""
        self.sites.load([household.place_id])
        self.sites.of_place(household.place_id)
        self.households.of(household.id)
        for member in household.members:
            self.recipients.of(member.person_id)
        self.included = household.id

    # --- writing the instance --------------------------------------------------------------------------------

    def to_services(self) -> tuple[m.Service, ...]:
        return tuple(
            m.Service(
                id=f"s-{row.code}",
                provider_kinds=tuple(m.ProviderKind(kind) for kind in row.provider_kinds),
                mixes=tuple((m.ProviderKind(a), m.ProviderKind(b)) for a, b in row.mixes),
                required_qualifications=(paper_for(row),) if papers_of(row) else (),
                insurance_required=row.risk == "raised",
                minors_allowed=not row.adults_only,
            )
            for row in self.services.values()
        )

    def to_visits(self, people: dict[uuid.UUID, str], lines_of: Any) -> tuple[m.Visit, ...]:
        """`people`: person → caregiver id; `lines_of(visit, service)`: the eligible lines, in order."""
        previous = self._previous()
        return tuple(self._visit(row, people, previous[row.need_id], lines_of) for row in self.rows)

    def to_visit(self, row: Visit, people: dict[uuid.UUID, str], lines_of: Any) -> m.Visit:
        """One more visit, that is not stored, as the next number."""
        self.number.setdefault(row.id, len(self.number))
        return self._visit(row, people, [], lines_of)

    def _visit(self, row: Visit, people: dict[uuid.UUID, str], previous: list[uuid.UUID], lines_of: Any) -> m.Visit:
        location, approximate = self.sites.of_place(row.place_id)
        self.approximate += approximate
        service = self.services[row.service_id]
        pins = [self._pin(slot, people) for slot in row.places]
        allowance = self.horizon.rule("planning.approximate_allowance_minutes") if approximate else 0
        return m.Visit(
            id=f"v{self.number[row.id]}",
            household_id=self.households.of(row.household_id),
            location_id=location,
            service_id=f"s-{service.code}",
            person_id=self.recipients.of(row.person_id),
            windows=_with_pins(self.windows(row), pins),
            preferred_windows=self._preferred(row),
            service_minutes=row.duration_minutes,
            access_minutes=self.sites.places[row.place_id].access_minutes + allowance,
            tier=row.priority - 1,
            slots=tuple(
                m.Slot(pin=pin, service_minutes=self._minutes(slot, pin))
                for slot, pin in zip(row.places, pins, strict=True)
            ),
            provider_kinds=() if consent_for(row.household, "volunteers", row.day) else PAID,
            gender_wish=_wish(row.wishes, "gender", lambda value: GENDERS[value].value),
            language_wish=_wish(row.wishes, "language", str),
            previous_caregiver_ids=tuple(people[person] for person in previous if person in people)[:3],
            fallback=m.FallbackRule.NONE if self.keeps_fallback(row) else _fallback(service, row),
            contract_line_ids=tuple(lines_of(row, service)),
            line_rule=m.LineRule.ORDERED,
            charge_meals=1 if service.unit == "meals" else 0,
            charged_once=not service.charge_each_person,
        )

    def _preferred(self, row: Visit) -> tuple[m.TimeWindow, ...]:
        if row.preferred_start is None:
            return ()
        wished = self.horizon.day_index(row.day) * DAY + row.preferred_start
        inside = any(window.start_minutes <= wished <= window.end_minutes for window in self.windows(row))
        return (m.TimeWindow(wished, wished),) if inside else ()

    def _pin(self, slot: Slot, people: dict[uuid.UUID, str]) -> m.Pin | None:
        """What is agreed for this slot and must not be moved."""
        held, asked = self.held.get(slot.id), self.question(slot)
        if held is not None and held.person_id in people and (self.hold_everything or self._is_fixed(held)):
            return m.Pin(people[held.person_id], self.horizon.minute(held.starts_at))
        if held is None and asked is not None and asked.person_id in people:
            return m.Pin(people[asked.person_id], self.horizon.minute(asked.starts_at))
        return None

    def _minutes(self, slot: Slot, pin: m.Pin | None) -> float | None:
        """A held booking takes its own time, which an edit of the visit may have left behind."""
        held = self.held.get(slot.id)
        return None if pin is None or held is None else (held.ends_at - held.starts_at).total_seconds() // 60

    def _is_fixed(self, held: Assignment) -> bool:
        """A volunteer's yes, a carer's yes, or a paid booking that begins within the freeze."""
        frozen = self.horizon.now + timedelta(hours=self.horizon.rule("planning.freeze_hours"))
        return held.capacity == "volunteer" or held.accepted_at is not None or held.starts_at <= frozen

    def to_running(self, people: dict[uuid.UUID, str]) -> Iterable[m.RunningAssignment]:
        for visit in self.rows:
            for slot in visit.places:
                held = self.held.get(slot.id)
                if held is not None and held.person_id in people:
                    start = self.horizon.minute(held.starts_at)
                    yield m.RunningAssignment(f"v{self.number[visit.id]}", slot.position, people[held.person_id], start)

    def to_households(self, people: dict[uuid.UUID, str]) -> tuple[m.Household, ...]:
        known: dict[uuid.UUID, set[str]] = defaultdict(set)
        for household_id, person_id in self._came(Visit.household_id, KNOWN_DAYS):
            if person_id in people:
                known[household_id].add(people[person_id])
        return tuple(
            m.Household(f"h{number}", tuple(sorted(known[household_id])))
            for household_id, number in self.households.keys.items()
        )

    def _previous(self) -> dict[uuid.UUID, list[uuid.UUID]]:
        """Per need, who came for it, the most recent first."""
        came: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        for need_id, person_id in self._came(Visit.need_id, RECENT_DAYS):
            if person_id not in came[need_id]:
                came[need_id].append(person_id)
        return came

    def _came(self, column: Any, days: int) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
        rows = db.session.execute(
            select(column, Assignment.person_id)
            .join(Assignment, Assignment.visit_id == Visit.id)
            .where(
                Visit.planning_area_id == self.area.id,
                Assignment.released_at.is_(None),
                Assignment.starts_at < self.horizon.now,
                Assignment.starts_at > self.horizon.now - timedelta(days=days),
            )
            .order_by(Assignment.starts_at.desc())
        )
        return [(owner, person) for owner, person in rows]


def paper_for(service: ServiceFacts) -> str:
    """The one requirement of a service: carers and volunteers meet it by different qualifications (see `supply`)."""
    return f"for-{service.code}"


def papers_of(service: ServiceFacts) -> bool:
    return bool(service.qualifications or service.volunteer_qualifications)


def _with_pins(windows: tuple[m.TimeWindow, ...], pins: list[m.Pin | None]) -> tuple[m.TimeWindow, ...]:
    """A held start stays possible even where the lead time or an edit has since closed its window."""
    starts = sorted({pin.start_minutes for pin in pins if pin is not None and pin.start_minutes is not None})
    outside = [s for s in starts if not any(w.start_minutes <= s <= w.end_minutes for w in windows)]
    return (*windows, *(m.TimeWindow(start, start) for start in outside))


def _wish(wishes: dict[str, Any], name: str, read: Any) -> m.Wish | None:
    value = wishes.get(name)
    return m.Wish((read(value),), bool(wishes.get(f"{name}_hard"))) if value else None


def _fallback(service: ServiceFacts, row: Visit) -> m.FallbackRule:
    """A volunteer's place is backed by a paid carer where the service knows paid carers."""
    paid = set(PAID) & set(service.provider_kinds)
    return m.FallbackRule.WANTED if paid and row.people == 1 else m.FallbackRule.NONE
