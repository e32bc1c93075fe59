"""kill -9 of the worker while it publishes: the plan is applied once all the same, and each person is told once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest
from sqlalchemy import case, func, select

from linkage.contracts.models import LedgerEntry
from linkage.core.extensions import db
from linkage.core.models import Job, OutboxRow
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work
from linkage.offers.models import Offer, OfferRound
from linkage.planning import diff, publishing
from linkage.planning.models import Plan, PlanSkipped
from linkage.visits import operations as visits
from linkage.visits.models import Assignment, Slot
from tests.journeys.test_crashes import Office

STANDS = Assignment.released_at.is_(None)


class Publication:
    """A draft plan, its publication on a running site, and what became of each of its slots."""

    def __init__(self, office: Office) -> None:
        self.office, self.app = office, office.app
        run = office.request_run(seconds=2, weeks_ahead=1)
        office.wait(run, "done")
        with self.app.app_context():
            plan = db.session.scalars(select(Plan).where(Plan.job_id == run)).one()
            found = diff.changes(plan, now=self.app.extensions["linkage-clock"].now())
            self.plan_id = plan.id
            self.wanted = {c.slot.id: c.stop for c in found if c.kind in ("book", "ask")}
            self.days = {c.visit.day.isoformat() for c in found if c.kind != "keep"}
            self.told_before = set(db.session.scalars(select(OutboxRow.id)))
            assert all(c.kind in ("book", "ask", "keep") for c in found), (
                "a week that was not planned yet has nothing to move"
            )
            db.session.remove()

    def cancel_a_visit(self) -> uuid.UUID:
        """A visit of the first day is called off after the plan was made; the slot that publishing must skip."""
        with self.app.app_context():
            slot_id = next(iter(self.wanted))  # changes come by day

            def work() -> None:
                now = self.app.extensions["linkage-clock"].now()
                visits.cancel_visit(db.session.get_one(Slot, slot_id).visit, "not_needed", by=None, now=now)

            unit_of_work(work)
            self.told_before = set(db.session.scalars(select(OutboxRow.id)))
            db.session.remove()
            return slot_id

    def skipped(self) -> dict[uuid.UUID, str]:
        with self.app.app_context():
            rows = select(PlanSkipped.slot_id, PlanSkipped.reason).where(PlanSkipped.plan_id == self.plan_id)
            return dict(db.session.execute(rows).all())

    def request(self) -> uuid.UUID:
        with self.app.app_context():
            now = self.app.extensions["linkage-clock"].now()
            by = Actor(uuid.uuid4(), uuid.uuid4(), (), now)
            return unit_of_work(
                lambda: publishing.request_publish(db.session.get_one(Plan, self.plan_id), by=by, now=now).id
            )

    def days_applied(self) -> set[str]:
        """The days that were committed, read beside the worker from the audit log."""
        with closing(sqlite3.connect(f"file:{self.office.site.data_dir}/linkage.db?mode=ro", uri=True)) as database:
            rows = database.execute(
                "SELECT detail FROM audit_rows WHERE action = 'planning.apply' AND subject_id = ?", (str(self.plan_id),)
            ).fetchall()
        return {json.loads(detail)["day"] for (detail,) in rows}

    def kill_once_applied(self, number: int) -> set[str]:
        """kill -9 of the worker as soon as `number` days are applied; the days that are, before another takes over."""
        worker = _worker(self.office)
        ends = time.monotonic() + 60
        while len(self.days_applied()) < number and time.monotonic() < ends:
            time.sleep(0.002)
        os.kill(worker, signal.SIGKILL)
        return self.days_applied()

    def wrong(self) -> list[str]:
        """What is not as an undisturbed publication leaves it."""
        with self.app.app_context():
            found = [*self._slots(), *self._minutes(), *self._messages(), *_in_two_places()]
            db.session.remove()
        return found + self.office.half_done()

    def _slots(self) -> Iterator[str]:
        """Each slot is as the plan says, or skipped with a reason; and asked about in one round only."""
        skipped = db.session.execute(
            select(PlanSkipped.slot_id, PlanSkipped.reason).where(PlanSkipped.plan_id == self.plan_id)
        ).all()
        if len({slot for slot, _ in skipped}) < len(skipped) or not all(reason for _, reason in skipped):
            yield "skipped twice, or without a reason"
        for slot_id, stop in self.wanted.items():
            booked = db.session.scalars(select(Assignment).where(Assignment.slot_id == slot_id)).all()
            rounds = db.session.scalars(select(OfferRound).where(OfferRound.plan_id == self.plan_id)).all()
            rounds = [row for row in rounds if row.slot_id == slot_id]
            done = [(row.person_id, row.starts_at) for row in booked if row.released_at is None]
            done += [(offer.person_id, offer.starts_at) for row in rounds for offer in row.offers]
            planned = [(stop.person_id, stop.starts_at)]
            if done != ([] if slot_id in dict(skipped) else planned):
                yield f"slot {slot_id}: planned {planned}, done {done}, skipped {dict(skipped).get(slot_id)}"

    def _minutes(self) -> Iterator[str]:
        """What the ledger holds for each slot is what its booking, or the reserve behind its question, is charged."""
        sign = case((LedgerEntry.kind.in_(("commit", "reserve")), 1), else_=-1)
        entries = select(LedgerEntry.slot_id, func.sum(sign * LedgerEntry.quantity)).group_by(LedgerEntry.slot_id)
        held = dict(db.session.execute(entries.where(LedgerEntry.slot_id.in_(self.wanted))).all())
        booked = select(Assignment.slot_id, Assignment.charge).where(STANDS)
        reserved = select(OfferRound.slot_id, OfferRound.fallback_charge).where(OfferRound.closed_at.is_(None))
        charged = dict([*db.session.execute(booked), *db.session.execute(reserved)])
        for slot_id in self.wanted:
            if held.get(slot_id, 0) != charged.get(slot_id, 0):
                yield f"slot {slot_id}: {held.get(slot_id, 0)} in the ledger, {charged.get(slot_id, 0)} charged"

    def _messages(self) -> Iterator[str]:
        """Every question was told to whom it asks, once; and nothing else was told twice."""
        rows = [row for row in db.session.scalars(select(OutboxRow)) if row.id not in self.told_before]
        told = Counter((row.person_id, row.kind, row.params.get("starts_at")) for row in rows)
        yield from (f"told {number} times: {what}" for what, number in told.items() if number > 1)
        offers = db.session.scalars(select(Offer).join(OfferRound).where(OfferRound.plan_id == self.plan_id))
        asked = {(offer.person_id, "offers.asked", offer.starts_at.isoformat()) for offer in offers}
        if {what for what in told if what[1] == "offers.asked"} != asked:
            yield f"{len(asked)} questions, told {sum(1 for what in told if what[1] == 'offers.asked')}"


def _worker(office: Office) -> int:
    """The process that holds what runs now, or will hold it."""
    assert office.site.process is not None
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        for child in psutil.Process(office.site.process.pid).children():
            try:
                if "worker" in child.cmdline():
                    return child.pid
            except psutil.Error:  # just killed
                continue
        time.sleep(0.05)
    raise AssertionError("no worker")


def _in_two_places() -> Iterator[str]:
    """People whose bookings that stand overlap, with the way there."""
    ordered = select(Assignment).where(STANDS).order_by(Assignment.person_id, Assignment.busy_from)
    rows = db.session.scalars(ordered).all()
    for earlier, later in zip(rows, rows[1:], strict=False):
        if earlier.person_id == later.person_id and later.busy_from < earlier.ends_at:
            yield f"{later.person_id} is in two places at {later.busy_from}"


@pytest.mark.timeout(300)
def test_a_worker_killed_twice_while_it_publishes_applies_the_plan_once_all_the_same(site):
    publication = Publication(Office(site))
    assert len(publication.days) >= 4, publication.days
    cancelled = publication.cancel_a_visit()
    job_id = publication.request()
    first = publication.kill_once_applied(1)
    assert 1 <= len(first) < len(publication.days), "the first kill did not hit the middle"
    second = publication.kill_once_applied(len(first) + 1)
    assert len(first) < len(second) < len(publication.days), "the second kill did not hit the middle"
    done: Job = publication.office.wait(job_id, "done", seconds=60)
    assert done.attempts == 3
    assert publication.days_applied() == publication.days
    assert publication.wrong() == []
    assert publication.skipped()[cancelled] == "cancelled"
