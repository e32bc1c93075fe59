"""Check in, check out, and what follows: minutes, hours, deliveries, corrections, confirmation, lateness.

Minutes are whole minutes between check-in and check-out: the time actually given, not the travel. On a contract
line in minutes the time given is delivered, at most what was committed; a visit or a meal is delivered whole.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from linkage.contracts import ledger
from linkage.contracts.models import ContractLine
from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.core.rulesets import rule
from linkage.needs import telling
from linkage.visits import booking, status
from linkage.visits.errors import Refused
from linkage.visits.models import (
    FACES,
    Assignment,
    Attendance,
    AttendanceCorrection,
    HoursEntry,
    Visit,
)
from linkage.visits.operations import facts, tell_staff
from linkage.visits.status import Status

CORRECTIONS = ("forgot_check_in", "forgot_check_out", "wrong_time", "did_come", "did_not_come")


@dataclass(frozen=True)
class CodeAnswer:
    """Whether the code was right, and how many more tries there are. A wrong one is counted, so it is no error."""

    right: bool
    tries_left: int


def attendance_of(assignment: Assignment) -> Attendance:
    """The assignment's attendance, made on first use."""
    row = db.session.scalars(select(Attendance).where(Attendance.assignment_id == assignment.id)).one_or_none()
    if row is None:
        row = Attendance(assignment_id=assignment.id)
        db.session.add(row)
        db.session.flush()
    return row


def check_in_by_code(assignment: Assignment, code: str, *, by: Actor, now: datetime) -> CodeAnswer:
    """The person types the household's code (户码) at the door: booked → in service.

    A wrong code is counted and answered, not raised: the caller commits it. After five wrong ones only the call
    desk checks in.

    Raises
    ------
    Refused
        code_locked, and what `check_in` raises
    """
    limit = rule("visits.wrong_codes", local_date(now))
    row = attendance_of(assignment)
    if row.wrong_codes >= limit:
        raise Refused("code_locked")
    _demand_may_check_in(assignment, row, now)
    expected = assignment.visit.household.door_code or ""
    if not expected or not hmac.compare_digest(_digits(code).encode(), expected.encode()):
        db.session.execute(
            update(Attendance).where(Attendance.id == row.id).values(wrong_codes=Attendance.wrong_codes + 1)
        )
        db.session.refresh(row, ["wrong_codes"])
        audit.record("visits.wrong_code", assignment.visit, by=by.user_id, now=now, times=row.wrong_codes)
        return CodeAnswer(False, max(0, limit - row.wrong_codes))
    check_in(assignment, method="code", by=by, now=now)
    return CodeAnswer(True, limit)


def _digits(code: str) -> str:
    return "".join(sign for sign in code if sign.isdigit())


def check_in(assignment: Assignment, *, method: str, by: Actor | None, now: datetime) -> Attendance:
    """Booked → in service, by the call desk ("call_desk") or the area's staff ("staff") for somebody who calls.

    Raises Refused: released, cancelled, too_early, already_checked_in, did_not_come (a no-show was recorded).
    """
    row = attendance_of(assignment)
    _demand_may_check_in(assignment, row, now)
    row.checked_in_at, row.check_in_method, row.check_in_by = now, method, by and by.user_id
    row.nobody_home_at = None  # somebody opened after all
    audit.record("visits.check_in", assignment.visit, by=by and by.user_id, now=now, method=method)
    return row


def _demand_may_check_in(assignment: Assignment, row: Attendance, now: datetime) -> None:
    if assignment.released_at is not None:
        raise Refused("released")
    if assignment.visit.cancelled_at is not None:
        raise Refused("cancelled")
    if row.checked_in_at is not None:
        raise Refused("already_checked_in")
    if row.no_show_at is not None:
        raise Refused("did_not_come")
    if now < assignment.starts_at - timedelta(minutes=rule("visits.early_minutes", local_date(now))):
        raise Refused("too_early")


