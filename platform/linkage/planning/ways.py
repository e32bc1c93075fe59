"""How long the way to a visit is: travel and access, without waiting, breaks and absences.

A booking keeps this time free before it; the waiting is free for others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from matching.instance import Instance
from matching.lookup import Lookup
from matching.plan import Plan


class Call(NamedTuple):
    """One call of a shift: the visit, and its minutes in the instance."""

    visit_id: str
    start: float
    end: float


class Ways:
    """The calls of each shift, and the way to each of them from the one before (else from where the shift begins)."""

    def __init__(self, instance: Instance) -> None:
        self.lookup = Lookup(instance)
        self.visits = {visit.id: visit for visit in instance.visits}
        self.shifts = {shift.id: shift for shift in instance.shifts}
        self.calls: dict[str, list[Call]] = defaultdict(list)

    @classmethod
    def of_plan(cls, instance: Instance, plan: Plan) -> Ways:
        """The ways of a plan with its fallbacks, who all could be called."""
        ways = cls(instance)
        for route in plan.routes:
            ways.add(
                route.shift_id, (Call(stop.visit_id, stop.start_minutes, stop.end_minutes) for stop in route.stops)
            )
        for row in plan.fallbacks:
            ways.add_fallback(row.shift_id, row.visit_id, row.start_minutes)
        return ways

    def add(self, shift_id: str, calls: Iterable[Call]) -> None:
        self.calls[shift_id] += calls

    def add_fallback(self, shift_id: str, visit_id: str, start: float) -> None:
        self.add(shift_id, [Call(visit_id, start, start + self.visits[visit_id].service_minutes)])

    def minutes_to(self, shift_id: str, visit_id: str, start: float) -> int:
        """To the visit that begins at `start`; never longer than the time since the call before."""
        shift = self.shifts[shift_id]
        before = max(
            (c for c in self.calls[shift_id] if c.end <= start and c.visit_id != visit_id), key=_end, default=None
        )
        origin = self.visits[before.visit_id].location_id if before else shift.start_location_id
        there = self.visits[visit_id]
        access = 0.0 if there.location_id == origin else there.access_minutes
        way = math.ceil(self.lookup.travel_minutes(shift.mode_id, origin, there.location_id) + access)
        left = before.end if before else float(shift.start_minutes)
        return max(0, min(way, round(start - left)))


def _end(call: Call) -> float:
    return call.end
