"""Forgetting a person: the key goes, and with it what is sealed under it; what stands in clear is overwritten."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.people.models import Person, WorkException


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the key of an erased person and overwrite name, search keys, birth date and indexes."""
    person = db.session.get(Person, subject_id) if kind == "person" else None
    if person is None:
        return
    for double in db.session.scalars(select(Person).where(Person.merged_into_id == person.id)):
        erase(kind, double.id, now)
    privacy.forget_key(person.key_id, now)
    person.name, person.name_keys, person.birth_date, person.sex, person.languages = "", "", None, None, []
    for name in ("telephone", "id_number"):
        for part in ("sealed", "exact", "last4"):
            setattr(person, f"{name}_{part}", None)
    person.erased_at = now
    person.row_version += 1
    away = update(WorkException).where(WorkException.person_id == subject_id)
    db.session.execute(away.values(reason="other"))  # "sick" would tell something


def _key_of(person_id: uuid.UUID) -> uuid.UUID | None:
    person = db.session.get(Person, person_id)
    return None if person is None else person.key_id


privacy.register_owner("person", _key_of)
privacy.register_eraser(
    "people",
    erase,
    overwrites=("people", "person_keys", "work_exceptions"),
    keeps={"work_patterns": _l("hours of work by number, so that past plans can still be explained")},
)
