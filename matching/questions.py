"""Volunteers in places that a paid person could take, with that place reserved: `fallback = "required"`.

The search gives such a place to a paid person (or to the volunteer who has agreed), so that a plan which serves
the visit at all is found. A volunteer with somebody behind her is then a question of price alone: whoever stands
behind could serve the visit at that very start, within the same limits and on the same budgets. So each of these
visits is taken out once more and put back where it costs least, a volunteer with a reserved fallback included.
"""

from collections.abc import Iterator, Sequence

from matching.charging import Booked, settled
from matching.eligibility import person_reasons
from matching.instance import FallbackRule, ProviderKind, Visit
from matching.lookup import Lookup
from matching.placing import Placing
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.rebuild import plan_of, with_bookings

EPSILON = 1e-6


def could_ask(lookup: Lookup) -> bool:
    """Whether some place needs a fallback behind the volunteer whom it could go to."""
    return any(True for _ in _askable(lookup))


def ask_volunteers(lookup: Lookup, plan: Plan) -> Plan:
    """The plan with volunteers, and paid people reserved behind them, wherever that lowers the objective's sum.

    Nobody else moves, and no visit loses its place.
    """
    state = PlanState(lookup.instance, plan, lookup=lookup)
    unserved = {row.visit_id for row in plan.unserved}
    for visit in _askable(lookup):
        if visit.id not in unserved:
            state = _asked(state, visit)
    if state.plan is plan:
        return plan
    planned = settled(lookup, state.planned, state.behind)
    return plan_of(state.emptied(), planned, state.behind, plan, {s.id for s in lookup.instance.shifts})


def _askable(lookup: Lookup) -> Iterator[Visit]:
    instance = lookup.instance
    volunteers = [c for c in instance.caregivers if c.kind is ProviderKind.VOLUNTEER]
    for visit in instance.visits if volunteers else ():
        if visit.fallback is FallbackRule.REQUIRED and any(
            not person_reasons(lookup, visit, k, c) for k in _open_slots(visit) for c in volunteers
        ):
            yield visit


def _open_slots(visit: Visit) -> list[int]:
    """Slots that are not agreed with anybody."""
    pins = [slot.pin for slot in visit.slots]
    return [k for k, pin in enumerate(pins) if pin is None or pin.caregiver_id is None]


def _asked(state: PlanState, visit: Visit) -> PlanState:
    """The state with the visit where it costs least; the same state if that is where it is."""
    open_slots = set(_open_slots(visit))
    rows = [b for b in state.at_visit[visit.id] if b.slot in open_slots]
    without = _without(state, rows)
    way = min(Placing(without, visit).ways(), key=lambda w: w.points, default=None)
    if way is None or way.points >= state.plan.objective.total - without.plan.objective.total - EPSILON:
        return state
    _, plan = with_bookings(without, visit, way.booked, way.behind)
    return state.replanned(plan)


def _without(state: PlanState, rows: Sequence[Booked]) -> PlanState:
    gone = {b.key for b in rows}
    planned = [b for b in state.planned if b.key not in gone]
    behind = [b for b in state.behind if b.key not in gone]
    return state.replanned(plan_of(state.emptied(), planned, behind, state.plan, {b.shift.id for b in rows}))
