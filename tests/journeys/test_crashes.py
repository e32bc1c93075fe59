"""kill -9 of real processes in the middle of real work: what was promised is done, and nothing stays half done."""

from __future__ import annotations

import time
import urllib.request
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from linkage.areas.models import Area
from linkage.contracts.models import LedgerEntry, LineMonth
from linkage.core import audit
from linkage.core.clock import local_date, week_start
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.transactions import unit_of_work
from linkage.planning import operations
from linkage.planning.models import Plan, PlanningLock
from linkage.visits.models import Assignment, Visit
from tests.journeys.knowledge import Knowledge
from tests.journeys.site import Site


class Office:
    """Acts on a running site as its coordinator would, and looks at what is left."""

    def __init__(self, site: Site) -> None:
        self.site, self.app = site, Knowledge(site).app

    def request_run(self, seconds: int = 8, weeks_ahead: int = 0) -> uuid.UUID:
        with self.app.app_context():
            now = self.app.extensions["linkage-clock"].now()
            area_id = db.session.scalars(select(Visit.planning_area_id).limit(1)).one()
            monday = week_start(local_date(now)) + timedelta(days=7 * weeks_ahead)
            job = unit_of_work(
                lambda: operations.request_plan(
                    db.session.get_one(Area, area_id),
                    first_day=monday,
                    last_day=monday + timedelta(days=6),
                    by=None,
                    now=now,
                    seconds=seconds,
                )
            )
            return job.id

    def job(self, job_id: uuid.UUID) -> Job:
        with self.app.app_context():
            found = db.session.get_one(Job, job_id, populate_existing=True)
            db.session.expunge(found)
            db.session.remove()
            return found

    def wait(self, job_id: uuid.UUID, *states: str, seconds: float = 180) -> Job:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            job = self.job(job_id)
            if job.status in states:
                return job
            time.sleep(0.3)
        raise AssertionError(f"{self.job(job_id).status} after {seconds} s; {self.site.log.read_text()[-2000:]}")

    def half_done(self) -> list[str]:
        """What would be wrong: a slot with two people, sums that differ from the ledger, a lock that is held."""
        with self.app.app_context():
            wrong = []
            active = select(Assignment.slot_id).where(Assignment.released_at.is_(None)).group_by(Assignment.slot_id)
            if db.session.execute(active.having(func.count() > 1)).first():
                wrong.append("two people in one slot")
            wrong += [f"line month {row.id}" for row in db.session.scalars(select(LineMonth)) if not _agrees(row)]
            if db.session.scalars(select(PlanningLock).where(PlanningLock.job_id.is_not(None))).first():
                wrong.append("a street is still locked")
            if audit.broken_at(db.session) is not None:
                wrong.append("the audit log is broken")
            db.session.remove()
            return wrong


def _agrees(row: LineMonth) -> bool:
    """The guarded sums of a line's month are what its ledger adds up to."""
    entries = db.session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.quantity))
        .where(LedgerEntry.line_id == row.line_id, LedgerEntry.month == row.month)
        .group_by(LedgerEntry.kind)
    )
    moved = {kind: int(total) for kind, total in entries}
    get = lambda kind: moved.get(kind, 0)  # noqa: E731
    reserved = get("reserve") - get("unreserve")
    delivered = get("deliver") - get("undeliver")
    committed = get("commit") - get("uncommit") - delivered
    return (row.reserved, row.committed, row.delivered) == (reserved, committed, delivered)


def drill(site: Site, rounds: int) -> None:
    office = Office(site)
    for _ in range(rounds):
        run = office.request_run()
        office.wait(run, "running")
        time.sleep(3)
        site.kill("worker")
        done = office.wait(run, "done")
        assert done.attempts >= 2, "the worker was not killed while it worked"
        assert office.half_done() == []
    with office.app.app_context():
        plans = db.session.scalars(select(Plan.job_id).where(Plan.job_id == run)).all()
        db.session.remove()
    assert len(plans) == 1


@pytest.mark.timeout(600)
def test_a_worker_killed_while_it_plans_makes_the_plan_once_all_the_same(site):
    drill(site, 1)


@pytest.mark.timeout(300)
def test_a_server_that_was_killed_answers_again(site):
    site.kill("web")
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(site.url + "/readyz", timeout=5) as answer:
                assert answer.status == 200
                break
        except OSError:
            time.sleep(0.5)
    else:
        raise AssertionError(site.log.read_text()[-2000:])
    assert Office(site).half_done() == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_workers_killed_one_after_the_other(site):
    drill(site, 10)
