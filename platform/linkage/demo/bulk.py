"""Many made-up rows at once: built like every other row (keys, seals, indexes, defaults), written by the thousand.

Only for measuring. What is written one by one goes through the rooms' operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert

from linkage.areas.models import Estate, EstateKey, estate_key_rows
from linkage.core.extensions import Model, db
from linkage.people.models import Person, PersonKey, key_rows

CHUNK = 5_000


class Bulk:
    """Collects unsaved rows and writes them table by table, in the order in which tables name each other."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], list[dict[str, Any]]] = {}

    def add(self, row: Any) -> Any:
        """Take an unsaved row; it is given back, to be named by others."""
        self._rows.setdefault(type(row), []).append(values_of(row))
        if isinstance(row, Person):
            self._rows.setdefault(PersonKey, []).extend(key_rows(row.id, row.name))
        if isinstance(row, Estate):
            self._rows.setdefault(EstateKey, []).extend(estate_key_rows(row.id, row.name))
        return row

    def put(self, model: type[Any], **values: Any) -> None:
        """Take a row's plain values (every column without a default)."""
        self._rows.setdefault(model, []).append(values)

    def count(self, model: type[Any]) -> int:
        return len(self._rows.get(model, ()))

    def write(self) -> int:
        """Write everything that was taken; return how many rows."""
        order = {table: place for place, table in enumerate(db.metadata.sorted_tables)}
        written = 0
        for model in sorted(self._rows, key=lambda model: order[model.__table__]):  # type: ignore[index]
            rows = self._rows[model]
            for part in chunks(rows):
                db.session.execute(insert(model.__table__), part)  # type: ignore[arg-type]
            written += len(rows)
        self._rows.clear()
        return written


def values_of(row: Any) -> dict[str, Any]:
    """An unsaved row as the values of its columns, with the defaults that a flush would fill in."""
    return {column.name: _value(row, column) for column in row.__table__.columns}


def _value(row: Any, column: Any) -> Any:
    value = row.__dict__.get(column.name)
    if value is None and column.default is not None:
        return column.default.arg(None) if column.default.is_callable else column.default.arg
    return value


def chunks(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
