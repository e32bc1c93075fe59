"""What the importer does in the worker: take in what was asked for, delete what nobody finished."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from linkage.core import clock, jobs
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.imports import operations, queries
from linkage.imports.models import Upload
from linkage.imports.taking import take_ready


@jobs.handler(operations.JOB)
def take_upload(job_id: uuid.UUID) -> dict[str, Any]:
    """Take in the good groups of an upload; a second attempt goes on where the first was cut off."""
    upload_id = uuid.UUID(db.session.get_one(Job, job_id).params["upload_id"])
    db.session.rollback()

    def report(done: int, total: int) -> None:
        jobs.report(job_id, {"done": done, "total": total})

    taken, refused = take_ready(upload_id, now=clock.now(), on_progress=report)
    return {"taken": taken, "refused": refused}


@periodic("imports.expire", every=timedelta(hours=1))
def delete_expired(now: datetime) -> None:
    """Every hour: staged rows of uploads that nobody finished in time are deleted."""
    for upload_id in queries.expired(now):

        def drop(upload_id: uuid.UUID = upload_id) -> None:
            operations.drop(db.session.get_one(Upload, upload_id), by=None, now=now)

        unit_of_work(drop)
