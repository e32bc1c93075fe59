"""Forgetting a person who was asked: ids, times and reasons from a list; no name was ever kept."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l

from linkage.core import privacy


def erase(_kind: str, _subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing: a question holds the number of a person and reasons from a list."""


privacy.register_eraser(
    "offers",
    erase,
    keeps={
        "offers": _l("that a number was asked, and what it answered"),
        "offer_rounds": _l("that a number was kept in reserve"),
    },
)
