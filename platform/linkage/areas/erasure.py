"""Forgetting the places of an erased person or household: address, position and door note."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import update

from linkage.areas.models import Place
from linkage.core import privacy
from linkage.core.extensions import db


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """What is sealed goes with the key; here the ciphertexts and the estate go, too. The community stays."""
    key_id = privacy.key_of(kind, subject_id)
    if key_id is not None:
        empty = {"address_sealed": None, "position_sealed": None, "door_note_sealed": None}
        forgotten = update(Place).where(Place.key_id == key_id)
        db.session.execute(forgotten.values(**empty, estate_id=None, position_source="area", positioned_at=None))


privacy.register_eraser("areas", erase, overwrites=("places",))
