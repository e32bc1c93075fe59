"""What stands, as a plan: every booking and question as it is. (No database: the solving child reads it too.)"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import matching.instance as m
from matching.plan import Plan
from matching.plan_state import Held
from matching.solve import solve
from matching.stop import MaxIterations


def stand(instance: m.Instance) -> tuple[m.Instance, Plan, list[Held]]:
    """Of an instance in which everything that stands is pinned: the visits that somebody comes to, their plan, and
    the time of people whose visit fits into no timetable any more (a shift cancelled under it, say)."""
    standing = tuple(visit for visit in instance.visits if any(slot.pin is not None for slot in visit.slots))
    instance = replace(instance, visits=standing, running_plan=_running_of(instance, standing))
    plan = solve(instance, MaxIterations(0))
    left = {row.visit_id for row in plan.unserved}
    spoken_for = [span for visit in standing for span in _spans(visit) if visit.id in left]
    if left:
        kept = tuple(visit for visit in standing if visit.id not in left)
        instance = replace(instance, visits=kept, running_plan=_running_of(instance, kept))
        plan = solve(instance, MaxIterations(0))
    return instance, plan, spoken_for


def _running_of(instance: m.Instance, visits: tuple[m.Visit, ...]) -> m.RunningPlan:
    names = {visit.id for visit in visits}
    rows = tuple(row for row in instance.running_plan.assignments if row.visit_id in names)
    return m.RunningPlan(rows, instance.running_plan.tolerance_minutes)


def _spans(visit: m.Visit) -> Iterable[Held]:
    for slot in visit.slots:
        if slot.pin is not None and slot.pin.caregiver_id and slot.pin.start_minutes is not None:
            start = slot.pin.start_minutes
            yield Held(slot.pin.caregiver_id, start - visit.access_minutes, start + visit.service_minutes)
