"""What is done every minute, hour or night: registered by rooms, carried out by `run_due`.

A room's `periodic.py` says ``@periodic("offers.expire")`` over a function of ``(now)``. Each must be idempotent
and catch up by itself: it looks at what is due by `now`, not at when it last ran. It opens short transactions
of its own; long work it enqueues as a job. One that fails is logged and tried again the next minute, and stops
no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.models import PeriodicRun
from linkage.core.transactions import unit_of_work

log = structlog.get_logger("linkage.periodic")
TICK = "tick"
EVERY_MINUTE = timedelta(minutes=1)
Call = Callable[[datetime], object]


@dataclass(frozen=True)
class Periodic:
    """One periodic piece of work.

    Attributes
    ----------
    every : least time between two runs
    daily_at_minutes : instead, once a day: minutes after midnight in Shanghai
    """

    name: str
    call: Call
    every: timedelta = EVERY_MINUTE
    daily_at_minutes: int | None = None

    def is_due(self, last: datetime | None, now: datetime) -> bool:
        """Whether it must run at `now`, having last run at `last`. A clock that was moved back makes it due."""
        if last is None or last > now:
            return True
        if self.daily_at_minutes is None:
            return now - last >= self.every
        return last < self._latest_night(now)

    def _latest_night(self, now: datetime) -> datetime:
        assert self.daily_at_minutes is not None
        today = at_minutes(local_date(now), self.daily_at_minutes)
        return today if today <= now else at_minutes(local_date(now) - timedelta(days=1), self.daily_at_minutes)


_registered: dict[str, Periodic] = {}


def periodic(
    name: str, *, every: timedelta = EVERY_MINUTE, daily_at_minutes: int | None = None
) -> Callable[[Call], Call]:
    """Decorator: do this every minute, every `every`, or once a day; in the order of the rooms."""

    def register(call: Call) -> Call:
        _registered[name] = Periodic(name, call, every, daily_at_minutes)
        return call

    return register


def table() -> list[Periodic]:
    """All that is registered, in the order in which it runs."""
    return list(_registered.values())


def run_due(now: datetime) -> list[str]:
    """Carry out what is due at `now`; returns the names of those that failed.

    That it was done at all is remembered under the name `TICK`: where that grows old, no worker runs.
    """
    failed = [entry.name for entry in table() if not _run_if_due(entry, now)]
    unit_of_work(lambda: _remember(TICK, now))
    return failed


def _run_if_due(entry: Periodic, now: datetime) -> bool:
    try:
        run = db.session.get(PeriodicRun, entry.name)
        last = run.last_due if run else None
        db.session.rollback()
        if entry.is_due(last, now):
            entry.call(now)
            unit_of_work(lambda: _remember(entry.name, now))
    except Exception:
        db.session.rollback()
        log.exception("periodic work failed", name=entry.name)
        return False
    return True


def note_done(names: Iterable[str], now: datetime) -> None:
    """Take what is due by `now` as done (the demo has told its past itself).  In the caller's transaction."""
    for name in names:
        _remember(name, now)


def _remember(name: str, now: datetime) -> None:
    db.session.merge(PeriodicRun(name=name, last_due=now, finished_at=now))
