"""Hourly the erasures of the journal and a checkpoint of the audit log, a backup every night, the drill every week."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import current_app

from linkage.core import checkpoints, clock, jobs
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.periodic import periodic
from linkage.core.rulesets import rule
from linkage.core.transactions import unit_of_work
from linkage.upkeep import erasing, restoring
from linkage.upkeep.backup import backups, forget_old, make_backup

DRILL = "upkeep.drill"
DRILL_EVERY = timedelta(days=7)


@periodic("upkeep.journal", every=timedelta(hours=1))
def erase_again(now: datetime) -> None:
    """A database that was put back by hand is brought up to the journal of erasures."""
    if erasing.to_do():
        unit_of_work(lambda: erasing.apply_journal(now))


@periodic("upkeep.checkpoint", every=timedelta(hours=1))
def checkpoint(now: datetime) -> None:
    """Sign where the audit log stands."""
    checkpoints.write(now)
    db.session.rollback()


@periodic("upkeep.backup", daily_at_minutes=90)
def back_up(now: datetime) -> None:
    """At half past one; old ones go by rule."""
    make_backup(now)
    keep_days = rule("upkeep.backup_keep_days", local_date(now))
    db.session.rollback()
    forget_old(now, keep_days=keep_days)


@periodic("upkeep.drill", daily_at_minutes=150)
def drill_weekly(now: datetime) -> None:
    """Ask for the drill once a week; a demo or test installation is drilled when somebody asks."""
    last = restoring.last_drill()
    is_due = last is None or now - datetime.fromisoformat(last["drilled_at"]) >= DRILL_EVERY
    if current_app.config["SETTINGS"].mode == "production" and is_due and backups():
        unit_of_work(lambda: jobs.enqueue(DRILL, {}, by=None, now=now))


@jobs.handler(DRILL)
def drill(_job_id: uuid.UUID) -> dict[str, Any]:
    """Restore the latest backup beside the installation; one is made where there is none."""
    now = clock.now()
    if not backups():
        make_backup(now)
    report = restoring.drill(now)
    return {"ok": report["ok"]}
