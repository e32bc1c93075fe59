"""A large file of each kind, and how long it takes to read, examine and take in: wall time and processor time."""

from __future__ import annotations

import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
import xlsxwriter
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select
from stdnum.iso7064 import mod_11_2

from linkage.accounts.queries import actor_of, find_user_by_name
from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household
from linkage.imports import operations, queries
from linkage.imports.kinds import KINDS, Kind
from linkage.imports.models import Upload
from linkage.imports.reading import read_sheets
from linkage.imports.taking import read_later, take_ready
from linkage.organisations.models import Carer

T = TypeVar("T")
Line = dict[str, str | int]
SURNAMES, GIVEN = "郑许庄吕柯白纪余林陈王李苏叶洪邱", "桂花天来水治秀鸾文礼玉兰清阿凤建国丽"
ACCOUNTS = {"carers": "manager", "shifts": "manager", "lines": "coordinator"}  # of the demo; else the clerk
STREET = "香莲里"


def name_of(number: int) -> str:
    """Some thousands of names."""
    first, second = GIVEN[number // 16 % len(GIVEN)], GIVEN[number * 7 % len(GIVEN)]
    return SURNAMES[number % len(SURNAMES)] + first + second


def id_number(number: int, first_year: int = 1930) -> str:
    """The `number`th made-up ID number with a valid check digit (GB 11643)."""
    rest, day = divmod(number, 28)
    rest, month = divmod(rest, 12)
    order, year = divmod(rest, 40)
    body = f"350203{first_year + year}{month + 1:02d}{day + 1:02d}{order:03d}"
    return body + str(mod_11_2.calc_check_digit(body))


def _roster(rows: int) -> Iterator[Line]:
    """Two people a household; the head has tags, a consent and a need."""
    for number in range(rows // 2):
        home: Line = {"number": f"B{number:05d}", "address": f"{STREET}{1 + number % 90}号{number}室"}
        yield {
            **home, "name": name_of(number), "relation": "本人", "id_number": id_number(2 * number),
            "telephone": 13_800_000_000 + number, "tags": "高龄、低保", "consent_on": "2026年11月2日",
            "service": "助餐", "starts_on": "2026-12-01", "recurrence": "每周二、四", "window": "11:00-12:30",
            "duration": "30",
        }  # fmt: skip
        yield {**home, "name": name_of(number + 9), "relation": "配偶", "id_number": id_number(2 * number + 1)}


def _carers(rows: int) -> Iterator[Line]:
    for number in range(rows):
        yield {
            "name": name_of(number), "id_number": id_number(number, 1965), "telephone": 13_900_000_000 + number,
            "kind": "护理员", "weekly_hours": "40小时", "travel_mode": "电动车", "valid_from": "2026年12月1日",
        }  # fmt: skip


def _volunteers(rows: int) -> Iterator[Line]:
    for number in range(rows):
        yield {
            "name": name_of(number), "id_number": id_number(number, 1965), "telephone": 13_700_000_000 + number,
            "services": "陪伴", "weekly_hours": "6", "insured_to": "2027-11-30",
        }  # fmt: skip


def _needs(rows: int) -> Iterator[Line]:
    """Needs of the clerk's registered households, at different days and hours."""
    homes = [
        (home.number, home.members[0].person.name)
        for home in db.session.scalars(select(Household).where(Household.closed_on.is_(None)))
        if home.members
    ]
    for number in range(rows):
        home, person = homes[number % len(homes)]
        yield {
            "number": home, "name": person, "service": "助餐",
            "starts_on": f"2027-{1 + number // 28 % 10:02d}-{1 + number % 28:02d}",
            "window": f"{8 + number % 8}:{number % 60:02d}-17:30", "duration": "30",
        }  # fmt: skip


def _lines(rows: int) -> Iterator[Line]:
    """Ten lines a contract."""
    for number in range(rows):
        yield {
            "number": f"HT-B-{number // 10:05d}", "organisation": "鹭康养老", "value": "480000",
            "starts_on": "2026-12-01", "ends_on": "2027-11-30", "line": f"分项{number % 10}", "services": "助洁",
            "price": "38", "cap": "600",
        }  # fmt: skip


def _shifts(rows: int) -> Iterator[Line]:
    """Two shifts a week for each carer of the demo, and as many strangers as are needed."""
    known = [(carer.person.name, carer.person.id_number or "") for carer in db.session.scalars(select(Carer))]
    for number in range(rows):
        place = number // 2
        name, ident = known[place] if place < len(known) else (name_of(place), id_number(place, 1965))
        yield {
            "name": name, "id_number": ident, "weekday": "周一至周五" if number % 2 else "周六",
            "span": "08:00-17:00", "break_from": "12:00", "break_minutes": "60", "valid_from": "2027-01-04",
        }  # fmt: skip


MAKERS: dict[str, Callable[[int], Iterator[Line]]] = {
    "roster": _roster,
    "households": _roster,
    "needs": _needs,
    "carers": _carers,
    "volunteers": _volunteers,
    "lines": _lines,
    "shifts": _shifts,
}


def workbook(kind: Kind, rows: int) -> bytes:
    """A file of `kind` in the template's columns."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    names = [column.name for column in kind.columns]
    sheet.write_row(0, 0, [column.words[0] for column in kind.columns])
    for number, line in enumerate(MAKERS[kind.name](rows), 1):
        for place, name in enumerate(names):
            value = line.get(name, "")
            if isinstance(value, int):
                sheet.write_number(number, place, value)
            elif value:
                sheet.write_string(number, place, value)
    book.close()
    return file.getvalue()


class Watch:
    """Times steps: wall, and processor time of this process and its children."""

    def __init__(self) -> None:
        self.steps: dict[str, dict[str, float]] = {}

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Run `work` and note what it took under `name`."""
        wall, before = time.monotonic(), os.times()
        done = work()
        after = os.times()
        used = sum(after[:4]) - sum(before[:4])
        self.steps[name] = {"wall": round(time.monotonic() - wall, 2), "cpu": round(used, 2)}
        return done


@click.command("bench-import")
@click.option("--kind", "names", multiple=True, type=click.Choice(sorted(KINDS)), help="Default: all.")
@click.option("--rows", default=20_000, show_default=True)
@click.option("--take", is_flag=True, help="Take the entries in, too (the database keeps them).")
@click.option("--json", "as_json", is_flag=True)
@with_appcontext
def bench_import(names: tuple[str, ...], rows: int, take: bool, as_json: bool) -> None:
    """Make a file of so many ROWS of each kind and bring it in, in the demo's database."""
    if current_app.config["SETTINGS"].mode == "production":
        raise click.ClickException("made-up files are not brought in in production")
    for name in names or sorted(KINDS):
        figures = measure(KINDS[name], rows, take=take)
        click.echo(json.dumps(figures, ensure_ascii=False) if as_json else _line(figures))


def measure(kind: Kind, rows: int, *, take: bool) -> dict[str, Any]:
    """Seconds of each step; the staged rows are deleted afterwards."""
    watch, now = Watch(), clock.now()
    content = workbook(kind, rows)
    sheets = watch.step("read", lambda: read_sheets(content))

    def stage() -> uuid.UUID:
        user = find_user_by_name(ACCOUNTS.get(kind.name, "clerk"))
        if user is None:
            raise click.ClickException("this needs the demo's accounts: `flask --app app demo`")
        by = actor_of(user, now)
        area = queries.areas_for(by, kind.right)[0]
        return operations.receive(sheets, content, "bench.xlsx", kind, area, by=by, now=now, later=True).id

    upload_id = watch.step("stage", lambda: unit_of_work(stage))
    watch.step("examine", lambda: read_later(upload_id, now=now, on_progress=lambda _done, _total: None))
    counts = queries.counts_of(db.session.get_one(Upload, upload_id))
    taken = 0
    if take:
        taken, _refused = watch.step("take in", lambda: take_ready(upload_id, now=now))

    def drop() -> None:
        operations.drop(db.session.get_one(Upload, upload_id), by=None, now=now)

    unit_of_work(drop)
    return {"kind": kind.name, "rows": rows, "entries": counts.total, "good": counts.good, "taken": taken,
            "steps": watch.steps}  # fmt: skip


def _line(figures: dict[str, Any]) -> str:
    steps = ", ".join(f"{name} {took['wall']:.1f} s (cpu {took['cpu']:.1f})" for name, took in figures["steps"].items())
    total = sum(took["wall"] for name, took in figures["steps"].items() if name != "take in")
    return (
        f"{figures['kind']:10} {figures['rows']} rows, {figures['entries']} entries, {figures['good']} good, "
        f"{figures['taken']} taken: {steps}; before taking in {total:.1f} s"
    )


commands = (bench_import,)
