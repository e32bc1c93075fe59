"""``flask --app app working-days``: what is loaded, and a year's holiday notice from a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from linkage.core import clock, workdays
from linkage.core.errors import DomainError
from linkage.core.transactions import unit_of_work
from linkage.upkeep import holiday_notice


@click.command("working-days")
@click.argument("year", type=int, required=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--source", default="", help="Number and date of the notice.")
@click.option("--dry-run", is_flag=True, help="Check the file; store nothing.")
@with_appcontext
def working_days_command(year: int | None, file: Path | None, source: str, dry_run: bool) -> None:
    """List the years, or load YEAR from FILE (table or text of the notice). Exit 1: rows with mistakes are named."""
    if year is None or file is None:
        for table in workdays.current_tables():
            click.echo(f"{table.year}: {table.source}")
        return
    try:
        notice = holiday_notice.read_file(file.read_bytes(), file.name, year)
        for mistake in notice.mistakes:
            click.echo(f"{mistake.row or 'whole'}: {mistake.message} {mistake.remedy}", err=True)
        if notice.mistakes:
            sys.exit(1)
        if not dry_run:
            named = source or notice.source
            unit_of_work(lambda: workdays.store(year, notice.spans, source=named, by=None, now=clock.now()))
    except DomainError as error:
        raise click.ClickException(f"{error} {error.remedy or ''}".strip()) from error
    click.echo(f"{year}: {len(notice.spans)} rows {'understood' if dry_run else 'stored'}")


commands = (working_days_command,)
