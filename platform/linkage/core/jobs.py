"""Long work as rows: enqueue, claim by compare-and-set, heartbeat, cancel, finish, requeue what a crash left.

The queue (Huey) only wakes a worker. A handler is registered per kind and called with the job's id, with no
transaction open; it opens short ones itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from linkage.core.extensions import db
from linkage.core.models import Job

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
Handler = Callable[[uuid.UUID], dict[str, Any]]
_handlers: dict[str, Handler] = {}
_wakers: list[Callable[[], None]] = []


class JobCancelled(Exception):
    """Raised inside a handler once the person who started the job asked to stop it."""


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: this function carries out jobs of `kind`; it returns the result (ids and numbers)."""

    def register(call: Handler) -> Handler:
        _handlers[kind] = call
        return call

    return register


def handler_for(kind: str) -> Handler:
    return _handlers[kind]


def on_enqueue(wake: Callable[[], None]) -> None:
    """The runtime says how a worker is woken (after the commit)."""
    _wakers[:] = [wake]


def wake_workers() -> None:
    for wake in _wakers:
        wake()


def enqueue(kind: str, params: dict[str, Any], *, by: uuid.UUID | None, now: datetime) -> Job:
    """Store a job to be done; status: waiting."""
    job = Job(kind=kind, params=params, requested_by=by, created_at=now, attempts=0, progress={}, result={})
    db.session.add(job)
    db.session.flush()
    return job


def open_jobs() -> Any:
    """SQL: not ended yet."""
    return and_(Job.done_at.is_(None), Job.cancelled_at.is_(None), Job.failed_at.is_(None))


def claim(worker: str, *, now: datetime) -> Job | None:
    """Take the oldest job that nobody holds (or whose holder's lease ran out); None if there is none.

    The UPDATE decides, not the SELECT before it: two workers never hold one job.
    """
    free = or_(Job.claimed_by.is_(None), Job.lease_until < now)
    candidates = db.session.scalars(select(Job.id).where(open_jobs(), free).order_by(Job.created_at).limit(5)).all()
    for job_id in candidates:
        taken = db.session.execute(
            update(Job)
            .where(Job.id == job_id, open_jobs(), free)
            .values(
                claimed_by=worker, started_at=now, heartbeat_at=now, lease_until=now + LEASE, attempts=Job.attempts + 1
            )
        )
        if taken.rowcount:  # type: ignore[attr-defined]
            job = db.session.get(Job, job_id, populate_existing=True)
            assert job is not None
            if job.attempts > MAX_ATTEMPTS:
                job.failed_at, job.failure = now, "attempts"
                continue
            return job
    return None


def beat(job_id: uuid.UUID, worker: str, *, now: datetime, progress: dict[str, Any] | None = None) -> bool:
    """Prolong the lease and store progress; False when the job is no longer this worker's."""
    values: dict[str, Any] = {"heartbeat_at": now, "lease_until": now + LEASE}
    if progress is not None:
        values["progress"] = progress
    done = db.session.execute(
        update(Job).where(Job.id == job_id, Job.claimed_by == worker, open_jobs()).values(**values)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def ask_cancel(job: Job, *, now: datetime) -> None:
    """Ask for the job to stop: at once when it waits, at its next heartbeat when it runs."""
    job.cancel_asked_at = job.cancel_asked_at or now
    if job.status == "waiting":
        job.cancelled_at = now


def finish(job_id: uuid.UUID, worker: str, *, now: datetime, result: dict[str, Any]) -> bool:
    """running → done, if it is still this worker's job."""
    return _end(job_id, worker, done_at=now, result=result)


def end_cancelled(job_id: uuid.UUID, worker: str, *, now: datetime) -> bool:
    """running → cancelled."""
    return _end(job_id, worker, cancelled_at=now)


def fail(job_id: uuid.UUID, worker: str, *, now: datetime, failure: str, final: bool) -> bool:
    """running → failed (final), or back to waiting for another attempt."""
    if final:
        return _end(job_id, worker, failed_at=now, failure=failure)
    return _end(job_id, worker, claimed_by=None, lease_until=None, failure=failure)


def _end(job_id: uuid.UUID, worker: str, **values: Any) -> bool:
    done = db.session.execute(
        update(Job).where(Job.id == job_id, Job.claimed_by == worker, open_jobs()).values(**values)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
