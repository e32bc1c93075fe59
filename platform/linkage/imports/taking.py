"""Taking in an upload group by group (or back), each in a transaction of its own: for the worker and the command."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.imports import giving_back, operations, queries
from linkage.imports.models import Upload, UploadGroup

Progress = Callable[[int, int], None]


def take_ready(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress | None = None) -> tuple[int, int]:
    """Take in every group without a fault; returns (taken, refused). May be run again: what is in stays in."""
    waiting = queries.waiting_groups(db.session.get_one(Upload, upload_id))
    ready = [group.id for group in waiting if group.counts and not group.faults]
    db.session.rollback()
    taken = 0
    for number, group_id in enumerate(ready, 1):
        taken += _take_one(group_id, now)
        if on_progress is not None and (number % 10 == 0 or number == len(ready)):
            on_progress(number, len(ready))
    return taken, len(ready) - taken


def _take_one(group_id: uuid.UUID, now: datetime) -> bool:
    def take() -> bool:
        group = db.session.get_one(UploadGroup, group_id)
        return operations.take_group(group, by=operations.actor_for(group.upload, now), now=now)

    try:
        return unit_of_work(take)
    except DomainError as error:
        refusal = error
    finally:
        db.session.expire_all()

    def note() -> None:
        group = db.session.get_one(UploadGroup, group_id)
        operations.note_refusal(group, refusal, by=operations.actor_for(group.upload, now), now=now)

    unit_of_work(note)
    return False


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


def undo_all(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress | None = None) -> tuple[int, int]:
    """Take back what an upload brought in, the last first; returns (taken back, stays)."""
    groups = [group.id for group in queries.undoable(db.session.get_one(Upload, upload_id))][::-1]
    db.session.rollback()
    back = 0
    for number, group_id in enumerate(groups, 1):

        def undo(group_id: uuid.UUID = group_id) -> bool:
            group = db.session.get_one(UploadGroup, group_id)
            return giving_back.undo_group(group, by=operations.actor_for(group.upload, now), now=now)

        back += unit_of_work(undo)
        db.session.expire_all()
        if on_progress is not None and (number % 10 == 0 or number == len(groups)):
            on_progress(number, len(groups))
    return back, len(groups) - back
