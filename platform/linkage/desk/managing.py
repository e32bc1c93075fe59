"""A manager's week: who works where, and what is left of each contract line."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from linkage.contracts.capacity import month_of
from linkage.contracts.queries import LineView, find_lines, line_views
from linkage.core.clock import at_minutes, local_date, week_start
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.organisations.models import Carer
from linkage.organisations.queries import find_carers
from linkage.people.models import Person, WorkException
from linkage.people.schedule import day_spans
from linkage.visits.models import Assignment, Visit

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """One carer's week: minutes on duty, minutes booked, the next visit, and an absence in it."""

    carer: Carer
    duty: int
    booked: int
    visits: int
    following: Any  # the next assignment; None: free
    absence: WorkException | None


@dataclass(frozen=True)
class Management:
    """All that the page shows."""

    first: date
    weeks: list[Week]
    lines: list[LineView]

    @property
    def away(self) -> list[Week]:
        return [week for week in self.weeks if week.absence is not None]


def management(actor: Actor, now: datetime) -> Management:
    today = local_date(now)
    monday = week_start(today)
    carers = list(db.session.scalars(find_carers(actor, today).order_by(Person.name_keys, Carer.id).limit(500)))
    month = month_of(today)
    lines = line_views(find_lines(actor, month), month, today)
    return Management(monday, _weeks(carers, monday, now), lines)


def _weeks(carers: list[Carer], monday: date, now: datetime) -> list[Week]:
    ids = [carer.person_id for carer in carers]
    spans = day_spans(monday, monday + timedelta(days=6), person_ids=ids)
    booked = _booked(carers, monday)
    away = _away(ids, max(monday, local_date(now)), monday + timedelta(days=6))
    weeks = []
    for carer in carers:
        own = booked.get((carer.person_id, carer.organisation_id), [])
        duty = sum(s.end_minute - s.start_minute for s in spans.get(carer.person_id, []) if s.kind == "shift")
        minutes = sum(int((one.ends_at - one.starts_at).total_seconds() // 60) for one in own)
        following = next((one.id for one in own if one.ends_at > now), None)
        weeks.append(Week(carer, duty, minutes, len(own), following, away.get(carer.person_id)))
    coming = _loaded([week.following for week in weeks if week.following])
    return [replace(week, following=coming.get(week.following)) for week in weeks]


def _loaded(ids: list[Any]) -> dict[Any, Assignment]:
    wanted = select(Assignment).where(Assignment.id.in_(ids))
    return {
        row.id: row
        for row in db.session.scalars(wanted.options(joinedload(Assignment.visit).joinedload(Visit.service)))
    }


def _booked(carers: list[Carer], monday: date) -> dict[tuple[uuid.UUID, uuid.UUID | None], list[Any]]:
    """Person and organisation → (id, beginning, end) of what is booked in the week, in order of time."""
    found: dict[tuple[uuid.UUID, uuid.UUID | None], list[Any]] = {}
    first = at_minutes(monday, 0)
    rows = db.session.execute(
        select(
            Assignment.id, Assignment.person_id, Assignment.organisation_id, Assignment.starts_at, Assignment.ends_at
        )
        .where(
            Assignment.person_id.in_([carer.person_id for carer in carers]),
            Assignment.released_at.is_(None),
            Assignment.starts_at >= first,
            Assignment.starts_at < first + WEEK,
        )
        .order_by(Assignment.starts_at)
    )
    for row in rows:
        found.setdefault((row.person_id, row.organisation_id), []).append(row)
    return found


def _away(ids: list[uuid.UUID], first: date, last: date) -> dict[uuid.UUID, WorkException]:
    rows = db.session.scalars(
        select(WorkException).where(
            WorkException.person_id.in_(ids),
            WorkException.kind == "absent",
            WorkException.cancelled_at.is_(None),
            WorkException.first_day <= last,
            WorkException.last_day >= first,
        )
    )
    return {row.person_id: row for row in rows}
