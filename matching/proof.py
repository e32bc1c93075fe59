"""Proof that no plan at all could serve a visit, as long as every agreed slot is kept.

The visit is tried in a plan that holds nothing but the agreed slots (person and start pinned), in an
instance in which everything that other visits could make easier is granted already: travel by way of
other visits where that is shorter, no way to the door where another visit at the same place could save
it, no draw on a line that might have fallen elsewhere. If there is no way even then, there is none in
any plan.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from matching.charging import Booked
from matching.eligibility import eligible_lines
from matching.instance import Caregiver, Instance, Shift, Visit
from matching.lookup import Lookup, slot_minutes
from matching.placing import Placing
from matching.plan import Plan, Route, Stop
from matching.plan_state import PlanState


class Prover:
    """Proves for one instance and plan; build it once for many visits."""

    def __init__(self, state: PlanState) -> None:
        self._by_way_of = _least_service(state.instance)
        easy = replace(
            state.instance,
            travel_modes=_shortest(state.lookup, self._by_way_of),
            visits=tuple(map(self.at_the_door, state.instance.visits)),
            shifts=tuple(_without_doubtful_breaks(s, state.lookup.caregivers) for s in state.instance.shifts),
        )
        self.state = PlanState(easy, _agreed_plan(state, easy))

    def nobody_ever(self, visit: Visit) -> bool:
        """Whether no plan that keeps what is agreed can serve the visit fully."""
        placing = Placing(self.state, self.at_the_door(visit))
        return bool(placing.missing) and next(placing.ways(), None) is None

    def at_the_door(self, visit: Visit) -> Visit:
        """The visit without access minutes if coming from another visit at its place could be quicker."""
        others = [
            least for visit_id, least in self._by_way_of.get(visit.location_id, {}).items() if visit_id != visit.id
        ]
        saves = any(least < visit.access_minutes for least in others)
        return replace(visit, access_minutes=0) if saves else visit


def _least_service(instance: Instance) -> dict[str, dict[str, float]]:
    """For each place with visits: the least minutes that serving each of them takes."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for visit in instance.visits:
        least = min(slot_minutes(visit, k) for k in range(len(visit.slots)))
        found[visit.location_id][visit.id] = least
    return found


def _shortest(lookup: Lookup, by_way_of: dict[str, dict[str, float]]) -> tuple:
    """Every travel mode with the shortest ways by way of visits, their service included (Floyd 1962)."""
    stops = [(lookup.location_index[place], min(visits.values())) for place, visits in by_way_of.items()]
    found = []
    for mode, matrix in zip(lookup.instance.travel_modes, lookup.travel, strict=True):
        least = matrix.copy()
        for k, service in stops:
            np.minimum(least, least[:, k, None] + service + least[None, k, :], out=least)
        found.append(replace(mode, matrix_minutes=tuple(map(tuple, least.tolist()))))
    return tuple(found)


def _without_doubtful_breaks(shift: Shift, people: dict[str, Caregiver]) -> Shift:
    """A break that may overlap an absence in part costs less than the timetable counts: granted."""
    absences = people[shift.caregiver_id].absences
    kept = tuple(
        b
        for b in shift.breaks
        if not any(
            a.start_minutes < b.latest_start_minutes + b.duration_minutes and b.earliest_start_minutes < a.end_minutes
            for a in absences
        )
    )
    return replace(shift, breaks=kept)


def _agreed_plan(state: PlanState, easy: Instance) -> Plan:
    """Only the agreed slots that every plan keeps."""
    planned = {b.key for b in state.planned}
    # Where two agreed slots of one person clash, either may be dropped: none of hers is certain.
    unsure = {
        pin.caregiver_id
        for visit in easy.visits
        for k, slot in enumerate(visit.slots)
        if (pin := slot.pin) is not None and (visit.id, k) not in planned
    }
    # Nor of someone whose route as planned no longer fits (an absence since).
    unsure |= {s.caregiver_id for s in state.instance.shifts if not state.table(s).feasible_now}
    kept = [b for b in state.planned if _is_agreed(b) and b.caregiver.id not in unsure]
    routes = []
    for shift in easy.shifts:
        rows = sorted((b for b in kept if b.shift.id == shift.id), key=lambda b: b.start_minutes)
        if rows:
            stops = tuple(_stop(state.lookup, b) for b in rows)
            routes.append(Route(shift.id, shift.caregiver_id, 0, 0, 0, 0, stops))
    return Plan(routes=tuple(routes))


def _is_agreed(row: Booked) -> bool:
    pin = row.visit.slots[row.slot].pin
    return pin is not None and pin.caregiver_id is not None and pin.start_minutes is not None


def _stop(lookup: Lookup, row: Booked) -> Stop:
    """The agreed stop; it draws on its line only where no other line or slot could be drawn on."""
    lines = eligible_lines(lookup, row.visit, row.slot, row.caregiver, row.shift.day)
    sure = len(lines) == 1 and (not row.visit.charged_once or row.slot == 0)
    return Stop(
        row.visit.id,
        row.slot,
        row.start_minutes,
        row.start_minutes,
        row.end_minutes,
        line_id=row.line_id if sure else None,
    )
