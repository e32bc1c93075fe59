"""Forgetting a person: files of purchased services are kept for 15 years; who acted in them is named by id only."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l

from linkage.core import privacy


def erase(_kind: str, _subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing: experts, officers and members of panels are named by the person's row, which people overwrites."""


privacy.register_eraser(
    "procurement",
    erase,
    keeps={
        name: _l("by id only: files of purchased services are kept for 15 years")
        for name in ("experts", "opening_officers", "panel_members", "score_sheets")
    },
)
