"""Every night: a draft for the coming days of each street, and stored instances that have had their time go."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.planning.models import Plan
from linkage.planning.operations import request_plan
from linkage.visits.models import Visit

NIGHT_MINUTES = 2 * 60
DAYS_AHEAD = 7


@periodic("planning.nightly", daily_at_minutes=NIGHT_MINUTES)
def plan_each_street(now: datetime) -> None:
    """Queue a run for every planning area with open visits in the coming week; yesterday's plan is its start."""
    today = local_date(now)
    last = today + timedelta(days=DAYS_AHEAD - 1)
    for area_id in _areas_with_visits(now):
        unit_of_work(lambda area_id=area_id: _request(area_id, today, last, now))  # type: ignore[misc]


def _areas_with_visits(now: datetime) -> list[int]:
    today = local_date(now)
    wanted = (
        select(Visit.planning_area_id)
        .where(Visit.day.between(today, today + timedelta(days=DAYS_AHEAD - 1)), Visit.cancelled_at.is_(None))
        .distinct()
    )
    found = sorted(db.session.scalars(wanted))
    db.session.rollback()
    return found


def _request(area_id, today, last, now) -> None:  # type: ignore[no-untyped-def]
    try:
        request_plan(db.session.get_one(Area, area_id), first_day=today, last_day=last, by=None, now=now)
    except DomainError:
        db.session.rollback()  # somebody is planning it already: that run serves as well


@periodic("planning.forget_instances", daily_at_minutes=NIGHT_MINUTES + 30)
def forget_instances(now: datetime) -> None:
    """Stored instances go when their time is over (necessity, PIPL); the plan itself stays."""

    def forget() -> None:
        over = update(Plan).where(Plan.expires_at <= now, Plan.instance.is_not(None))
        done = db.session.execute(over.values(instance=None, surrogates={}))
        if done.rowcount:  # type: ignore[attr-defined]
            audit.record("planning.forget", ("plans", "expired"), by=None, now=now, count=done.rowcount)  # type: ignore[attr-defined]

    unit_of_work(forget)
