"""The status of a visit (服务状态), derived from timestamps once in Python and once in SQL.

A visit has the first status that applies:

==========  =======================================================================================
cancelled   it will not take place
confirmed   done, and the household has said so
done        everybody whom it needs has checked out
in_service  somebody has checked in (or out, while another is still to come or there)
missed      a person did not come (reported, nobody opened, or not checked in after `missed_minutes`)
late        a booked person has not checked in `late_minutes` after the beginning
unmet       its last window has passed and a place in it was empty
half        two people are needed and one is booked
accepted    everybody is booked and has said yes
booked      everybody is booked
asked       nobody is booked, a volunteer has been asked
open        nobody is booked and nobody is asked
==========  =======================================================================================

Whether somebody is asked is known above (offers): that room says in SQL which slots have an open question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, false, func, literal, or_, select, true
from sqlalchemy.orm import aliased

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.visits.models import Assignment, Attendance, Slot, Visit


class Status(StrEnum):
    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"
    DONE = "done"
    IN_SERVICE = "in_service"
    MISSED = "missed"
    LATE = "late"
    UNMET = "unmet"
    HALF = "half"
    ACCEPTED = "accepted"
    BOOKED = "booked"
    ASKED = "asked"
    OPEN = "open"


# States in which the visit still lies ahead; states in which somebody has to act.
AHEAD = (Status.OPEN, Status.ASKED, Status.HALF, Status.BOOKED, Status.ACCEPTED)
TROUBLE = (Status.OPEN, Status.HALF, Status.LATE, Status.MISSED, Status.UNMET)
OVER = (Status.DONE, Status.CONFIRMED, Status.MISSED, Status.UNMET, Status.CANCELLED)

_asked: list[Callable[[], ColumnElement[bool]]] = []


def asked_by(condition: Callable[[], ColumnElement[bool]]) -> Callable[[], ColumnElement[bool]]:
    """Decorator: the room above says which slots have an open question (a condition on `Slot`)."""
    _asked[:] = [condition]
    return condition


def slot_is_asked() -> ColumnElement[bool]:
    return _asked[0]() if _asked else false()


@dataclass(frozen=True)
class Clocks:
    """The rules of lateness that hold on a day."""

    late: timedelta
    missed: timedelta


def clocks(on: date) -> Clocks:
    return Clocks(
        timedelta(minutes=rule("visits.late_minutes", on)), timedelta(minutes=rule("visits.missed_minutes", on))
    )


@dataclass(frozen=True)
class Coming:
    """One active assignment, as far as status goes."""

    starts_at: datetime
    accepted: bool = False
    checked_in: bool = False
    checked_out: bool = False
    did_not_come: bool = False  # no-show, or nobody opened the door

    @property
    def is_awaited(self) -> bool:
        return not (self.checked_in or self.checked_out or self.did_not_come)


@dataclass(frozen=True)
class Facts:
    """What the status of a visit is derived from."""

    people: int
    latest_at: datetime
    coming: tuple[Coming, ...] = ()
    asked: bool = False
    cancelled: bool = False
    confirmed: bool = False
    closed_unmet: bool = False


def derive(facts: Facts, now: datetime, rules: Clocks) -> Status:
    """The status at `now`, once in Python (`column` says the same in SQL; a test shows that they agree)."""
    coming = facts.coming
    awaited = [one for one in coming if one.is_awaited]
    answers = (
        (Status.CANCELLED, facts.cancelled),
        (Status.CONFIRMED, facts.confirmed),
        (Status.DONE, len(coming) >= facts.people and all(one.checked_out for one in coming)),
        (Status.IN_SERVICE, _is_in_service(facts, now)),
        (Status.MISSED, any(one.did_not_come for one in coming)),
        (Status.MISSED, any(now >= one.starts_at + rules.missed for one in awaited)),
        (Status.LATE, any(now >= one.starts_at + rules.late for one in awaited)),
        (Status.UNMET, facts.closed_unmet or (len(coming) < facts.people and now > facts.latest_at)),
        (Status.HALF, 0 < len(coming) < facts.people),
        (Status.ACCEPTED, bool(coming) and all(one.accepted for one in coming)),
        (Status.BOOKED, bool(coming)),
        (Status.ASKED, facts.asked),
    )
    return next((status for status, holds in answers if holds), Status.OPEN)


def _is_in_service(facts: Facts, now: datetime) -> bool:
    """Somebody is there; or one of two has left while the other is still to come."""
    if any(one.checked_in and not one.checked_out for one in facts.coming):
        return True
    left = any(one.checked_out for one in facts.coming)
    return left and any(one.is_awaited for one in facts.coming) and now <= facts.latest_at


def column(now: datetime, rules: Clocks | None = None) -> ColumnElement[str]:
    """The status at `now` as a SQL expression over `Visit`; the visit's assignments are read once."""
    counted = (
        select(*_counts(Assignment, Attendance, now, rules or clocks(local_date(now))))
        .outerjoin(Attendance, Attendance.assignment_id == Assignment.id)
        .where(Assignment.visit_id == Visit.id, Assignment.released_at.is_(None))
        .correlate(Visit)
        .subquery("of")
    )
    asked = exists().where(Slot.visit_id == Visit.id, slot_is_asked()).correlate(Visit)
    return case(
        *_closed(Visit), else_=select(_derived(counted.c, Visit, asked, now)).correlate(Visit).scalar_subquery()
    )


