"""The list of personal fields, and the descriptor that keeps the encrypted ones encrypted.

A model with encrypted fields has `key_id` (whose key) and, per field `x`, a column `x_sealed`; with
`exact=True` also `x_exact`, with `last4=True` also `x_last4` (blind indexes). Each such field is declared
once, as ``x = Encrypted(...)``; `PERSONAL_FIELDS` is made of these declarations and of `plain_personal`.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from linkage.core import crypto, veil
from linkage.core.extensions import db
from linkage.core.ids import new_id
from linkage.core.models import DataKey


@dataclass(frozen=True)
class PersonalField:
    """One entry of the list: where it stands, how it is kept, what it is."""

    table: str
    column: str
    storage: str  # plain | encrypted | encrypted+exact | encrypted+exact+last4
    meaning: str


PERSONAL_FIELDS: list[PersonalField] = []
_erasers: dict[str, Callable[..., None]] = {}


def plain_personal(table: str, column: str, meaning: str) -> None:
    """List a personal field that stays readable for sorting and search (names), masked by right."""
    PERSONAL_FIELDS.append(PersonalField(table, column, "plain", meaning))


def new_key(owner_kind: str, now: datetime) -> uuid.UUID:
    """Make and store a data key for a person or household; return its id."""
    key_id = new_id()
    raw = secrets.token_bytes(crypto.KEY_BYTES)
    db.session.add(
        DataKey(
            id=key_id,
            owner_kind=owner_kind,
            master_id=crypto.master_id(),
            created_at=now,
            wrapped=crypto.wrap(raw, key_id),
        )
    )
    db.session.flush()  # rows that name it by a bare foreign key come after it
    _cache()[key_id] = raw
    return key_id


def new_keys(owner_kind: str, number: int, now: datetime) -> list[uuid.UUID]:
    """As `new_key`, for many owners at once."""
    made = {new_id(): secrets.token_bytes(crypto.KEY_BYTES) for _ in range(number)}
    master = crypto.master_id()
    rows = [
        {
            "id": key_id,
            "owner_kind": owner_kind,
            "master_id": master,
            "created_at": now,
            "wrapped": crypto.wrap(raw, key_id),
        }
        for key_id, raw in made.items()
    ]
    if rows:
        db.session.execute(insert(DataKey), rows)
    _cache().update(made)
    return list(made)


def forget_key(key_id: uuid.UUID, now: datetime) -> None:
    """Erase a data key: everything sealed under it reads as None from now on, and for ever."""
    row = db.session.get(DataKey, key_id)
    if row is not None:
        row.wrapped, row.erased_at = None, now
    _cache().pop(key_id, None)


def _cache() -> dict[uuid.UUID, bytes]:
    """Keys of this session's rows; gone when the session closes (see `drop_keys`)."""
    cache: dict[uuid.UUID, bytes] = db.session().info.setdefault("data_keys", {})
    return cache


def drop_keys(session: Session) -> None:
    session.info.pop("data_keys", None)


def raw_key(key_id: uuid.UUID | None) -> bytes | None:
    """The data key's bytes, or None where it was erased."""
    if key_id is None:
        return None
    cache = _cache()
    if key_id not in cache:
        with db.session.no_autoflush:
            row = db.session.get(DataKey, key_id)
        if row is None or row.wrapped is None:
            return None
        cache[key_id] = crypto.unwrap(row.wrapped, key_id, row.master_id)
    return cache[key_id]


def warm_keys(key_ids: set[uuid.UUID]) -> None:
    """Load many keys with one query before a list decrypts row by row."""
    cache = _cache()
    missing = [key_id for key_id in key_ids if key_id not in cache]
    for start in range(0, len(missing), 500):
        rows = db.session.query(DataKey).filter(DataKey.id.in_(missing[start : start + 500]))
        cache.update({row.id: crypto.unwrap(row.wrapped, row.id, row.master_id) for row in rows if row.wrapped})


