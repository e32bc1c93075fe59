"""Forgetting a person who stands in plans: stored plans hold numbers and travel times, no name and no position."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l

from linkage.core import privacy


def erase(_kind: str, _subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing: see above."""


privacy.register_eraser("planning", erase, keeps={"plan_stops": _l("a place in a past plan, by number")})
