"""From the database to one frozen `matching.Instance`, in a short read; and the names to find the way back.

Surrogate ids ("v12", "c3") stand for visits, people and the rest: the instance that is stored with a plan names
nobody and holds travel times instead of positions. What stands already is carried over as the house rules say:

* accepted assignments, and paid bookings that begin within the freeze, are pinned (person and start);
* an open question to a volunteer is pinned too: the question stands until it is answered;
* other paid bookings are the running plan: they may move, at the price of telling people.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from linkage.areas.models import Area, Place
from linkage.contracts.models import ContractLine, LineMonth, PersonMonth
from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.privacy import warm_keys
from linkage.core.rulesets import rule
from linkage.households.models import Household, Tag
from linkage.offers.models import Offer, OfferRound
from linkage.organisations.models import Carer
from linkage.people.models import Person
from linkage.people.schedule import DaySpan, day_spans
from linkage.planning.travel import distances_metres, matrix_minutes, radius_minutes
from linkage.services.models import HeldQualification, Service
from linkage.visits.models import Assignment, Slot, Visit
from linkage.volunteers.models import Volunteer
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

import matching.instance as m
from matching.objective import ObjectiveWeights

GENDERS = {"F": m.Gender.FEMALE, "M": m.Gender.MALE}
DAY = m.MINUTES_PER_DAY


@dataclass(frozen=True)
class Horizon:
    """The days that are planned at once, first..last, and the moment of the snapshot."""

    first: date
    last: date
    now: datetime

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def minute(self, moment: datetime) -> int:
        """Minutes from local midnight of the first day (may be negative)."""
        return clock.minutes_of_day(moment, self.first)

    def moment(self, minute: float) -> datetime:
        return clock.at_minutes(self.first, round(minute))

    def day_index(self, day: date) -> int:
        return (day - self.first).days


@dataclass
class Names:
    """Surrogate ↔ real: each list's index is the number in the surrogate id."""

    visits: list[uuid.UUID] = field(default_factory=list)
    people: list[uuid.UUID] = field(default_factory=list)
    lines: list[uuid.UUID] = field(default_factory=list)

    def to_json(self) -> dict[str, list[str]]:
        return {kind: [str(value) for value in getattr(self, kind)] for kind in ("visits", "people", "lines")}

    @classmethod
    def from_json(cls, stored: dict[str, list[str]]) -> Names:
        return cls(**{kind: [uuid.UUID(value) for value in values] for kind, values in stored.items()})

    def visit(self, surrogate: str) -> uuid.UUID:
        return self.visits[int(surrogate[1:])]

    def person(self, surrogate: str) -> uuid.UUID:
        return self.people[int(surrogate[1:])]

    def line(self, surrogate: str | None) -> uuid.UUID | None:
        return self.lines[int(surrogate[1:])] if surrogate else None


@dataclass(frozen=True)
class Snapshot:
    instance: m.Instance
    names: Names
    horizon: Horizon
    approximate: int  # visits whose place is known only roughly


def take(area: Area, horizon: Horizon, *, hold_everything: bool = False) -> Snapshot:
    """Read one planning area's horizon into an instance.

    Parameters
    ----------
    hold_everything : pin every booking and question as it stands ("who could come" moves nobody)
    """
    return _Reader(area, horizon, hold_everything).read()


