"""The only place that binds a person to a slot, and lets go of one.

A person's time is guarded by the person's row: it is updated first (and so locked), then the overlap is tested.
A slot is guarded by the unique index on its active assignment; the row of the visit is locked so that nobody
is booked for a visit that is being cancelled. Contract minutes are guarded by the ledger. Order of the locks:
person, visit, contract month.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from linkage.contracts import ledger
from linkage.contracts.models import ContractLine
from linkage.core import audit
from linkage.core.clock import local_date, minutes_of_day
from linkage.core.events import SlotReleased, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.visits import eligibility
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, Slot, Visit

RELEASE_REASONS = (
    "withdrew",  # the person can no longer come
    "absent",
    "died",
    "visit_cancelled",
    "need_changed",
    "replanned",
    "replaced",
    "consent",
    "papers",  # a qualification that the service requires has run out
)


def book(
    slot: Slot,
    person_id: uuid.UUID,
    *,
    capacity: str,
    starts_at: datetime,
    ends_at: datetime,
    organisation_id: uuid.UUID | None = None,
    line_id: uuid.UUID | None = None,
    charge: int = 0,
    reserved: bool = False,
    travel_minutes: int = 0,
    accepted: bool = False,
    by: Actor | None,
    now: datetime,
) -> Assignment:
    """Bind `person_id` to `slot` from `starts_at` to `ends_at`.

    Parameters
    ----------
    capacity : "carer" (for `organisation_id`, charged to `line_id`) or "volunteer"
    charge : quantity on the line in its unit; 0 charges nothing (the second person of a visit charged once)
    reserved : the quantity is already reserved for this slot (a fallback) and turns into a commitment
    travel_minutes : the way there, which must be free too
    accepted : the person has said yes

    Raises
    ------
    Refused
        slot_taken, overlap, cancelled, passed, outside_window, or a reason of `visits.eligibility`
    CapacityConflict
        the contract line has no room
    """
    busy_from = starts_at - timedelta(minutes=travel_minutes)
    person = _lock_person(person_id)
    visit = _lock_visit(slot.visit_id)
    _demand_open(visit, starts_at, ends_at, now)
    _demand_free_slot(slot)
    _demand_free_time(person_id, busy_from, ends_at)
    _demand_not_kept(person_id, busy_from, ends_at, slot.id)
    _demand_eligible(slot, person, capacity, organisation_id, starts_at, ends_at)
    assignment = Assignment(
        slot_id=slot.id, visit_id=visit.id, person_id=person_id, capacity=capacity, organisation_id=organisation_id,
        organisation_name=_organisation_name(organisation_id), line_id=line_id, charge=charge if line_id else 0,
        starts_at=starts_at, ends_at=ends_at, travel_minutes=travel_minutes, busy_from=busy_from,
        booked_at=now, booked_by=by and by.user_id, accepted_at=now if accepted else None,
    )  # fmt: skip
    db.session.add(assignment)
    db.session.flush()
    _commit(assignment, visit, reserved=reserved, by=by, now=now)
    audit.record("visits.book", visit, by=by and by.user_id, now=now, slot=slot.id, person=person_id, capacity=capacity)
    return assignment


def release(assignment: Assignment, reason: str, *, by: Actor | None, now: datetime) -> None:
    """Let go: active → released. Committed minutes are free again; SlotReleased is announced.

    Raises Refused where it no longer stands, or the person is already there.
    """
    if reason not in RELEASE_REASONS:
        raise ValueError(reason)
    visit = _lock_visit(assignment.visit_id)
    taken = update(Assignment).where(Assignment.id == assignment.id, Assignment.released_at.is_(None))
    done = db.session.execute(
        taken.values(released_at=now, release_reason=reason)
        .returning(Assignment.id)
        .execution_options(synchronize_session="fetch")
    )
    if done.scalar_one_or_none() is None:
        raise Refused("released")
    if assignment.attendance is not None and assignment.attendance.checked_in_at is not None:
        raise Refused("already_checked_in")
    db.session.refresh(assignment, ["released_at", "release_reason"])
    free(assignment, visit, by=by, now=now)
    audit.record("visits.release", visit, by=by and by.user_id, now=now, person=assignment.person_id, reason=reason)
    announce(
        SlotReleased(
            by=by and by.user_id, now=now, slot_id=assignment.slot_id, person_id=assignment.person_id, reason=reason
        )
    )


def move(
    assignment: Assignment,
    *,
    starts_at: datetime,
    ends_at: datetime,
    travel_minutes: int | None = None,
    by: Actor | None,
    now: datetime,
    asked: bool = False,
) -> Assignment:
    """Give a paid booking another time; the person and the line stay.

    `asked`: the person has agreed, so that even an accepted one may move.

    Raises
    ------
    Refused
        accepted, too_late_to_move (less than 24 h before), released, overlap, cancelled, outside_window
    """
    person = _lock_person(assignment.person_id)
    visit = _lock_visit(assignment.visit_id)
    db.session.refresh(assignment)
    if assignment.released_at is not None:
        raise Refused("released")
    if assignment.accepted_at is not None and not asked:
        raise Refused("accepted")
    hours = rule("visits.paid_fixed_hours", local_date(now))
    if not asked and assignment.starts_at - now < timedelta(hours=hours):
        raise Refused("too_late_to_move", hours=hours)
    minutes = assignment.travel_minutes if travel_minutes is None else travel_minutes
    busy_from = starts_at - timedelta(minutes=minutes)
    _demand_open(visit, starts_at, ends_at, now)
    _demand_free_time(person.id, busy_from, ends_at, but=assignment.id)
    _demand_not_kept(person.id, busy_from, ends_at, assignment.slot_id)
    _demand_eligible(assignment.slot, person, assignment.capacity, assignment.organisation_id, starts_at, ends_at)
    other_month = f"{local_date(starts_at):%Y-%m}" != f"{local_date(assignment.starts_at):%Y-%m}"
    if other_month:
        free(assignment, visit, by=by, now=now)
    assignment.starts_at, assignment.ends_at = starts_at, ends_at
    assignment.travel_minutes, assignment.busy_from = minutes, busy_from
    db.session.flush()
    if other_month:
        _commit(assignment, visit, reserved=False, by=by, now=now)
    audit.record("visits.move", visit, by=by and by.user_id, now=now, person=assignment.person_id)
    return assignment


def accept(assignment: Assignment, *, by: Actor | None, now: datetime) -> None:
    """The booked person says yes: from now on it does not move unasked."""
    if assignment.released_at is not None:
        raise Refused("released")
    if assignment.accepted_at is None:
        assignment.accepted_at = now
        audit.record("visits.accept", assignment.visit, by=by and by.user_id, now=now, person=assignment.person_id)


def charge_of(assignment: Assignment, visit: Visit) -> ledger.Charge:
    """What the assignment holds on its contract line."""
    assert assignment.line_id is not None
    return line_charge(assignment.line_id, assignment.charge, visit, assignment.slot_id, assignment.starts_at)


def line_charge(
    line_id: uuid.UUID, charge: int, visit: Visit, slot_id: uuid.UUID, starts_at: datetime
) -> ledger.Charge:
    """A charge of `charge` units for one slot of `visit` that begins at `starts_at`."""
    day = local_date(starts_at)
    summary: dict[str, Any] = {
        "service": visit.service.code,
        "day": day.isoformat(),
        "visit": visit.number,
        "start_minute": minutes_of_day(starts_at, day),
        "minutes": visit.duration_minutes,
    }
    return ledger.Charge(line_id, day, charge, visit.person_id, visit.id, slot_id, summary)


def free(assignment: Assignment, visit: Visit, *, by: Actor | None, now: datetime) -> None:
    """Give back what the assignment has committed."""
    if assignment.line_id is not None and assignment.charge:
        ledger.uncommit(charge_of(assignment, visit), by=by, now=now)


def _commit(assignment: Assignment, visit: Visit, *, reserved: bool, by: Actor | None, now: datetime) -> None:
    if assignment.line_id is None or not assignment.charge:
        return
    take = ledger.commit_reserved if reserved else ledger.commit
    take(charge_of(assignment, visit), by=by, now=now)


def _lock_person(person_id: uuid.UUID) -> Person:
    """Update the person's row first: whoever else books this person waits here, then sees what was booked."""
    db.session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(booking_version=Person.booking_version + 1)
        .execution_options(synchronize_session=False)
    )
    person = db.session.get(Person, person_id, populate_existing=True)
    if person is None:
        raise ValueError(f"no person {person_id}")
    return person


