"""Forgetting a household: its key goes, and with it everything sealed under it."""

from __future__ import annotations

import uuid
from datetime import datetime

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.households.models import Household


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the key of an erased household and overwrite what stands in clear beside it (number, sources of tags)."""
    if kind != "household":
        return
    household = db.session.get(Household, subject_id)
    if household is None:
        return
    privacy.forget_key(household.key_id, now)
    household.number = f"erased-{household.id.hex[:12]}"
    for tag in household.tags:
        tag.source = ""


privacy.register_eraser("households", erase)
