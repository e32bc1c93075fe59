"""Searching the whole database, and folders beside it, for values that must stand nowhere (金丝雀搜索).

Values come from a file or from standard input, never from a command line, and are never printed: what is told is
where, and how often.
"""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, String, Text, TypeDecorator, cast, func, or_, select

from linkage.core.extensions import db

Places = dict[str, int]
DEPTH = 3
MOST_PACKED, MOST_UNPACKED = 20_000_000, 200_000_000  # bytes of one stream: a bomb must not fill the memory
STREAMS = (*((bytes((0x78, level)), zlib.MAX_WBITS) for level in (0x01, 0x5E, 0x9C, 0xDA)), (b"\x1f\x8b\x08", 31))


def is_text(column: Column[Any]) -> bool:
    """Whether a column holds words in clear, also behind a type of our own (`core.veil.Name`)."""
    stored = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(stored, String | Text | JSON)


def in_database(values: Iterable[str]) -> Places:
    """ "table.column" → how many cells hold one of the values in clear (text as it is, JSON as it is stored)."""
    wanted = sorted(set(values))
    found: Places = {}
    if not wanted:
        return found
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if not is_text(column):
                continue
            text = cast(column, Text)
            forms = {form for value in wanted for form in (value, json.dumps(value)[1:-1])}
            holds = or_(*(text.contains(form, autoescape=True) for form in sorted(forms)))
            cells = db.session.scalar(select(func.count()).select_from(table).where(holds))
            if cells:
                found[f"{table.name}.{column.name}"] = cells
    return found


def in_packed_cells(values: Iterable[str]) -> Places:
    """The same for what is stored as bytes and not encrypted (compressed instances of plans): cell by cell, unpacked.

    The file of the database does not show it: a long cell is spread over many pages.
    """
    wanted = sorted(set(values))
    found: Places = {}
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary) and not column.name.endswith("_sealed"):
                cells = db.session.scalars(select(column).where(column.is_not(None)))
                number = sum(1 for cell in cells if found_in(cell, wanted))
                if number:
                    found[f"{table.name}.{column.name}"] = number
    return found


def cells_searched() -> tuple[int, int]:
    """(columns, rows) that `in_database` looks through: what a proof says of its own reach."""
    columns = [column for table in db.metadata.sorted_tables for column in table.columns if is_text(column)]
    tables = {column.table for column in columns}
    return len(columns), sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def in_files(folders: Iterable[Path], values: Iterable[str]) -> Places:
    """File → how many of the values stand in it, in any of the forms of `found_in`."""
    wanted = sorted(set(values))
    found: Places = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                number = len(found_in(path.read_bytes(), wanted))
                if number:
                    found[str(path)] = number
    return found


def found_in(content: bytes, values: Iterable[str], depth: int = DEPTH) -> set[str]:
    """The values that stand in `content`.

    As UTF-8, UTF-16, GB 18030, JSON's escapes, base64 at any offset, a position also as the eight bytes of a number;
    and in what unpacks: zip archives, gzip and zlib streams wherever one begins, `depth` levels down.
    """
    wanted = {value: _forms(value) for value in values}
    return _found_in(content, wanted, depth)


def _found_in(content: bytes, wanted: dict[str, list[bytes]], depth: int) -> set[str]:
    found = {value for value, forms in wanted.items() if any(form in content for form in forms)}
    if depth:
        for inner in _unpacked(content):
            found |= _found_in(inner, wanted, depth - 1)
    return found


def _forms(value: str) -> list[bytes]:
    plain = [value.encode(coding) for coding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")]
    plain.append(json.dumps(value)[1:-1].encode())
    if re.fullmatch(r"-?\d+\.\d+", value):  # as databases store numbers
        plain += [struct.pack(order, float(value)) for order in (">d", "<d")]
    coded = [_inside_base64(value.encode(), shift) for shift in range(3)]
    return [*(form for form in plain if len(form) >= 4), *(form for form in coded if len(form) >= 7)]


def _inside_base64(content: bytes, shift: int) -> bytes:
    """The characters that `content` decides alone where it stands `shift` bytes into a group of three."""
    coded = base64.b64encode(b"\0" * shift + content)
    return coded[-(-shift * 8 // 6) : (shift + len(content)) * 8 // 6]


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What lies compressed in `content`."""
    place = content.find(b"PK\x03\x04")
    if place >= 0:
        with (
            suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error),
            zipfile.ZipFile(io.BytesIO(content[place:])) as archive,
        ):
            for entry in archive.infolist():
                with archive.open(entry) as file:
                    yield file.read(MOST_UNPACKED)
    for head, bits in STREAMS:
        place = content.find(head)
        while place >= 0:
            with suppress(zlib.error):
                part = memoryview(content)[place : place + MOST_PACKED]
                inner = zlib.decompressobj(bits).decompress(part, MOST_UNPACKED)
                if len(inner) >= 8:
                    yield inner
            place = content.find(head, place + 1)
