"""``flask --app app import KIND FILE`` and ``import-template KIND OUT``: the importer without a browser."""

from __future__ import annotations

import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from linkage.accounts.models import User
from linkage.accounts.queries import actor_of, find_user_by_name
from linkage.areas.models import Area
from linkage.areas.queries import by_any_code
from linkage.core import clock
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work
from linkage.imports import operations, queries
from linkage.imports.kinds import KINDS, Examined, Fault, Kind, Row
from linkage.imports.models import Upload
from linkage.imports.reading import Sheet, content_of, read_sheets
from linkage.imports.taking import take_ready
from linkage.imports.writing import template

ALL_TAKEN, ROWS_NAMED, REFUSED = 0, 1, 2


@click.command("import")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--area", "area_code", help="Code of the area that the file is of; may be left out where you have one.")
@click.option("--as", "user_name", help="Sign-in name of the account that brings it in; in a demo, one that may.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_appcontext
def import_file(
    kind: str, file: Path, area_code: str | None, user_name: str | None, dry_run: bool, as_json: bool
) -> None:
    """Bring in FILE. Exit status: 0 everything was taken, 1 rows with faults are named, 2 the file is refused."""
    try:
        answer = bring_in(KINDS[kind], file, area_code, user_name, dry_run=dry_run)
    except DomainError as error:
        answer = {"refused": getattr(error, "reason", error.code), "message": str(error), "file": file.name}
        _say(answer, as_json)
        sys.exit(REFUSED)
    _say(answer, as_json)
    sys.exit(ROWS_NAMED if answer["faults"] or answer["households"]["refused"] else ALL_TAKEN)


@click.command("import-template")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def import_template(kind: str, out: Path) -> None:
    """Write the template of KIND to OUT (.xlsx)."""
    out.write_bytes(template(KINDS[kind], local_date(clock.now())))
    click.echo(str(out))


class _DryRun(Exception):
    """Carries the report out of a transaction that is rolled back."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__()
        self.report = report


def bring_in(kind: Kind, file: Path, area_code: str | None, user_name: str | None, *, dry_run: bool) -> dict[str, Any]:
    """Stage the file and take in what is good (not in a dry run); households with faults stay staged for the page.

    Raises DomainError where the file as a whole is refused.
    """
    content = content_of(file)
    sheets = read_sheets(content, file.name)
    now = clock.now()

    def stage() -> dict[str, Any]:
        found: dict[uuid.UUID, Examined] = {}
        upload = _receive(kind, sheets, content, file.name, area_code, user_name, found)
        report = _report(kind, upload, found)
        if dry_run:
            raise _DryRun(report)
        return report

    try:
        report = unit_of_work(stage)
    except _DryRun as dry:
        return dry.report | {"dry_run": True, "written": False}
    upload = db.session.scalars(select(Upload).where(Upload.id == report["upload_id"])).one()
    taken, refused = take_ready(upload.id, now=now)
    report["households"] |= {"taken": taken, "refused": refused}
    return report | {"dry_run": False, "written": taken > 0}


def _receive(
    kind: Kind,
    sheets: list[Sheet],
    content: bytes,
    name: str,
    area_code: str | None,
    user_name: str | None,
    found: dict[uuid.UUID, Examined],
) -> Upload:
    now = clock.now()
    by = _actor(kind, user_name, now)
    area = by_any_code(area_code) if area_code else next(iter(queries.areas_for(by, kind.right)), None)
    if area is None:
        raise InvalidInput(f"There is no area with the code {area_code}.", field="area")
    return operations.receive(sheets, content, name, kind, area, by=by, now=now, found=found)


def _actor(kind: Kind, user_name: str | None, now: datetime) -> Actor:
    """Who brings it in. What is taken in is theirs in the audit log: only in a demo or test may the name be left out,
    and then it is the first account that has the right.
    """
    if user_name is not None:
        user = find_user_by_name(user_name)
        if user is None or user.disabled_at is not None:
            raise InvalidInput(f"There is no account with the sign-in name {user_name}.", field="as")
        return actor_of(user, now)
    if current_app.config["SETTINGS"].mode != "production":
        for user in db.session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.created_at)):
            by = actor_of(user, now)
            if queries.areas_for(by, kind.right):
                return by
    raise InvalidInput("Who brings it in? Name the account with --as.", field="as")


def _report(kind: Kind, upload: Upload, found: dict[uuid.UUID, Examined]) -> dict[str, Any]:
    counts = queries.counts_of(upload)
    headings = operations.headings_of(upload)
    bad = queries.bad_groups(upload)
    return {
        "upload_id": upload.id,
        "sheets": [
            {
                "sheet": heading.sheet,
                "heading_row": heading.row,
                "columns": {letter: name or None for letter, _words, name in heading.columns},
            }
            for heading in headings.values()
        ],
        "rows": counts.rows,
        "kind": kind.name,
        "area": db.session.get_one(Area, upload.area_id).code,
        "households": {
            "total": counts.total, "good": counts.good, "bad": counts.bad,
            "new": counts.new, "changed": counts.changed, "same": counts.same, "taken": 0, "refused": 0,
        },
        "repairs": dict(queries.repairs_of(upload)),
        "faults": [
            _fault(kind, operations.rows_of(group, headings), fault)
            for group in bad
            for fault in found[group.id].faults
        ],
    }  # fmt: skip


def _fault(kind: Kind, rows: list[Row], fault: Fault) -> dict[str, Any]:
    """A fault as the command names it: where, what, and the remedy; the cell's content stays out of logs."""
    row = rows[fault.row]
    return {
        "sheet": row.sheet,
        "row": row.number,
        "column": row.letters.get(fault.field),
        "field": fault.field,
        "heading": kind.column(fault.field).heading,
        "code": fault.code,
        "message": str(fault.message),
        "remedy": str(fault.remedy or ""),
    }


def _say(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, default=str))
        return
    if "refused" in answer:
        click.echo(answer["message"], err=True)
        return
    households = answer["households"]
    click.echo(
        f"{households['total']} entries in {answer['rows']} rows: {households['good']} good, "
        f"{households['bad']} with faults, {households['taken']} taken in."
    )
    for fault in answer["faults"]:
        place = f"{fault['sheet']} {fault['column'] or '-'}{fault['row']}".strip()
        click.echo(f"{place}  {fault['heading']}: {fault['message']}  {fault['remedy']}")


commands = (import_file, import_template)
