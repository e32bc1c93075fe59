# ruff: noqa: E501, I001
"""Building stones of the corpus: workbooks taken apart and put together again, cases and their outcome."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import xlwt

sys.path.insert(0, str(Path(__file__).parents[1]))
import sheets  # noqa: E402


@dataclass(frozen=True)
class Case:
    """A file of the corpus. `outcome`: the reasons for which it may be refused; empty: it is read.

    `faults`: of a file that is read, (row, field, code) of each fault; `same`: its households are those of
    `sheets.GOOD`, whatever the file looks like.
    """

    name: str
    make: Callable[[], bytes]
    outcome: tuple[str, ...] = ()
    file: str = "名册.xlsx"
    faults: frozenset[tuple[int, str, str]] = field(default_factory=frozenset)
    same: bool = True
    households: int = 2


def patched(
    content: bytes, change: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None
) -> bytes:
    """A workbook with each part changed (None: left out), and more parts added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = change(entry.filename, old.read(entry))
            if part is not None:
                new.writestr(entry.filename, part)
        for name, part in (more or {}).items():
            new.writestr(name, part)
    return file.getvalue()


def good() -> bytes:
    return sheets.workbook(sheets.GOOD)


def with_sheet(old: bytes, new: bytes) -> bytes:
    """The good workbook with words of its sheet's XML replaced."""
    return patched(good(), lambda name, part: part.replace(old, new, 1) if name.endswith("sheet1.xml") else part)


def with_rows(xml: bytes) -> bytes:
    """The good workbook with rows added at the end of its sheet's XML."""
    return with_sheet(b"</sheetData>", xml + b"</sheetData>")


def with_parts(**parts: bytes) -> bytes:
    """The good workbook with parts added; "__" stands for "/" and "_dot_" for "."."""
    more = {name.replace("__", "/").replace("_dot_", "."): part for name, part in parts.items()}
    return patched(good(), lambda _name, part: part, more)


def old_workbook(rows: list[list[str]] | None = None, heading: list[str] | None = None) -> bytes:
    """An .xls file."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("11月")
    for number, row in enumerate([heading or sheets.HEADING, *(rows if rows is not None else sheets.GOOD)]):
        for column, value in enumerate(row):
            if value:
                page.write(number, column, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), part)
    return file.getvalue()


def text(**options: object) -> bytes:
    return sheets.text_table(sheets.GOOD, **options)
