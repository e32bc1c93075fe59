"""Forgetting a person who was a carer: what stays is an employment by number."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import privacy
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.organisations.models import Carer


def erase(_kind: str, _subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing stands here in clear that tells who a carer was."""


def holds(kind: str, subject_id: uuid.UUID, now: datetime) -> list[privacy.Hold]:
    if kind != "person":
        return []
    employed = select(Carer.id).where(Carer.person_id == subject_id, Carer.not_over(local_date(now)))
    if db.session.scalars(employed.limit(1)).first() is None:
        return []
    return [privacy.Hold(_l("This person is still employed as a carer."), _l("End the employment first."))]


privacy.register_eraser(
    "organisations",
    erase,
    keeps={"carers": _l("an employment by number: files of purchased services are kept for 15 years")},
    holds=holds,
)
