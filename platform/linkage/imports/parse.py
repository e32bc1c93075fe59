"""The child process that reads an uploaded file: ``python -m linkage.imports.parse`` (file on stdin, JSON on stdout).

It limits itself before it looks at a byte: memory, processor time, no files to write. A file that brings it down
brings down nothing else; the parent turns its death into a refusal. It imports nothing of the platform.

Answer: ``{"sheets": [{"name", "rows": [[row number, [[kind, text], …]], …], "merged": count}]}`` or
``{"refused": code, …}``. Kinds of a cell: "" empty, t text, n number, d date, h time of day, b yes or no.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import python_calamine

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 768 * 2**20
CPU_SECONDS = 20
FILE_BYTES = 10 * 2**20
UNPACKED_BYTES = 96 * 2**20
ZIP_ENTRIES = 1000
ROWS = 20_000
COLUMNS = 200
CELLS = 600_000
CELL_CHARACTERS = 2000
CHARACTERS = 16 * 2**20  # of all cells together: one long word may stand in each of them

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NO_TABLES = {b"%PDF": "pdf", b"\x89PNG": "picture", b"\xff\xd8\xff": "picture", b"GIF8": "picture", b"Rar!": "archive"}
Cell = list[str]


class Refused(Exception):
    """The file is not read; `code` says why."""

    def __init__(self, code: str, **detail: Any) -> None:
        super().__init__(code)
        self.answer = {"refused": code, **detail}


def limit_myself() -> None:
    """Set the limits of this process (POSIX; elsewhere the parent's time limit alone holds)."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def parse(content: bytes) -> dict[str, Any]:
    """Read a workbook or a text table.  Raises Refused."""
    if not content.strip():
        raise Refused("empty")
    if len(content) > FILE_BYTES:
        raise Refused("large", megabytes=FILE_BYTES // 2**20)
    for magic, what in NO_TABLES.items():
        if content.startswith(magic):
            raise Refused("type", what=what)
    if content.startswith(ZIP_MAGIC):
        _look_into_zip(content)
        return _workbook(content)
    if content.startswith(OLE_MAGIC):
        _look_into_ole(content)
        return _workbook(content)
    return _text_table(content)


def _look_into_zip(content: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refused("damaged") from error
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith(("vbaproject.bin", "vbaprojectsignature.bin")) for name in names):
        raise Refused("macros")
    if not any(name.startswith("xl/") for name in names):
        raise Refused("type", what="archive")
    if len(entries) > ZIP_ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED_BYTES:
        raise Refused("unpacked", megabytes=UNPACKED_BYTES // 2**20)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("password")


def _look_into_ole(content: bytes) -> None:
    """Streams of the old format are named in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Refused("password")
    if any(name.encode("utf-16-le") in content for name in ("_VBA_PROJECT", "Macros")):
        raise Refused("macros")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise Refused("type", what="document")


def _workbook(content: bytes) -> dict[str, Any]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError as error:
        raise Refused("password") from error
    except Exception as error:
        raise Refused("damaged") from error
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    sheets, cells = [], 0
    for name in shown:
        try:
            sheet = book.get_sheet_by_name(name)
        except Exception as error:
            raise Refused("damaged") from error
        cells += _demand_size(sheet.height, sheet.width, name)
        if cells > CELLS:
            raise Refused("rows", sheet=name, rows=ROWS)
        sheets.append(_sheet(sheet))
        if sum(_characters(sheet["rows"]) for sheet in sheets) > CHARACTERS:
            raise Refused("unpacked", megabytes=CHARACTERS // 2**20)
    return {"sheets": sheets}


def _characters(rows: list[Any]) -> int:
    return sum(len(text) for _number, cells in rows for _kind, text in cells)


def _demand_size(height: int, width: int, name: str) -> int:
    if height > ROWS:
        raise Refused("rows", sheet=name, rows=ROWS)
    if width > COLUMNS:
        raise Refused("columns", sheet=name, columns=COLUMNS)
    return height * width


def _sheet(sheet: Any) -> dict[str, Any]:
    grid = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    merged = _spread_merged(grid, sheet.merged_cell_ranges or [])
    return {"name": sheet.name, "rows": _filled(grid), "merged": merged}


def _spread_merged(grid: list[list[Cell]], ranges: list[Any]) -> int:
    """Merged cells hold their value in the first cell only: give it to every row (down, never across)."""
    spread = 0
    for (top, left), (bottom, _right) in ranges:
        if bottom == top or top >= len(grid) or left >= len(grid[top]) or not grid[top][left][1]:
            continue
        spread += 1
        for row in range(top + 1, min(bottom, len(grid) - 1) + 1):
            grid[row][left] = grid[top][left]
    return spread


def _filled(grid: list[list[Cell]]) -> list[Any]:
    return [[number, row] for number, row in enumerate(grid, 1) if any(cell[1] for cell in row)]


def _cell(value: Any) -> Cell:
    if value is None or value == "":
        return ["", ""]
    if isinstance(value, bool):
        return ["b", "1" if value else "0"]
    if isinstance(value, (int, float)):
        return ["n", _number(value)]
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return ["d", value.date().isoformat()] if midnight else ["t", value.strftime("%Y-%m-%d %H:%M")]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, time):
        return ["h", value.strftime("%H:%M")]
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return ["h", f"{minutes // 60:02d}:{minutes % 60:02d}"]
    return ["t", str(value).strip()[:CELL_CHARACTERS]]


def _number(value: float) -> str:
    """Whole numbers without a point; 15 significant digits are all that a spreadsheet keeps."""
    if value == int(value) and abs(value) < 1e19:
        return f"{Decimal(f'{value:.15g}'):f}"
    return repr(value)


def _text_table(content: bytes) -> dict[str, Any]:
    text, encoding = _decode(content)
    if "\x00" in text:
        raise Refused("type", what="binary")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    grid: list[list[Cell]] = []
    cells = 0
    try:
        for row in rows:
            cells += len(row)
            if cells > CELLS:
                raise Refused("rows", sheet="", rows=ROWS)
            grid.append([["t", value.strip()[:CELL_CHARACTERS]] if value.strip() else ["", ""] for value in row])
            _demand_size(len(grid), len(row), "")
    except csv.Error as error:
        raise Refused("damaged") from error
    return {"sheets": [{"name": "", "rows": _filled(grid), "merged": 0}], "encoding": encoding}


def _decode(content: bytes) -> tuple[str, str]:
    """BOM, then strict UTF-8, then strict GB18030 (what Excel and WPS write in China); else it is refused."""
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(bom):
            try:
                return content.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                raise Refused("encoding") from error
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding), encoding
    raise Refused("encoding")


def _delimiter(text: str) -> str:
    """What the first lines hold most of, outside quotes: comma, tab, semicolon (or their full-width forms)."""
    head = "\n".join(text.splitlines()[:10])
    outside = "".join(part for place, part in enumerate(head.split('"')) if place % 2 == 0)
    return max(",\t;，；|", key=outside.count)


def main() -> None:
    """Read stdin, answer on stdout."""
    limit_myself()
    try:
        answer = parse(sys.stdin.buffer.read(FILE_BYTES + 1))
    except Refused as refused:
        answer = refused.answer
    except MemoryError:
        answer = {"refused": "unpacked", "megabytes": UNPACKED_BYTES // 2**20}
    json.dump(answer, sys.stdout, ensure_ascii=True, separators=(",", ":"))


if __name__ == "__main__":
    main()
