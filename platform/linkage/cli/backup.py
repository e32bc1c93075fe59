"""Backup, restore and the drill (docs/running.md)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from linkage.core import clock
from linkage.core.errors import DomainError
from linkage.upkeep import restoring
from linkage.upkeep.backup import BackupFailed, backups, make_backup, read_backup

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("backup")
@click.argument("target", type=FOLDER, required=False)
@with_appcontext
def backup_command(target: Path | None) -> None:
    """Write a checked copy of the whole database into TARGET, a folder that must not exist yet.

    Without TARGET into a new folder of LINKAGE_BACKUP_DIR. The keys are not in it: keep them apart.
    """
    try:
        made = make_backup(clock.now(), target)
    except BackupFailed as error:
        raise click.UsageError(str(error)) from error
    rows = sum(made.manifest["tables"].values())
    click.echo(f"{made.folder}: {rows} rows of {len(made.manifest['tables'])} tables, {made.kilobytes} kB, checked")
    for line in made.manifest["not_in_it"]:
        click.echo(f"not in it: {line}")


@click.command("restore")
@click.argument("backup", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="The report as one line of JSON.")
@click.option("--drill", "is_drill", is_flag=True, hidden=True, help="Into a scratch place: leaves no checkpoint.")
@click.option("--at", default="", hidden=True)
@with_appcontext
def restore_command(backup: Path, as_json: bool, is_drill: bool, at: str) -> None:
    """Put the BACKUP folder back, with the server stopped. The present database is put aside, not deleted.

    Erasures of the journal are done again, all sessions end. Exit code 0 when everything was found whole.
    """
    now = datetime.fromisoformat(at) if at else clock.now()
    try:
        report = restoring.restore(read_backup(backup), now, is_drill=is_drill)
    except (BackupFailed, restoring.RestoreRefused, DomainError) as error:
        raise click.ClickException(str(error)) from error
    _tell(report, as_json)


@click.command("drill")
@click.argument("backup", type=FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="The report as one line of JSON.")
@with_appcontext
def drill_command(backup: Path | None, as_json: bool) -> None:
    """Show that BACKUP (else the latest; else one made now) can be restored, beside the running installation."""
    now = clock.now()
    try:
        if backup is None and not backups():
            make_backup(now)
        report = restoring.drill(now, read_backup(backup) if backup else None)
    except BackupFailed as error:
        raise click.ClickException(str(error)) from error
    _tell(report, as_json)


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(report)))
    if not report["ok"]:
        raise SystemExit(1)


def _lines(report: dict[str, Any]) -> list[str]:
    if "failure" in report:
        return [f"backup {report['backup']}: FAILED: {report['failure']}"]
    differ, broken = report["counts_differ"], report["audit_broken_at"]
    return [
        f"backup {report['backup']} of {report['made_at']}",
        f"counts: {report['rows']} rows of {report['tables']} tables"
        + (f", DIFFERENT in {', '.join(differ)}" if differ else ", all as in the manifest"),
        f"audit log: {'whole' if broken is None else f'BROKEN at row {broken}'}"
        + ("" if report["audit_reaches"] else ", DOES NOT REACH the backup's last row"),
        f"keys: {report['keys']['tried']} tried, {report['keys']['unreadable']} unreadable",
        f"erasures done again: {report['erased_again']}; sessions ended: {report['sessions_ended']}",
        *([f"put aside: {report['put_aside']}"] if report["put_aside"] else []),
        "ok" if report["ok"] else "NOT OK",
    ]


commands = (backup_command, restore_command, drill_command)
