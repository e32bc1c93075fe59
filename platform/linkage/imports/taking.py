"""Taking in an upload group by group, each in a transaction of its own: for the worker and the command."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.imports import operations, queries
from linkage.imports.models import Upload, UploadGroup

Progress = Callable[[int, int], None]


def take_ready(upload_id: uuid.UUID, *, now: datetime, on_progress: Progress | None = None) -> tuple[int, int]:
    """Take in every group without a fault; returns (taken, refused). May be run again: what is in stays in."""
    ready = [group.id for group in queries.waiting_groups(db.session.get_one(Upload, upload_id)) if not group.faults]
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
