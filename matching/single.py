"""Whether any single change could serve a visit: every kind of change, as large as can be, all at once.

If not even all shifts made longer together open a way, no one longer shift does; and so kind by kind
(`changes.FixCode`). What is true in a plan that holds nothing but what is agreed, with everything granted
that other visits could make easier (`proof`), is true of every plan.
"""

from dataclasses import replace
from typing import Any

from matching.changes import FixCode
from matching.fixes import MAX_EXTENSION_MINUTES, MAX_WINDOW_SHIFT_MINUTES
from matching.instance import MINUTES_PER_DAY, Caregiver, Instance, TimeWindow, Visit
from matching.placing import Placing
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.staffing import new_people, with_more_people


class Widest:
    """One plan with each kind of change made as large as can be; what it makes is kept."""

    def __init__(self, state: PlanState, *, whole: bool) -> None:
        """`whole`: the plan is one as it runs (its visits, moved one by one, are looked at by `giving_way`);
        else only what is agreed is in it, and what other visits could do has been granted already."""
        self.state = state
        self.whole = whole
        self._made: dict[FixCode, PlanState] = {}

    def helpful(self, visit: Visit) -> FixCode | None:
        """The first kind of change by which the visit might be served; None: proof that no single one does."""
        return next((code for code in FixCode if self._helps(code, visit)), None)

    def _helps(self, code: FixCode, visit: Visit) -> bool:
        if code is FixCode.ADD_CAREGIVER:
            return self._one_more(visit)
        if self.whole and code in _MOVES:
            return False  # `giving_way` looks through the other visits one by one
        if self.whole and code is FixCode.RELEASE_PIN:
            return self._released(visit)
        changed = _easier(self.state.instance, visit, code)
        return changed is not None and _has_way(self._state(code), changed)

    def _state(self, code: FixCode) -> PlanState:
        if code not in self._made:
            self._made[code] = _granted(self.state, code)
        return self._made[code]

    def _released(self, visit: Visit) -> bool:
        """Whether an agreement about the visit itself stands in the way (those about others: `giving_way`)."""
        free = _easier(self.state.instance, visit, FixCode.RELEASE_PIN) or visit
        return free != visit and _has_way(self.state, free)

    def _one_more(self, visit: Visit) -> bool:
        people = new_people(Placing(self.state, visit))
        return any(_has_way(with_more_people(self.state, *added), visit) for added in people)


def _has_way(state: PlanState, visit: Visit) -> bool:
    return next(Placing(state, visit).ways(), None) is not None


def _easier(instance: Instance, visit: Visit, code: FixCode) -> Visit | None:
    """The visit as the largest change of this kind would make it; None where the kind has nothing to change."""
    if code is FixCode.SHIFT_WINDOW:
        wide = MAX_WINDOW_SHIFT_MINUTES
        spans = [(max(0, w.start_minutes - wide), w.end_minutes + wide) for w in visit.windows]
        return replace(visit, windows=tuple(TimeWindow(a, b) for a, b in spans))
    if code is FixCode.OTHER_DAY:
        if instance.horizon_days == 1:
            return None
        times = {(w.start_minutes % MINUTES_PER_DAY, w.end_minutes - w.start_minutes) for w in visit.windows}
        days = range(instance.horizon_days)
        rows = [
            TimeWindow(d * MINUTES_PER_DAY + a, d * MINUTES_PER_DAY + a + n) for d in days for a, n in sorted(times)
        ]
        return replace(visit, windows=tuple(rows))
    if code is FixCode.RELAX_WISH:
        return replace(visit, gender_wish=None, language_wish=None)
    if code is FixCode.RELEASE_PIN:
        return replace(visit, slots=tuple(replace(slot, pin=None) for slot in visit.slots))
    return visit


def _granted(state: PlanState, code: FixCode) -> PlanState:
    """The plan with the largest change of this kind made for everyone at once."""
    instance = state.instance
    if code is FixCode.RELEASE_PIN:
        return PlanState(instance, Plan())
    return PlanState(replace(instance, **_changes(instance, code)), state.plan)


def _changes(instance: Instance, code: FixCode) -> dict[str, Any]:
    if code is FixCode.EXTEND_SHIFT:
        more = MAX_EXTENSION_MINUTES
        rows = instance.shifts
        longer = (replace(s, start_minutes=s.start_minutes - more, end_minutes=s.end_minutes + more) for s in rows)
        return {"shifts": tuple(longer)}
    if code in _OF_PEOPLE:
        return {"caregivers": tuple(_freed(person, code) for person in instance.caregivers)}
    if code is FixCode.WELCOME_NEW_FACE:
        return {"households": tuple(replace(h, max_new_faces=None) for h in instance.households)}
    if code is FixCode.BORROW_ON_LINE:
        return {"budgets": ()}
    return {"quotas": ()} if code is FixCode.RAISE_QUOTA else {}


_OF_PEOPLE: dict[FixCode, dict[str, Any]] = {
    FixCode.WIDEN_RADIUS: {"radius_metres": None, "radius_minutes": None},
    FixCode.MORE_HOURS: {"work_limits": ()},
    FixCode.TAKE_ON_HOUSEHOLD: {"max_new_households": None},
}


def _freed(person: Caregiver, code: FixCode) -> Caregiver:
    return replace(person, **_OF_PEOPLE[code])


_MOVES = (FixCode.MOVE_OTHER_VISIT, FixCode.HAND_OVER_VISIT)