class Encrypted:
    """A personal field that the database never sees in clear.

    Parameters
    ----------
    meaning : what it is, for the printed list
    exact : keep a blind index of the normalised whole value
    last4 : keep a blind index of its last four characters
    normalise : applied before indexing
    json : the value is JSON (a position as [lat, lon], for example), not text
    """

    def __init__(
        self,
        meaning: str,
        *,
        exact: bool = False,
        last4: bool = False,
        normalise: Callable[[str], str] = str.strip,
        json: bool = False,
    ) -> None:
        self.meaning, self.exact, self.last4, self.normalise, self.json = meaning, exact, last4, normalise, json

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        storage = "encrypted" + "+exact" * self.exact + "+last4" * self.last4
        PERSONAL_FIELDS.append(
            PersonalField(owner.__dict__.get("__tablename__", owner.__name__), name, storage, self.meaning)
        )

    def _associated(self, row: Any) -> str:
        return f"{row.__tablename__}|{self.name}|{row.id}|{row.key_id}"

    def __get__(self, row: Any, owner: type) -> Any:
        if row is None:
            return self
        sealed = getattr(row, f"{self.name}_sealed")
        key = raw_key(row.key_id) if sealed is not None else None
        if sealed is None or key is None:
            return None
        text = crypto.unseal(key, sealed, self._associated(row)).decode()
        value = json.loads(text) if self.json else text
        return veil.veiled(self.name, value) if veil.is_drawn() else value

    def __set__(self, row: Any, value: Any) -> None:
        if value is not None and value != "" and row.key_id is None:
            raise ValueError(f"{row.__tablename__}.{self.name}: set key_id before the encrypted fields")
        empty = value is None or value == ""
        text = "" if empty else (json.dumps(value) if self.json else str(value))
        if not empty and self.__get__(row, type(row)) == value:
            return  # unchanged: do not reseal, so that an edit form does not dirty the row
        key = None if empty else raw_key(row.key_id)
        if not empty and key is None:
            raise ValueError(f"{row.__tablename__}.{self.name}: the key of this row was erased")
        setattr(
            row, f"{self.name}_sealed", None if key is None else crypto.seal(key, text.encode(), self._associated(row))
        )
        self._index(row, None if empty else self.normalise(text))

    def _index(self, row: Any, text: str | None) -> None:
        if self.exact:
            setattr(row, f"{self.name}_exact", text and self.exact_index(row.__tablename__, text))
        if self.last4:
            setattr(row, f"{self.name}_last4", text and self.last4_index(row.__tablename__, text))

    def exact_index(self, table: str, text: str) -> str:
        """The blind index to look for when `text` was typed whole."""
        return crypto.blind(f"{table}.{self.name}", self.normalise(text))

    def last4_index(self, table: str, text: str) -> str:
        """The blind index to look for when the last four characters were typed."""
        return crypto.blind(f"{table}.{self.name}.last4", text[-4:])


@dataclass(frozen=True)
class Hold:
    """Why somebody cannot be erased yet: a whole sentence, and what to do first."""

    text: Any
    remedy: Any = ""


Eraser = Callable[[str, uuid.UUID, datetime], None]
HoldCheck = Callable[[str, uuid.UUID, datetime], "list[Hold]"]
_coverage: dict[str, tuple[str, Any]] = {}
_holds: dict[str, HoldCheck] = {}
_owners: dict[str, Callable[[uuid.UUID], uuid.UUID | None]] = {}
_companions: list[Callable[[uuid.UUID], list[tuple[str, uuid.UUID]]]] = []


def register_eraser(
    room: str,
    erase: Eraser,
    *,
    overwrites: Iterable[str] = (),
    keeps: Mapping[str, Any] | None = None,
    holds: HoldCheck | None = None,
) -> None:
    """`erase(kind, subject_id, now)` overwrites what the room keeps of an erased person or household in clear.

    `overwrites` names its tables whose rows afterwards tell nothing about who it was; `keeps` those whose rows stay
    as they are (ids, dates and counts alone), each with the reason that the proof gives. Every table that refers to
    a person or household must be named (a test demands it). `holds` says why an erasure must wait.
    """
    _erasers[room] = erase
    _coverage.update(dict.fromkeys(overwrites, (room, None)))
    _coverage.update({table: (room, reason) for table, reason in (keeps or {}).items()})
    if holds is not None:
        _holds[room] = holds


def order_erasers(rooms: Iterable[str]) -> None:
    """Put the erasers into the order of their rooms, lowest first, whichever was imported first."""
    for room in rooms:
        if room in _erasers:
            _erasers[room] = _erasers.pop(room)


def erasers() -> dict[str, Callable[..., None]]:
    return dict(_erasers)


def coverage() -> dict[str, tuple[str, Any]]:
    """table → (room, None where an erasure overwrites it, else why its rows stay)."""
    return dict(_coverage)


def holds_of(kind: str, subject_id: uuid.UUID, now: datetime) -> list[Hold]:
    """Everything that stands in the way of erasing it, of all rooms."""
    return [hold for check in _holds.values() for hold in check(kind, subject_id, now)]


def register_owner(kind: str, key_of: Callable[[uuid.UUID], uuid.UUID | None]) -> None:
    """The room of persons (households) says under which key one of them stands."""
    _owners[kind] = key_of


def key_of(kind: str, subject_id: uuid.UUID) -> uuid.UUID | None:
    """The id of the key of a person or household; it stays known after the key was dropped."""
    return _owners[kind](subject_id)


def register_companions(find: Callable[[uuid.UUID], list[tuple[str, uuid.UUID]]]) -> None:
    """`find(person_id)`: what is about this person alone, and is erased with them (a household of one)."""
    if find not in _companions:
        _companions.append(find)


def companions_of(person_id: uuid.UUID) -> list[tuple[str, uuid.UUID]]:
    return [entry for find in _companions for entry in find(person_id)]


def refers(table: Table, kind: str) -> list[str]:
    """The columns of `table` that name a person (household)."""
    target, ending = {"person": ("people", "person_id"), "household": ("households", "household_id")}[kind]
    return [
        column.name
        for column in table.columns
        if column.name.endswith(ending) or any(key.column.table.name == target for key in column.foreign_keys)
    ]
