"""Long work as rows: enqueue, claim by compare-and-set, heartbeat, progress, cancel, finish, give back.

The queue (Huey) only wakes a worker, after the commit that enqueued. A handler is registered per kind and called
with the job's id, with no transaction open; it opens short ones itself, and between them calls `report`, which
stores progress and raises `JobCancelled` once somebody asked to stop.

`now` is the movable clock, for what people read; leases go by the machine's own time (`machine_now`), so that
moving the clock takes no job from a worker that lives.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, event, or_, select, update
from sqlalchemy.orm import Session

from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.transactions import unit_of_work

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
Handler = Callable[[uuid.UUID], dict[str, Any]]
_handlers: dict[str, Handler] = {}
_wakers: list[Callable[[], None]] = []
_holder: ContextVar[str | None] = ContextVar("holder", default=None)
WAKE = "wake workers"


class JobCancelled(Exception):
    """Raised inside a handler once somebody asked to stop the job, or another worker holds it."""


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: this function carries out jobs of `kind`; it returns the result (ids and numbers)."""

    def register(call: Handler) -> Handler:
        _handlers[kind] = call
        return call

    return register


def handler_for(kind: str) -> Handler:
    return _handlers[kind]


def on_enqueue(wake: Callable[[], Any]) -> None:
    """The runtime says how a worker is woken (after the commit)."""
    _wakers[:] = [wake]


def _after_commit(session: Session) -> None:
    if session.info.pop(WAKE, False):
        for wake in _wakers:
            wake()


def _after_rollback(session: Session) -> None:
    session.info.pop(WAKE, None)


for _name, _hook in (("after_commit", _after_commit), ("after_rollback", _after_rollback)):
    event.listen(Session, _name, _hook)


def machine_now() -> datetime:
    """The machine's own time, whatever the movable clock says."""
    return datetime.now(UTC)


def enqueue(kind: str, params: dict[str, Any], *, by: uuid.UUID | None, now: datetime) -> Job:
    """Store a job to be done; status: waiting."""
    job = Job(kind=kind, params=params, requested_by=by, created_at=now, attempts=0, progress={}, result={})
    db.session.add(job)
    db.session.flush()
    db.session().info[WAKE] = True
    return job


def open_jobs() -> Any:
    """SQL: not ended yet."""
    return and_(Job.done_at.is_(None), Job.cancelled_at.is_(None), Job.failed_at.is_(None))


def claim(worker: str, *, now: datetime) -> Job | None:
    """Take the oldest job that nobody holds (or whose holder's lease ran out); None if there is none.

    The UPDATE decides, not the SELECT before it: two workers never hold one job. A job that was begun three
    times and never ended is failed here: it would take down a fourth worker as well.
    """
    free = or_(Job.claimed_by.is_(None), Job.lease_until < machine_now())
    candidates = db.session.scalars(select(Job.id).where(open_jobs(), free).order_by(Job.created_at).limit(5)).all()
    for job_id in candidates:
        taken = db.session.execute(update(Job).where(Job.id == job_id, open_jobs(), free).values(**_lease(worker, now)))
        if not taken.rowcount:  # type: ignore[attr-defined]
            continue
        job = db.session.get_one(Job, job_id, populate_existing=True)
        if job.cancel_asked_at is not None:
            end_cancelled(job_id, worker, now=now)
        elif job.attempts > MAX_ATTEMPTS:
            fail(job_id, worker, now=now, failure="attempts", final=True)
        else:
            return job
    return None


def _lease(worker: str, now: datetime) -> dict[str, Any]:
    machine = machine_now()
    return {
        "claimed_by": worker,
        "started_at": now,
        "heartbeat_at": machine,
        "lease_until": machine + LEASE,
        "attempts": Job.attempts + 1,
    }


def beat(job_id: uuid.UUID, worker: str) -> bool:
    """Prolong the lease; False when the job is no longer this worker's."""
    machine = machine_now()
    return _change(job_id, worker, heartbeat_at=machine, lease_until=machine + LEASE)


def release(is_gone: Callable[[str], bool]) -> int:
    """Give back the jobs whose worker `is_gone`; returns how many."""
    names = db.session.scalars(select(Job.claimed_by).where(open_jobs(), Job.claimed_by.is_not(None)).distinct()).all()
    gone = [name for name in names if name and is_gone(name)]
    freed = db.session.execute(
        update(Job).where(open_jobs(), Job.claimed_by.in_(gone)).values(claimed_by=None, lease_until=None)
    )
    return int(freed.rowcount)  # type: ignore[attr-defined]


@contextmanager
def held_by(worker: str) -> Iterator[None]:
    """In the block, `report` demands that the job is still this worker's."""
    token = _holder.set(worker)
    try:
        yield
    finally:
        _holder.reset(token)


def report(job_id: uuid.UUID, progress: dict[str, Any]) -> None:
    """Store a job's progress, in a transaction of its own (for handlers, between their transactions).

    Raises
    ------
    JobCancelled
        somebody asked to stop, the job has ended, or another worker took it over.
    """
    holder = _holder.get()
    mine = [Job.id == job_id, open_jobs(), *([Job.claimed_by == holder] if holder else [])]

    def store() -> bool:
        changed = db.session.execute(update(Job).where(*mine, Job.cancel_asked_at.is_(None)).values(progress=progress))
        return bool(changed.rowcount)  # type: ignore[attr-defined]

    if not unit_of_work(store):
        raise JobCancelled


def ask_cancel(job: Job, *, now: datetime) -> None:
    """Ask for the job to stop: at once when it waits, at its next heartbeat when it runs."""
    job.cancel_asked_at = job.cancel_asked_at or now
    if job.status == "waiting":
        job.cancelled_at = now


def finish(job_id: uuid.UUID, worker: str, *, now: datetime, result: dict[str, Any]) -> bool:
    """running → done, if it is still this worker's job."""
    return _change(job_id, worker, done_at=now, result=result)


def end_cancelled(job_id: uuid.UUID, worker: str, *, now: datetime) -> bool:
    """running → cancelled."""
    return _change(job_id, worker, cancelled_at=now)


def fail(job_id: uuid.UUID, worker: str, *, now: datetime, failure: str, final: bool) -> bool:
    """running → failed (final), or back to waiting for another attempt."""
    if final:
        return _change(job_id, worker, failed_at=now, failure=failure)
    return _change(job_id, worker, claimed_by=None, lease_until=None, failure=failure)


def _change(job_id: uuid.UUID, worker: str, **values: Any) -> bool:
    done = db.session.execute(
        update(Job).where(Job.id == job_id, Job.claimed_by == worker, open_jobs()).values(**values)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
