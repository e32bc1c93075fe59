"""Backups, the drill, and what is kept outside: the administrator's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from linkage.core import audit, checkpoints, jobs, outside
from linkage.core.errors import NotFound, Unavailable
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.transactions import unit_of_work
from linkage.core.web import Room, go, request_now, require_actor
from linkage.upkeep import permissions, restoring
from linkage.upkeep.backup import BackupFailed, backups, make_backup
from linkage.upkeep.periodic import DRILL

room = Room("upkeep", __name__, url_prefix="/administration/upkeep", template_folder="templates")
SHOWN = 15
KEPT_FILES = {"checkpoints": "checkpoints.jsonl", "key": "signing.pub", "erasures": "erasures.jsonl"}


@room.get("/", permission=permissions.may_run)
def page() -> str:
    """The last backup and the last drill; the files to take along."""
    last = checkpoints.last()
    return render_template(
        "upkeep/page.html",
        backups=backups()[:SHOWN],
        drill=_with_time(restoring.last_drill()),
        running=db.session.query(Job).filter(Job.kind == DRILL, jobs.open_jobs()).first(),
        checkpoint=last,
        fingerprint=outside.key_fingerprint(),
        erased=len(outside.ERASURES.read()),
    )


def _with_time(report: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if report is None else {**report, "at": datetime.fromisoformat(report["drilled_at"])}


@room.post("/backup", permission=permissions.may_run, own_transactions=True)
def back_up() -> ResponseReturnValue:
    """Make a backup now."""
    actor, now = require_actor(), request_now()
    try:
        made = make_backup(now)
    except BackupFailed as error:
        raise Unavailable(_("The backup could not be written."), remedy=str(error)) from error
    unit_of_work(lambda: audit.record("upkeep.backup", ("backups", made.folder.name[:40]), by=actor.user_id, now=now))
    flash(_("The backup is made and checked."), "ok")
    return go("upkeep.page")


@room.post("/drill", permission=permissions.may_run)
def run_drill() -> ResponseReturnValue:
    """Ask the worker for the drill; one at a time."""
    actor, now = require_actor(), request_now()
    if db.session.query(Job).filter(Job.kind == DRILL, jobs.open_jobs()).first() is None:
        job = jobs.enqueue(DRILL, {}, by=actor.user_id, now=now)
        audit.record("upkeep.drill", ("jobs", job.id), by=actor.user_id, now=now)
    flash(_("The drill has begun; its report appears here within a minute."), "ok")
    return go("upkeep.page")


@room.get("/keep/<any(checkpoints,key,erasures):name>", permission=permissions.may_run)
def kept(name: str) -> ResponseReturnValue:
    """One of the files that belong elsewhere: no personal data in them."""
    outside.signing_key()  # made, should nothing have been signed yet
    path = outside.keep_dir() / KEPT_FILES[name]
    if not path.exists():
        raise NotFound("")
    return send_file(path, as_attachment=True, download_name=path.name, max_age=0)