def _lock_visit(visit_id: uuid.UUID) -> Visit:
    found = select(Visit).where(Visit.id == visit_id).with_for_update(of=Visit)
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def _demand_open(visit: Visit, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if visit.cancelled_at is not None:
        raise Refused("cancelled")
    if ends_at <= now:
        raise Refused("passed")
    start, end = minutes_of_day(starts_at, visit.day), minutes_of_day(ends_at, visit.day)
    if not any(first <= start and end <= last for first, last in visit.windows):
        raise Refused("outside_window", windows=visit.windows)


def _demand_free_slot(slot: Slot) -> None:
    taken = select(Assignment.id).where(Assignment.slot_id == slot.id, Assignment.released_at.is_(None))
    if db.session.execute(taken).first() is not None:
        raise Refused("slot_taken")


def _demand_free_time(
    person_id: uuid.UUID, busy_from: datetime, ends_at: datetime, but: uuid.UUID | None = None
) -> None:
    clash = select(Assignment.visit_id).where(
        Assignment.person_id == person_id,
        Assignment.released_at.is_(None),
        Assignment.busy_from < ends_at,
        Assignment.ends_at > busy_from,
    )
    other = db.session.execute(clash.where(Assignment.id != but) if but else clash).first()
    if other is not None:
        raise Refused("overlap", visit_id=str(other.visit_id))


Kept = Callable[[uuid.UUID, datetime, datetime, uuid.UUID], bool]
_kept: list[Kept] = []


def kept_by(asks: Kept) -> Kept:
    """Decorator: the room above says whether a person's time is kept for another slot than this one (a fallback)."""
    _kept[:] = [asks]
    return asks


def _demand_not_kept(person_id: uuid.UUID, busy_from: datetime, ends_at: datetime, slot_id: uuid.UUID) -> None:
    if any(asks(person_id, busy_from, ends_at, slot_id) for asks in _kept):
        raise Refused("kept_as_fallback")


def demand_free(person_id: uuid.UUID, slot: Slot, starts_at: datetime, travel_minutes: int) -> None:
    """Lock the person and see that the time of this slot's visit and of the way there is free, and not kept for
    another slot: for who is to stand behind.

    Raises Refused: overlap, kept_as_fallback.
    """
    busy_from = starts_at - timedelta(minutes=travel_minutes)
    ends_at = starts_at + timedelta(minutes=slot.visit.duration_minutes)
    _lock_person(person_id)
    _demand_free_time(person_id, busy_from, ends_at)
    _demand_not_kept(person_id, busy_from, ends_at, slot.id)


def _demand_eligible(
    slot: Slot,
    person: Person,
    capacity: str,
    organisation_id: uuid.UUID | None,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    against = eligibility.reasons(
        slot, person, capacity=capacity, organisation_id=organisation_id, starts_at=starts_at, ends_at=ends_at
    )
    if against:
        raise Refused(against[0].code, **against[0].params)


def _organisation_name(organisation_id: uuid.UUID | None) -> str:
    organisation = db.session.get(Organisation, organisation_id) if organisation_id else None
    return organisation.short_name if organisation else ""


def organisation_of(line_id: uuid.UUID) -> uuid.UUID:
    """Whose line it is."""
    line = db.session.get(ContractLine, line_id)
    assert line is not None
    return line.organisation_id
