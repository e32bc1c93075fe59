"""Forgetting a person who was a volunteer: what stays is a public number and dates."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.volunteers.models import Volunteer


def _volunteer(kind: str, subject_id: uuid.UUID) -> Volunteer | None:
    if kind != "person":
        return None
    return db.session.scalars(select(Volunteer).where(Volunteer.person_id == subject_id)).one_or_none()


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing of the row tells who it was; what concerns a minor is dropped all the same."""
    volunteer = _volunteer(kind, subject_id)
    if volunteer is not None:
        volunteer.guardian_consent_on = None


def holds(kind: str, subject_id: uuid.UUID, _now: datetime) -> list[privacy.Hold]:
    volunteer = _volunteer(kind, subject_id)
    if volunteer is None or volunteer.left_at is not None:
        return []
    return [privacy.Hold(_l("This person is still a volunteer."), _l("Let them leave first, on their record."))]


privacy.register_eraser("volunteers", erase, overwrites=("volunteers",), holds=holds)
