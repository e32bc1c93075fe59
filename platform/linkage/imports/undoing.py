"""Taking an import back: what it wrote is noted row by row, and reversed exactly where nobody has touched it since.

`recording` listens to the session while a group is taken in: rows that were made, changed and deleted by the rooms'
operations. The record holds identities, digests of the rows as the import left them, and the values before (sealed
ones as they lie in the database); it is kept encrypted with the upload, for a day. `reverse` first looks at every row
and at everything that points to it; one strange row and the whole group stays, and is named.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Table, event, inspect, select
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import History

from linkage.core import privacy
from linkage.core.append_only import append_only_tables
from linkage.core.audit import UNAUDITED
from linkage.core.errors import Conflict
from linkage.core.extensions import db

# Not the import's deed: the staging itself, and what the machine keeps for itself.
LEFT_OUT = UNAUDITED | {"uploads", "upload_groups"}
# Rows that the machine makes of others each night; untouched ones go with what they were made of.
DERIVED = {"visits", "slots"}
# Search keys: written with a name, and gone with it.
FOLLOWING = {"person_keys", "estate_keys"}
# Columns that the machine moves on by itself.
MOVING = {("needs", "visits_until")}
FORGOTTEN = {"imported_rows"}  # traces of imports: deleted whatever a later import noted there
EDITED = _l("It was changed since.")
USED = _l("Something else depends on it by now: a plan, a visit, an account.")
KEPT = _l("It stands in the ledger, which is never changed.")
Identity = tuple[str, str]


class Recording:
    """What a session wrote."""

    def __init__(self) -> None:
        self.made: dict[int, Any] = {}
        self.changed: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.deleted: list[tuple[str, dict[str, Any]]] = []
        self.gone: set[int] = set()

    def before_flush(self, session: Session, _context: Any, _instances: Any) -> None:
        """Note old values while they are known."""
        for row in session.new:
            if row.__tablename__ not in LEFT_OUT - {"data_keys"}:
                self.made[id(row)] = row
        for row in session.dirty:
            if row.__tablename__ not in LEFT_OUT and id(row) not in self.made and session.is_modified(row):
                self._note(row)

    def _note(self, row: Any) -> None:
        before = self.changed.setdefault(id(row), (row, {}))[1]
        state = inspect(row)
        for attribute in state.mapper.column_attrs:
            history: History = state.attrs[attribute.key].history
            if history.has_changes() and attribute.columns[0].name not in before:
                before[attribute.columns[0].name] = history.deleted[0] if history.deleted else None

    def before_delete(self, _mapper: Any, _connection: Any, row: Any) -> None:
        """Note a row that goes; orphans are found only now."""
        if row.__tablename__ in LEFT_OUT:
            return
        if id(row) in self.made:
            self.gone.add(id(row))
            return
        self._note(row)
        _row, before = self.changed.pop(id(row))
        self.deleted.append((row.__tablename__, _values(row) | before))

    def finish(self) -> dict[str, Any]:
        """The record as it is kept."""
        made = [row for key, row in self.made.items() if key not in self.gone]
        return {
            "made": [[row.__tablename__, _ident(row), _digest(row.__table__.name, _values(row))] for row in made],
            "changed": [
                [
                    row.__tablename__,
                    _ident(row),
                    {name: _encode(value) for name, value in before.items()},
                    {name: _encode(value) for name, value in _values(row).items() if name in before},
                ]
                for row, before in self.changed.values()
                if before
            ],
            "deleted": [[table, {name: _encode(value) for name, value in row.items()}] for table, row in self.deleted],
        }


@contextmanager
def recording() -> Iterator[Recording]:
    """Note what the session writes in the block."""
    session, record = db.session(), Recording()
    event.listen(session, "before_flush", record.before_flush)
    event.listen(Mapper, "before_delete", record.before_delete)
    try:
        yield record
        session.flush()
    finally:
        event.remove(session, "before_flush", record.before_flush)
        event.remove(Mapper, "before_delete", record.before_delete)


def _ident(row: Any) -> str:
    return str(inspect(row).identity[0])


def _values(row: Any) -> dict[str, Any]:
    """Column → value, as the row stands in the session."""
    return {attr.columns[0].name: getattr(row, attr.key) for attr in inspect(row).mapper.column_attrs}


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {"is": "bytes", "of": base64.b64encode(value).decode()}
    if isinstance(value, uuid.UUID):
        return {"is": "UUID", "of": str(value)}
    if isinstance(value, (datetime, date, time)):
        return {"is": type(value).__name__, "of": value.isoformat()}
    return {"is": "json", "of": value}


DECODERS: dict[str, Any] = {
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "UUID": uuid.UUID,
    "json": lambda value: value,
}


def _decode(value: Any) -> Any:
    return DECODERS[value["is"]](value["of"]) if isinstance(value, dict) else value


def _digest(table: str, values: dict[str, Any]) -> str:
    """What stands in a row, in short; columns that move by themselves are left out."""
    kept = {name: _encode(value) for name, value in sorted(values.items()) if (table, name) not in MOVING}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:32]


class Reversal:
    """One record against the database of now."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.made: dict[Identity, str] = {
            (table, ident): digest for table, ident, digest in record["made"] if table != "data_keys"
        }
        self.keys = [uuid.UUID(ident) for table, ident, _digest in record["made"] if table == "data_keys"]

    def check(self) -> None:
        """Raise Conflict with the reason where the group must stay."""
        tables = {table for table, _ident in self.made} | {entry[0] for entry in self.record["changed"]}
        if tables & append_only_tables():
            raise Conflict(KEPT)
        for (table, ident), digest in list(self.made.items()):
            row = _stored(table, ident)
            if row is None:
                raise Conflict(EDITED)
            if table not in FORGOTTEN and _digest(table, row) != digest:
                raise Conflict(EDITED)
        for table, ident, _before, after in self.record["changed"]:
            row = _stored(table, ident)
            now_there = {name: _encode(row[name]) for name in after} if row is not None else None
            if now_there != after and table not in FORGOTTEN:
                raise Conflict(EDITED)
        self._check_dependents()

    def _check_dependents(self) -> None:
        waiting = list(self.made)
        while waiting:
            by_table: dict[str, list[str]] = {}
            for table, ident in waiting:
                by_table.setdefault(table, []).append(ident)
            waiting = []
            for table, idents in by_table.items():
                for found in _pointing_to(table, idents):
                    if found in self.made:
                        continue
                    if found[0] not in DERIVED or not _untouched(*found):
                        raise Conflict(USED)
                    self.made[found] = ""
                    waiting.append(found)

    def carry_out(self, now: datetime) -> None:
        """Put everything back."""
        order = [table.name for table in reversed(db.metadata.sorted_tables)]
        self._drop_following()
        for table, ident in sorted(self.made, key=lambda one: order.index(one[0])):
            _execute(_table(table).delete().where(_is(table, ident)))
        for table, values in self.record["deleted"]:
            _execute(_table(table).insert().values({name: _decode(value) for name, value in values.items()}))
        for table, ident, before, _after in self.record["changed"]:
            values = {name: _decode(value) for name, value in before.items() if name != "row_version"}
            if "row_version" in _table(table).c:
                values["row_version"] = _table(table).c.row_version + 1
            if values:
                _execute(_table(table).update().where(_is(table, ident)).values(values))
        db.session.expire_all()
        for key_id in self.keys:
            privacy.forget_key(key_id, now)

    def _drop_following(self) -> None:
        for name in FOLLOWING:
            (foreign,) = _table(name).foreign_keys
            gone = [uuid.UUID(ident) for table, ident in self.made if table == foreign.column.table.name]
            for start in range(0, len(gone), 500):
                _execute(_table(name).delete().where(foreign.parent.in_(gone[start : start + 500])))


