"""What areas and places do by themselves at night."""

from __future__ import annotations

import uuid
from datetime import datetime

from linkage.areas import operations, recoding
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work


@periodic("areas.recode", daily_at_minutes=1)
def recode(now: datetime) -> None:
    """Soon after midnight: codes, names and parents that begin today."""
    unit_of_work(lambda: recoding.apply_due(now=now))


@periodic("areas.estates", daily_at_minutes=150)
def name_estates(now: datetime) -> None:
    """Every night: places whose estate is not noted (from before it was) learn it from their address."""
    after: uuid.UUID | None = None
    while True:
        after = unit_of_work(lambda last=after: operations.name_estates(last, now=now))  # type: ignore[misc]
        if after is None:
            return
