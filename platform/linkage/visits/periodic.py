"""What visits do by themselves, every minute and every night."""

from __future__ import annotations

from datetime import datetime

from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.visits import generation

BATCH = 50


@periodic("visits.extend", daily_at_minutes=60)
def make_visits_ahead(now: datetime) -> None:
    """Every night: visits up to four weeks ahead, in short transactions; catches up whatever was missed."""
    while True:
        need_ids = generation.needs_to_extend(now, BATCH)
        if not need_ids:
            return
        unit_of_work(lambda ids=need_ids: generation.extend(ids, now=now))  # type: ignore[misc]
