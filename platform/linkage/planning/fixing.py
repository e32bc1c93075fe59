"""Making the smallest change that would serve a visit, where it concerns this visit alone.

The household has agreed to another hour, another day, or to go without a wish: the visit is changed (its need
stays), and the next run places it. What other people must agree to (a longer shift, a wider radius, more minutes on
a line) is made where it belongs, by them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _

from linkage.core import audit
from linkage.core.clock import at_minutes
from linkage.core.errors import Conflict
from linkage.core.permissions import Actor
from linkage.planning.models import PlanUnserved
from linkage.planning.reasons import can_apply
from linkage.visits.models import Visit
from linkage.visits.queries import active_of

MINUTES_PER_DAY = 1440


def apply_fix(row: PlanUnserved, *, by: Actor, now: datetime) -> Visit:
    """Change the visit as the fix says.

    Raises Conflict where the visit was cancelled, is staffed by now, or was changed by the same fix before.
    """
    visit, fix = row.visit, row.fix
    if fix is None or not can_apply(row):
        raise Conflict(_("This change is made elsewhere."))
    if visit.cancelled_at is not None or active_of([visit.id])[visit.id]:
        raise Conflict(_("This visit has changed since the plan was made."), remedy=_("Work the plan out again."))
    if row.applied_at is not None:
        raise Conflict(_("This change was already made."), remedy=_("Work the plan out again."))
    row.applied_at = now
    if fix["code"] == "shift_window":
        shift = round(fix["minutes"])
        visit.windows = [_shifted(window, shift) for window in visit.windows]
        visit.earliest_at = at_minutes(visit.day, min(first for first, _last in visit.windows))
        visit.latest_at = at_minutes(visit.day, max(last for _first, last in visit.windows))
    elif fix["code"] == "other_day":
        days = timedelta(days=round(fix["days"]))
        visit.day, visit.earliest_at, visit.latest_at = (
            visit.day + days,
            visit.earliest_at + days,
            visit.latest_at + days,
        )
    else:
        visit.wishes = {key: value for key, value in visit.wishes.items() if not key.startswith(fix["wish"])}
    visit.row_version += 1
    audit.record("planning.fix", visit, by=by.user_id, now=now, fix=fix["code"], size=fix["size"])
    return visit


def _shifted(window: list[int], minutes: int) -> list[int]:
    """The span grows by `minutes` at the end (or, negative, at the beginning): what was possible stays possible."""
    start, end = window
    return [start, end + minutes] if minutes > 0 else [max(0, start + minutes), end]
