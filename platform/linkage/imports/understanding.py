"""Sheets to rows: which row is the heading, which column is which field. The same for every kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from linkage.core.web import LANGUAGES
from linkage.imports.kinds import KINDS, Kind, Row
from linkage.imports.reading import EMPTY, FileRefused, Sheet

HEADING_WITHIN = 12  # rows
LEAST_KNOWN = 2  # headings that must be known before a row counts as the heading
# What stands below a table and is no row of it: sums, signatures, remarks.
FOOT = re.compile(
    r"^(合\s*计|总\s*计|小\s*计|共\s*计|共\s*\d+\s*[户人条]|制\s*表|填\s*表|填\s*报|审\s*核|负\s*责\s*人|经\s*办|以上|"
    r"[备]?注\s*[:：]|说明\s*[:：]|sub-?total|total|sum\b|note\s*:)",
    re.IGNORECASE,
)
FOOT_CELLS = 4
BAND = re.compile(r"[\u3400-\u9fff]{2}|[A-Za-z]{4}")  # words, where a number or a code would stand


@dataclass
class Heading:
    """What was understood of one sheet: the row of the heading, and per column (letter, heading, field or "")."""

    sheet: str
    row: int
    columns: list[tuple[str, str, str]]

    def as_json(self) -> dict[str, Any]:
        return {"sheet": self.sheet, "row": self.row, "columns": [list(column) for column in self.columns]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Heading:
        return cls(stored["sheet"], stored["row"], [tuple(column) for column in stored["columns"]])

    def letters(self) -> dict[str, str]:
        """field → letter"""
        return {name: letter for letter, _heading, name in self.columns if name}


def letter_of(position: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def position_of(letters: str) -> int:
    """A → 0, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def folded(heading: str) -> str:
    """A heading without spaces, brackets and their content, stars and case: 时长（分钟）* is 时长."""
    narrow = unicodedata.normalize("NFKC", heading)
    return re.sub(r"\(.*?\)|[\s*:：_\-/]", "", narrow).casefold()


def headings_of(kind: Kind) -> dict[str, str]:
    """Every known heading, folded → field; the template's own labels in both languages are among them."""
    known: dict[str, str] = {}
    for locale in LANGUAGES:
        with force_locale(locale):
            for column in kind.columns:
                for word in (str(column.label), *column.words):
                    known.setdefault(folded(word), column.name)
    return known


def find_headings(kind: Kind, sheets: Iterable[Sheet]) -> list[Heading]:
    """The heading of each sheet that has one.

    Raises
    ------
    FileRefused
        no sheet has a row in which the required columns can be recognised.
    """
    known = headings_of(kind)
    required = {column.name for column in kind.columns if column.required}
    found = []
    for sheet in sheets:
        best = max(_headings(sheet, known), key=lambda entry: sum(bool(column[2]) for column in entry[1]), default=None)
        names = {column[2] for column in best[1]} - {""} if best else set()
        if best and len(names) >= LEAST_KNOWN and required <= names:
            found.append(Heading(sheet.name, best[0], best[1]))
    other = _looks_like_another(kind, sheets, max((len(_names(heading)) for heading in found), default=0))
    if other is not None:
        raise FileRefused(
            "other_kind",
            _l("This looks like another kind of file: %(kind)s.", kind=other.title),
            _l("Choose that kind above, or use the template of this one."),
        )
    if not found:
        wanted = "、".join(column.heading for column in kind.columns if column.required)
        raise FileRefused(
            "heading",
            _l("No row in the file looks like the heading of a table."),
            _l("Use the template, or name at least these columns: %(columns)s.", columns=wanted),
        )
    return found


def _headings(sheet: Sheet, known: dict[str, str]) -> Iterator[tuple[int, list[tuple[str, str, str]]]]:
    """What each of the first rows would be as the heading; then each with the row below it, where a heading of two
    rows names parts of what stands above (需求: 项目, 日期).
    """
    rows = sheet.rows[:HEADING_WITHIN]
    for number, cells in rows:
        yield number, _match(cells, known)
    for (first, above), (second, below) in pairwise(rows):
        if second == first + 1:
            yield second, _match(_over(above, below, known), known)


