"""Reading visits, slots and assignments."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.needs.models import Need
from linkage.visits.models import Assignment, Attendance, HoursEntry, Slot, Visit
from linkage.visits.status import Status, column, tally


def visible(actor: Actor) -> Select[Visit]:
    """The visits that `actor` may see: where every list begins."""
    return visible_rows(actor, Visit)


def get_visit(visit_id: uuid.UUID) -> Visit | None:
    return db.session.get(Visit, visit_id)


def get_slot(slot_id: uuid.UUID) -> Slot | None:
    return db.session.get(Slot, slot_id)


def get_assignment(assignment_id: uuid.UUID) -> Assignment | None:
    return db.session.get(Assignment, assignment_id)


def active() -> ColumnElement[bool]:
    """SQL: the assignment stands."""
    return Assignment.released_at.is_(None)


def active_assignment(slot_id: uuid.UUID) -> Assignment | None:
    return db.session.scalars(select(Assignment).where(Assignment.slot_id == slot_id, active())).one_or_none()


def active_of(visit_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Assignment]]:
    """Visit id → its active assignments with person and attendance, by slot."""
    rows = db.session.scalars(
        select(Assignment)
        .join(Slot, Slot.id == Assignment.slot_id)
        .where(Assignment.visit_id.in_(list(visit_ids)), active())
        .options(joinedload(Assignment.person), selectinload(Assignment.attendance))
        .order_by(Slot.position)
    )
    found: dict[uuid.UUID, list[Assignment]] = defaultdict(list)
    for row in rows:
        found[row.visit_id].append(row)
    return found


def ahead(need_id: uuid.UUID, now: datetime) -> list[Visit]:
    """The need's visits that are neither over nor begun: what an edit or a withdrawal touches."""
    begun = (
        select(Assignment.visit_id)
        .join(Attendance, Attendance.assignment_id == Assignment.id)
        .where(active(), or_(Attendance.checked_in_at.is_not(None), Attendance.checked_out_at.is_not(None)))
    )
    return list(
        db.session.scalars(
            select(Visit)
            .where(Visit.need_id == need_id, Visit.latest_at > now, Visit.id.not_in(begun))
            .order_by(Visit.day, Visit.number)
        )
    )


def accepted_ahead(need: Need, now: datetime) -> list[Visit]:
    """The need's coming visits that somebody has accepted: an edit leaves them as they are and lists them."""
    accepted = select(Assignment.visit_id).where(active(), Assignment.accepted_at.is_not(None))
    return list(
        db.session.scalars(
            select(Visit)
            .where(
                Visit.need_id == need.id, Visit.latest_at > now, Visit.cancelled_at.is_(None), Visit.id.in_(accepted)
            )
            .order_by(Visit.day)
        )
    )


def mine(actor: Actor, first: datetime, last: datetime) -> list[Assignment]:
    """The actor's own active assignments that touch first..last, in order of time (nobody sees another's)."""
    return list(
        db.session.scalars(
            visible_rows(actor, Assignment)
            .where(active(), Assignment.starts_at < last, Assignment.ends_at > first)
            .order_by(Assignment.starts_at)
        )
    )


def counts(actor: Actor, first: date, last: date, now: datetime) -> dict[int, dict[str, int]]:
    """Area id → status → number of visits on first..last that the actor may see (the supervisor's table)."""
    table: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for area_id, state, number in tally(visible(actor).where(Visit.day.between(first, last)), now, "area_id"):
        table[area_id][state] += number
    return table


def met_of_due(
    need_ids: Iterable[uuid.UUID], first: date, last: date, now: datetime
) -> dict[uuid.UUID, tuple[int, int]]:
    """Need id → (visits met, visits due) on first..last: met is done or confirmed, due is all but cancelled."""
    status = column(now).label("status")
    found = db.session.execute(
        select(Visit.need_id, status, func.count(Visit.id))
        .where(Visit.need_id.in_(list(need_ids)), Visit.day.between(first, last))
        .group_by(Visit.need_id, status)
    )
    met: dict[uuid.UUID, int] = defaultdict(int)
    due: dict[uuid.UUID, int] = defaultdict(int)
    for need_id, state, number in found:
        if state != Status.CANCELLED:
            due[need_id] += number
        if state in (Status.DONE, Status.CONFIRMED):
            met[need_id] += number
    return {need_id: (met[need_id], due[need_id]) for need_id in need_ids}


def visible_hours(actor: Actor) -> Select[HoursEntry]:
    return visible_rows(actor, HoursEntry)


def record_of(actor: Actor) -> list[tuple[HoursEntry, Assignment | None]]:
    """A volunteer's own service record with what each entry is for, newest first; a corrected one stays in it."""
    rows = db.session.execute(
        visible_hours(actor)
        .add_columns(Assignment)
        .outerjoin(Assignment, Assignment.id == HoursEntry.assignment_id)
        .order_by(HoursEntry.recorded_at.desc(), HoursEntry.id)
    ).all()
    return [(entry, assignment) for entry, assignment in rows]


def minutes_given(person_id: uuid.UUID) -> int:
    """The sum of a volunteer's record: the last word of each chain of corrections counts."""
    corrected = select(HoursEntry.corrects_id).where(HoursEntry.corrects_id.is_not(None))
    total = select(func.sum(HoursEntry.minutes)).where(
        HoursEntry.person_id == person_id, HoursEntry.id.not_in(corrected)
    )
    return db.session.scalar(total) or 0
