"""What visits do by themselves, every minute and every night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.visits import attendance, generation, papers

BATCH = 50


@periodic("visits.extend", daily_at_minutes=60)
def make_visits_ahead(now: datetime) -> None:
    """Every night: visits up to four weeks ahead, in short transactions; catches up whatever was missed."""
    while True:
        need_ids = generation.needs_to_extend(now, BATCH)
        if not need_ids:
            return
        unit_of_work(lambda ids=need_ids: generation.extend(ids, now=now))  # type: ignore[misc]


@periodic("visits.papers", daily_at_minutes=30)
def release_without_papers(now: datetime) -> None:
    """Every night, before plans are made: nobody is booked for what they have no papers for on that day."""
    unit_of_work(lambda: papers.release(now))


@periodic("visits.late")
def tell_late_and_missed(now: datetime) -> None:
    """Every minute: who has not checked in 15, 30, 60 minutes after the beginning."""
    _until_nothing(lambda: attendance.mark_late_and_missed(now))


@periodic("visits.unmet")
def close_unmet(now: datetime) -> None:
    """Every minute: visits whose time has passed with an empty place."""
    _until_nothing(lambda: attendance.close_unmet(now))


@periodic("visits.free", every=timedelta(hours=1))
def free_missed(now: datetime) -> None:
    """Every hour: minutes committed to visits that nobody came to are free again a day later."""
    _until_nothing(lambda: attendance.free_missed(now))


def _until_nothing(step: Callable[[], int]) -> None:
    """One short transaction after the other, until a step finds nothing more to do."""
    while unit_of_work(step):
        pass
