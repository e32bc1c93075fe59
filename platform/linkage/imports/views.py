"""What the pages show of an upload: the sheet as people know it, with faults, corrections and masked numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.permissions import Actor
from linkage.imports import operations, queries, values
from linkage.imports.kinds import Column, Examined, Fault, Kind, Row
from linkage.imports.models import Upload, UploadGroup
from linkage.imports.understanding import position_of
from linkage.imports.values import CellFault

# Columns by which people recognise a row; those with a fault or a correction are added.
KEY_COLUMNS = ("number", "name", "id_number", "birth_date", "telephone", "address", "service")
REPAIR_WORDS = {
    "width": _l("full-width characters"),
    "serial": _l("serial numbers of days and times"),
    "date": _l("dates written otherwise"),
    "number": _l("telephones stored as numbers"),
    "merged": _l("merged cells"),
    "twice": _l("repeated rows"),
    "left_out": _l("lines that are no entries"),
}
# Faults that show only beside other groups, or when the registers were asked.
LATE_FAULTS = {"twice": operations.TWICE}
OTHER_FAULT = (_l("The registers refused it meanwhile"), _l("Check again: what is stored has changed."))


@dataclass(frozen=True)
class CellView:
    """One cell. `key` names its input; `kind`: "" (shown), "bad" or "fixed" (an input)."""

    column: Column
    text: str
    key: str
    kind: str = ""


@dataclass(frozen=True)
class RowView:
    number: int
    cells: list[CellView]
    faults: list[Fault]
    was: list[tuple[str, str, str]]  # (key, label, what stood there)


@dataclass(frozen=True)
class GroupView:
    """A band of the sheet."""

    group: UploadGroup
    rows: list[RowView]
    name: str
    people: int
    needs: int
    faults: int
    edited: bool = False


@dataclass(frozen=True)
class SheetView:
    """The columns (with their letters) and the bands."""

    columns: list[Column]
    letters: dict[str, str]
    groups: list[GroupView] = field(default_factory=list)


def sheet_view(upload: Upload, groups: Sequence[UploadGroup], *, by: Actor, today: date) -> SheetView:
    """These groups as a sheet, examined now."""
    kind, headings = operations.kind_of(upload), operations.headings_of(upload)
    examined = operations.examined_groups(upload, groups, by=by, today=today)
    pairs = []
    for group, found in zip(groups, examined, strict=True):
        rows = operations.rows_of(group, headings)
        pairs.append((group, rows, _with_late_faults(group, found)))
    columns = _columns(kind, [name for heading in headings.values() for name in heading.letters()], pairs)
    letters = {name: letter for heading in headings.values() for name, letter in heading.letters().items()}
    columns.sort(key=lambda column: position_of(letters[column.name]) if column.name in letters else 1000)
    return SheetView(columns, letters, [_group(group, rows, found, columns) for group, rows, found in pairs])


def _with_late_faults(group: UploadGroup, found: Examined) -> list[Fault]:
    """The faults found now, and stored ones that looking at this group alone cannot find."""
    faults = list(found.faults)
    seen = {(fault.row, fault.field) for fault in faults}
    for stored in group.faults:
        if (stored["row"], stored["field"]) not in seen and (stored["code"] in LATE_FAULTS or not faults):
            message, remedy = LATE_FAULTS.get(stored["code"], OTHER_FAULT)
            faults.append(Fault(stored["row"], stored["field"], stored["code"], message, remedy))
    return faults if group.faults else []


def _columns(kind: Kind, present: list[str], pairs: list[tuple[UploadGroup, list[Row], list[Fault]]]) -> list[Column]:
    wanted = {name for name in KEY_COLUMNS if name in present}
    for _group_row, rows, faults in pairs:
        wanted |= {fault.field for fault in faults}
        for row in rows:
            names = {letter: name for name, letter in row.letters.items()}
            wanted |= {names.get(letter, letter.removeprefix("+")) for letter in row.was}
    return [column for column in kind.columns if column.name in wanted]


def _group(group: UploadGroup, rows: list[Row], faults: list[Fault], columns: list[Column]) -> GroupView:
    views = [_row(group, place, row, faults, columns) for place, row in enumerate(rows)]
    return GroupView(
        group=group,
        rows=views,
        name=rows[0].text("number") or rows[0].text("name") if rows else "",
        people=group.counts["people"],
        needs=group.counts["needs"],
        faults=len(faults),
        edited=any(row.was for row in rows),
    )


def _row(group: UploadGroup, place: int, row: Row, faults: list[Fault], columns: list[Column]) -> RowView:
    mine = [fault for fault in faults if fault.row == place]
    bad = {fault.field for fault in mine}
    cells, was = [], []
    for column in columns:
        letter = row.place(column.name)
        key = f"c.{group.id}.{place}.{letter}"
        kind = "bad" if column.name in bad else "fixed" if letter in row.was else ""
        cells.append(CellView(column, row.text(column.name) if kind else _shown(column, row), key, kind))
        if letter in row.was:
            was.append((key.removeprefix("c."), column.heading, row.was[letter] or _("empty")))
    return RowView(row.number, cells, mine, was)


def _shown(column: Column, row: Row) -> str:
    """A cell that needs no correction: numbers masked, serial days as days."""
    text = row.text(column.name)
    if column.private is not None and text:
        return column.private(values.plain(row.cells[column.name])[0])
    if column.read is values.day and text:
        try:
            return str(values.day(row.cells[column.name]).meaning)
        except CellFault:
            return text
    return text


def headline_groups(upload: Upload, *, everything: bool) -> list[UploadGroup]:
    return queries.waiting_groups(upload) if everything else queries.bad_groups(upload)
