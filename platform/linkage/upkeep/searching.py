"""Searching the whole database, and folders beside it, for values that must stand nowhere (金丝雀搜索).

Values come from a file or from standard input, never from a command line, and are never printed: what is told is
where, and how often.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import JSON, String, Text, cast, func, or_, select

from linkage.core.extensions import db

Places = dict[str, int]


def in_database(values: Iterable[str]) -> Places:
    """ "table.column" → how many cells hold one of the values in clear (text as it is, JSON as it is stored)."""
    wanted = sorted(set(values))
    found: Places = {}
    if not wanted:
        return found
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String | Text | JSON):
                continue
            text = cast(column, Text)
            forms = {form for value in wanted for form in (value, json.dumps(value)[1:-1])}
            holds = or_(*(text.contains(form, autoescape=True) for form in sorted(forms)))
            cells = db.session.scalar(select(func.count()).select_from(table).where(holds))
            if cells:
                found[f"{table.name}.{column.name}"] = cells
    return found


def cells_searched() -> tuple[int, int]:
    """(columns, rows) that `in_database` looks through: what a proof says of its own reach."""
    columns = [
        column
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | Text | JSON)
    ]
    tables = {column.table for column in columns}
    return len(columns), sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def in_files(folders: Iterable[Path], values: Iterable[str]) -> Places:
    """File → how many of the values stand in it: as UTF-8, UTF-16, JSON's escapes or base64 at any offset."""
    wanted = sorted(set(values))
    found: Places = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                number = sum(1 for value in wanted if any(form in content for form in _forms(value)))
                if number:
                    found[str(path)] = number
    return found


def _forms(value: str) -> list[bytes]:
    plain = [value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be"), json.dumps(value)[1:-1].encode()]
    coded = [base64.b64encode(b"\0" * shift + value.encode())[4 if shift else 0 :][:-4] for shift in range(3)]
    return [form for form in (*plain, *coded) if len(form) >= 4]
