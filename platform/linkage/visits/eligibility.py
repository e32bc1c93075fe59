"""May this person take this slot on this day? The engine's own answer, asked of the rows as they are now.

Booking asks it again whatever a plan or an offer said before: papers expire, people leave, consents are
withdrawn. Only what is dated or wished is asked here; free time and contract minutes have guards of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.households.queries import consent_for, unservable_reason
from linkage.organisations.models import Carer
from linkage.people.models import Person, WorkException
from linkage.services.models import HeldQualification, Service
from linkage.visits.models import Assignment, Slot, Visit
from linkage.volunteers.models import Volunteer
from matching import eligibility as engine
from matching import instance as model
from matching.lookup import Lookup

ADULT_AGE = 18
GENDERS = {"F": model.Gender.FEMALE, "M": model.Gender.MALE, None: model.Gender.UNSPECIFIED}


@dataclass(frozen=True)
class Against:
    """One reason: a code and its parameters, plain values."""

    code: str
    params: dict[str, Any]


def reasons(
    slot: Slot,
    person: Person,
    *,
    capacity: str,
    organisation_id: uuid.UUID | None,
    starts_at: datetime,
    ends_at: datetime,
) -> list[Against]:
    """Why `person` may not take `slot` at that time; [] if nothing speaks against it."""
    visit, day = slot.visit, local_date(starts_at)
    found = [*_recipient(visit, capacity, day), *_alive(person)]
    worker = _carer(person, organisation_id, day) if capacity == "carer" else _volunteer(person, day)
    if worker is None:
        return [*found, Against("not_working_here", {})]
    found += _worker(worker, day)
    found += _absent(person, starts_at, ends_at)
    caregiver = _caregiver(person, worker, day)
    return found + _engine_reasons(slot, visit, caregiver)


def _recipient(visit: Visit, capacity: str, day: date) -> Iterator[Against]:
    reason = unservable_reason(visit.household, day)
    if reason is not None:
        yield Against("household_" + reason, {})
    elif visit.person.died_on is not None:
        yield Against("household_nobody", {})
    elif capacity == "volunteer" and consent_for(visit.household, "volunteers", day) is None:
        yield Against("consent_volunteers", {})


def _alive(person: Person) -> Iterator[Against]:
    if person.died_on is not None or person.erased_at is not None:
        yield Against("person_gone", {})


def _carer(person: Person, organisation_id: uuid.UUID | None, day: date) -> Carer | None:
    return db.session.scalars(
        select(Carer).where(Carer.person_id == person.id, Carer.organisation_id == organisation_id, Carer.on(day))
    ).first()


def _volunteer(person: Person, day: date) -> Volunteer | None:
    row = db.session.scalars(select(Volunteer).where(Volunteer.person_id == person.id)).one_or_none()
    left = row is not None and row.left_at is not None and local_date(row.left_at) <= day
    return None if left else row


def _worker(worker: Carer | Volunteer, day: date) -> Iterator[Against]:
    if not isinstance(worker, Volunteer):
        return
    if (
        worker.paused_from is not None
        and worker.paused_from <= day
        and (worker.paused_to is None or day <= worker.paused_to)
    ):
        yield Against("paused", {})
    age = worker.person.age_on(day)
    if age is not None and age < ADULT_AGE and worker.guardian_consent_on is None:
        yield Against("guardian_consent", {})


def _absent(person: Person, starts_at: datetime, ends_at: datetime) -> Iterator[Against]:
    first, last = local_date(starts_at), local_date(ends_at)
    rows = db.session.scalars(
        select(WorkException).where(
            WorkException.person_id == person.id,
            WorkException.kind == "absent",
            WorkException.cancelled_at.is_(None),
            WorkException.first_day <= last,
            WorkException.last_day >= first,
        )
    )
    for row in rows:
        day = max(first, row.first_day)
        start, end = row.start_minute, row.end_minute
        whole = start is None or end is None
        if whole or (at_minutes(day, start or 0) < ends_at and starts_at < at_minutes(day, end or 0)):
            yield Against("absent", {"day": day.isoformat()})
            return


def _caregiver(person: Person, worker: Carer | Volunteer, day: date) -> model.Caregiver:
    volunteer = worker if isinstance(worker, Volunteer) else None
    offered = None if volunteer is None else tuple(str(row.service_id) for row in volunteer.services)
    return model.Caregiver(
        id="person",
        kind=model.ProviderKind("volunteer" if isinstance(worker, Volunteer) else worker.kind),
        gender=GENDERS[person.sex],
        languages=tuple(person.languages),
        qualifications=tuple(_papers(person, day)),
        service_ids=offered,
        minor=(person.age_on(day) or ADULT_AGE) < ADULT_AGE,
        insured_until_day=_insured(volunteer, day),
    )


def _papers(person: Person, day: date) -> Iterator[model.Qualification]:
    """Each qualification once: where it was renewed, the paper that holds on the day, else the latest."""
    rows = db.session.scalars(
        select(HeldQualification)
        .where(HeldQualification.person_id == person.id)
        .order_by(HeldQualification.code, HeldQualification.valid_from)
    )
    for code, papers in groupby(rows, key=lambda row: row.code):
        held = list(papers)
        row = next((one for one in held if one.holds(day)), held[-1])
        until = None if row.valid_to is None else (row.valid_to - day).days
        yield model.Qualification(code, (row.valid_from - day).days, until)


def _insured(volunteer: Volunteer | None, day: date) -> int | None:
    """Carers are insured by their employer; a volunteer without a date is not insured."""
    if volunteer is None:
        return None
    return -1 if volunteer.insured_to is None else max(-1, (volunteer.insured_to - day).days)


def _engine_reasons(slot: Slot, visit: Visit, caregiver: model.Caregiver) -> list[Against]:
    kinds = _kinds_beside(slot, visit)
    if kinds is not None and caregiver.kind.value not in kinds:
        return [Against("wrong_provider_kind", {"kind": caregiver.kind.value, "allowed": ",".join(sorted(kinds))})]
    engine_visit = model.Visit(
        id="visit",
        household_id="home",
        location_id="home",
        service_id=str(visit.service_id),
        windows=(model.TimeWindow(0, 0),),
        service_minutes=visit.duration_minutes,
        gender_wish=_wish(visit, "gender"),
        language_wish=_wish(visit, "language"),
    )
    lookup = Lookup(
        model.Instance(
            horizon_days=1,
            services=(_service(visit.service, caregiver, kinds),),
            caregivers=(caregiver,),
            visits=(engine_visit,),
            households=(model.Household("home"),),
            locations=(model.Location("home"),),
        )
    )
    found = (
        *engine.person_reasons(lookup, engine_visit, 0, caregiver),
        *engine.day_reasons(lookup, engine_visit, 0, caregiver, 0),
    )
    return [Against(reason.code.value, dict(reason.parameters)) for reason in found]


def _service(service: Service, caregiver: model.Caregiver, kinds: set[str] | None) -> model.Service:
    volunteer = caregiver.kind is model.ProviderKind.VOLUNTEER
    return model.Service(
        id=str(service.id),
        provider_kinds=tuple(model.ProviderKind(kind) for kind in sorted(kinds or service.provider_kinds)),
        required_qualifications=tuple(service.volunteer_qualifications if volunteer else service.qualifications),
        insurance_required=service.risk == "raised",
        minors_allowed=not service.adults_only,
    )


def _wish(visit: Visit, name: str) -> model.Wish | None:
    wanted = visit.wishes.get(name)
    if not wanted:
        return None
    value = GENDERS[wanted].value if name == "gender" else wanted
    return model.Wish((value,), hard=bool(visit.wishes.get(name + "_hard")))


def _kinds_beside(slot: Slot, visit: Visit) -> set[str] | None:
    """Who may come to a two-person visit, given who is booked for the other place; None: as the service says."""
    if visit.people < 2:
        return None
    mixes = {pair for one, two in visit.service.mixes for pair in ((one, two), (two, one))}
    if not mixes:
        return None
    other = _other_kind(slot, visit)
    return {one for one, two in mixes if other is None or two == other}


def _other_kind(slot: Slot, visit: Visit) -> str | None:
    other = db.session.scalars(
        select(Assignment).where(
            Assignment.visit_id == visit.id, Assignment.slot_id != slot.id, Assignment.released_at.is_(None)
        )
    ).first()
    if other is None:
        return None
    if other.capacity == "volunteer":
        return "volunteer"
    carer = _carer(other.person, other.organisation_id, local_date(other.starts_at))
    return carer.kind if carer else "carer"
