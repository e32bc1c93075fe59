"""Taking in an upload group by group (or back), some in one transaction: for the worker and the command."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.kept import keeping
from linkage.core.transactions import savepoint, unit_of_work
from linkage.imports import giving_back, operations, queries
from linkage.imports.models import Upload, UploadGroup

Progress = Callable[[int, int], None]
MOST_TOGETHER = 32
SECONDS_TOGETHER = 0.4  # others who write wait as long


def take_ready(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress | None = None) -> tuple[int, int]:
    """Take in every group without a fault; returns (taken, refused). May be run again: what is in stays in."""
    waiting = queries.waiting_groups(db.session.get_one(Upload, upload_id))
    ready = [group.id for group in waiting if group.counts and not group.faults]
    taken = _together(ready, lambda ids: _take(upload_id, ids, now), on_progress)
    return taken, len(ready) - taken


def undo_all(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress | None = None) -> tuple[int, int]:
    """Take back what an upload brought in, the last first; returns (taken back, stays)."""
    groups = [group.id for group in queries.undoable(db.session.get_one(Upload, upload_id))][::-1]
    back = _together(groups, lambda ids: _undo(upload_id, ids, now), on_progress)
    return back, len(groups) - back


def _together(
    ids: list[uuid.UUID], work: Callable[[Sequence[uuid.UUID]], list[bool]], on_progress: Progress | None
) -> int:
    """Do `work` on all of them, some in a transaction of their own each time; returns how many times it says yes.

    `work` does the first of those that it is given, for as long as a transaction may last.
    """
    db.session.rollback()
    done = good = 0
    together = 1
    while done < len(ids):
        piece = ids[done : done + together]
        results = unit_of_work(lambda piece=piece: work(piece))  # type: ignore[misc]
        db.session.expunge_all()
        done, good = done + len(results), good + sum(results)
        together = min(2 * together, MOST_TOGETHER)
        if on_progress is not None:
            on_progress(done, len(ids))
    return good


def _take(upload_id: uuid.UUID, ids: Sequence[uuid.UUID], now: datetime) -> list[bool]:
    """Each group whole or not at all: what the registers refuse is undone alone, and waits with that fault."""
    by = operations.actor_for(db.session.get_one(Upload, upload_id), now)
    ends, results = time.monotonic() + SECONDS_TOGETHER, []
    with keeping():
        for group_id in ids:
            try:
                with savepoint():
                    results.append(operations.take_group(_group(group_id), by=by, now=now))
            except DomainError as error:
                operations.note_refusal(_group(group_id), error, by=by, now=now)
                results.append(False)
            if time.monotonic() > ends:
                break
    return results


def _undo(upload_id: uuid.UUID, ids: Sequence[uuid.UUID], now: datetime) -> list[bool]:
    by = operations.actor_for(db.session.get_one(Upload, upload_id), now)
    ends, results = time.monotonic() + SECONDS_TOGETHER, []
    for group_id in ids:
        with savepoint():
            results.append(giving_back.undo_group(_group(group_id), by=by, now=now))
        if time.monotonic() > ends:
            break
    return results


def _group(group_id: uuid.UUID) -> UploadGroup:
    return db.session.get_one(UploadGroup, group_id)


def read_later(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress) -> int:
    """Examine a large upload in pieces, so that progress shows; returns how many groups there are."""
    groups = [group.id for group in queries.waiting_groups(db.session.get_one(Upload, upload_id))]
    db.session.rollback()
    for start in range(0, len(groups), operations.CHUNK):
        piece = groups[start : start + operations.CHUNK]
        last = start + len(piece) == len(groups)

        def examine(piece: list[uuid.UUID] = piece, last: bool = last) -> None:
            upload = db.session.get_one(Upload, upload_id)
            by = operations.actor_for(upload, now)
            operations.examine_piece(upload, piece, by=by, now=now, last=last)

        unit_of_work(examine)
        db.session.expire_all()
        on_progress(start + len(piece), len(groups))
    return len(groups)
