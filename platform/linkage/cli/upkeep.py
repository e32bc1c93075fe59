"""Keys, the audit log outside, a person's data as a file, erasure, and the search for what must be nowhere."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from linkage.core import checkpoints, clock, crypto, outside
from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.upkeep import dossier, erasing, rotating, searching
from linkage.upkeep.models import ERASURE_REASONS

NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("rotate-master-key")
@with_appcontext
def rotate_command() -> None:
    """Wrap every data key with LINKAGE_MASTER_KEY; the earlier key must stand in LINKAGE_OLD_MASTER_KEYS.

    May be cut off and run again. Restart server and worker with both keys first; then run this; then take the old
    key out of the settings, and keep it apart while backups that need it are kept.
    """
    old = set(rotating.left())
    try:
        done = rotating.rotate(clock.now(), lambda left: click.echo(f"{left} left", err=True))
    except crypto.MissingMasterKey as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done} keys wrapped by {crypto.master_id()}, none by another")
    given = set(crypto.master_keys()) - {crypto.master_id()} | old
    for name in rotating.backups_needing(given):
        click.echo(f"the old key is still needed to read the backup {name}")


@click.command("audit-checkpoint")
@with_appcontext
def checkpoint_command() -> None:
    """Sign where the audit log stands; prints the line, to keep it elsewhere as well."""
    line = checkpoints.write(clock.now()) or checkpoints.last()
    click.echo(json.dumps(line, ensure_ascii=False))
    click.echo(f"public key: {outside.keep_dir() / 'signing.pub'} ({outside.key_fingerprint()})", err=True)


@click.command("audit-export")
@click.argument("target", type=NEW_FILE)
@with_appcontext
def export_command(target: Path) -> None:
    """Write the audit log as JSON lines for the stand-alone verifier (core/audit_verify.py)."""
    try:
        click.echo(f"{target}: {checkpoints.export_log(target)} rows")
    except FileExistsError as error:
        raise click.UsageError(f"{target} exists already; nothing was written") from error


@click.command("person-file")
@click.argument("person_id", type=click.UUID)
@with_appcontext
def file_command(person_id: uuid.UUID) -> None:
    """Print everything that is held about a person, as JSON."""
    click.echo(json.dumps(dossier.dossier("person", person_id, now=clock.now()), ensure_ascii=False, indent=1))


@click.command("erase-person")
@click.argument("person_id", type=click.UUID)
@click.option("--reason", type=click.Choice(ERASURE_REASONS), required=True)
@with_appcontext
def erase_command(person_id: uuid.UUID, reason: str) -> None:
    """Erase a person for good and print the proof; exit code 1 where something must happen first."""
    now = clock.now()
    try:
        request = unit_of_work(lambda: erasing.erase_person(person_id, reason=reason, by=None, now=now))
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(request.proof, ensure_ascii=False, indent=1))


@click.command("find-values")
@click.option("--folder", "folders", type=click.Path(exists=True, path_type=Path), multiple=True)
@with_appcontext
def find_command(folders: tuple[Path, ...]) -> None:
    """Read values from standard input, one a line, and say where they stand in clear; exit code 1 if anywhere.

    Looks through every text of the database, the stored instances of plans, and the data and backup folders (others
    with --folder), also in what is packed. The values themselves are never printed.
    """
    values = [line.strip() for line in sys.stdin if line.strip()]
    if not values:
        raise click.UsageError("give the values on standard input, one a line")
    settings = current_app.config["SETTINGS"]
    found = searching.in_database(values) | searching.in_packed_cells(values)
    columns, rows = searching.cells_searched()
    db.session.rollback()
    found |= searching.in_files(folders or {settings.data_dir, settings.backup_dir, settings.keep_dir}, values)
    for place, number in sorted(found.items()):
        click.echo(f"{place}: {number}")
    click.echo(f"{len(values)} values in {columns} columns, {rows} rows and the files: {len(found)} places")
    if found:
        raise SystemExit(1)


commands = (rotate_command, checkpoint_command, export_command, file_command, erase_command, find_command)
