"""Taking back what an upload brought in, for as long as that goes (撤回导入)."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l

from linkage.areas.models import Area
from linkage.core import audit, jobs
from linkage.core.clock import local_date
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.imports import operations, queries, undoing
from linkage.imports.models import Upload, UploadGroup


def undo_until(upload: Upload, now: datetime) -> datetime | None:
    """Until when something of the upload can still be taken back; None where nothing can."""
    hours = timedelta(hours=rule("imports.undo_hours", local_date(now)))
    last = max((group.taken_at for group in queries.undoable(upload) if group.taken_at), default=None)
    return last + hours if last is not None and last + hours > now else None


def undo_later(upload: Upload, *, by: Actor, now: datetime) -> Job:
    """Have a worker take back what the upload brought in.  Raises Conflict when the day is over, or while one works."""
    if undo_until(upload, now) is None:
        raise Conflict(_l("There is nothing that could be taken back any more."))
    operations.demand_idle(upload)
    job = jobs.enqueue(operations.UNDO_JOB, {"upload_id": str(upload.id)}, by=by.user_id, now=now)
    upload.summary = {**upload.summary, "undoing": str(job.id)}
    audit.record("imports.undo", upload, by=by.user_id, now=now)
    return job


def undo_group(group: UploadGroup, *, by: Actor, now: datetime) -> bool:
    """Take back one group, whole or not at all (the caller's transaction); False where it must stay."""
    kept = group.undo
    if kept is None or group.undone_at is not None:
        return True
    operations.demand_area(operations.kind_of(group.upload), db.session.get_one(Area, group.upload.area_id), by)
    try:
        undoing.reverse(kept["record"], now=now)
    except Conflict as error:
        group.undo = {**kept, "stays": str(error.message)}
        audit.record("imports.undo_refused", group.upload, by=by.user_id, now=now, group=group.position)
        return False
    group.undone_at, group.undo = now, None
    audit.record("imports.undo_group", group.upload, by=by.user_id, now=now, group=group.position)
    return True


def forget_undo(upload: Upload, *, now: datetime) -> None:
    """The day is over: what would be needed to take it back is deleted."""
    for group in queries.undoable(upload):
        group.undo = None
    audit.record("imports.forget_undo", upload, by=None, now=now)