def _closed(visit: Any) -> tuple[tuple[ColumnElement[bool], str], ...]:
    """What ends a visit whoever was booked."""
    return (
        (visit.cancelled_at.is_not(None), Status.CANCELLED.value),
        (visit.confirmed_at.is_not(None), Status.CONFIRMED.value),
    )


def _derived(of: Any, visit: Any, asked: ColumnElement[bool], now: datetime) -> ColumnElement[str]:
    """The status of a visit that is neither cancelled nor confirmed, from what is counted of its assignments."""
    in_service = or_(of.there > 0, and_(of.left > 0, of.awaited > 0, literal(now) <= visit.latest_at))
    return case(
        (and_(of.booked >= visit.people, of.left == of.booked), Status.DONE.value),
        (in_service, Status.IN_SERVICE.value),
        (or_(of.did_not_come > 0, of.missed > 0), Status.MISSED.value),
        (of.late > 0, Status.LATE.value),
        (
            or_(visit.closed_unmet_at.is_not(None), and_(of.booked < visit.people, visit.latest_at < now)),
            Status.UNMET.value,
        ),
        (and_(of.booked > 0, of.booked < visit.people), Status.HALF.value),
        (and_(of.booked > 0, of.accepted == of.booked), Status.ACCEPTED.value),
        (of.booked > 0, Status.BOOKED.value),
        (asked, Status.ASKED.value),
        else_=Status.OPEN.value,
    )


def _counts(one: Any, came: Any, now: datetime, rules: Clocks) -> list[ColumnElement[Any]]:
    """How many of the assignments `one` (with their attendance `came`) are in each state, and the first start."""
    awaited = and_(
        one.id.is_not(None),
        func.coalesce(came.no_show_at, came.nobody_home_at, came.checked_in_at, came.checked_out_at).is_(None),
    )
    states = {
        "left": came.checked_out_at.is_not(None),
        "there": and_(came.checked_in_at.is_not(None), came.checked_out_at.is_(None)),
        "did_not_come": or_(came.no_show_at.is_not(None), came.nobody_home_at.is_not(None)),
        "awaited": awaited,
        "missed": and_(awaited, one.starts_at <= now - rules.missed),
        "late": and_(awaited, one.starts_at <= now - rules.late),
        "accepted": one.accepted_at.is_not(None),
    }
    return [
        func.count(one.id).label("booked"),
        func.min(one.starts_at).label("starts_at"),
        *(func.count(case((state, 1))).label(name) for name, state in states.items()),
    ]


COUNTED = (
    Visit.id,
    Visit.area_id,
    Visit.day,
    Visit.earliest_at,
    Visit.latest_at,
    Visit.duration_minutes,
    Visit.people,
    Visit.cancelled_at,
    Visit.confirmed_at,
    Visit.closed_unmet_at,
)


