"""What the importer does in the worker: take in what was asked for, delete what nobody finished."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from linkage.core import clock, jobs
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.periodic import periodic
from linkage.core.rulesets import rule
from linkage.core.transactions import unit_of_work
from linkage.imports import giving_back, operations, queries
from linkage.imports.models import Upload
from linkage.imports.taking import Progress, read_later, take_ready, undo_all


@jobs.handler(operations.JOB)
def take_upload(job_id: uuid.UUID) -> dict[str, Any]:
    """Take in the good groups of an upload; a second attempt goes on where the first was cut off."""
    taken, refused = take_ready(_upload_of(job_id), now=clock.now(), on_progress=_reporter(job_id))
    return {"taken": taken, "refused": refused}


@jobs.handler(operations.READ_JOB)
def read_upload(job_id: uuid.UUID) -> dict[str, Any]:
    """Examine the groups of a large file."""
    upload_id = _upload_of(job_id)
    return {"groups": read_later(upload_id, now=clock.now(), on_progress=_reporter(job_id))}


@jobs.handler(operations.UNDO_JOB)
def undo_upload(job_id: uuid.UUID) -> dict[str, Any]:
    """Take back what an upload brought in; what somebody has touched since stays."""
    back, stays = undo_all(_upload_of(job_id), now=clock.now(), on_progress=_reporter(job_id))
    return {"back": back, "stays": stays}


def _upload_of(job_id: uuid.UUID) -> uuid.UUID:
    upload_id = uuid.UUID(db.session.get_one(Job, job_id).params["upload_id"])
    db.session.rollback()
    return upload_id


def _reporter(job_id: uuid.UUID) -> Progress:
    return lambda done, total: jobs.report(job_id, {"done": done, "total": total})


@periodic("imports.forget_undo", every=timedelta(hours=1))
def forget_undo(now: datetime) -> None:
    """Every hour: the ways back of what was taken in more than a day ago are deleted."""
    over = now - timedelta(hours=rule("imports.undo_hours", clock.local_date(now)))
    for upload_id in queries.undo_over(over):

        def forget(upload_id: uuid.UUID = upload_id) -> None:
            giving_back.forget_undo(db.session.get_one(Upload, upload_id), now=now)

        unit_of_work(forget)


@periodic("imports.expire", every=timedelta(hours=1))
def delete_expired(now: datetime) -> None:
    """Every hour: staged rows of uploads that nobody finished in time are deleted."""
    for upload_id in queries.expired(now):

        def drop(upload_id: uuid.UUID = upload_id) -> None:
            operations.drop(db.session.get_one(Upload, upload_id), by=None, now=now)

        unit_of_work(drop)
