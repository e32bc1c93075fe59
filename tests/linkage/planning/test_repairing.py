"""A carer who falls ill, and an urgent visit: repaired around what stands, looked at person by person, published."""

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from visiting import HOUR, change

from linkage.core.clock import minutes_of_day
from linkage.core.extensions import db
from linkage.core.models import Job, OutboxRow
from linkage.planning import diff, operations, publishing, repairing
from linkage.planning.models import Plan
from linkage.planning.urgent import tell_if_urgent
from linkage.visits import operations as visits
from linkage.visits.models import Assignment
from linkage.worker import Runner


@pytest.fixture
def repair(ctx, commit, street, week, world, now):
    """Repair the week as a worker does; the draft."""

    def run():
        job = commit(
            lambda: operations.request_plan(
                street, first_day=week.first, last_day=week.last, by=world.actor("coordinator"), now=now, repair=True
            )
        )
        runner = Runner(ctx)
        while runner.run_one():
            pass
        db.session.rollback()
        db.session.expire_all()
        job = db.session.get(Job, job.id)
        assert job.status == "done", job.failure
        return db.session.get(Plan, uuid.UUID(job.result["plan_id"]))

    return run


def give_back(commit, visit, now):
    def run():
        held = db.session.scalars(select(Assignment).where(Assignment.visit_id == visit.id)).one()
        visits.give_back(held, by=None, now=now, reason="absent")

    commit(run)


def test_who_lost_a_carer_is_given_another_and_nobody_else_is_moved(
    repair, visit, booked, commit, street, week, world, now
):
    lost, other = visit("chen", "meal"), visit("lin", "meal")
    booked("wu", on=lost, at=f"{lost.day}T09:00", line="lukang/meal", charge=1)
    booked("xu", on=other, at=f"{other.day}T09:00", line="lukang/meal", charge=1)
    assert repairing.to_repair(street.id, week.first, week.last, now) == []
    give_back(commit, lost, now)
    assert [row.id for row in repairing.to_repair(street.id, week.first, week.last, now)] == [lost.id]
    plan = repair()
    assert (plan.cause, plan.status) == ("repair", "draft")
    changed = [change for change in diff.changes(plan, now=now) if change.kind != "keep"]
    assert {change.visit.id for change in changed} == {lost.id}
    stop = next(stop for stop in plan.stops if stop.visit_id == other.id)
    assert stop.person_id == world.key("xu")


@pytest.fixture
def publish(ctx, commit, world, now):
    def run(plan):
        commit(lambda: publishing.request_publish(plan, by=world.actor("coordinator"), now=now))
        runner = Runner(ctx)
        while runner.run_one():
            pass
        db.session.rollback()
        db.session.expire_all()
        return db.session.get(Plan, plan.id)

    return run


@pytest.fixture
def in_force(commit, world, street, week, now):
    """A published plan of the week: its days are running."""
    change(
        world,
        lambda: db.session.add(
            Plan(
                area_id=street.id, number=0, first_day=week.first, last_day=week.last, solved_from=now - HOUR,
                created_at=now - HOUR, summary={}, objective={}, curve=[], surrogates={}, expires_at=now + HOUR,
                published_at=now - HOUR,
            )
        ),
    )  # fmt: skip


def told(kind):
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == kind))
    return [row.person_id for row in rows]


URGENT = {"starts_on": date(2026, 11, 24), "window_start": 720, "window_end": 810, "channel": "hotline"}


@pytest.mark.parametrize("priority", [1, 3])
def test_an_urgent_visit_is_repaired_into_the_running_day_and_whoever_asked_hears_who_comes(
    in_force, repair, publish, visit, booked, commit, street, week, world, now, priority
):
    other = visit("lin", "meal", starts_on=date(2026, 11, 24), window_start=660, window_end=780)
    booked("wu", on=other, at="2026-11-24T12:00", line="lukang/meal", charge=1)
    urgent = visit("chen", "clean", by="operator", priority=priority, **URGENT)
    need = urgent.need
    assert [row.id for row in repairing.to_repair(street.id, week.first, week.last, now)] == [urgent.id]
    commit(lambda: tell_if_urgent(need, by=world.actor("operator").user_id, now=now))
    assert told("planning.urgent") == [world.key("coordinator")]
    plan = repair()
    changed = [change for change in diff.changes(plan, now=now) if change.kind != "keep"]
    assert [(change.kind, change.visit.id) for change in changed] == [("book", urgent.id)]
    assert told("visits.booked") == []  # nobody hears before it is published
    publish(plan)
    held = db.session.scalars(select(Assignment).where(Assignment.visit_id == urgent.id)).one()
    assert 12 * 60 <= minutes_of_day(held.starts_at, urgent.day) <= 13 * 60 + 30 - urgent.duration_minutes
    assert told("visits.booked") == [held.person_id]
    assert world.key("operator") in told("visits.somebody_comes")
    assert repairing.to_repair(street.id, week.first, week.last, now) == []
    stands = db.session.scalars(select(Assignment).where(Assignment.visit_id == other.id)).one()
    assert (stands.person_id, stands.released_at) == (world.key("wu"), None)


def test_of_days_without_a_plan_nothing_is_urgent_and_of_tomorrow_only_what_is_vital(
    visit, world, street, week, now, request
):
    visit("chen", "clean", priority=3, **URGENT)
    assert repairing.to_repair(street.id, week.first, week.last, now) == []
    request.getfixturevalue("in_force")
    tomorrow = {**URGENT, "starts_on": date(2026, 11, 25)}
    vital = visit("lin", "meal", priority=1, **tomorrow)
    visit("lin", "clean", priority=3, **tomorrow)
    found = repairing.to_repair(street.id, week.first, week.last, now)
    assert [row.day for row in found] == [URGENT["starts_on"], vital.day]
    assert found[1].id == vital.id


def test_a_family_that_asks_for_today_is_heard_by_the_coordinator(in_force, post, world):
    post("chen", "clean", by="chen_home", **{**URGENT, "channel": "online"})
    assert told("planning.urgent") == [world.key("coordinator")]


def test_the_household_hears_of_another_person_and_the_draft_made_before_does_not_hide_the_loss(
    in_force, repair, publish, visit, booked, commit, street, week, world, now
):
    lost = visit("chen", "meal")
    booked("wu", on=lost, at=f"{lost.day}T09:00", line="lukang/meal", charge=1)
    earlier = repair()
    commit(
        lambda: visits.give_back(
            db.session.scalars(select(Assignment).where(Assignment.visit_id == lost.id)).one(),
            by=None, now=now + timedelta(minutes=1), reason="absent",
        )
    )  # fmt: skip
    broken = repairing.to_repair(street.id, week.first, week.last, now)
    assert [row.id for row in repairing.not_in(earlier, broken)] == [lost.id]
    plan = repair()
    change = next(change for change in diff.changes(plan, now=now) if change.visit.id == lost.id)
    assert change.lost.person_id == world.key("wu") and change.stop.person_id != world.key("wu")
    if change.stop.capacity == "carer":
        publish(plan)
        assert {world.key("clerk"), world.key("chen/head")} <= set(told("visits.somebody_else"))