class _Reader:
    def __init__(self, area: Area, horizon: Horizon, hold_everything: bool) -> None:
        self.area, self.horizon, self.hold_everything = area, horizon, hold_everything
        self.names = Names()
        self.locations: dict[object, int] = {}
        self.positions: list[tuple[float, float]] = []
        self.approximate = 0

    def read(self) -> Snapshot:
        self.visits = self._open_visits()
        self.held = self._assignments()
        self.rounds = self._open_rounds()
        self.services = {row.id: row for row in db.session.scalars(select(Service))}
        self._people()
        self._warm()
        self._lines()
        visits = tuple(self._visit(row) for row in self.visits)
        caregivers = tuple(self._caregiver(person_id) for person_id in self.names.people)
        shifts = tuple(self._shifts())
        instance = m.Instance(
            horizon_days=self.horizon.days,
            start_date=self.horizon.first.isoformat(),
            name=self.area.code,
            locations=tuple(m.Location(f"p{n}") for n in range(len(self.positions))),
            travel_modes=self._modes(),
            services=tuple(self._service(row) for row in self.services.values()),
            caregivers=caregivers,
            shifts=shifts,
            households=self._households(),
            visits=visits,
            contract_lines=tuple(self._line(n) for n in range(len(self.lines))),
            budgets=tuple(self._budgets()),
            quotas=tuple(self._quotas()),
            running_plan=m.RunningPlan(tuple(self._running()), tolerance_minutes=0),
            weights=ObjectiveWeights(told_per_person=100 * self._rule("planning.told_travel_minutes")),
        )
        return Snapshot(instance, self.names, self.horizon, self.approximate)

    def _rule(self, name: str) -> Any:
        return rule(name, self.horizon.first)

    # --- what is to be planned -------------------------------------------------------------------------------

    def _open_visits(self) -> list[Visit]:
        """Visits of the horizon that are not over: nobody has begun, nothing was cancelled."""
        rows = db.session.scalars(
            select(Visit)
            .where(
                Visit.planning_area_id == self.area.id,
                Visit.day.between(self.horizon.first, self.horizon.last),
                Visit.cancelled_at.is_(None),
                Visit.closed_unmet_at.is_(None),
                Visit.confirmed_at.is_(None),
            )
            .options(selectinload(Visit.slots), selectinload(Visit.need))
            .order_by(Visit.day, Visit.number)
        ).all()
        begun = set(
            db.session.scalars(
                select(Assignment.visit_id).where(
                    Assignment.released_at.is_(None),
                    Assignment.starts_at <= self.horizon.now,
                    Assignment.visit_id.in_([row.id for row in rows]) if len(rows) < 500 else True,
                )
            )
        )
        still_possible = [row for row in rows if row.id not in begun and self._windows(row)]
        self.names.visits = [row.id for row in still_possible]
        self.visit_number = {visit_id: n for n, visit_id in enumerate(self.names.visits)}
        return still_possible

    def _windows(self, visit: Visit) -> tuple[m.TimeWindow, ...]:
        """Windows for the start of service: the span of the whole visit less its length, not before now + lead."""
        offset = self.horizon.day_index(visit.day) * DAY
        earliest = self.horizon.minute(self.horizon.now) + self._rule("planning.lead_minutes")
        windows = []
        for start, end in visit.windows:
            first, last = max(offset + start, earliest), offset + end - visit.duration_minutes
            if first <= last:
                windows.append(m.TimeWindow(first, last))
        return tuple(windows)

    def _assignments(self) -> dict[uuid.UUID, Assignment]:
        rows = db.session.scalars(
            select(Assignment)
            .join(Visit, Visit.id == Assignment.visit_id)
            .where(
                Assignment.released_at.is_(None),
                Visit.planning_area_id == self.area.id,
                Visit.day.between(self.horizon.first, self.horizon.last),
            )
        )
        return {row.slot_id: row for row in rows if row.visit_id in self.visit_number}

    def _open_rounds(self) -> dict[uuid.UUID, OfferRound]:
        rows = db.session.scalars(
            select(OfferRound)
            .join(Slot, Slot.id == OfferRound.slot_id)
            .where(OfferRound.closed_at.is_(None))
            .options(selectinload(OfferRound.offers))
        )
        own = {slot.id for visit in self.visits for slot in visit.slots}
        return {row.slot_id: row for row in rows if row.slot_id in own}

    # --- who can come ----------------------------------------------------------------------------------------

    def _people(self) -> None:
        first, last = self.horizon.first, self.horizon.last
        spans: dict[uuid.UUID, list[DaySpan]] = day_spans(first, last, area_id=self.area.id)
        self.carers = {
            row.person_id: row
            for row in db.session.scalars(select(Carer).where(Carer.within(first, last), Carer.person_id.in_(spans)))
        }
        volunteers = db.session.scalars(
            select(Volunteer)
            .where(Volunteer.left_at.is_(None), Volunteer.person_id.in_(spans))
            .options(selectinload(Volunteer.services))
        )
        self.volunteers = {row.person_id: row for row in volunteers if row.person_id not in self.carers}
        self.spans = {
            person_id: [span for span in of_person if self._is_working(person_id, span)]
            for person_id, of_person in spans.items()
            if person_id in self.carers or person_id in self.volunteers
        }
        held_by = {row.person_id for row in self.held.values()}
        people = db.session.scalars(
            select(Person).where(Person.id.in_({*self.spans, *held_by}), Person.died_on.is_(None)).order_by(Person.id)
        )
        self.people = {row.id: row for row in people if row.id in self.carers or row.id in self.volunteers}
        self.names.people = sorted(self.people, key=str)
        self.person_number = {person_id: n for n, person_id in enumerate(self.names.people)}
        self.held_qualifications = defaultdict(list)
        for row in db.session.scalars(
            select(HeldQualification).where(HeldQualification.person_id.in_(self.names.people))
        ):
            self.held_qualifications[row.person_id].append(row)

    def _is_working(self, person_id: uuid.UUID, span: DaySpan) -> bool:
        carer, volunteer = self.carers.get(person_id), self.volunteers.get(person_id)
        if carer is not None:
            return span.kind == "shift" and carer.holds(span.day) and span.organisation_id == carer.organisation_id
        assert volunteer is not None
        paused = volunteer.paused_from is not None and volunteer.paused_from <= span.day
        return span.kind == "available" and not (
            paused and (volunteer.paused_to is None or span.day <= volunteer.paused_to)
        )

    def _warm(self) -> None:
        """Decrypt positions with one query for all keys."""
        homes = [row.home_place_id for row in (*self.carers.values(), *self.volunteers.values()) if row.home_place_id]
        wanted = {row.place_id for row in self.visits} | set(homes)
        self.places = {row.id: row for row in _by_id(Place, wanted)}
        warm_keys({row.key_id for row in self.places.values()})
        self.areas = {row.id: row for row in db.session.scalars(select(Area))}

    def _location(self, key: object, position: tuple[float, float]) -> str:
        if key not in self.locations:
            self.locations[key] = len(self.positions)
            self.positions.append(position)
        return f"p{self.locations[key]}"

    def _place(self, place: Place) -> tuple[str, bool]:
        """The location of a place, and whether it is only approximate (the centre of its area)."""
        position = place.position
        if position:
            return self._location(place.id, (position[0], position[1])), False
        return self._location(("area", place.area_id), self._centre(place.area_id)), True

    def _centre(self, area_id: int | None) -> tuple[float, float]:
        while area_id is not None:
            area = self.areas[area_id]
            if area.lat is not None and area.lon is not None:
                return area.lat, area.lon
            area_id = area.parent_id
        return 24.48, 118.09  # the city's own centre: better than no plan, and marked approximate

    def _base(self, person_id: uuid.UUID) -> str:
        """Where a person's day starts and ends: home where known, else the organisation or the own community."""
        carer = self.carers.get(person_id)
        owner = carer or self.volunteers[person_id]
        if owner.home_place_id is not None:
            return self._place(self.places[owner.home_place_id])[0]
        if carer is not None:
            organisation = carer.organisation
            if organisation.lat is not None and organisation.lon is not None:
                return self._location(("organisation", organisation.id), (organisation.lat, organisation.lon))
            return self._location(("area", organisation.area_id), self._centre(organisation.area_id))
        return self._location(("area", owner.area_id), self._centre(owner.area_id))  # type: ignore[union-attr]

    def _mode(self, person_id: uuid.UUID) -> str:
        return (self.carers.get(person_id) or self.volunteers[person_id]).travel_mode

    def _modes(self) -> tuple[m.TravelMode, ...]:
        metres = distances_metres(self.positions)
        speeds, detour = self._rule("planning.speed_metres_per_minute"), self._rule("planning.detour_factor")
        used = sorted({self._mode(person_id) for person_id in self.names.people} or {"walk"})
        return tuple(m.TravelMode(mode, matrix_minutes(metres, speeds[mode], detour)) for mode in used)

    def _caregiver(self, person_id: uuid.UUID) -> m.Caregiver:
        person, carer = self.people[person_id], self.carers.get(person_id)
        volunteer = None if carer else self.volunteers[person_id]
        kind = m.ProviderKind(carer.kind) if carer else m.ProviderKind.VOLUNTEER
        age = person.age_on(self.horizon.first)
        home = self._base(person_id) if volunteer else None
        return m.Caregiver(
            id=f"c{self.person_number[person_id]}",
            kind=kind,
            gender=GENDERS.get(person.sex or "", m.Gender.UNSPECIFIED),
            languages=tuple(person.languages or ()),
            qualifications=tuple(self._qualification(row) for row in self.held_qualifications[person_id]),
            service_ids=tuple(self._offered(volunteer)) if volunteer else None,
            organisation_id=self._organisation(carer.organisation_id) if carer else None,
            needs_contract_line=carer is not None,
            minor=age is not None and age < 18,
            insured_until_day=self._insured(volunteer),
            work_limits=self._limits(person_id, (carer or volunteer).weekly_minutes),  # type: ignore[union-attr]
            absences=self._busy_elsewhere(person_id),
            home_location_id=home,
            radius_minutes=self._radius(volunteer),
            fair_capacity_minutes=0 if volunteer else None,
        )

    def _organisation(self, organisation_id: uuid.UUID) -> str:
        ordered = sorted({row.organisation_id for row in self.carers.values()} | {row.organisation_id for row in self.lines}, key=str)
        return f"o{ordered.index(organisation_id)}"

    def _offered(self, volunteer: Volunteer) -> Iterable[str]:
        return (f"s-{self.services[row.service_id].code}" for row in volunteer.services if row.service_id in self.services)

    def _insured(self, volunteer: Volunteer | None) -> int | None:
        if volunteer is None:
            return None  # an employee is insured by the employer
        return max(-1, self.horizon.day_index(volunteer.insured_to)) if volunteer.insured_to else -1

    def _radius(self, volunteer: Volunteer | None) -> int | None:
        if volunteer is None:
            return None
        speed = self._rule("planning.speed_metres_per_minute")[volunteer.travel_mode]
        return radius_minutes(volunteer.radius_metres, speed, self._rule("planning.detour_factor"))

    def _qualification(self, row: HeldQualification) -> m.Qualification:
        until = None if row.valid_to is None else self.horizon.day_index(row.valid_to)
        return m.Qualification(row.code, self.horizon.day_index(row.valid_from), until)

    def _limits(self, person_id: uuid.UUID, weekly_minutes: int) -> tuple[m.WorkLimit, ...]:
        """Weekly minutes, Monday to Sunday; what was worked before the horizon counts."""
        limits = []
        monday = clock.week_start(self.horizon.first)
        while monday <= self.horizon.last:
            first, last = max(monday, self.horizon.first), min(monday + timedelta(days=6), self.horizon.last)
            used = self._worked(person_id, monday, first)
            limits.append(
                m.WorkLimit(self.horizon.day_index(first), self.horizon.day_index(last), weekly_minutes, used_minutes=used)
            )
            monday += timedelta(days=7)
        return tuple(limits)

    def _worked(self, person_id: uuid.UUID, first: date, before: date) -> int:
        """Service minutes of the week that this instance does not plan any more: earlier days, and what has begun."""
        if not hasattr(self, "_worked_rows"):
            since = clock.at_minutes(clock.week_start(self.horizon.first), 0)
            rows = db.session.execute(
                select(Assignment.person_id, Assignment.visit_id, Assignment.starts_at, Assignment.ends_at).where(
                    Assignment.released_at.is_(None),
                    Assignment.starts_at >= since,
                    Assignment.starts_at < clock.at_minutes(self.horizon.last, DAY),
                )
            )
            self._worked_rows = defaultdict(list)
            for who, visit_id, starts_at, ends_at in rows:
                if visit_id not in self.visit_number:
                    self._worked_rows[who].append((clock.local_date(starts_at), ends_at - starts_at))
        last = first + timedelta(days=6)
        return sum(int(length.total_seconds() // 60) for day, length in self._worked_rows[person_id] if first <= day <= last)

    def _busy_elsewhere(self, person_id: uuid.UUID) -> tuple[m.Absence, ...]:
        """Bookings and open questions of this person that the instance does not hold: other areas, visits begun."""
        if not hasattr(self, "_busy_rows"):
            self._busy_rows = self._read_busy()
        end = self.horizon.days * DAY
        spans = []
        for starts_at, ends_at in self._busy_rows[person_id]:
            start, stop = max(0, self.horizon.minute(starts_at)), min(end, self.horizon.minute(ends_at))
            if start < stop:
                spans.append(m.Absence(start, stop))
        return tuple(sorted(spans, key=lambda span: (span.start_minutes, span.end_minutes)))

    def _read_busy(self) -> dict[uuid.UUID, list[tuple[datetime, datetime]]]:
        begins, ends = clock.at_minutes(self.horizon.first, 0), clock.at_minutes(self.horizon.last, DAY)
        busy: dict[uuid.UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
        booked = select(Assignment.person_id, Assignment.visit_id, Assignment.starts_at, Assignment.ends_at).where(
            Assignment.released_at.is_(None), Assignment.ends_at > begins, Assignment.starts_at < ends
        )
        asked = (
            select(Offer.person_id, Slot.visit_id, Offer.starts_at, Offer.ends_at)
            .join(Slot, Slot.id == Offer.slot_id)
            .where(
                or_(Offer.accepted_at.is_(None)),
                Offer.declined_at.is_(None),
                Offer.expired_at.is_(None),
                Offer.withdrawn_at.is_(None),
                Offer.ends_at > begins,
                Offer.starts_at < ends,
            )
        )
        for query in (booked, asked):
            for who, visit_id, starts_at, ends_at in db.session.execute(query):
                if visit_id not in self.visit_number:
                    busy[who].append((starts_at, ends_at))
        return busy

    def _shifts(self) -> Iterable[m.Shift]:
        number = 0
        for person_id in self.names.people:
            base, mode = self._base(person_id), self._mode(person_id)
            for span in sorted(self.spans.get(person_id, []), key=lambda s: (s.day, s.start_minute)):
                offset = self.horizon.day_index(span.day) * DAY
                yield m.Shift(
                    id=f"k{number}",
                    caregiver_id=f"c{self.person_number[person_id]}",
                    day=self.horizon.day_index(span.day),
                    start_minutes=offset + span.start_minute,
                    end_minutes=offset + span.end_minute,
                    mode_id=mode,
                    start_location_id=base,
                    end_location_id=base,
                    breaks=self._breaks(span, offset),
                )
                number += 1

    def _breaks(self, span: DaySpan, offset: int) -> tuple[m.Break, ...]:
        if not span.break_minutes or span.break_from is None:
            return ()
        earliest = max(span.break_from, span.start_minute)
        latest = min(span.break_from + 60, span.end_minute - span.break_minutes)
        return (m.Break(offset + earliest, offset + latest, span.break_minutes),) if earliest <= latest else ()

    # --- visits ----------------------------------------------------------------------------------------------

    def _service(self, row: Service) -> m.Service:
        return m.Service(
            id=f"s-{row.code}",
            provider_kinds=tuple(m.ProviderKind(kind) for kind in row.provider_kinds),
            mixes=tuple((m.ProviderKind(a), m.ProviderKind(b)) for a, b in row.mixes),
            required_qualifications=tuple(row.qualifications),
            insurance_required=row.risk == "raised",
            minors_allowed=not row.adults_only,
        )

    def _visit(self, row: Visit) -> m.Visit:
        place = self.places[row.place_id]
        location, approximate = self._place(place)
        self.approximate += approximate
        access = place.access_minutes + approximate * self._rule("planning.approximate_allowance_minutes")
        service = self.services[row.service_id]
        pins = [self._pin(slot) for slot in row.slots]
        windows = self._windows(row)
        offset = self.horizon.day_index(row.day) * DAY
        return m.Visit(
            id=f"v{self.visit_number[row.id]}",
            household_id=self._household(row.household_id),
            location_id=location,
            service_id=f"s-{service.code}",
            person_id=self._recipient(row.person_id),
            windows=self._with_pins(windows, pins),
            preferred_windows=self._preferred(row, offset, windows),
            service_minutes=row.duration_minutes,
            access_minutes=access,
            max_tardiness_minutes=self._rule("planning.max_late_minutes"),
            tier=row.priority - 1,
            slots=tuple(m.Slot(pin=pin) for pin in pins),
            gender_wish=self._wish(row.wishes, "gender", lambda value: GENDERS[value]),
            language_wish=self._wish(row.wishes, "language", str),
            previous_caregiver_ids=self._previous(row),
            fallback=m.FallbackRule.WANTED if "carer" in service.provider_kinds else m.FallbackRule.NONE,
            contract_line_ids=tuple(self._eligible_lines(row, service)),
            line_rule=m.LineRule.ORDERED,
            charge_meals=1 if service.unit == "meals" else 0,
            charged_once=not service.charge_each_person,
        )

    @staticmethod
    def _with_pins(windows: tuple[m.TimeWindow, ...], pins: list[m.Pin | None]) -> tuple[m.TimeWindow, ...]:
        """A held start stays possible even where the lead time or an edit has since closed its window."""
        starts = {pin.start_minutes for pin in pins if pin is not None and pin.start_minutes is not None}
        outside = [s for s in starts if not any(w.start_minutes <= s <= w.end_minutes for w in windows)]
        return (*windows, *(m.TimeWindow(start, start) for start in sorted(outside)))

    @staticmethod
    def _preferred(row: Visit, offset: int, windows: tuple[m.TimeWindow, ...]) -> tuple[m.TimeWindow, ...]:
        if row.preferred_start is None:
            return ()
        wished = offset + row.preferred_start
        inside = any(window.start_minutes <= wished <= window.end_minutes for window in windows)
        return (m.TimeWindow(wished, wished),) if inside else ()

    def _pin(self, slot: Slot) -> m.Pin | None:
        """What is agreed for this slot and must not be moved."""
        held, asked = self.held.get(slot.id), self._question(slot)
        if held is not None and held.person_id in self.person_number:
            frozen = self.horizon.now + timedelta(hours=self._rule("planning.freeze_hours"))
            fixed = held.capacity == "volunteer" or held.accepted_at is not None or held.starts_at <= frozen
            if fixed or self.hold_everything:
                return m.Pin(f"c{self.person_number[held.person_id]}", self.horizon.minute(held.starts_at))
        if asked is not None and asked.person_id in self.person_number:
            return m.Pin(f"c{self.person_number[asked.person_id]}", self.horizon.minute(asked.starts_at))
        return None

    def _question(self, slot: Slot) -> Offer | None:
        """The open question of this slot that is kept in the plan: the first that was asked."""
        found = self.rounds.get(slot.id)
        waiting = [o for o in found.offers if not (o.declined_at or o.expired_at or o.withdrawn_at)] if found else []
        return waiting[0] if waiting else None

    def _running(self) -> Iterable[m.RunningAssignment]:
        for visit in self.visits:
            for slot in visit.slots:
                held = self.held.get(slot.id)
                if held is not None and held.person_id in self.person_number:
                    yield m.RunningAssignment(
                        f"v{self.visit_number[visit.id]}",
                        slot.position,
                        f"c{self.person_number[held.person_id]}",
                        self.horizon.minute(held.starts_at),
                    )

    @staticmethod
    def _wish(wishes: dict[str, Any], name: str, read: Any) -> m.Wish | None:
        value = wishes.get(name)
        return m.Wish((read(value),), bool(wishes.get(f"{name}_hard"))) if value else None

    def _previous(self, row: Visit) -> tuple[str, ...]:
        """Who came for this need before (continuity): the three most recent."""
        if not hasattr(self, "_previous_rows"):
            self._previous_rows = defaultdict(list)
            rows = db.session.execute(
                select(Visit.need_id, Assignment.person_id)
                .join(Assignment, Assignment.visit_id == Visit.id)
                .where(
                    Visit.planning_area_id == self.area.id,
                    Assignment.released_at.is_(None),
                    Assignment.starts_at < self.horizon.now,
                    Assignment.starts_at > self.horizon.now - timedelta(days=60),
                )
                .order_by(Assignment.starts_at.desc())
            )
            for need_id, person_id in rows:
                known = self._previous_rows[need_id]
                if person_id not in known and person_id in self.person_number:
                    known.append(person_id)
        return tuple(f"c{self.person_number[p]}" for p in self._previous_rows[row.need_id][:3])

    def _household(self, household_id: uuid.UUID) -> str:
        if not hasattr(self, "_household_numbers"):
            self._household_numbers: dict[uuid.UUID, int] = {}
        return f"h{self._household_numbers.setdefault(household_id, len(self._household_numbers))}"

    def _recipient(self, person_id: uuid.UUID) -> str:
        if not hasattr(self, "_recipient_numbers"):
            self._recipient_numbers: dict[uuid.UUID, int] = {}
        return f"r{self._recipient_numbers.setdefault(person_id, len(self._recipient_numbers))}"

    def _households(self) -> tuple[m.Household, ...]:
        known = defaultdict(set)
        rows = db.session.execute(
            select(Visit.household_id, Assignment.person_id)
            .join(Assignment, Assignment.visit_id == Visit.id)
            .where(
                Visit.planning_area_id == self.area.id,
                Assignment.released_at.is_(None),
                Assignment.starts_at < self.horizon.now,
                Assignment.starts_at > self.horizon.now - timedelta(days=180),
            )
            .distinct()
        )
        for household_id, person_id in rows:
            if person_id in self.person_number:
                known[household_id].add(self.person_number[person_id])
        numbers = getattr(self, "_household_numbers", {})
        return tuple(
            m.Household(f"h{number}", tuple(f"c{n}" for n in sorted(known[household_id])))
            for household_id, number in numbers.items()
        )

    # --- contract lines --------------------------------------------------------------------------------------

    def _lines(self) -> None:
        """Contract lines in force in the horizon that cover this planning area (or a part of it)."""
        path = self.area.path
        rows = db.session.scalars(
            select(ContractLine)
            .where(ContractLine.starts_on <= self.horizon.last, ContractLine.ends_on >= self.horizon.first)
            .options(
                selectinload(ContractLine.services), selectinload(ContractLine.areas), selectinload(ContractLine.contract)
            )
            .order_by(ContractLine.rank, ContractLine.created_at, ContractLine.id)
        )
        self.lines = [row for row in rows if self._in_force(row) and self._touches(row, path)]
        self.names.lines = [row.id for row in self.lines]
        self.line_number = {row.id: n for n, row in enumerate(self.lines)}
        self.tags = defaultdict(set)
        households = {row.household_id for row in self.visits}
        for tag in _where_in(Tag, Tag.household_id, households):
            if tag.holds(self.horizon.first):
                self.tags[tag.household_id].add(tag.tag)

    @staticmethod
    def _in_force(line: ContractLine) -> bool:
        return line.contract.suspended_at is None and line.contract.terminated_at is None

    def _touches(self, line: ContractLine, path: str) -> bool:
        areas = [db.session.get(Area, row.area_id) for row in line.areas]
        return any(a is not None and (path.startswith(a.path) or a.path.startswith(path)) for a in areas)

    def _eligible_lines(self, visit: Visit, service: Service) -> Iterable[str]:
        path = self.areas[visit.area_id].path
        for number, line in enumerate(self.lines):
            covers = any(path.startswith(self.areas[row.area_id].path) for row in line.areas)
            wanted = not line.eligible_tags or self.tags[visit.household_id] & set(line.eligible_tags)
            if covers and wanted and any(row.service_id == service.id for row in line.services):
                yield f"l{number}"

    def _line(self, number: int) -> m.ContractLine:
        row = self.lines[number]
        # Minutes are priced per hour on the contract; the engine wants whole fen per unit.
        price = round(row.price_fen / 60) if row.unit == "minutes" else row.price_fen
        return m.ContractLine(
            id=f"l{number}",
            organisation_id=self._organisation(row.organisation_id),
            service_ids=tuple(f"s-{self.services[s.service_id].code}" for s in row.services),
            first_day=self.horizon.day_index(row.starts_on),
            last_day=self.horizon.day_index(row.ends_on),
            unit=m.Unit(row.unit),
            price_fen=price,
        )

    def _budgets(self) -> Iterable[m.Budget]:
        for line_number, line in enumerate(self.lines):
            for month, first, last in months_of(self.horizon.first, self.horizon.last):
                row = db.session.scalars(
                    select(LineMonth).where(LineMonth.line_id == line.id, LineMonth.month == month)
                ).one_or_none()
                cap = row.cap if row else line.monthly_cap
                used = row.reserved + row.committed + row.delivered if row else 0
                yield m.Budget(
                    id=f"b{line_number}-{month}",
                    line_id=f"l{line_number}",
                    first_day=self.horizon.day_index(first),
                    last_day=self.horizon.day_index(last),
                    cap=cap,
                    unit=m.Unit(line.unit),
                    used=max(0, used - self._own(line.id, month)),
                )

    def _own(self, line_id: uuid.UUID, month: str, person_id: uuid.UUID | None = None) -> int:
        """What the visits of this instance hold of the line already: it is theirs to place anew."""
        total = 0
        for visit in self.visits:
            if visit.day.strftime("%Y-%m") != month or person_id not in (None, visit.person_id):
                continue
            for slot in visit.slots:
                held, asked = self.held.get(slot.id), self.rounds.get(slot.id)
                if held is not None and held.line_id == line_id:
                    total += held.charge
                if asked is not None and asked.fallback_line_id == line_id:
                    total += asked.fallback_charge
        return total

    def _quotas(self) -> Iterable[m.Quota]:
        limited = [(n, line) for n, line in enumerate(self.lines) if line.monthly_quota is not None]
        recipients = getattr(self, "_recipient_numbers", {})
        for line_number, line in limited:
            for month, first, last in months_of(self.horizon.first, self.horizon.last):
                used = {
                    row.person_id: row.used
                    for row in db.session.scalars(
                        select(PersonMonth).where(PersonMonth.line_id == line.id, PersonMonth.month == month)
                    )
                }
                for person_id, number in recipients.items():
                    yield m.Quota(
                        id=f"q{line_number}-{month}-{number}",
                        person_id=f"r{number}",
                        first_day=self.horizon.day_index(first),
                        last_day=self.horizon.day_index(last),
                        cap=line.monthly_quota or 0,
                        line_id=f"l{line_number}",
                        unit=m.Unit(line.unit),
                        used=max(0, used.get(person_id, 0) - self._own(line.id, month, person_id)),
                    )


def months_of(first: date, last: date) -> list[tuple[str, date, date]]:
    """The months that first..last touches: ("2026-11", first day within, last day within)."""
    parts, start = [], first
    while start <= last:
        next_month = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(last, next_month - timedelta(days=1))
        parts.append((start.strftime("%Y-%m"), start, end))
        start = next_month
    return parts


def _by_id(model: Any, ids: set[uuid.UUID]) -> Iterable[Any]:
    return _where_in(model, model.id, ids)


def _where_in(model: Any, column: Any, ids: set[Any]) -> Iterable[Any]:
    """Rows whose column is one of many values, 500 at a time (SQLite limits the number of parameters)."""
    ordered = sorted(ids, key=str)
    for start in range(0, len(ordered), 500):
        yield from db.session.scalars(select(model).where(column.in_(ordered[start : start + 500])))


__all__ = ["Horizon", "Household", "Names", "Snapshot", "take"]
