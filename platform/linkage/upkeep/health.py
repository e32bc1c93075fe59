"""Is the installation healthy? What upkeep looks at: backup, drill, disk, keys, https, the audit log's checkpoints."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app, request
from flask_babel import gettext as _
from flask_babel import ngettext

from linkage.core import checkpoints, outside, workdays
from linkage.core.clock import local_date
from linkage.core.formats import format_datetime, format_long_date
from linkage.core.rulesets import rule
from linkage.planning.sites import CITY_CENTRE
from linkage.planning.travel import routing_server
from linkage.upkeep import restoring, rotating
from linkage.upkeep.backup import backups

PAGE = "working_days.page"
CHECKPOINT_LATE = timedelta(hours=3)


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, how it stands (a key of the "check" look), what to do, and where (endpoint)."""

    name: Any
    state: str
    text: str
    remedy: str = ""
    endpoint: str = ""


def checks(now: datetime) -> list[Check]:
    """In the order in which they matter."""
    found = [backup(now), drill(now), keys(), checkpoint(now), disk(now), working_days(now), https()]
    return [*found, *routing()]


def backup(now: datetime) -> Check:
    """The last backup is not older than a night."""
    name, found = _("Backup"), backups()
    if not found:
        return Check(name, "failed", _("there is none"), _("Make the first one now."), "upkeep.page")
    last = found[0]
    late = timedelta(hours=rule("upkeep.backup_late_hours", local_date(now)))
    text = _("last at %(at)s", at=format_datetime(last.made_at))
    if now - last.made_at > late:
        return Check(name, "failed", text, _("Make one now, and see whether the worker runs."), "upkeep.page")
    return Check(name, "passed", text, endpoint="upkeep.page")


def drill(now: datetime) -> Check:
    """A backup was restored to try it, not long ago, and all of it was whole."""
    name, last = _("Restore drill"), restoring.last_drill()
    if last is None:
        return Check(
            name, "warning", _("never done"), _("Run the drill: it restores beside the installation."), "upkeep.page"
        )  # noqa: E501
    at = datetime.fromisoformat(last["drilled_at"])
    text = _("last at %(at)s", at=format_datetime(at))
    if not last["ok"]:
        return Check(name, "failed", text, _("It did not find everything whole: see its report."), "upkeep.page")
    if now - at > timedelta(days=rule("upkeep.drill_late_days", local_date(now))):
        return Check(name, "warning", text, _("Run the drill again."), "upkeep.page")
    return Check(name, "passed", text, endpoint="upkeep.page")


def keys() -> Check:
    """No data key waits to be wrapped by the master key in use."""
    left = sum(rotating.left().values())
    if not left:
        return Check(_("Keys"), "passed", _("all are wrapped by the master key in use"))
    text = ngettext("%(num)d key waits for the new master key", "%(num)d keys wait for the new master key", left)
    return Check(_("Keys"), "warning", text, _("Run “flask --app app rotate-master-key” once more."))


def checkpoint(now: datetime) -> Check:
    """The audit log's last checkpoint is signed, and is as far as the log was a few hours ago."""
    name = _("Audit checkpoint")
    try:
        last = checkpoints.last()
    except outside.Forged:
        return Check(name, "failed", _("the file was changed"), _("Compare it with the copy that is kept elsewhere."))
    if last is None:
        return Check(name, "warning", _("there is none yet"), _("The worker signs one each hour."), "upkeep.page")
    at, number = datetime.fromisoformat(last["at"]), checkpoints.head()[0]
    text = _("entry %(number)s at %(at)s", number=last["number"], at=format_datetime(at))
    if number < last["number"]:
        return Check(name, "failed", text, _("The log is shorter than that: it was cut, or put back by hand."))
    if number > last["number"] and now - at > CHECKPOINT_LATE:
        return Check(name, "warning", text, _("The worker signs one each hour; see whether it runs."))
    return Check(name, "passed", text, endpoint="upkeep.page")


def disk(now: datetime) -> Check:
    """Enough room where the data and the backups are."""
    settings = current_app.config["SETTINGS"]
    settings.backup_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = min(
        100 * usage.free // usage.total
        for usage in (shutil.disk_usage(settings.data_dir), shutil.disk_usage(settings.backup_dir))
    )
    text = _("%(percent)d%% free", percent=free)
    if free >= rule("upkeep.disk_free_percent", local_date(now)):
        return Check(_("Disk"), "passed", text)
    return Check(_("Disk"), "failed", text, _("Make room: a full disk stops everything."))


def working_days(now: datetime) -> Check:
    """This year's holiday notice is loaded; next year's, too, once it should have appeared."""
    name, today = _("Working days"), local_date(now)
    held = workdays.calendar().years
    if today.year not in held:
        text = _("no official table since %(day)s", day=format_long_date(date(today.year, 1, 1)))
        return Check(
            name, "failed", text, _("Load this year's holiday notice: until then no deadline is decided."), PAGE
        )
    if today.year + 1 not in held and today.month >= rule("upkeep.holiday_notice_month", today):
        text = _("no official table from %(day)s on", day=format_long_date(date(today.year + 1, 1, 1)))
        return Check(
            name, "warning", text, _("Load the holiday notice; deadlines beyond that day are provisional."), PAGE
        )
    last = max(year for year in held if year >= today.year)
    return Check(name, "passed", _("loaded until the end of %(year)s", year=last), endpoint=PAGE)


def https() -> Check:
    """Volunteers and carers come with their own telephones: without https neither codes nor bids are safe."""
    settings = current_app.config["SETTINGS"]
    if request.is_secure or settings.secure_cookies:
        return Check(_("Encrypted connection"), "passed", _("https"))
    state = "failed" if settings.mode == "production" else "warning"
    remedy = _("See docs/running.md#on-an-office-network.")
    return Check(_("Encrypted connection"), state, _("this page came without https"), remedy)


def routing() -> list[Check]:
    """The routing server answers, where one is configured: else ways are reckoned as the crow flies."""
    server = routing_server()
    if server is None:
        return []
    name, problem = _("Travel times"), server.health(CITY_CENTRE)
    if not problem:
        return [Check(name, "passed", _("by road from the routing server"))]
    remedy = _("Start it, or take LINKAGE_ROUTING_URL away: until then ways are reckoned as the crow flies.")
    return [Check(name, "warning", _("the routing server does not answer: %(problem)s", problem=problem), remedy)]
