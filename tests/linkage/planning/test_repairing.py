"""A carer who falls ill, and an urgent visit: repaired around what stands, looked at person by person, published."""

import uuid

import pytest
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.planning import diff, operations, repairing
from linkage.planning.models import Plan
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
