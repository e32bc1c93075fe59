"""What visits do when something happens below: a need, an absence, a death, a consent, a move."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit, outbox
from linkage.core.clock import at_minutes
from linkage.core.errors import Conflict
from linkage.core.events import (
    AbsenceRecorded,
    ConsentWithdrawn,
    HouseholdMoved,
    HouseholdsMerged,
    NeedChanged,
    NeedPosted,
    NeedWithdrawn,
    PeopleMerged,
    PersonDied,
    QualificationEnded,
    effect,
    note_moved,
)
from linkage.core.extensions import db
from linkage.needs.models import Need
from linkage.visits import generation, operations, papers, queries
from linkage.visits.models import Assignment, HoursEntry, Visit


@effect(NeedPosted, "visits")
def make_visits(event: NeedPosted) -> None:
    """Make the new need's visits up to four weeks ahead."""
    generation.make_visits(_need(event.need_id), now=event.now)


@effect(NeedChanged, "visits")
def follow_need(event: NeedChanged) -> None:
    """Coming visits that nobody has accepted follow the edited need."""
    operations.follow(_need(event.need_id), by=None, now=event.now)


@effect(NeedWithdrawn, "visits")
def cancel_visits(event: NeedWithdrawn) -> None:
    """Cancel what has not begun, accepted or not, and tell whoever would have come."""
    for visit in queries.ahead(event.need_id, event.now):
        kept = event.keep_until is not None and visit.day <= event.keep_until
        if visit.cancelled_at is None and not kept:
            operations.cancel_visit(visit, "need_withdrawn", by=None, now=event.now, tell_asker=False)


@effect(AbsenceRecorded, "visits")
def release_the_absent(event: AbsenceRecorded) -> None:
    """Whoever is away is let go from what lies in that time; the area's staff hears of each gap."""
    for assignment in _standing(event.person_id, event.starts_at, event.ends_at, event.now):
        operations.give_back(assignment, by=None, now=event.now, reason="absent")


@effect(QualificationEnded, "visits")
def release_the_unqualified(event: QualificationEnded) -> None:
    """Whoever has the papers no longer is let go from what needs them."""
    papers.release(event.now, event.person_id)


@effect(PersonDied, "visits")
def release_the_dead(event: PersonDied) -> None:
    """A carer or volunteer who has died no longer comes (needs withdraws what a dead recipient asked for)."""
    for assignment in _standing(event.person_id, max(event.now, at_minutes(event.on, 0)), None, event.now):
        operations.give_back(assignment, by=None, now=event.now, reason="died")


@effect(ConsentWithdrawn, "visits")
def release_volunteers(event: ConsentWithdrawn) -> None:
    """Without the household's consent to volunteers, they are let go (without one to services: see needs)."""
    if event.purpose != "volunteers":
        return
    rows = db.session.scalars(
        select(Assignment)
        .join(Visit, Visit.id == Assignment.visit_id)
        .where(
            Visit.household_id == event.household_id,
            Assignment.capacity == "volunteer",
            Assignment.released_at.is_(None),
            Assignment.starts_at > event.now,
        )
        .order_by(Assignment.id)
    ).all()
    for assignment in rows:
        operations.give_back(assignment, by=None, now=event.now, reason="consent")


@effect(HouseholdMoved, "visits")
def take_new_address(event: HouseholdMoved) -> None:
    """Coming visits go to the new address, and whoever comes is told; what has been stays where it was."""
    rows = db.session.scalars(
        select(Visit).where(Visit.household_id == event.household_id, Visit.latest_at > event.now).order_by(Visit.id)
    ).all()
    begun = {row.visit_id for row in _begun([visit.id for visit in rows])}
    moved = [visit for visit in rows if visit.id not in begun]
    for visit in moved:
        generation.place_at(visit, generation.where_of(visit.household))
        visit.row_version += 1
    for one in _booked(moved):
        outbox.tell(one.person_id, "visits.address", now=event.now, **operations.facts(one.visit, one))
    if moved:
        audit.record(
            "visits.move_address", ("households", event.household_id), by=event.by, now=event.now, count=len(moved)
        )


@effect(PeopleMerged, "visits")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """Visits to, bookings of and hours of the lost record of a person are the kept one's.

    Raises Conflict where the two are booked at one time: one human being cannot be in two places.
    """
    ahead = _standing(event.lost_id, event.now, None, event.now)
    for mine in _standing(event.kept_id, event.now, None, event.now):
        if any(one.busy_from < mine.ends_at and mine.busy_from < one.ends_at for one in ahead):
            raise Conflict(_l("Both records are booked at the same time; let one of the two go first."))
    models: tuple[Any, ...] = (Visit, Assignment, HoursEntry)
    for model in models:
        rows = db.session.scalars(select(model).where(model.person_id == event.lost_id).order_by(model.id)).all()
        for row in rows:
            row.person_id = event.kept_id
        note_moved(event.moved, rows)
    db.session.flush()


@effect(HouseholdsMerged, "visits")
def take_over_from_a_double_household(event: HouseholdsMerged) -> None:
    """All visits of the lost record are the kept one's; those ahead go to its address."""
    rows = db.session.scalars(select(Visit).where(Visit.household_id == event.lost_id).order_by(Visit.id)).all()
    for visit in rows:
        visit.household_id = event.kept_id
        visit.row_version += 1
    note_moved(event.moved, rows)
    db.session.flush()
    take_new_address(HouseholdMoved(event.by, event.now, event.kept_id))


def _booked(visits: list[Visit]) -> list[Assignment]:
    """Who is to come to them; of cancelled ones nobody."""
    ids = [visit.id for visit in visits if visit.cancelled_at is None]
    return [one for rows in queries.active_of(ids).values() for one in rows]


def _begun(visit_ids: list[uuid.UUID]) -> list[Assignment]:
    booked = [one for rows in queries.active_of(visit_ids).values() for one in rows]
    return [one for one in booked if one.attendance is not None and one.attendance.checked_in_at is not None]


def _need(need_id: uuid.UUID) -> Need:
    need = db.session.get(Need, need_id)
    assert need is not None
    return need


def _standing(person_id: uuid.UUID, start: datetime, end: datetime | None, now: datetime) -> list[Assignment]:
    """The person's bookings in start..end that have not begun."""
    rows = select(Assignment).where(
        Assignment.person_id == person_id,
        Assignment.released_at.is_(None),
        Assignment.ends_at > max(start, now),
    )
    if end is not None:
        rows = rows.where(Assignment.starts_at < end)
    found = db.session.scalars(rows.order_by(Assignment.starts_at, Assignment.id)).all()
    return [one for one in found if one.attendance is None or one.attendance.checked_in_at is None]
