"""Forgetting a person or household: what an import wrote of them. Staged rows expire by themselves."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.imports.models import ImportedRow

TABLES = {"person": "people", "household": "households"}


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Delete the blind indexes of what the last import wrote into the rows of the erased one."""
    table = TABLES.get(kind)
    if table is not None:
        db.session.execute(
            delete(ImportedRow).where(ImportedRow.subject_kind == table, ImportedRow.subject_id == subject_id)
        )


privacy.register_eraser("imports", erase)
