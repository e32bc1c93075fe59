"""A planning run from request to published: solved in a child process, checked, stored, applied, nothing half done."""

import uuid
from datetime import timedelta
from zlib import decompress

import pytest
from sqlalchemy import select
from visiting import change

from linkage.contracts.models import LineMonth
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.models import Job, OutboxRow
from linkage.core.transactions import armed
from linkage.offers.models import Offer
from linkage.planning import fixing, operations, publishing
from linkage.planning.models import Plan, PlanningLock, PlanStop, PlanUnserved
from linkage.visits.models import Assignment
from linkage.worker import Runner
from matching.instance_io import instance_from_json


@pytest.fixture
def work(ctx):
    """Carry out what is queued, as a worker does; returns the ended jobs."""

    def run():
        runner = Runner(ctx)
        while runner.run_one():
            pass
        db.session.rollback()
        db.session.expire_all()

    return run


@pytest.fixture
def plan_week(ctx, commit, street, week, world, work, now):
    """Request a run of two seconds and carry it out; the stored plan."""

    def run(by="coordinator", seconds=1):
        job = commit(
            lambda: operations.request_plan(
                street, first_day=week.first, last_day=week.last, by=world.actor(by), now=now, seconds=seconds
            )
        )
        work()
        job = db.session.get(Job, job.id)
        assert job.status == "done", job.failure
        return db.session.get(Plan, uuid.UUID(job.result["plan_id"]))

    return run


@pytest.fixture
def publish(commit, world, work, now):
    def run(plan):
        commit(lambda: publishing.request_publish(plan, by=world.actor("coordinator"), now=now))
        work()
        return db.session.get(Plan, plan.id)

    return run


def active():
    return db.session.scalars(select(Assignment).where(Assignment.released_at.is_(None))).all()


def test_a_run_stores_a_checked_draft_and_changes_nothing(post, plan_week):
    post("chen", "bath", people=2)
    post("lin", "clean")
    plan = plan_week()
    assert (plan.status, plan.summary["visits"], len(plan.stops)) == ("draft", 2, 3)
    assert active() == []


def test_the_stored_instance_is_the_one_that_was_solved(post, plan_week):
    post("lin", "clean")
    plan = plan_week()
    assert instance_from_json(decompress(plan.instance)).horizon_days == 6


def test_publishing_books_paid_carers_and_commits_their_minutes(post, plan_week, publish, world):
    post("chen", "bath", people=2)
    publish(plan_week())
    assert {row.person_id for row in active()} == {world.key("wu"), world.key("xu")}
    month = db.session.scalars(select(LineMonth).where(LineMonth.line_id == world.key("line/lukang/bath"))).one()
    assert (month.committed, month.reserved) == (120, 0)
    told = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "visits.booked")).all()
    assert {(row.person_id, row.params["assignment_id"]) for row in told} == {
        (row.person_id, str(row.id)) for row in active()
    }


def test_who_is_moved_is_told_once_with_the_new_time(post, plan_week, publish, world):
    post("chen", "bath", people=2)
    publish(plan_week())
    before = {row.id: row.starts_at for row in active()}

    def later():
        for stop in db.session.scalars(select(PlanStop).where(PlanStop.plan_id == again)):
            stop.starts_at += timedelta(minutes=5)
            stop.ends_at += timedelta(minutes=5)

    again = plan_week().id
    change(world, later)
    publish(db.session.get_one(Plan, again))
    moved = [row for row in active() if row.id not in before]
    assert {row.starts_at for row in moved} == {moment + timedelta(minutes=5) for moment in before.values()}
    told = db.session.scalars(select(OutboxRow).where(OutboxRow.kind.in_(["visits.moved", "visits.released"]))).all()
    assert sorted((row.kind, str(row.person_id)) for row in told) == sorted(
        ("visits.moved", str(world.key(name))) for name in ("wu", "xu")
    )


def test_publishing_asks_a_volunteer_and_reserves_the_carer_behind(post, plan_week, publish, world):
    post("chen", "meal")
    plan = publish(plan_week())
    (stop,) = plan.stops
    offer = db.session.scalars(select(Offer)).one()
    reserved = db.session.scalars(select(LineMonth.reserved)).all()
    assert (stop.capacity, offer.person_id) == ("volunteer", stop.person_id)
    assert sum(reserved) == stop.fallback_charge == 1
    assert active() == []


def test_a_second_run_of_the_street_waits_for_the_first(ctx, commit, street, week, world, now, post):
    post("lin", "clean")

    def ask():
        operations.request_plan(
            street, first_day=week.first, last_day=week.last, by=world.actor("coordinator"), now=now, seconds=1
        )

    commit(ask)
    with pytest.raises(Conflict):
        commit(ask)


