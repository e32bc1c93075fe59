"""Everything that is held about one person or household (查阅、复制权): found by the references of the tables.

No list of tables to keep up to date: whatever refers to a person is found, decrypted and told; digests, indexes and
other machinery are left out. One's own household belongs to it; other people's names and numbers do not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, false, func, or_, select
from sqlalchemy.orm import Mapper

from linkage.core import privacy
from linkage.core.extensions import Base, db
from linkage.core.models import AuditRow

MACHINERY = ("_sealed", "_exact", "_last4", "_hash", "_digest")
LEFT_OUT = {"key_id", "row_version", "booking_version", "name_keys", "password_hash", "indexes"}
OWN_TABLE = {"person": "people", "household": "households"}
Subject = tuple[str, uuid.UUID]


def _mappers() -> dict[str, Mapper[Any]]:
    return {mapper.local_table.name: mapper for mapper in Base.registry.mappers}  # type: ignore[attr-defined]


def about(table: Table, kind: str, subject_id: uuid.UUID) -> ColumnElement[bool]:
    """SQL: the rows of `table` that refer to the person (household), are it, or stand under its key."""
    ways = [table.columns[name] == subject_id for name in privacy.refers(table, kind)]
    if table.name == OWN_TABLE[kind]:
        ways.append(table.columns["id"] == subject_id)
    elif table.name == "places":
        ways.append(table.columns["key_id"] == privacy.key_of(kind, subject_id))
    return or_(false(), *ways)


def tables_about(kind: str) -> list[Table]:
    """The tables in which a person (household) may stand, in the order of their rooms."""
    named = (OWN_TABLE[kind], "places")
    return [table for table in db.metadata.sorted_tables if table.name in named or privacy.refers(table, kind)]


def counts(kind: str, subject_id: uuid.UUID) -> dict[str, int]:
    """table → rows about it, where there are any."""
    found = {}
    for table in tables_about(kind):
        rows = db.session.scalar(select(func.count()).select_from(table).where(about(table, kind, subject_id)))
        if rows:
            found[table.name] = rows
    return found


def dossier(kind: str, subject_id: uuid.UUID, *, now: datetime) -> dict[str, Any]:
    """The whole file, as JSON: {"subject", "made_at", "sections": [{"table", "rows": [{field: value}]}], "opened"}."""
    subjects: list[Subject] = [(kind, subject_id)]
    if kind == "person":
        subjects += _households_of(subject_id)
    return {
        "subject": {"kind": kind, "id": str(subject_id)},
        "made_at": now.isoformat(timespec="seconds"),
        "sections": [
            {"of": {"kind": one, "id": str(ident)}, "table": table.name, "rows": rows}
            for one, ident in subjects
            for table in tables_about(one)
            if (rows := list(_rows(table, one, ident, others=(one, ident) != (kind, subject_id))))
        ],
        "opened": _openings(subjects),
    }


def _households_of(person_id: uuid.UUID) -> list[Subject]:
    members = db.metadata.tables["members"]
    mine = select(members.c.household_id).where(members.c.person_id == person_id, members.c.relation != "contact")
    return [("household", ident) for ident in db.session.scalars(mine.distinct())]


def _rows(table: Table, kind: str, subject_id: uuid.UUID, *, others: bool) -> Iterator[dict[str, Any]]:
    """The rows of one table; of one's household (`others`) only what is not about another person."""
    mapper = _mappers()[table.name]
    if others and table.name != OWN_TABLE[kind] and privacy.refers(table, "person"):
        return
    key = list(table.primary_key.columns)
    found = select(mapper.class_).where(about(table, kind, subject_id)).order_by(*key)
    for row in db.session.scalars(found):
        yield _told(row, mapper)


def _told(row: Any, mapper: Mapper[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for attribute in mapper.column_attrs:
        name = attribute.key
        if name not in LEFT_OUT and not name.endswith(MACHINERY):
            told[name] = _plain(getattr(row, name))
    for name, declared in vars(mapper.class_).items():
        if isinstance(declared, privacy.Encrypted):
            told[name] = _plain(getattr(row, name))
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date | uuid.UUID):
        return str(value)
    return value


def _openings(subjects: list[Subject]) -> list[dict[str, Any]]:
    """Who saw my data: when sensitive fields were opened, and by which deed (the reader by number alone)."""
    idents = [str(ident) for _, ident in subjects]
    rows = select(AuditRow).where(AuditRow.subject_id.in_(idents), AuditRow.action.contains("reveal"))
    return [
        {"at": row.at.isoformat(timespec="seconds"), "action": row.action, "by": str(row.actor_id or ""), **row.detail}
        for row in db.session.scalars(rows.order_by(AuditRow.number))
    ]


def values(kind: str, subject_id: uuid.UUID) -> list[str]:
    """What must be found nowhere after an erasure: every personal value that is held, in the forms that are stored."""
    found: set[str] = set()
    for field in privacy.PERSONAL_FIELDS:
        table = db.metadata.tables.get(field.table)
        if table is None or table not in tables_about(kind):
            continue
        if field.column in ("birth_date", "name_keys") or table.name == "person_keys":  # they follow, and are short
            continue
        mapper = _mappers()[field.table]
        for row in db.session.scalars(select(mapper.class_).where(about(table, kind, subject_id))):
            value = getattr(row, field.column)
            found |= {str(part) for part in (value if isinstance(value, list) else [value]) if part}
    return sorted(value for value in found if len(value) > 1)
