"""What happens to a running plan, as instances: a cancellation, an illness, an urgent or longer visit.

Each takes the instance as it was and gives the instance as it is now; `repair` finds the plan for it.
"""

from dataclasses import replace

from matching.instance import Absence, Instance, RunningAssignment, RunningPlan, Slot, Visit
from matching.plan import Plan
from matching.rebuild import with_visit


def cancelled(instance: Instance, visit_id: str) -> Instance:
    """The instance without a visit."""
    running = tuple(a for a in instance.running_plan.assignments if a.visit_id != visit_id)
    return replace(
        instance,
        visits=tuple(v for v in instance.visits if v.id != visit_id),
        running_plan=replace(instance.running_plan, assignments=running),
    )


def absent(instance: Instance, caregiver_id: str, start_minutes: float, end_minutes: float) -> Instance:
    """The instance in which someone is away (ill, no-show); what was agreed for then is agreed no more."""
    away = Absence(start_minutes, end_minutes)
    people = tuple(replace(c, absences=(*c.absences, away)) if c.id == caregiver_id else c for c in instance.caregivers)
    return replace(instance, caregivers=people, visits=tuple(_released(v, caregiver_id, away) for v in instance.visits))


def urgent(instance: Instance, visit: Visit) -> Instance:
    """The instance with one visit more (its household and location must be in it), or a changed one."""
    return with_visit(instance, visit)


def longer(instance: Instance, visit_id: str, minutes: float) -> Instance:
    """The instance in which a visit takes so many minutes more."""
    visit = next(v for v in instance.visits if v.id == visit_id)
    slots = tuple(
        s if s.service_minutes is None else replace(s, service_minutes=s.service_minutes + minutes) for s in visit.slots
    )
    return with_visit(instance, replace(visit, service_minutes=visit.service_minutes + minutes, slots=slots))


def running_plan_of(plan: Plan, *, tolerance_minutes: float = 0) -> RunningPlan:
    """What people have been told if this plan was published."""
    rows = tuple(
        RunningAssignment(stop.visit_id, stop.slot, route.caregiver_id, stop.start_minutes)
        for route in plan.routes
        for stop in route.stops
    )
    return RunningPlan(rows, tolerance_minutes)


def _released(visit: Visit, caregiver_id: str, away: Absence) -> Visit:
    def slot(k: int, row: Slot) -> Slot:
        pin = row.pin
        if pin is None or pin.caregiver_id != caregiver_id:
            return row
        minutes = row.service_minutes or visit.service_minutes
        begins = [w.start_minutes for w in visit.windows] if pin.start_minutes is None else [pin.start_minutes]
        ends = [w.end_minutes for w in visit.windows] if pin.start_minutes is None else [pin.start_minutes]
        gone = min(begins) < away.end_minutes and max(ends) + minutes > away.start_minutes
        return replace(row, pin=None) if gone else row

    return replace(visit, slots=tuple(slot(k, row) for k, row in enumerate(visit.slots)))