def reverse(record: dict[str, Any], *, now: datetime) -> None:
    """Take back what a record names.  Raises Conflict where somebody has touched it since; nothing is changed then."""
    reversal = Reversal(record)
    reversal.check()
    reversal.carry_out(now)


def _table(name: str) -> Table:
    return db.metadata.tables[name]


def _is(table: str, ident: str) -> Any:
    column = next(iter(_table(table).primary_key.columns))
    return column == (uuid.UUID(ident) if column.type.python_type is uuid.UUID else column.type.python_type(ident))


def _execute(statement: Any) -> None:
    db.session.execute(statement)


def _stored(table: str, ident: str) -> dict[str, Any] | None:
    row = db.session.execute(select(_table(table)).where(_is(table, ident))).mappings().one_or_none()
    return None if row is None else dict(row)


def _pointing_to(table: str, idents: list[str]) -> Iterator[Identity]:
    """Every row that names one of these by a foreign key."""
    target = _table(table)
    key = next(iter(target.primary_key.columns))
    wanted = [uuid.UUID(one) if key.type.python_type is uuid.UUID else one for one in idents]
    for other in db.metadata.sorted_tables:
        for foreign in other.foreign_keys:
            if foreign.column is not key or other.name in LEFT_OUT | FOLLOWING:
                continue
            mine = next(iter(other.primary_key.columns))
            for start in range(0, len(wanted), 500):
                found = select(mine).where(foreign.parent.in_(wanted[start : start + 500]))
                for (ident,) in db.session.execute(found):
                    yield other.name, str(ident)


def _untouched(table: str, ident: str) -> bool:
    """A visit that is as it was made; a slot is looked at by what hangs on it."""
    if table == "slots":
        return True
    row = _stored(table, ident)
    return row is not None and row["row_version"] == 1 and row["cancelled_at"] is None


def count_made(record: dict[str, Any]) -> int:
    """How many rows of the registers a record would remove."""
    return sum(1 for table, _ident, _digest in record["made"] if table not in {"data_keys", "imported_rows"})


__all__ = ["Recording", "count_made", "recording", "reverse"]
