"""Another master key (主密钥轮换): every data key is wrapped anew, in short transactions, resumable at any point.

Values need not be touched: they are sealed under the data keys, which stay. While it runs, the process must hold both
keys (`LINKAGE_MASTER_KEY` the new one, `LINKAGE_OLD_MASTER_KEYS` the old); each row names the one that wrapped it, so
that a rotation that was cut off is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from linkage.core import audit, crypto
from linkage.core.extensions import db
from linkage.core.models import DataKey
from linkage.core.transactions import failpoint, unit_of_work
from linkage.upkeep.backup import backups

BATCH = 500


def rotate(now: datetime, on_progress: Callable[[int], Any] = lambda _left: None) -> int:
    """Wrap every data key with the master key in use; returns how many were wrapped anew.

    Raises
    ------
    crypto.MissingMasterKey
        rows are wrapped by a key that was not given; those done before stay done.
    """
    done = 0
    while True:
        batch = unit_of_work(lambda: rewrap_some(now))
        done += batch
        failpoint("rotation.batch")
        if not batch:
            return done
        on_progress(sum(left().values()))


def rewrap_some(now: datetime) -> int:
    """The next few hundred keys, in one transaction."""
    mine = crypto.master_id()
    waiting = select(DataKey).where(DataKey.wrapped.is_not(None), DataKey.master_id != mine).limit(BATCH)
    rows = db.session.scalars(waiting.with_for_update()).all()
    for row in rows:
        assert row.wrapped is not None
        row.wrapped = crypto.wrap(crypto.unwrap(row.wrapped, row.id, row.master_id), row.id)
        row.master_id = mine
    if rows:
        audit.record("keys.rotate", ("data_keys", mine), by=None, now=now, keys=len(rows))
    return len(rows)


def left() -> dict[str, int]:
    """Master keys other than the one in use → how many data keys they still wrap."""
    rows = db.session.execute(
        select(DataKey.master_id, func.count())
        .where(DataKey.wrapped.is_not(None), DataKey.master_id != crypto.master_id())
        .group_by(DataKey.master_id)
    )
    return {row[0]: row[1] for row in rows}


def backups_needing(master_ids: set[str]) -> list[str]:
    """The kept backups that can only be read with one of these keys."""
    return [backup.folder.name for backup in backups() if master_ids & set(backup.manifest["master_keys"])]
