"""Starting, cancelling and discarding planning runs. Publishing stands in `publishing`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update

from linkage.areas.models import Area
from linkage.core import audit, clock, jobs
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.planning.models import Plan, PlanningLock
from linkage.planning.solving import KIND

MAX_DAYS = 14


def request_plan(
    area: Area,
    *,
    first_day: date,
    last_day: date,
    by: Actor | None,
    now: datetime,
    seconds: int | None = None,
    repair: bool = False,
) -> Job:
    """Queue a planning run of `area` for first_day..last_day (days before today are left out).

    With `repair` what stands stays, and only what lost its person or cannot wait is placed (`repairing`).

    Raises
    ------
    Conflict
        the area is being planned already (one run per planning area).
    InvalidInput
        the days lie in the past or are too many, or the area is no planning area.
    """
    today = clock.local_date(now)
    first_day = max(first_day, today)
    if not area.is_planning_area:
        raise InvalidInput(_("Plans are made per street; choose a street."), field="area_id")
    if last_day < first_day:
        raise InvalidInput(_("This week is over; choose a later one."), field="first_day")
    last_day = min(last_day, first_day + timedelta(days=MAX_DAYS - 1))
    _take_lock(area.id, now)
    params = {
        "area_id": area.id,
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "seconds": seconds or rule("planning.seconds", today),
        "seed": 0,
        "repair": repair,
    }
    job = jobs.enqueue(KIND, params, by=by.user_id if by else None, now=now)
    db.session.execute(update(PlanningLock).where(PlanningLock.area_id == area.id).values(job_id=job.id, taken_at=now))
    audit.record("planning.request", ("areas", area.id), by=by.user_id if by else None, now=now, job=job.id)
    return job


def _take_lock(area_id: int, now: datetime) -> None:
    """One lock row per area: whoever updates it decides; a job that has ended holds nothing any more."""
    if db.session.get(PlanningLock, area_id) is None:
        db.session.add(PlanningLock(area_id=area_id, job_id=None, taken_at=now))
        db.session.flush()
    lock = db.session.scalars(select(PlanningLock).where(PlanningLock.area_id == area_id).with_for_update()).one()
    holder = db.session.get(Job, lock.job_id, populate_existing=True) if lock.job_id else None
    if holder is not None and holder.status in ("waiting", "running"):
        raise Conflict(_("This street is being planned at the moment."), remedy=_("Wait for it, or cancel it first."))


def cancel_run(job: Job, *, by: Actor, now: datetime) -> None:
    """Ask a planning run to stop; the plan in force stays as it is."""
    jobs.ask_cancel(job, now=now)
    audit.record("planning.cancel", job, by=by.user_id, now=now)


def discard(plan: Plan, *, by: Actor, now: datetime) -> None:
    """draft → discarded."""
    done = db.session.execute(
        update(Plan)
        .where(Plan.id == plan.id, Plan.published_at.is_(None), Plan.discarded_at.is_(None))
        .values(discarded_at=now)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_("This plan is no longer a draft."))
    audit.record("planning.discard", plan, by=by.user_id, now=now)
