"""``flask --app app areas-recode FILE``: the yearly changes of division codes, all of them or none."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from linkage.areas import recoding
from linkage.core import clock
from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work


@click.command("areas-recode")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check every line; change nothing.")
@with_appcontext
def recode_command(file: Path, dry_run: bool) -> None:
    """Enter new codes from a CSV: old_code, new_code, from (a date), and where they change name and parent."""
    try:
        lines = recoding.read_table(file)
        done = unit_of_work(lambda: recoding.announce_all(lines, now=clock.now()), accept=lambda _done: not dry_run)
    except DomainError as error:
        raise click.ClickException(f"{error} {error.remedy or ''}".strip()) from error
    db.session.remove()
    click.echo(f"{done} areas {'would change' if dry_run else 'entered'}")


commands = (recode_command,)
