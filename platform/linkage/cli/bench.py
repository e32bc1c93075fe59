"""A large made-up street, and how long its week takes to plan."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from datetime import date, timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import func, select

from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.clock import at_minutes, week_start
from linkage.core.extensions import db
from linkage.core.jobs import machine_now
from linkage.core.models import Job
from linkage.core.transactions import unit_of_work
from linkage.demo import city, large, load
from linkage.demo.setting import STREET, Story
from linkage.planning.models import Plan, PlanStop, PlanUnserved
from linkage.planning.operations import request_plan
from linkage.visits.models import Visit
from linkage.worker import Runner
from matching.warm import warm_up

PLANNING_DAY, PLANNING_MINUTES = -3, 15 * 60  # the Friday before, 15:00
CITY_MINUTES = 10 * 60 + 20


@click.command("make-street")
@click.option("--visits-per-day", default=300, show_default=True)
@click.option("--seed", default=large.SEED, show_default=True)
@with_appcontext
def make_street(visits_per_day: int, seed: int) -> None:
    """Fill a fresh database with a large made-up street and stand on the Friday before its week."""
    if current_app.config["SETTINGS"].mode == "production":
        raise click.ClickException("a made-up street is not made in production")
    upgrade()
    if load.is_begun():
        raise click.ClickException("the database is not empty: set LINKAGE_DATA_DIR to a new folder")
    started = time.monotonic()
    monday = week_start(clock.local_date(machine_now())) + timedelta(days=7)
    made = large.make(Story(at_minutes(monday, 8 * 60)), visits_per_day=visits_per_day, seed=seed)
    clock.current_clock().move_to(at_minutes(monday + timedelta(days=PLANNING_DAY), PLANNING_MINUTES))
    click.echo(f"{made} visits in the week from {monday}, made in {time.monotonic() - started:.0f} s")


@click.command("make-city")
@click.option("--people", default=50_000, show_default=True)
@click.option("--households", default=20_000, show_default=True)
@click.option("--visits", default=200_000, show_default=True)
@click.option("--seed", default=large.SEED, show_default=True)
@with_appcontext
def make_city(people: int, households: int, visits: int, seed: int) -> None:
    """Fill a fresh database with a large made-up city; its clock stands on a Tuesday at 10:20."""
    if current_app.config["SETTINGS"].mode == "production":
        raise click.ClickException("a made-up city is not made in production")
    upgrade()
    if load.is_begun():
        raise click.ClickException("the database is not empty: set LINKAGE_DATA_DIR to a new folder")
    started = time.monotonic()
    now = at_minutes(week_start(clock.local_date(machine_now())) + timedelta(days=1), CITY_MINUTES)
    made = city.make(Story(now), city.Size(people, households, visits), seed=seed)
    clock.current_clock().move_to(now)
    took = time.monotonic() - started
    click.echo(f"{made.people} people, {made.households} households, {made.visits} visits, made in {took:.0f} s")


@click.command("bench-plan")
@click.option("--seconds", default=40, show_default=True, help="Budget of the search itself.")
@with_appcontext
def bench_plan(seconds: int) -> None:
    """Plan the street's coming week as a coordinator would, and print what it took and what it gave as JSON."""
    street = db.session.scalars(select(Area).where(Area.code == STREET)).one()
    monday = week_start(clock.local_date(clock.now())) + timedelta(days=7)
    sunday = monday + timedelta(days=6)
    warm_up()
    started = time.monotonic()
    job_id = unit_of_work(
        lambda: request_plan(street, first_day=monday, last_day=sunday, by=None, now=clock.now(), seconds=seconds)
    ).id
    Runner(current_app._get_current_object()).work()  # type: ignore[attr-defined]
    took = time.monotonic() - started
    db.session.rollback()
    job = db.session.get_one(Job, job_id, populate_existing=True)
    if job.status != "done":
        raise click.ClickException(f"the run ended as {job.status}: {job.failure}")
    click.echo(json.dumps(_result(uuid.UUID(job.result["plan_id"]), monday, sunday, took, seconds), indent=1))


def _result(plan_id: uuid.UUID, monday: date, sunday: date, took: float, seconds: int) -> dict[str, Any]:
    plan = db.session.get_one(Plan, plan_id)
    of_week = Visit.day.between(monday, sunday)
    tiers = dict(db.session.execute(select(Visit.priority, func.count()).where(of_week).group_by(Visit.priority)).all())
    rows = db.session.execute(
        select(PlanUnserved, Visit.priority)
        .join(Visit, Visit.id == PlanUnserved.visit_id)
        .where(PlanUnserved.plan_id == plan_id)
    ).all()
    missing = Counter(priority for _, priority in rows)
    stops = db.session.scalar(select(func.count()).select_from(PlanStop).where(PlanStop.plan_id == plan_id))
    return {
        "seconds": round(took, 1),
        "search_seconds": seconds,
        "visits": sum(tiers.values()),
        "slots_filled": stops,
        "tiers": {
            str(tier): {"served": count - missing[tier], "unserved": missing[tier]}
            for tier, count in sorted(tiers.items())
        },
        "reasons": dict(Counter(row.reason["code"] for row, _ in rows)),
        "proven": sum(row.proven for row, _ in rows),
        "objective": plan.objective,
    }


commands = (make_street, make_city, bench_plan)
