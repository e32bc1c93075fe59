"""Reading plans: lists, the plan to look at, its days and lanes."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor, scoped, see_right, visible_rows
from linkage.offers.models import Offer
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import Person
from linkage.people.schedule import day_spans
from linkage.planning.diff import asked_of, held_of
from linkage.planning.horizon import where_in
from linkage.planning.models import Plan, PlanningLock, PlanStop, PlanUnserved
from linkage.planning.publishing import KIND as PUBLISH
from linkage.visits.models import Assignment, Slot, Visit


def get_plan(plan_id: uuid.UUID) -> Plan | None:
    return db.session.get(Plan, plan_id)


def get_unserved(unserved_id: uuid.UUID) -> PlanUnserved | None:
    return db.session.get(PlanUnserved, unserved_id)


def planning_areas(actor: Actor) -> list[Area]:
    """The areas whose plans the actor may see: those below the own area, for a community the one around it."""
    own = scoped(actor, see_right(Plan), Area).where(Area.is_planning_area, Area.closed_on.is_(None))
    return list(db.session.scalars(own.order_by(Area.code)))


def plans_of(area: Area, first: date, last: date) -> list[Plan]:
    """The plans of an area (of `planning_areas`) that touch first..last, newest first."""
    return list(
        db.session.scalars(
            select(Plan)
            .where(Plan.area_id == area.id, Plan.first_day <= last, Plan.last_day >= first)
            .order_by(Plan.number.desc())
            .limit(50)
        )
    )


def to_look_at(plans: list[Plan]) -> Plan | None:
    """The newest draft that is newer than what is published; else what is published last."""
    live = [plan for plan in plans if plan.discarded_at is None]
    return live[0] if live else None


def running_job(area_id: int) -> Job | None:
    """The planning run of the area that has not ended."""
    lock = db.session.get(PlanningLock, area_id)
    job = db.session.get(Job, lock.job_id) if lock is not None and lock.job_id else None
    return job if job is not None and job.status in ("waiting", "running") else None


def last_job(area_id: int) -> Job | None:
    lock = db.session.get(PlanningLock, area_id)
    return db.session.get(Job, lock.job_id) if lock is not None and lock.job_id else None


def publishing_job(plan: Plan) -> Job | None:
    """The job that applies this plan."""
    if plan.published_at is None:
        return None
    rows = db.session.scalars(select(Job).where(Job.kind == PUBLISH, Job.created_at >= plan.published_at))
    return next((row for row in rows if row.params.get("plan_id") == str(plan.id)), None)


@dataclass(frozen=True)
class Entry:
    """One slot as it stands (or would stand) with a person."""

    visit: Visit
    person_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    state: str
    two: bool
    travel_minutes: int = 0
    late_minutes: int = 0


@dataclass
class Lane:
    """One person on one day."""

    person: Person
    note: str
    organisation: Organisation | None
    shifts: list[tuple[int, int]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def week_of(plan: Plan) -> tuple[date, date]:
    """The days that the plan's page shows: whole weeks, Monday to Sunday, around what it plans."""
    return clock.week_start(plan.first_day), clock.week_start(plan.last_day) + timedelta(days=6)


def entries_of(plan: Plan, visits: list[Visit]) -> list[Entry]:
    """The slots of `visits`: of a draft as they would be, otherwise (and on days outside it) as they stand now."""
    ids = [visit.id for visit in visits]
    held, asked = held_of(ids), asked_of(ids)
    stops = {stop.slot_id: stop for stop in plan.stops} if plan.status == "draft" else {}
    half = {row.visit_id for row in plan.unserved if row.half}
    found = []
    for visit in visits:
        for slot in visit.places:
            entry = _entry(visit, slot, stops.get(slot.id), held.get(slot.id), asked.get(slot.id), visit.id in half)
            if entry is not None:
                found.append(entry)
    return found


def visits_between(actor: Actor, area_id: int, first: date, last: date) -> list[Visit]:
    """The area's visits of first..last that the actor may see."""
    return list(
        db.session.scalars(
            visible_rows(actor, Visit)
            .where(Visit.planning_area_id == area_id, Visit.day.between(first, last), Visit.cancelled_at.is_(None))
            .options(selectinload(Visit.slots), selectinload(Visit.person), selectinload(Visit.service))
            .order_by(Visit.day, Visit.number)
        )
    )


