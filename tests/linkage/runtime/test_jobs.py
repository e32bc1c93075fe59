"""Jobs are rows: exactly one worker holds one, and none is lost."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from linkage.core import jobs
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.transactions import unit_of_work
from linkage.worker import Runner, is_gone, worker_name


@pytest.fixture
def ctx(any_app):
    with any_app.app_context():
        yield any_app
        db.session.remove()


@pytest.fixture
def kind():
    """A kind of job whose handler the test sets: ``kind.handler = …``."""

    class Kind:
        handler = staticmethod(lambda job_id: {"answer": 42})

    jobs.handler("test")(lambda job_id: Kind.handler(job_id))
    yield Kind
    jobs._handlers.pop("test")


def enqueue(now, **params):
    return unit_of_work(lambda: jobs.enqueue("test", params, by=None, now=now)).id


def fresh(job_id):
    db.session.rollback()
    return db.session.get(Job, job_id, populate_existing=True)


def test_a_job_is_done_with_its_result(ctx, kind, now):
    job_id = enqueue(now)
    Runner(ctx).work()
    assert (fresh(job_id).status, fresh(job_id).result) == ("done", {"answer": 42})


def test_jobs_are_done_in_the_order_in_which_they_came(ctx, kind, now):
    ids = [enqueue(now + timedelta(seconds=n)) for n in range(3)]
    done = []
    kind.handler = lambda job_id: done.append(job_id) or {}
    Runner(ctx).work()
    assert done == ids


def test_of_16_workers_exactly_one_holds_a_job(ctx, now):
    job_id = enqueue(now)
    holders = []

    def claim(name):
        with ctx.app_context():
            if unit_of_work(lambda: jobs.claim(name, now=now)):
                holders.append(name)
            db.session.remove()

    threads = [threading.Thread(target=claim, args=(f"worker {n}",)) for n in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(holders) == 1
    assert fresh(job_id).claimed_by == holders[0]


def test_a_job_that_raises_is_tried_three_times_and_then_failed(ctx, kind, now):
    def fail(job_id):
        raise ZeroDivisionError

    kind.handler = fail
    job_id = enqueue(now)
    Runner(ctx).work()
    assert (fresh(job_id).status, fresh(job_id).attempts, fresh(job_id).failure) == ("failed", 3, "ZeroDivisionError")


def test_what_a_dead_worker_of_this_machine_held_is_given_back_at_once(ctx, kind, now):
    job_id = enqueue(now)
    host = worker_name().split("/")[0]
    unit_of_work(lambda: jobs.claim(f"{host}/999999999/1", now=now))
    Runner(ctx).tick()
    assert (fresh(job_id).status, fresh(job_id).attempts) == ("done", 2)


def test_what_a_worker_elsewhere_held_is_taken_over_when_its_lease_has_run_out(ctx, kind, now, monkeypatch):
    job_id = enqueue(now)
    unit_of_work(lambda: jobs.claim("elsewhere/1/1", now=now))
    assert unit_of_work(lambda: jobs.claim("me", now=now)) is None
    later = jobs.machine_now() + jobs.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(jobs, "machine_now", lambda: later)
    assert unit_of_work(lambda: jobs.claim("me", now=now)).id == job_id


def test_moving_the_clock_takes_no_job_from_its_worker(ctx, now):
    enqueue(now)
    unit_of_work(lambda: jobs.claim("elsewhere/1/1", now=now))
    assert unit_of_work(lambda: jobs.claim("me", now=now + timedelta(days=30))) is None


def test_a_worker_that_lost_its_job_cannot_finish_it(ctx, now):
    job_id = enqueue(now)
    unit_of_work(lambda: jobs.claim("first", now=now))
    unit_of_work(lambda: jobs.release(lambda name: name == "first"))
    unit_of_work(lambda: jobs.claim("second", now=now))
    assert not unit_of_work(lambda: jobs.finish(job_id, "first", now=now, result={}))
    assert unit_of_work(lambda: jobs.finish(job_id, "second", now=now, result={}))


def test_a_running_job_stops_at_its_next_report_when_asked_to(ctx, kind, now):
    def run(job_id):
        jobs.report(job_id, {"percent": 10})
        unit_of_work(lambda: jobs.ask_cancel(db.session.get(Job, job_id), now=now))
        jobs.report(job_id, {"percent": 20})
        raise AssertionError("went on")

    kind.handler = run
    job_id = enqueue(now)
    Runner(ctx).work()
    assert (fresh(job_id).status, fresh(job_id).progress) == ("cancelled", {"percent": 10})


def test_a_waiting_job_is_cancelled_at_once(ctx, kind, now):
    job_id = enqueue(now)
    unit_of_work(lambda: jobs.ask_cancel(db.session.get(Job, job_id), now=now))
    Runner(ctx).work()
    assert (fresh(job_id).status, fresh(job_id).attempts) == ("cancelled", 0)


def test_workers_are_woken_after_the_commit_and_not_for_what_was_rolled_back(ctx, now, monkeypatch):
    woken = []

    def look():
        with db.engine.connect() as other:
            woken.append(other.scalar(select(func.count()).select_from(Job)))

    monkeypatch.setattr(jobs, "_wakers", [look])
    with pytest.raises(ZeroDivisionError):
        unit_of_work(lambda: jobs.enqueue("test", {}, by=None, now=now) and 1 / 0)
    assert woken == []
    enqueue(now)
    assert woken == [1]


def test_this_process_is_not_gone_and_another_machine_is_not_judged():
    assert not is_gone(worker_name())
    assert not is_gone("elsewhere/999999999/1")
    assert is_gone(worker_name().rsplit("/", 1)[0] + "/1")
