"""Forgetting a person or household: the capacity ledger knows numbers only, and stays."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l

from linkage.core import privacy


def erase(_kind: str, _subject_id: uuid.UUID, _now: datetime) -> None:
    """Nothing: an entry never held a name (`contracts.models.SUMMARY`)."""


privacy.register_eraser(
    "contracts",
    erase,
    keeps={
        "ledger_entries": _l("minutes by number: files of purchased services are kept for 15 years"),
        "person_months": _l("minutes by number: files of purchased services are kept for 15 years"),
    },
)