def _entry(
    visit: Visit, slot: Slot, stop: PlanStop | None, held: Assignment | None, asked: Offer | None, half: bool
) -> Entry | None:
    two = visit.people == 2
    fixed = held is not None and (held.accepted_at is not None or held.capacity == "volunteer")
    if held is not None and (stop is None or fixed or held.attendance is not None):
        state = assignment_state(held)
        travel = stop.travel_minutes if stop else 0
        return Entry(visit, held.person_id, held.starts_at, held.ends_at, state, two, travel)
    if stop is not None:
        state = "asked" if stop.capacity == "volunteer" else "late" if stop.late_minutes else "draft"
        state = "half_staffed" if half else {"late": "will_be_late"}.get(state, state)
        return Entry(
            visit, stop.person_id, stop.starts_at, stop.ends_at, state, two, stop.travel_minutes, stop.late_minutes
        )
    if asked is not None:
        return Entry(visit, asked.person_id, asked.starts_at, asked.ends_at, "asked", two)
    return None


def assignment_state(held: Assignment) -> str:
    """done, under_way, locked (accepted) or booked, from the attendance and the acceptance."""
    attendance = held.attendance
    if attendance is not None and attendance.checked_out_at is not None:
        return "done"
    if attendance is not None and attendance.checked_in_at is not None:
        return "under_way"
    return "locked" if held.accepted_at is not None else "booked"


def lanes(entries: list[Entry], area_id: int, day: date) -> list[Lane]:
    """Every person who works (or is planned) in the area on `day`, carers by organisation first, then volunteers."""
    spans = day_spans(day, day, area_id=area_id)
    of_person: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        if clock.local_date(entry.starts_at) == day:
            of_person[entry.person_id].append(entry)
    ids = sorted({*spans, *of_person}, key=str)
    people = {row.id: row for row in where_in(Person, Person.id, ids)}
    carers = _carers(ids, day)
    found = []
    for person_id, person in people.items():
        carer = carers.get(person_id)
        works = [s for s in spans.get(person_id, []) if (s.kind == "shift") == (carer is not None)]
        planned = sorted(of_person[person_id], key=lambda entry: entry.starts_at)
        if planned or (works and carer is not None):  # of volunteers who are merely free, the count is enough
            shifts = [(span.start_minute, span.end_minute) for span in works]
            found.append(Lane(person, "", carer.organisation if carer else None, shifts, planned))
    return sorted(found, key=lambda lane: (lane.organisation is None, _name(lane), lane.person.name_keys))


def _name(lane: Lane) -> str:
    return lane.organisation.short_name if lane.organisation else ""


def _carers(ids: list[uuid.UUID], day: date) -> dict[uuid.UUID, Carer]:
    return {row.person_id: row for row in where_in(Carer, Carer.person_id, ids, Carer.on(day))}


def buckets(plan: Plan, visits: list[Visit], entries: list[Entry]) -> dict[str, list[Visit]]:
    """The line of truth, as rows: each visit once, by the first of PAGES.md that applies.

    "without" anyone, "half" staffed, "asked", "late", "staffed"; only the days of the plan.
    """
    of_visit: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_visit[entry.visit.id].append(entry)
    found: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        if plan.first_day <= visit.day <= plan.last_day:
            found[_bucket(visit, of_visit[visit.id])].append(visit)
    return found


def _bucket(visit: Visit, entries: list[Entry]) -> str:
    if not entries:
        return "without"
    if len(entries) < visit.people:
        return "half"
    if any(entry.state == "asked" for entry in entries):
        return "asked"
    return "late" if any(entry.state in ("late", "will_be_late") for entry in entries) else "staffed"


def unserved_of(plan: Plan, visits: list[Visit]) -> list[PlanUnserved]:
    """The plan's gaps among `visits` that nobody fills meanwhile: by day, vital first."""
    seen = {visit.id: visit for visit in visits}
    filled = held_of(seen) if plan.status == "published" else {}
    full = Counter(row.visit_id for row in filled.values())
    rows = [row for row in plan.unserved if row.visit_id in seen and full[row.visit_id] < seen[row.visit_id].people]
    return sorted(rows, key=lambda row: (row.visit.day, row.visit.priority, row.visit.number))


def gaps_in_force(visit_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, PlanUnserved]:
    """Why the published plan leaves each of these visits without somebody; the newest plan's word counts."""
    published = Plan.published_at.is_not(None)
    wanted = select(PlanUnserved).join(Plan).where(PlanUnserved.visit_id.in_(visit_ids), published)
    return {row.visit_id: row for row in db.session.scalars(wanted.order_by(Plan.number))}
