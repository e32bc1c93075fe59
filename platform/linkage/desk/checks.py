"""Is the installation healthy? Checks that an administrator can act on, each with what to do."""

from __future__ import annotations

from datetime import datetime, timedelta

from alembic.runtime.migration import MigrationContext
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from linkage.core import periodic
from linkage.core.extensions import db
from linkage.core.formats import format_datetime
from linkage.core.models import Job, OutboxRow, PeriodicRun
from linkage.health import heads
from linkage.services.words import listed
from linkage.upkeep import health as upkeep
from linkage.upkeep.health import Check

TICK_LATE = timedelta(minutes=5)
OUTBOX_LATE = timedelta(minutes=5)
FAILED_SINCE = timedelta(days=7)


def all_checks(now: datetime) -> list[Check]:
    """Failing ones first."""
    found = [database(), worker(now), *upkeep.checks(now), outbox(now), failed_jobs(now), late_work(now)]
    return sorted(found, key=lambda check: ("failed", "warning", "passed").index(check.state))


def database() -> Check:
    current = set(MigrationContext.configure(db.session.connection()).get_current_heads())
    if current == heads():
        return Check(_("Database"), "passed", _("answers, and has the newest tables"))
    remedy = _("Run “flask --app app db upgrade”.")
    return Check(_("Database"), "failed", _("is not at the newest migration"), remedy)


def worker(now: datetime) -> Check:
    """The tick of the periodic work tells whether a worker lives."""
    run = db.session.get(PeriodicRun, periodic.TICK)
    remedy = _("Start the worker: “make run” starts server and worker together.")
    if run is None or run.last_due is None:
        return Check(_("Worker"), "failed", _("has never run"), remedy)
    if now - run.last_due > TICK_LATE:
        return Check(_("Worker"), "failed", _("last seen %(at)s", at=format_datetime(run.last_due)), remedy)
    return Check(_("Worker"), "passed", _("last seen %(at)s", at=format_datetime(run.last_due)))


def outbox(now: datetime) -> Check:
    waiting = db.session.scalar(
        select(func.count()).where(OutboxRow.delivered_at.is_(None), OutboxRow.created_at < now - OUTBOX_LATE)
    )
    if not waiting:
        return Check(_("Delivery of messages"), "passed", _("all are delivered"))
    text = ngettext("%(num)d message waits", "%(num)d messages wait", waiting)
    return Check(_("Delivery of messages"), "failed", text, _("They are delivered by the worker; see whether it runs."))


def failed_jobs(now: datetime) -> Check:
    failed = db.session.scalar(select(func.count()).where(Job.failed_at > now - FAILED_SINCE)) or 0
    if not failed:
        return Check(_("Long work"), "passed", _("nothing failed in seven days"))
    text = ngettext("%(num)d job failed in seven days", "%(num)d jobs failed in seven days", failed)
    return Check(_("Long work"), "warning", text, _("Look into the log, and start it again."))


def late_work(now: datetime) -> Check:
    """Periodic work that is due and was not done for twice its time."""
    late = [entry.name for entry in periodic.table() if _is_late(entry, now)]
    if not late:
        return Check(_("Regular work"), "passed", _("all of it is on time"))
    names = listed(late)
    text = ngettext("%(num)d piece is late: %(names)s", "%(num)d pieces are late: %(names)s", len(late), names=names)
    return Check(_("Regular work"), "warning", text, _("The worker does it by itself once it runs."))


def _is_late(entry: periodic.Periodic, now: datetime) -> bool:
    run = db.session.get(PeriodicRun, entry.name)
    last = run.last_due if run else None
    rest = timedelta(days=1) if entry.daily_at_minutes is not None else entry.every
    return last is None or now - last > 2 * rest + TICK_LATE
