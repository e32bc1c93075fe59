"""Forgetting a person or household: what an import wrote of them, and the staged rows in which they stand."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from sqlalchemy import delete, select

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.imports.models import ImportedRow, Upload, UploadGroup
from linkage.people.models import Person

TABLES = {"person": "people", "household": "households"}


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Delete the blind indexes of what the last import wrote, and each row group that names the erased one.

    A group is found by telephone or ID number, or by what it made when it was taken in; a name alone may be
    somebody else's, and decides only where nothing better is known. Staged rows expire by themselves anyway.
    """
    table = TABLES.get(kind)
    if table is None:
        return
    db.session.execute(
        delete(ImportedRow).where(ImportedRow.subject_kind == table, ImportedRow.subject_id == subject_id)
    )
    marks = _marks(kind, subject_id)
    staged = select(UploadGroup).join(UploadGroup.upload).where(Upload.dropped_at.is_(None))
    for group in db.session.scalars(staged.execution_options(yield_per=200)):
        text = json.dumps([group.rows, group.taken], ensure_ascii=False)
        if any(mark in text for mark in marks):
            db.session.delete(group)


def _marks(kind: str, subject_id: uuid.UUID) -> list[str]:
    person = db.session.get(Person, subject_id) if kind == "person" else None
    marks = [str(subject_id)]
    if person is not None:
        numbers = [number for number in (person.telephone, person.id_number) if number]
        marks += numbers or [person.name] * bool(person.name)
    return marks


privacy.register_eraser("imports", erase, overwrites=("uploads", "upload_groups", "imported_rows"))