def reckoned(wanted: Select[Visit], now: datetime, *, all_starts: bool = False) -> Subquery:
    """The visits of a select with `state` and `starts_at`, in one pass over them and their assignments.

    For lists and counts of thousands; `column` is for conditions on few. Confirmed and cancelled visits say so
    themselves: who was booked there is read only for `all_starts` (their `starts_at` is None otherwise).
    """
    one, came, rules = aliased(Assignment), aliased(Attendance), clocks(local_date(now))
    open_ones = true() if all_starts else and_(Visit.cancelled_at.is_(None), Visit.confirmed_at.is_(None))
    counted = (
        wanted.order_by(None)
        .with_only_columns(*COUNTED, *_counts(one, came, now, rules))
        .outerjoin(one, and_(one.visit_id == Visit.id, one.released_at.is_(None), open_ones))
        .outerjoin(came, came.assignment_id == one.id)
        .group_by(Visit.id)
        .subquery("counted")
    )
    of = counted.c
    asked = exists().where(Slot.visit_id == of.id, slot_is_asked()).correlate(counted)
    state = case(*_closed(of), else_=_derived(of, of, asked, now))
    plain = (of.id, of.area_id, of.day, of.earliest_at, of.latest_at, of.duration_minutes)
    return select(*plain, of.starts_at, state.label("state")).subquery("reckoned")


def tally(wanted: Select[Visit], now: datetime, *by: str) -> list[tuple[Any, ...]]:
    """How many visits of a select are in each state: (…, state, number), also by "area_id" or "day"."""
    of = reckoned(wanted, now).c
    groups = [of[name] for name in (*by, "state")]
    return [tuple(row) for row in db.session.execute(select(*groups, func.count()).group_by(*groups))]


def facts_of(visits: Iterable[Visit]) -> dict[Any, Facts]:
    """The facts of many visits by their id, with two queries."""
    rows = {visit.id: visit for visit in visits}
    ids = list(rows)
    coming: dict[Any, list[Coming]] = {}
    for visit_id, *values in _assignments(ids):
        coming.setdefault(visit_id, []).append(_coming(*values))
    asked = set(db.session.scalars(select(Slot.visit_id).where(Slot.visit_id.in_(ids), slot_is_asked())))
    return {
        row.id: Facts(
            people=row.people,
            latest_at=row.latest_at,
            coming=tuple(coming.get(row.id, ())),
            asked=row.id in asked,
            cancelled=row.cancelled_at is not None,
            confirmed=row.confirmed_at is not None,
            closed_unmet=row.closed_unmet_at is not None,
        )
        for row in rows.values()
    }


@dataclass(frozen=True)
class Seen:
    """A visit as far as counting goes, with its status. `starts_at`: when the first of its people begins."""

    id: Any
    area_id: int
    day: date
    earliest_at: datetime
    latest_at: datetime
    duration_minutes: int
    starts_at: datetime | None
    state: Status


def survey(wanted: Select[Visit], now: datetime, states: Iterable[Status] | None = None) -> list[Seen]:
    """The visits of a select with their status (those in `states` alone), without loading them."""
    found = reckoned(wanted, now)
    rows = select(found) if states is None else select(found).where(found.c.state.in_([one.value for one in states]))
    known = {one.value: one for one in Status}
    return [Seen(**{**row, "state": known[row["state"]]}) for row in db.session.execute(rows).mappings()]


def _assignments(visit_ids: Any) -> Iterable[Any]:
    return db.session.execute(
        select(
            Assignment.visit_id,
            Assignment.starts_at,
            Assignment.accepted_at,
            Attendance.checked_in_at,
            Attendance.checked_out_at,
            Attendance.no_show_at,
            Attendance.nobody_home_at,
        )
        .outerjoin(Attendance, Attendance.assignment_id == Assignment.id)
        .where(Assignment.visit_id.in_(visit_ids), Assignment.released_at.is_(None))
    )


def _coming(
    starts_at: datetime, accepted: Any, checked_in: Any, checked_out: Any, no_show: Any, nobody_home: Any
) -> Coming:
    did_not_come = no_show is not None or nobody_home is not None
    return Coming(starts_at, accepted is not None, checked_in is not None, checked_out is not None, did_not_come)


def statuses(visits: Iterable[Visit], now: datetime) -> dict[Any, Status]:
    """Visit id → status at `now`."""
    rules = clocks(local_date(now))
    return {visit_id: derive(facts, now, rules) for visit_id, facts in facts_of(visits).items()}


def status_of(visit: Visit, now: datetime) -> Status:
    return statuses([visit], now)[visit.id]
