"""What the last import wrote, per row and field, as blind indexes: whether a value was edited since."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from linkage.core.crypto import blind
from linkage.core.extensions import db
from linkage.imports.models import ImportedRow


def index_of(kind: str, subject_id: uuid.UUID, field: str, value: Any) -> str:
    """The blind index of a value in one field of one row (the same value elsewhere has another index)."""
    return blind(f"imports|{kind}|{subject_id}|{field}", "" if value is None else str(value))


def trace_of(kind: str, subject_id: uuid.UUID) -> Mapping[str, str]:
    """field → index of what the last import wrote there."""
    row = _row(kind, subject_id)
    return {} if row is None else row.indexes


def _row(kind: str, subject_id: uuid.UUID) -> ImportedRow | None:
    return db.session.scalars(
        select(ImportedRow).where(ImportedRow.subject_kind == kind, ImportedRow.subject_id == subject_id)
    ).one_or_none()


def remember(kind: str, subject_id: uuid.UUID, values: Mapping[str, Any], *, now: datetime, new: bool = False) -> None:
    """Note that an import wrote `values` (or found them there). `new`: the row was made just now."""
    if not values:
        return
    indexes = {field: index_of(kind, subject_id, field, value) for field, value in values.items()}
    row = None if new else _row(kind, subject_id)
    if row is None:
        db.session.add(ImportedRow(subject_kind=kind, subject_id=subject_id, indexes=indexes, imported_at=now))
    else:
        row.indexes, row.imported_at = {**row.indexes, **indexes}, now
