"""Forgetting a household: what its callers said goes with its key."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import update

from linkage.calls.models import Call
from linkage.core import privacy
from linkage.core.extensions import db


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the sealed words and numbers of an erased household's calls."""
    if kind == "household":
        forget = update(Call).where(Call.household_id == subject_id)
        db.session.execute(forget.values(note_sealed=None, telephone_sealed=None))


privacy.register_eraser(
    "calls",
    erase,
    overwrites=("calls",),
    keeps={"outcomes_told": _l("that and when somebody was told what became of a request")},
)
