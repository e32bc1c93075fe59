"""What accounts do by themselves: deliver what a request left waiting, and forget old bookkeeping."""

from __future__ import annotations

from datetime import datetime, timedelta

from linkage.accounts import operations, viewing
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work

KEEP = timedelta(days=90)


@periodic("accounts.deliver")
def deliver(now: datetime) -> None:
    """Messages whose request died before delivering them, and those of jobs."""
    while unit_of_work(lambda: operations.deliver_waiting(now=now)):
        pass


@periodic("accounts.views")
def end_views(now: datetime) -> None:
    """Who looked at the pages as somebody else for as long as that may be."""
    unit_of_work(lambda: viewing.end_expired(now=now))


@periodic("accounts.tidy", daily_at_minutes=200)
def tidy(now: datetime) -> None:
    """Sign-in attempts, ended sessions and request keys older than 90 days."""
    unit_of_work(lambda: operations.forget_older_than(now - KEEP))
