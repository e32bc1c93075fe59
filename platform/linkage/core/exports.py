"""Lists that leave as files (导出): one description per list, Excel or CSV, row by row.

A description stands in its room's `exports.py`, beside the list: the same right, the same rows under the same filters
(the list's own select), and columns. A personal column is masked unless the reader asked for it in clear with a
reason, and has the right to open such facts of that very row. Numbers of 18 digits leave as text, and no cell is
taken for a formula.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import xlsxwriter
from flask import Response
from sqlalchemy import Select, distinct, func, select

from linkage.core.clock import local
from linkage.core.extensions import db
from linkage.core.permissions import Actor, condition, holds

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
EXACT_DIGITS = 15
CHUNK = 400
MOST_ROWS = 200_000
BOM = "\ufeff"


@dataclass(frozen=True)
class Scene:
    """Who reads, when, and of which rows the personal facts are shown in clear."""

    actor: Actor
    now: datetime
    clear: frozenset[Any] = frozenset()
    looked_up: Any = None


@dataclass(frozen=True)
class Column:
    """One column: what it says of a row. `masked` stands in for `value` where the row's facts are not to be shown."""

    heading: Any
    value: Callable[[Any, Scene], Any]
    masked: Callable[[Any, Scene], Any] | None = None
    width: int = 14


@dataclass(frozen=True)
class Export:
    """One list. `rows(actor, now)` is its select under the filters of the address; `load` looks up for a chunk of rows
    what the columns need; `personal_right` opens the masked columns of a row of `model` (or of what `personal_of`
    says in SQL of it)."""

    name: str
    title: Any
    right: str
    model: type
    rows: Callable[[Actor, datetime], Select[Any]]
    columns: Sequence[Column]
    personal_right: str | None = None
    personal_of: Callable[[Actor], Any] | None = None
    load: Callable[[Sequence[Any], Scene], Any] = field(default=lambda _rows, _scene: None)

    @property
    def key(self) -> Any:
        return next(iter(self.model.__table__.primary_key.columns))  # type: ignore[attr-defined]

    def may_open(self, actor: Actor) -> bool:
        """The reader may ask for personal facts in clear, somewhere."""
        return self.personal_right is not None and holds(actor, self.personal_right)


EXPORTS: dict[str, Export] = {}


def register(export: Export) -> Export:
    EXPORTS[export.name] = export
    return export


def count(export: Export, actor: Actor, now: datetime) -> int:
    """How many rows would leave."""
    wanted = export.rows(actor, now).order_by(None).options()
    plain = wanted.with_only_columns(export.key, maintain_column_froms=True).subquery()
    return min(MOST_ROWS, db.session.scalar(select(func.count(distinct(plain.c[0]))).select_from(plain)) or 0)


def _keys(export: Export, actor: Actor, now: datetime) -> list[Any]:
    wanted = export.rows(actor, now).with_only_columns(export.key, maintain_column_froms=True)
    return list(dict.fromkeys(db.session.scalars(wanted.limit(MOST_ROWS))))


def lines(export: Export, actor: Actor, now: datetime, *, personal: bool) -> Iterator[list[Any]]:
    """The heading, then the values of each row, a chunk of rows in memory at a time."""
    yield [str(column.heading) for column in export.columns]
    keys = _keys(export, actor, now)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        found = {_key_of(export, row): row for row in db.session.scalars(_of(export, part)).unique()}
        rows = [found[key] for key in part if key in found]
        clear = frozenset(_opened(export, actor, part)) if personal else frozenset()
        bare = Scene(actor, now, clear)
        scene = Scene(actor, now, clear, export.load(rows, bare))
        for row in rows:
            yield [_value(column, row, scene, _key_of(export, row) in clear) for column in export.columns]
        db.session.expunge_all()


def _of(export: Export, keys: Sequence[Any]) -> Select[Any]:
    return select(export.model).where(export.key.in_(keys))


def _key_of(export: Export, row: Any) -> Any:
    return getattr(row, export.key.name)


def _opened(export: Export, actor: Actor, keys: Sequence[Any]) -> Iterable[Any]:
    """The rows whose personal facts the actor may open, by the scope's own condition."""
    if not export.may_open(actor) or export.personal_right is None:
        return []
    own = export.personal_of
    allowed = own(actor) if own else condition(actor, export.personal_right, export.model)
    return db.session.scalars(select(export.key).where(export.key.in_(keys), allowed))


def _value(column: Column, row: Any, scene: Scene, clear: bool) -> Any:
    say = column.value if clear or column.masked is None else column.masked
    return say(row, scene)


def cell_text(value: Any) -> str:
    """A value as a cell says it: dates as 2026-11-24, moments in the house's own time, lists joined."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return f"{local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set)):
        return "、".join(str(one) for one in value)
    return str(value)


def plain_text(words: str) -> str:
    """A cell that a spreadsheet will not take for a formula (SAFETY.md)."""
    return f"'{words}" if words.startswith(FORMULA) and not words.lstrip("+-").replace(".", "").isdigit() else words


def as_csv(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """UTF-8 with its mark; long numbers behind a tab, so that Excel keeps every digit."""
    yield BOM.encode()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow([_csv_cell(value) for value in row])
        yield line.getvalue().encode()


def _csv_cell(value: Any) -> str:
    words = plain_text(cell_text(value))
    return f"\t{words}" if words[:EXACT_DIGITS].isdigit() and len(words) > EXACT_DIGITS else words


def as_xlsx(rows: Iterable[Sequence[Any]], title: str, widths: Sequence[int]) -> bytes:
    """A workbook whose cells are text and numbers, never formulas; nothing of it touches the disk."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet("".join(c for c in title if c not in "[]:*?/\\")[:31] or "1")
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "bg_color": "#e3f1f2"})
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width, text)
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**EXACT_DIGITS:
                sheet.write_number(number, place, value)
            elif words := cell_text(value):
                sheet.write_string(number, place, words[:32_000], bold if number == 0 else text)
    sheet.freeze_panes(1, 0)
    book.close()
    return file.getvalue()


def key_ids(people: Iterable[Any]) -> set[uuid.UUID]:
    """The keys under which these people's facts are sealed."""
    return {person.key_id for person in people if person is not None}


def name_file(response: Response, name: str) -> None:
    """The browser saves the answer under this name, in any script (RFC 6266: a header itself holds ASCII alone)."""
    plain = name if name.isascii() else f"file{PurePath(name).suffix}"
    response.headers.set(
        "Content-Disposition", "attachment", filename=plain, **{"filename*": f"UTF-8''{quote(name, safe='')}"}
    )
