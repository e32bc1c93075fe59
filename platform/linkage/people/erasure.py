"""Forgetting a person: the key goes, and with it what is sealed under it; what stands in clear is overwritten."""

from __future__ import annotations

import uuid
from datetime import datetime

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.people.models import Person


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the key of an erased person and overwrite name, search keys, birth date and indexes."""
    person = db.session.get(Person, subject_id) if kind == "person" else None
    if person is None:
        return
    privacy.forget_key(person.key_id, now)
    person.name, person.name_keys, person.birth_date, person.sex, person.languages = "", "", None, None, []
    for name in ("telephone", "id_number"):
        for part in ("sealed", "exact", "last4"):
            setattr(person, f"{name}_{part}", None)
    person.erased_at = now
    person.row_version += 1


privacy.register_eraser("people", erase)
