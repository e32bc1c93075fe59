"""A copy of the database while it is in use, through the database's own backup (never a copy of its file alone)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from linkage.core.extensions import db


@click.command("backup")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def backup_command(target: Path) -> None:
    """Write a whole copy of the SQLite database to TARGET, which must not exist yet.

    The secrets are not in it: keep them apart. With PostgreSQL use pg_dump.
    """
    if db.engine.dialect.name != "sqlite":
        raise click.UsageError("this installation is on PostgreSQL: use pg_dump")
    if target.exists():
        raise click.UsageError(f"{target} exists already; nothing was written")
    source = sqlite3.connect(str(db.engine.url.database))
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
        whole = copy.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        source.close()
        copy.close()
    target.chmod(0o600)
    if whole != "ok":
        raise click.ClickException(f"the copy is damaged: {whole}")
    mode = current_app.config["SETTINGS"].mode
    click.echo(f"{target}: {target.stat().st_size // 1024} kB, checked" + (" (demo)" if mode == "demo" else ""))


commands = (backup_command,)