def check_out(assignment: Assignment, *, method: str, by: Actor | None, now: datetime) -> Attendance:
    """In service → done: minutes given, hours of a volunteer, minutes delivered on the contract line.

    When everybody has checked out, poster, caller and family hear that it is done.

    Raises Refused: not_checked_in, already_checked_out, released.
    """
    if assignment.released_at is not None:
        raise Refused("released")
    row = attendance_of(assignment)
    if row.checked_in_at is None:
        raise Refused("not_checked_in")
    if row.checked_out_at is not None:
        raise Refused("already_checked_out")
    row.checked_out_at, row.check_out_method, row.check_out_by = now, method, by and by.user_id
    row.minutes = _minutes(row.checked_in_at, now)
    audit.record(
        "visits.check_out", assignment.visit, by=by and by.user_id, now=now, method=method, minutes=row.minutes
    )
    _settle(assignment, row, by=by, now=now)
    _record_hours(assignment, row.minutes, by=by, now=now)
    db.session.flush()
    if status.status_of(assignment.visit, now) is Status.DONE:
        telling.tell_interested(assignment.visit.need, "visits.done", now=now, **facts(assignment.visit, assignment))
    return row


def _minutes(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() // 60))


def _settle(assignment: Assignment, row: Attendance, *, by: Actor | None, now: datetime) -> None:
    """Deliver on the contract line what was given."""
    if assignment.line_id is None or not assignment.charge:
        return
    line = db.session.get(ContractLine, assignment.line_id)
    assert line is not None and row.minutes is not None
    given = min(row.minutes, assignment.charge) if line.unit == "minutes" else assignment.charge
    held = _take_back(assignment, row, by=by, now=now)
    if held == 0 and given == 0:
        return
    if held == 0:  # it had been given back since nobody seemed to have come
        ledger.commit(_charge(assignment, given), by=by, now=now)
        held, row.freed_at = given, None
    ledger.deliver(_charge(assignment, held), by=by, now=now, delivered=given)
    row.delivered = given


def _take_back(assignment: Assignment, row: Attendance, *, by: Actor | None, now: datetime) -> int:
    """What is committed for this slot now, an earlier delivery taken back first."""
    if row.checked_out_at is not None and row.delivered:
        ledger.undeliver(_charge(assignment, row.delivered), by=by, now=now)
        held, row.delivered = row.delivered, 0
        return held
    return 0 if row.freed_at is not None else assignment.charge


def _charge(assignment: Assignment, quantity: int) -> ledger.Charge:
    assert assignment.line_id is not None
    return booking.line_charge(assignment.line_id, quantity, assignment.visit, assignment.slot_id, assignment.starts_at)


def _record_hours(
    assignment: Assignment, minutes: int, *, by: Actor | None, now: datetime, reason: str = ""
) -> HoursEntry | None:
    """Append to the volunteer's service record, as a correction where there is an entry already."""
    if assignment.capacity != "volunteer":
        return None
    earlier = db.session.scalars(
        select(HoursEntry).where(HoursEntry.assignment_id == assignment.id).order_by(HoursEntry.recorded_at.desc())
    ).first()
    if earlier is None and minutes == 0:
        return None
    entry = HoursEntry(
        person_id=assignment.person_id,
        assignment_id=assignment.id,
        minutes=minutes,
        recorded_at=now,
        recorded_by=by and by.user_id,
        corrects_id=earlier and earlier.id,
        reason=reason,
    )
    db.session.add(entry)
    if earlier is None:
        outbox.tell(assignment.person_id, "visits.hours", now=now, minutes=minutes)
    return entry


def report_nobody_home(assignment: Assignment, *, by: Actor, now: datetime) -> None:
    """The person stands at the door and nobody opens: staff hears at once. Checking in stays possible."""
    row = attendance_of(assignment)
    _demand_may_check_in(assignment, row, now)
    row.nobody_home_at = now
    audit.record("visits.nobody_home", assignment.visit, by=by.user_id, now=now)
    tell_staff(assignment.visit, "visits.nobody_home", now=now, but=by.person_id, assignment=assignment)


def record_no_show(assignment: Assignment, *, by: Actor, now: datetime) -> None:
    """Staff records that the person did not come; a correction can take it back.

    Raises Refused: released, cancelled, already_checked_in, too_early (before the beginning).
    """
    row = attendance_of(assignment)
    _demand_may_check_in(assignment, row, now)
    if now < assignment.starts_at:
        raise Refused("too_early")
    row.no_show_at = now
    audit.record("visits.no_show", assignment.visit, by=by.user_id, now=now, person=assignment.person_id)


def correct_times(
    assignment: Assignment,
    *,
    checked_in_at: datetime | None,
    checked_out_at: datetime | None,
    reason: str,
    by: Actor,
    now: datetime,
) -> Attendance:
    """Correct what was recorded (both times, or neither: nobody came). The original stays beside it.

    Deliveries and hours follow by entries of their own; the person is told.

    Raises InvalidInput: times out of order, in the future or half given; an unknown reason.
    """
    _demand_times(checked_in_at, checked_out_at, reason, now)
    row = attendance_of(assignment)
    db.session.add(
        AttendanceCorrection(
            attendance_id=row.id,
            checked_in_at=row.checked_in_at,
            checked_out_at=row.checked_out_at,
            minutes=row.minutes,
            reason=reason,
            corrected_at=now,
            corrected_by=by.user_id,
        )
    )
    came = checked_in_at is not None and checked_out_at is not None
    minutes = _minutes(checked_in_at, checked_out_at) if checked_in_at and checked_out_at else 0
    row.minutes = minutes
    _settle(assignment, row, by=by, now=now)
    row.checked_in_at, row.checked_out_at = checked_in_at, checked_out_at
    row.check_in_method = row.check_out_method = "staff" if came else None
    row.no_show_at, row.nobody_home_at = (None, None) if came else (row.no_show_at or now, row.nobody_home_at)
    row.row_version += 1
    _record_hours(assignment, minutes, by=by, now=now, reason=reason)
    audit.record("visits.correct", assignment.visit, by=by.user_id, now=now, reason=reason, minutes=minutes)
    outbox.tell(assignment.person_id, "visits.corrected", now=now, **facts(assignment.visit, assignment))
    return row


def _demand_times(start: datetime | None, end: datetime | None, reason: str, now: datetime) -> None:
    if reason not in CORRECTIONS:
        raise InvalidInput(_l("Please choose a reason."), field="reason")
    if (start is None) != (end is None):
        raise InvalidInput(_l("Give both times, or neither."), field="checked_out_at")
    if start is not None and end is not None and end < start:
        raise InvalidInput(_l("The end lies before the beginning."), field="checked_out_at")
    if end is not None and end > now:
        raise InvalidInput(_l("This time has not come yet."), field="checked_out_at")


def confirm_with_household(visit: Visit, rating: int, *, by: Actor, now: datetime) -> None:
    """Done → confirmed: the household says how it was (1 not good, 2 all right, 3 good).

    Raises Refused: not_done, already_confirmed.  InvalidInput: no such face.
    """
    if rating not in FACES:
        raise InvalidInput(_l("Please choose one of the three faces."), field="rating")
    if visit.confirmed_at is not None:
        raise Refused("already_confirmed")
    if status.status_of(visit, now) is not Status.DONE:
        raise Refused("not_done")
    visit.confirmed_at, visit.confirmed_by, visit.rating = now, by.user_id, rating
    visit.row_version += 1
    audit.record("visits.confirm", visit, by=by.user_id, now=now, rating=rating)
    telling.tell_interested(visit.need, "visits.confirmed", now=now, but=by.person_id, rating=rating, **facts(visit))


# What follows from the clock. Each step is told once; after an outage only the latest one.


def mark_late_and_missed(now: datetime, limit: int = 100) -> int:
    """Tell about people who have not checked in: them, then the staff, then that it counts as missed.

    Returns how many were told about; call again until 0.
    """
    today = local_date(now)
    steps = [
        (level, timedelta(minutes=rule(f"visits.{name}_minutes", today)))
        for level, name in ((3, "missed"), (2, "alarm"), (1, "late"))
    ]
    told = 0
    for level, after in steps:
        for assignment in _awaited(level, now - after, limit):
            told += _tell_late(assignment, level, now)
    return told


def _awaited(level: int, begun_by: datetime, limit: int) -> list[Assignment]:
    return list(
        db.session.scalars(
            select(Assignment)
            .join(Visit, Visit.id == Assignment.visit_id)
            .outerjoin(Attendance, Attendance.assignment_id == Assignment.id)
            .where(
                Assignment.released_at.is_(None),
                Visit.cancelled_at.is_(None),
                Assignment.told_late < level,
                Assignment.starts_at <= begun_by,
                Attendance.checked_in_at.is_(None),
                Attendance.no_show_at.is_(None),
                Attendance.nobody_home_at.is_(None),
            )
            .order_by(Assignment.id)
            .limit(limit)
        )
    )


def _tell_late(assignment: Assignment, level: int, now: datetime) -> int:
    marked = db.session.execute(
        update(Assignment)
        .where(Assignment.id == assignment.id, Assignment.told_late < level)
        .values(told_late=level)
        .returning(Assignment.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if marked is None:
        return 0
    visit = assignment.visit
    if level == 1:
        outbox.tell(assignment.person_id, "visits.late", now=now, **facts(visit, assignment))
    elif level == 2:
        tell_staff(visit, "visits.alarm", now=now, assignment=assignment)
    else:
        tell_staff(visit, "visits.missed", now=now, assignment=assignment, roles=(Role.COMMUNITY, Role.COORDINATOR))
        _tell_managers(assignment, now)
    audit.record("visits.late", visit, by=None, now=now, level=level)
    return 1


def _tell_managers(assignment: Assignment, now: datetime) -> None:
    if assignment.organisation_id is not None:
        for person_id in sorted(telling.managers(assignment.organisation_id, local_date(now))):
            outbox.tell(person_id, "visits.missed", now=now, **facts(assignment.visit, assignment))


def close_unmet(now: datetime, limit: int = 100) -> int:
    """Close visits whose last window has passed with an empty place, and tell; call again until 0."""
    rows = db.session.scalars(
        select(Visit)
        .where(
            Visit.closed_unmet_at.is_(None),
            Visit.latest_at < now,
            status.column(now) == Status.UNMET.value,
        )
        .order_by(Visit.id)
        .limit(limit)
    ).all()
    for visit in rows:
        visit.closed_unmet_at = now
        audit.record("visits.unmet", visit, by=None, now=now)
        tell_staff(visit, "visits.unmet", now=now)
    return len(rows)


def free_missed(now: datetime, limit: int = 100) -> int:
    """A day after a visit to which nobody came, its committed minutes are free again; call again until 0."""
    rows = db.session.execute(
        select(Assignment, Attendance)
        .outerjoin(Attendance, Attendance.assignment_id == Assignment.id)
        .where(
            Assignment.released_at.is_(None),
            Assignment.line_id.is_not(None),
            Assignment.charge > 0,
            Assignment.ends_at < now - timedelta(days=1),
            Attendance.checked_in_at.is_(None),
            Attendance.freed_at.is_(None),
        )
        .order_by(Assignment.id)
        .limit(limit)
    ).all()
    for assignment, row in rows:
        attendance = row or attendance_of(assignment)
        attendance.freed_at = now
        booking.free(assignment, assignment.visit, by=None, now=now)
    return len(rows)
