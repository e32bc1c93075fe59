"""The people of a snapshot: carers and volunteers, their shifts, limits and what keeps them busy elsewhere."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select

import matching.instance as m
from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.extensions import db
from linkage.offers.models import Offer
from linkage.offers.queries import kept_ready
from linkage.organisations.models import Carer
from linkage.people.models import Person
from linkage.people.schedule import DaySpan, day_spans
from linkage.planning.demand import GENDERS, OPEN_OFFER, Demand, paper_for, papers_of
from linkage.planning.horizon import DAY, Horizon, where_in
from linkage.planning.sites import Sites
from linkage.services.models import HeldQualification
from linkage.visits.models import Assignment, Slot
from linkage.volunteers.models import Volunteer

ADULT_AGE = 18
Busy = dict[uuid.UUID, list[tuple[datetime, datetime]]]


class Supply:
    """Who works in the area within the horizon. A person who is both carer and volunteer counts as carer."""

    def __init__(self, area: Area, horizon: Horizon, sites: Sites, demand: Demand) -> None:
        self.area, self.horizon, self.sites, self.demand = area, horizon, sites, demand
        spans = day_spans(horizon.first, horizon.last, area_id=area.id)
        involved = set(spans) | {row.person_id for row in demand.held.values()} | self._asked()
        self.carers: dict[uuid.UUID, Carer] = {
            row.person_id: row
            for row in where_in(Carer, Carer.person_id, involved, Carer.within(horizon.first, horizon.last))
        }
        self.volunteers: dict[uuid.UUID, Volunteer] = {
            row.person_id: row
            for row in where_in(Volunteer, Volunteer.person_id, involved, Volunteer.left_at.is_(None))
            if row.person_id not in self.carers and self._is_allowed(row)
        }
        people = where_in(Person, Person.id, {*self.carers, *self.volunteers}, Person.died_on.is_(None))
        self.people: dict[uuid.UUID, Person] = {row.id: row for row in people}
        self.order = sorted(self.people, key=str)
        self.ids = {person_id: f"c{n}" for n, person_id in enumerate(self.order)}
        self.spans = {p: [s for s in spans.get(p, []) if self._works(p, s)] for p in self.order}
        self.qualifications: dict[uuid.UUID, list[HeldQualification]] = defaultdict(list)
        for row in where_in(HeldQualification, HeldQualification.person_id, self.order):
            self.qualifications[row.person_id].append(row)
        self.busy, self.worked = self._busy_and_worked()

    def _is_allowed(self, volunteer: Volunteer) -> bool:
        """A minor takes part only with a guardian's consent."""
        age = volunteer.person.age_on(self.horizon.first)
        return age is None or age >= ADULT_AGE or volunteer.guardian_consent_on is not None

    def _asked(self) -> set[uuid.UUID]:
        return {offer.person_id for found in self.demand.rounds.values() for offer in found.offers}

    def homes(self) -> Iterable[uuid.UUID]:
        """Places to load before `to_shifts`."""
        for person_id in (*self.carers, *self.volunteers):
            home = self._role(person_id).home_place_id
            if home is not None:
                yield home

    def _works(self, person_id: uuid.UUID, span: DaySpan) -> bool:
        carer = self.carers.get(person_id)
        if carer is not None:
            return span.kind == "shift" and carer.holds(span.day) and span.organisation_id == carer.organisation_id
        volunteer = self.volunteers[person_id]
        begun = volunteer.paused_from is not None and volunteer.paused_from <= span.day
        paused = begun and (volunteer.paused_to is None or span.day <= volunteer.paused_to)
        return span.kind == "available" and not paused

    def _role(self, person_id: uuid.UUID) -> Carer | Volunteer:
        return self.carers.get(person_id) or self.volunteers[person_id]

    def mode(self, person_id: uuid.UUID) -> str:
        return self._role(person_id).travel_mode

    def modes(self) -> set[str]:
        return {self.mode(person_id) for person_id in self.order}

    def _base(self, person_id: uuid.UUID) -> str:
        """Where a person's day starts and ends: home where known, else the organisation or the own community."""
        role = self._role(person_id)
        if role.home_place_id is not None:
            return self.sites.of_place(role.home_place_id)[0]
        if isinstance(role, Carer):
            return self.sites.of_organisation(role.organisation)
        return self.sites.of_area(role.area_id)

    def to_caregivers(self, organisations: dict[uuid.UUID, str]) -> tuple[m.Caregiver, ...]:
        return tuple(self._caregiver(person_id, organisations) for person_id in self.order)

    def _caregiver(self, person_id: uuid.UUID, organisations: dict[uuid.UUID, str]) -> m.Caregiver:
        person, role = self.people[person_id], self._role(person_id)
        volunteer = role if isinstance(role, Volunteer) else None
        age = person.age_on(self.horizon.first)
        return m.Caregiver(
            id=self.ids[person_id],
            kind=m.ProviderKind.VOLUNTEER if isinstance(role, Volunteer) else m.ProviderKind(role.kind),
            gender=GENDERS.get(person.sex or "", m.Gender.UNSPECIFIED),
            languages=tuple(person.languages or ()),
            qualifications=tuple(self._papers(person_id, volunteer is not None)),
            service_ids=self._offered(volunteer) if volunteer else None,
            organisation_id=None if isinstance(role, Volunteer) else organisations[role.organisation_id],
            needs_contract_line=volunteer is None,
            minor=age is not None and age < ADULT_AGE,
            insured_until_day=self._insured(volunteer) if volunteer else None,
            work_limits=self._limits(person_id, role.weekly_minutes),
            absences=self._absences(person_id),
            home_location_id=self._base(person_id) if volunteer else None,
            radius_minutes=self._radius(volunteer) if volunteer else None,
            fair_capacity_minutes=0 if volunteer else None,
        )

    def _offered(self, volunteer: Volunteer) -> tuple[str, ...]:
        services = self.demand.services
        return tuple(f"s-{services[row.service_id].code}" for row in volunteer.services if row.service_id in services)

    def _radius(self, volunteer: Volunteer) -> int:
        return self.sites.radius_minutes(volunteer.radius_metres, volunteer.travel_mode)

    def _insured(self, volunteer: Volunteer) -> int:
        """The last insured day; an employee is insured by the employer, a volunteer by what is recorded."""
        return max(-1, self.horizon.day_index(volunteer.insured_to)) if volunteer.insured_to else -1

    def _papers(self, person_id: uuid.UUID, is_volunteer: bool) -> Iterable[m.Qualification]:
        """Per service, from when until when the person holds all that it requires of such a person.

        Who holds one of them several times counts with the longest. A paper that has run out, or begins later,
        is told too: then the reason is not that it is missing.
        """
        held = {
            row.code: row for row in sorted(self.qualifications[person_id], key=lambda row: row.valid_to or date.max)
        }
        for service in self.demand.services.values():
            codes = service.volunteer_qualifications if is_volunteer else service.qualifications
            if not papers_of(service) or not set(codes) <= set(held):
                continue
            needed = [held[code] for code in codes]
            begins = max((row.valid_from for row in needed), default=None)
            ends = min((row.valid_to for row in needed if row.valid_to), default=None)
            yield m.Qualification(
                paper_for(service),
                None if begins is None else self.horizon.day_index(begins),
                None if ends is None else self.horizon.day_index(ends),
            )

    def _limits(self, person_id: uuid.UUID, weekly_minutes: int) -> tuple[m.WorkLimit, ...]:
        """Weekly minutes, Monday to Sunday; what was worked outside this instance counts."""
        limits, monday = [], clock.week_start(self.horizon.first)
        while monday <= self.horizon.last:
            sunday = monday + timedelta(days=6)
            first, last = max(monday, self.horizon.first), min(sunday, self.horizon.last)
            used = sum(minutes for day, minutes in self.worked[person_id] if monday <= day <= sunday)
            indexes = self.horizon.day_index(first), self.horizon.day_index(last)
            limits.append(m.WorkLimit(*indexes, max_minutes=weekly_minutes, used_minutes=used))
            monday += timedelta(days=7)
        return tuple(limits)

    def _absences(self, person_id: uuid.UUID) -> tuple[m.Absence, ...]:
        end, spans = self.horizon.days * DAY, []
        for starts_at, ends_at in self.busy[person_id]:
            start, stop = max(0, self.horizon.minute(starts_at)), min(end, self.horizon.minute(ends_at))
            if start < stop:
                spans.append((start, stop))
        return tuple(m.Absence(start, stop) for start, stop in sorted(set(spans)))

    def _busy_and_worked(self) -> tuple[Busy, dict[uuid.UUID, list[tuple[date, int]]]]:
        """Bookings and open questions that the instance does not hold: other areas, visits begun, earlier days."""
        busy: Busy = defaultdict(list)
        worked: dict[uuid.UUID, list[tuple[date, int]]] = defaultdict(list)
        since = clock.at_minutes(clock.week_start(self.horizon.first), 0)
        for visit_id, person_id, starts_at, ends_at in (*self._bookings(since), *self._questions(since)):
            if visit_id in self.demand.number:
                continue
            worked[person_id].append((clock.local_date(starts_at), int((ends_at - starts_at).total_seconds() // 60)))
            if ends_at > self.horizon.begins:
                busy[person_id].append((starts_at, ends_at))
        for kept in kept_ready(self.horizon.begins, self.horizon.ends):
            # What stands around it was placed with the way there; a plan may cut its journeys around the visit itself.
            begins = kept.busy_from if self.demand.hold_everything else kept.starts_at
            busy[kept.person_id].append((begins, kept.ends_at))
            minutes = int((kept.ends_at - kept.starts_at).total_seconds() // 60)
            worked[kept.person_id].append((clock.local_date(kept.starts_at), minutes))
        return busy, worked

    def _bookings(self, since: datetime) -> Iterable[tuple[uuid.UUID, uuid.UUID, datetime, datetime]]:
        query = select(Assignment.visit_id, Assignment.person_id, Assignment.starts_at, Assignment.ends_at).where(
            Assignment.released_at.is_(None), Assignment.ends_at > since, Assignment.starts_at < self.horizon.ends
        )
        return [tuple(row) for row in db.session.execute(query)]  # type: ignore[misc]

    def _questions(self, since: datetime) -> Iterable[tuple[uuid.UUID, uuid.UUID, datetime, datetime]]:
        still_open = (column.is_(None) for column in OPEN_OFFER)
        query = (
            select(Slot.visit_id, Offer.person_id, Offer.starts_at, Offer.ends_at)
            .join(Slot, Slot.id == Offer.slot_id)
            .where(*still_open, Offer.ends_at > since, Offer.starts_at < self.horizon.ends)
        )
        return [tuple(row) for row in db.session.execute(query)]  # type: ignore[misc]

    def to_shifts(self) -> Iterable[m.Shift]:
        number = 0
        for person_id in self.order:
            base = self._base(person_id)
            for span in self.spans[person_id]:
                offset = self.horizon.day_index(span.day) * DAY
                yield m.Shift(
                    id=f"k{number}",
                    caregiver_id=self.ids[person_id],
                    day=self.horizon.day_index(span.day),
                    start_minutes=offset + span.start_minute,
                    end_minutes=offset + span.end_minute,
                    mode_id=self.mode(person_id),
                    start_location_id=base,
                    end_location_id=base,
                    breaks=_breaks(span, offset),
                )
                number += 1


def _breaks(span: DaySpan, offset: int) -> tuple[m.Break, ...]:
    """A break begins within the hour after `break_from`, as far as the shift allows."""
    if not span.break_minutes or span.break_from is None:
        return ()
    latest = min(span.break_from + 60, span.end_minute - span.break_minutes)
    if span.break_from > latest:
        return ()
    return (m.Break(offset + span.break_from, offset + latest, span.break_minutes),)
