"""What must be done over several rooms, every minute and every night; and the door to all of it, `run_due`."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from linkage.core.extensions import db
from linkage.core.models import IdempotencyKey, OutboxRow
from linkage.core.periodic import periodic, run_due
from linkage.core.statistics import refresh_statistics
from linkage.core.transactions import unit_of_work

__all__ = ["run_due"]
KEEP_KEYS = timedelta(days=7)
KEEP_DELIVERED = timedelta(days=30)


@periodic("core.statistics", every=timedelta(hours=6))
def look_at_indexes(_now: datetime) -> None:
    """A database that has grown answers its lists by the right indexes."""
    unit_of_work(refresh_statistics)


@periodic("core.forget", daily_at_minutes=3 * 60)
def forget(now: datetime) -> None:
    """Drop what has served its purpose: keys of forms sent a week ago, messages delivered a month ago."""

    def drop() -> None:
        db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEEP_KEYS))
        db.session.execute(delete(OutboxRow).where(OutboxRow.delivered_at < now - KEEP_DELIVERED))

    unit_of_work(drop)
