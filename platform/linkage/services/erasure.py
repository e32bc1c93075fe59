"""Forgetting a person: the numbers of their certificates; that they were qualified explains past visits."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import update

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.services.models import HeldQualification


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Overwrite the certificates' numbers."""
    if kind == "person":
        held = update(HeldQualification).where(HeldQualification.person_id == subject_id)
        db.session.execute(held.values(number=""))


privacy.register_eraser("services", erase, overwrites=("held_qualifications",))
