"""The plan in force as the engine sees it, for questions about one more visit: nobody who stands is moved.

Everything that is booked or asked is pinned; what cannot be brought into a timetable any more (a shift that was
cancelled under it, say) keeps its person busy for its time all the same, so that nothing shown is refused later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.models import AuditHead
from linkage.households.models import Household
from linkage.planning.horizon import Horizon
from linkage.planning.snapshot import Snapshot, take
from linkage.planning.standing import stand
from matching.plan_state import PlanState

KEPT = 8  # states kept in memory per process


@dataclass(frozen=True)
class Live:
    """What stands in one area and horizon, with the instance that names it."""

    snapshot: Snapshot
    state: PlanState


_kept: dict[tuple[object, ...], Live] = {}
_lock = Lock()


def live(area: Area, first: date, last: date, now: datetime, household: Household) -> Live:
    """The state of first..last, made anew when anything was changed since (the audit log's head tells).

    `household`: whose visit will be asked about.
    """
    head = db.session.get(AuditHead, 1, populate_existing=True)
    minute = int(now.timestamp() // 300)  # the lead time moves on: at most five minutes old
    key = (str(db.engine.url), area.id, first, last, household.id, minute, head.digest if head else "")
    with _lock:
        if key in _kept:
            return _kept[key]
    made = _make(area, Horizon(first, last, now), household)
    with _lock:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = made
    return made


def _make(area: Area, horizon: Horizon, household: Household) -> Live:
    snapshot = take(area, horizon, hold_everything=True, household=household)
    instance, plan, spoken_for = stand(snapshot.instance)
    return Live(replace(snapshot, instance=instance), PlanState(instance, plan, held=spoken_for))
