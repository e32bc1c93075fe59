"""Forgetting a person or household: what was said about a need, and what was wished for."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select, update

from linkage.core import privacy
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.needs.models import Need


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Overwrite note and wishes of the needs that are about the erased one; a caller is no longer named."""
    if kind == "person":
        db.session.execute(
            update(Need).where(Need.caller_person_id == subject_id).values(caller_person_id=None, note_sealed=None)
        )
    about = Need.person_id == subject_id if kind == "person" else Need.household_id == subject_id
    db.session.execute(update(Need).where(about).values(note_sealed=None, wishes={}, priority_reason="wish"))


def holds(kind: str, subject_id: uuid.UUID, now: datetime) -> list[privacy.Hold]:
    about = Need.person_id == subject_id if kind == "person" else Need.household_id == subject_id
    today = local_date(now)
    ended = Need.ends_on.is_not(None) & (Need.ends_on < today)
    once = Need.recurrence.is_(None) & (Need.starts_on < today)
    running = select(Need.number).where(about, Need.withdrawn_at.is_(None), ~or_(ended, once)).order_by(Need.number)
    return [
        privacy.Hold(_l("Need %(number)s still runs.", number=number), _l("Withdraw it, or let it end, first."))
        for number in db.session.scalars(running)
    ]


privacy.register_eraser("needs", erase, overwrites=("needs",), holds=holds)
