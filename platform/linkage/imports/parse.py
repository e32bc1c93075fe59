"""The child process that reads an uploaded file: ``python -m linkage.imports.parse`` (file on stdin, JSON on stdout).

It limits itself before it looks at a byte: memory, processor time, no files to write. A file that brings it down
brings down nothing else; the parent turns its death into a refusal. It imports nothing of the platform but the parts
of this reader.

Answer, a line each: ``{"sheet": name}`` begins a sheet, ``[row number, {column: [kind, text]}]`` is a filled row,
``{"merged": count}`` ends the sheet; ``{"done": true}`` or ``{"refused": code, …}`` comes last.
Kinds of a cell: t text, n number, d date, h time of day, b yes or no.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import python_calamine

from linkage.imports import parse_text, parse_zip
from linkage.imports.refused import (
    CELLS,
    COLUMNS,
    CPU_SECONDS,
    FILE_BYTES,
    LAST_ROW,
    MEMORY_BYTES,
    ROWS,
    UNPACKED_BYTES,
    Cell,
    Refused,
    Sizes,
    clean,
)

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLD_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00", b"\x09\x08\x10\x00")
NO_TABLES = {
    b"%PDF": "pdf", b"\x89PNG": "picture", b"\xff\xd8\xff": "picture", b"GIF8": "picture", b"BM": "picture",
    b"II*\x00": "picture", b"RIFF": "picture", b"Rar!": "archive", b"7z\xbc\xaf": "archive", b"\x1f\x8b": "archive",
    b"BZh": "archive", b"\xfd7zXZ": "archive", b"PK\x05\x06": "archive", b"MZ": "program", b"\x7fELF": "program",
    b"#!": "program", b"SQLite format 3": "binary",
}  # fmt: skip


WENT_WRONG: Cell = ["t", "#ERROR!"]


def limit_myself() -> None:
    """Set the limits of this process (POSIX; elsewhere the parent's time limit alone holds)."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def parse(content: bytes) -> Iterator[Any]:
    """Read a workbook or a text table, line by line of the answer.  Raises Refused."""
    if not content.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise Refused("empty")
    if len(content) > FILE_BYTES:
        raise Refused("large", megabytes=FILE_BYTES // 2**20)
    for magic, what in NO_TABLES.items():
        if content.startswith(magic) and not (len(magic) < 3 and _reads_as_text(content)):
            raise Refused("type", what=what)
    sizes = Sizes()
    if content.startswith(ZIP_MAGIC):
        errors = parse_zip.look_into(content)
        yield from _workbook(content, sizes, errors)
    elif content.startswith((OLE_MAGIC, *OLD_BIFF)):
        _look_into_ole(content)
        yield from _workbook(content, sizes)
    else:
        yield {"sheet": ""}
        yield from ([number, cells] for number, cells in parse_text.text_table(content, sizes))
        yield {"merged": 0}


def _reads_as_text(content: bytes) -> bool:
    """A table may well begin with the two letters of a magic number."""
    return b"\x00" not in content[:4096] and b"\n" in content[:4096]


def _look_into_ole(content: bytes) -> None:
    """Streams of the old format are named in UTF-16."""

    def holds(*names: str) -> bool:
        return any(name.encode("utf-16-le") in content for name in names)

    if holds("EncryptedPackage", "EncryptionInfo"):
        raise Refused("password")
    if holds("_VBA_PROJECT", "Macros"):
        raise Refused("macros")
    if content.startswith(OLE_MAGIC) and not holds("Workbook", "Book"):
        raise Refused("type", what="document")
    if b"MBD0" in content or holds("MBD0", "Ole10Native"):
        raise Refused("packed")


def _workbook(content: bytes, sizes: Sizes, errors: dict[str, set[parse_zip.Place]] | None = None) -> Iterator[Any]:
    book = _opened(content)
    if any(sheet.typ == python_calamine.SheetTypeEnum.MacroSheet for sheet in book.sheets_metadata):
        raise Refused("macros")
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    for name in shown:
        sheet = _sheet(book, name)
        if sheet.total_height > LAST_ROW:
            raise Refused("rows", sheet=name, rows=ROWS)
        if sheet.total_width > COLUMNS:
            raise Refused("columns", sheet=name, columns=COLUMNS)
        if sheet.total_height * sheet.total_width > 4 * CELLS:
            raise Refused("rows", sheet=name, rows=ROWS)
        yield {"sheet": name}
        yield from _rows(sheet, sizes, (errors or {}).get(name, set()))


def _opened(content: bytes) -> Any:
    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError as error:
        raise Refused("password") from error
    except BaseException as error:  # a panic of the reader is no Exception
        raise Refused("password" if "assword" in str(error) or "ncrypt" in str(error) else "damaged") from error


def _sheet(book: Any, name: str) -> Any:
    try:
        return book.get_sheet_by_name(name)
    except BaseException as error:
        raise Refused("damaged") from error


def _rows(sheet: Any, sizes: Sizes, errors: set[parse_zip.Place]) -> Iterator[Any]:
    """The filled rows; `errors`: where formulas went wrong (the reader gives nothing for them).

    Merged cells hold their value in the first cell only: it is given to every row below it.
    """
    if not sheet.height:
        yield {"merged": 0}
        return
    downwards = {
        (top, left): bottom
        for (top, left), (bottom, _right) in sheet.merged_cell_ranges or []
        if bottom > top and left < COLUMNS
    }
    first_row, first_column = sheet.start
    going: dict[int, tuple[int, Cell]] = {}  # column → (last row, cell)
    filled = merged = 0
    for number, values in enumerate(sheet.iter_rows(), first_row):
        cells = {place: cell for place, value in enumerate(values, first_column) if (cell := _cell(value)) is not None}
        if errors:
            cells |= {
                place: WENT_WRONG
                for place in range(first_column, first_column + len(values))
                if (number, place) in errors
            }
        going = {place: held for place, held in going.items() if held[0] >= number}
        cells |= {place: cell for place, (_last, cell) in going.items()}
        for place in [place for place in cells if (number, place) in downwards]:
            going[place] = (downwards[number, place], cells[place])
            merged += 1
        if cells:
            filled += 1
            sizes.row(sheet.name, filled, cells)
            yield [number + 1, cells]
    yield {"merged": merged}


def _cell(value: Any) -> Cell | None:
    """A cell with something in it, or None."""
    if isinstance(value, str):
        words = clean(value)
        return ["t", words] if words else None
    if value is None:
        return None
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
    return ["t", clean(str(value))]


def _number(value: float) -> str:
    """Whole numbers without a point; 15 significant digits are all that a spreadsheet keeps."""
    if value == value and abs(value) < 1e19 and value == int(value):
        return f"{Decimal(f'{value:.15g}'):f}"
    return repr(value)


def main() -> None:
    """Read stdin, answer on stdout."""
    limit_myself()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="replace", newline="\n")
    write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    try:
        for line in parse(sys.stdin.buffer.read(FILE_BYTES + 1)):
            out.write(write(line) + "\n")
        last: dict[str, Any] = {"done": True}
    except Refused as refused:
        last = refused.answer
    except MemoryError:
        last = {"refused": "unpacked", "megabytes": UNPACKED_BYTES // 2**20}
    out.write(write(last) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