def _over(above: list[list[str]], below: list[list[str]], known: dict[str, str]) -> list[list[str]]:
    """The lower word where it is known or nothing stands above it."""
    cells = []
    for position in range(max(len(above), len(below))):
        high, low = (row[position] if position < len(row) else EMPTY for row in (above, below))
        cells.append(low if low[1] and (folded(low[1]) in known or not high[1]) else high)
    return cells


def _names(heading: Heading) -> set[str]:
    return {name for _letter, _words, name in heading.columns if name}


def _looks_like_another(kind: Kind, sheets: Iterable[Sheet], known_here: int) -> Kind | None:
    """A kind of another sort that knows at least two more of the file's headings, its required ones among them."""
    best, most = None, known_here + 1
    for other in KINDS.values():
        if other.right == kind.right:
            continue
        words = headings_of(other)
        required = {column.name for column in other.columns if column.required}
        for sheet in sheets:
            for _number, cells in sheet.rows[:HEADING_WITHIN]:
                names = {name for _letter, _words, name in _match(cells, words) if name}
                if len(names) > most and required <= names:
                    best, most = other, len(names)
    return best


def _match(cells: list[list[str]], known: dict[str, str]) -> list[tuple[str, str, str]]:
    """Each non-empty cell of a row with the field that it names; a field is given once."""
    taken: set[str] = set()
    columns = []
    for position, (_kind, text) in enumerate(cells):
        if not text:
            continue
        name = known.get(folded(text), "")
        name = "" if name in taken else name
        taken.add(name)
        columns.append((letter_of(position), text[:60], name))
    return columns


def raw_rows(heading: Heading, sheet: Sheet) -> list[dict[str, Any]]:
    """The rows below the heading as they are stored: ``{"sheet", "row", "cells": {letter: [kind, text]}}``."""
    columns = [(position_of(letter), letter, folded(words)) for letter, words, _field in heading.columns]
    rows = []
    for number, cells in sheet.rows:
        if number <= heading.row:
            continue
        kept = {letter: cells[place] for place, letter, _words in columns if place < len(cells) and cells[place][1]}
        if kept and not _is_foot(kept) and not _is_heading(kept, columns) and not _is_band(kept, heading):
            rows.append({"sheet": heading.sheet, "row": number, "cells": kept})
    return rows


def _is_foot(cells: dict[str, list[str]]) -> bool:
    return len(cells) <= FOOT_CELLS and FOOT.match(next(iter(cells.values()))[1].strip()) is not None


def _is_band(cells: dict[str, list[str]], heading: Heading) -> bool:
    """A line of words across the table, as between its parts (第一网格): one cell, at the left edge, no name."""
    (letter, cell), *more = cells.items()
    fields = {column: name for column, _words, name in heading.columns}
    named = sum(bool(name) for name in fields.values())
    first = heading.columns[0][0]
    return (
        not more
        and named > FOOT_CELLS
        and letter == first
        and fields[letter] != "name"
        and cell[0] == "t"
        and BAND.search(cell[1]) is not None
    )


def _is_heading(cells: dict[str, list[str]], columns: list[tuple[int, str, str]]) -> bool:
    """The heading once more, as on the next printed page."""
    said = {letter: words for _place, letter, words in columns}
    return len(cells) > 1 and all(folded(cell[1]) == said[letter] for letter, cell in cells.items())


def row_of(stored: dict[str, Any], headings: dict[str, Heading]) -> Row:
    """A stored row with its cells by field, corrected ones and those of missing columns included."""
    letters = headings[stored["sheet"]].letters()
    cells = {name: stored["cells"][letter] for name, letter in letters.items() if letter in stored["cells"]}
    extra = {key[1:]: cell for key, cell in stored["cells"].items() if key.startswith("+")}
    return Row(stored["sheet"], stored["row"], cells | extra, letters, dict(stored.get("was", {})))
