"""Proof that no plan at all could serve a visit, as long as every agreed slot is kept.

The visit is tried in a plan that holds nothing but the agreed slots (person and start pinned), in an
instance in which everything that other visits could make easier is granted already: travel by the
shortest way over other places, no way to the door where another visit is at the same place, no draw on
a line that might have fallen elsewhere. If there is no way even then, there is none in any plan.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from matching.charging import Booked
from matching.eligibility import eligible_lines
from matching.instance import Caregiver, Instance, Shift, Visit
from matching.lookup import Lookup
from matching.placing import Placing
from matching.plan import Plan, Route, Stop
from matching.plan_state import PlanState


class Prover:
    """Proves for one instance and plan; build it once for many visits."""

    def __init__(self, state: PlanState) -> None:
        self._places = Counter(v.location_id for v in state.instance.visits)
        self._starts = {s.start_location_id for s in state.instance.shifts}
        easy = replace(
            state.instance,
            travel_modes=_shortest(state.lookup),
            visits=tuple(map(self._at_the_door, state.instance.visits)),
            shifts=tuple(_without_doubtful_breaks(s, state.lookup.caregivers) for s in state.instance.shifts),
        )
        self._state = PlanState(easy, _agreed_plan(state, easy))

    def nobody_ever(self, visit: Visit) -> bool:
        """Whether no plan that keeps what is agreed can serve the visit."""
        known = self._state.lookup.visits.get(visit.id)
        others = self._places[visit.location_id] - (known is not None and known.location_id == visit.location_id)
        easy = replace(visit, access_minutes=0) if others > 0 else visit
        return next(Placing(self._state, easy).ways(), None) is None

    def _at_the_door(self, visit: Visit) -> Visit:
        shared = self._places[visit.location_id] > 1 or visit.location_id in self._starts
        return replace(visit, access_minutes=0) if shared else visit


def _shortest(lookup: Lookup) -> tuple:
    """Every travel mode with its shortest ways over other places (Floyd 1962, Warshall 1962)."""
    found = []
    for mode, matrix in zip(lookup.instance.travel_modes, lookup.travel, strict=True):
        least = matrix.copy()
        for k in range(len(least)):
            np.minimum(least, least[:, k, None] + least[None, k, :], out=least)
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