def test_a_cancelled_run_leaves_no_plan_and_frees_the_street(ctx, commit, street, week, world, now, post, work):
    post("lin", "clean")
    request = lambda: operations.request_plan(  # noqa: E731
        street, first_day=week.first, last_day=week.last, by=world.actor("coordinator"), now=now, seconds=30
    )
    job = commit(request)
    commit(lambda: operations.cancel_run(db.session.get(Job, job.id), by=world.actor("coordinator"), now=now))
    work()
    assert db.session.get(Job, job.id).status == "cancelled"
    assert db.session.scalars(select(Plan)).all() == []
    assert commit(request).status == "waiting"


@pytest.mark.parametrize("place", ["planning.after_snapshot", "planning.before_store"])
def test_a_crash_inside_a_run_leaves_no_plan_and_the_next_attempt_makes_one(
    post, commit, street, week, world, now, work, place
):
    post("lin", "clean")
    job = commit(
        lambda: operations.request_plan(
            street, first_day=week.first, last_day=week.last, by=world.actor("coordinator"), now=now, seconds=1
        )
    )
    struck = []

    def strike():
        if not struck:
            struck.append(place)
            raise OSError("struck")

    with armed(place, strike):
        work()
    db.session.expire_all()
    assert struck and db.session.get(Job, job.id).status == "done"
    assert len(db.session.scalars(select(Plan)).all()) == 1


@pytest.mark.parametrize("place", ["publishing.inside_day", "publishing.between_days"])
def test_a_crash_inside_publishing_is_made_good_by_the_next_attempt(post, plan_week, commit, world, now, work, place):
    post("chen", "bath", people=2)
    post("lin", "clean")
    plan = plan_week()
    struck = []

    def strike():
        if not struck:
            struck.append(place)
            raise OSError("struck")

    commit(lambda: publishing.request_publish(plan, by=world.actor("coordinator"), now=now))
    with armed(place, strike):
        work()
    wanted = {(stop.slot_id, stop.person_id) for stop in plan.stops if stop.capacity == "carer"}
    assert struck and {(row.slot_id, row.person_id) for row in active()} == wanted


def test_an_older_draft_cannot_replace_a_newer_plan(post, plan_week, publish, commit, world):
    post("lin", "clean")
    old = plan_week()
    publish(plan_week())
    with pytest.raises(Conflict):
        commit(lambda: publishing.request_publish(old, by=world.actor("coordinator"), now=world.NOW))


def test_publishing_again_after_a_new_run_keeps_what_stands(post, plan_week, publish):
    post("chen", "bath", people=2)
    publish(plan_week())
    before = {row.id for row in active()}
    publish(plan_week())
    assert {row.id for row in active()} == before


def test_a_slot_that_was_filled_meanwhile_is_skipped_and_said(post, plan_week, publish, booked, world, visit):
    free = visit("lin", "clean")
    plan = plan_week()
    stop = plan.stops[0]
    other = "guo" if stop.person_id != world.key("guo") else "wu"
    booked(other, on=free, at="2026-11-26T09:00", accepted=True)
    plan = publish(plan)
    assert [row.reason for row in plan.skipped] == ["accepted"]
    assert [row.person_id for row in active()] == [world.key(other)]


def test_the_lock_of_a_street_is_free_after_a_run(post, plan_week, street):
    post("lin", "clean")
    plan_week()
    assert db.session.get(PlanningLock, street.id).job_id is None


def test_an_unmet_visit_carries_its_proven_reason_person_by_person(post, plan_week, world):
    post("lin", "counsel")
    (row,) = plan_week().unserved
    assert (row.proven, row.half) == (True, False)
    assert {entry["caregiver_id"] for entry in row.reason["people"]} >= {str(world.key("wu")), str(world.key("zhuang"))}


def test_the_smallest_change_serves_the_visit_once_it_is_made(post, plan_week, commit, world, now):
    post("lin", "bath", window_start=5 * 60, window_end=7 * 60 + 30)  # before anybody works
    (row,) = plan_week().unserved
    assert row.fix["code"] in ("shift_window", "extend_shift")
    if row.fix["code"] == "shift_window":
        commit(lambda: fixing.apply_fix(db.session.get(PlanUnserved, row.id), by=world.actor("coordinator"), now=now))
        assert plan_week().unserved == []


def test_the_way_to_a_visit_leaves_out_the_waiting_before_it(post, plan_week):
    post("lin", "clean", window_start=15 * 60, window_end=17 * 60)
    (stop,) = plan_week().stops
    assert 0 < stop.travel_minutes < 30
