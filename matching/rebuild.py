"""From bookings back to a frozen plan: routes with their breaks and arrivals, and the objective."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from matching.candidates import Candidate
from matching.charging import Booked
from matching.instance import Instance, Visit
from matching.lookup import Lookup
from matching.objective import ObjectiveVector
from matching.placing import Way
from matching.plan import Fallback, Plan, PlannedBreak, Route, Stop, Unserved, UnservedCode
from matching.plan_state import PlanState
from matching.pricing import objective_of, plain, tardiness
from matching.timetable import Timetable


def insert(state: PlanState, visit: Visit, candidate: Candidate) -> tuple[Instance, Plan]:
    """The instance with the visit, and the plan with the candidate's people in it; nobody else moves.

    The plan's `instance_digest` is left empty, as it answers a changed instance.
    """
    look = state.lookup
    booked = [
        Booked(visit, p.slot, look.caregivers[p.caregiver_id], look.shifts[p.shift_id], p.start_minutes, p.line_id)
        for p in candidate.places
    ]
    behind = [
        Booked(
            visit,
            place.slot,
            look.caregivers[place.backup.caregiver_id],
            look.shifts[place.backup.shift_id],
            place.start_minutes,
            place.backup.line_id,
        )
        for place in candidate.places
        if place.backup is not None
    ]
    return with_bookings(state, visit, booked, behind)


def insert_way(state: PlanState, visit: Visit, way: Way) -> tuple[Instance, Plan]:
    """As `insert`, for a way that was not made a candidate."""
    return with_bookings(state, visit, way.booked, way.behind)


def with_bookings(
    state: PlanState, visit: Visit, booked: Sequence[Booked], behind: Sequence[Booked]
) -> tuple[Instance, Plan]:
    """The instance with the visit (new, or in the place of the one with its id) and the plan with more
    bookings for it."""
    instance = with_visit(state.instance, visit)
    planned = [*(_renewed(b, visit) for b in state.planned), *booked]
    stand = [*(_renewed(b, visit) for b in state.behind), *behind]
    touched = {b.shift.id for b in booked} | {b.shift.id for b in state.at_visit.get(visit.id, ())}
    return instance, plan_of(PlanState(instance, Plan()), planned, stand, state.plan, touched)


def with_visit(instance: Instance, visit: Visit) -> Instance:
    """The instance with this visit, in the place of the one with the same id if there is one."""
    if any(v.id == visit.id for v in instance.visits):
        rows = tuple(visit if v.id == visit.id else v for v in instance.visits)
    else:
        rows = (*instance.visits, visit)
    return replace(instance, visits=rows)


def plan_of(
    empty: PlanState,
    planned: Sequence[Booked],
    behind: Sequence[Booked],
    before: Plan,
    touched: Iterable[str] | None = None,
    *,
    priced: bool = True,
) -> Plan:
    """The plan of these bookings.

    Parameters
    ----------
    empty
        A state of the instance (its plan is not looked at).
    before
        The plan that this one follows: routes of shifts not in `touched` (None: none) are taken over,
        and so is what it says of visits still unserved.
    priced
        False: the plan is only a step on the way, and its objective is left as it was.
    """
    lookup = empty.lookup
    rows: dict[str, list[Booked]] = defaultdict(list)
    for row in sorted(planned, key=lambda b: (b.start_minutes, b.visit.id, b.slot)):
        rows[row.shift.id].append(row)
    kept = {r.shift_id: r for r in before.routes} if touched is not None else {}
    for name in touched or ():
        kept.pop(name, None)
    late = _tardiness(planned)
    routes = [
        kept.get(s.id) or _route(empty.table_of(s, rows[s.id]), rows[s.id], late)
        for s in lookup.instance.shifts
        if rows.get(s.id)
    ]
    objective = _objective(lookup, planned, routes) if priced else before.objective
    return replace(
        before,
        routes=tuple(routes),
        unserved=_unserved(lookup, planned, before),
        fallbacks=tuple(
            Fallback(b.visit.id, b.slot, b.caregiver.id, b.shift.id, b.start_minutes, b.line_id) for b in behind
        ),
        objective=objective,
        instance_digest="",
    )


def _objective(lookup: Lookup, planned: Sequence[Booked], routes: Sequence[Route]) -> ObjectiveVector:
    work: dict[str, float] = defaultdict(float)
    for route in routes:
        work[route.caregiver_id] += route.work_minutes
    return objective_of(lookup, planned, work, sum(r.travel_minutes for r in routes))


def _route(table: Timetable, rows: Sequence[Booked], late: dict[tuple[str, int], float]) -> Route:
    breaks = table.place_breaks() or []
    *arrivals, back = table.arrivals(breaks)
    shift = table.shift
    stops = tuple(
        Stop(
            visit_id=row.visit.id,
            slot=row.slot,
            arrival_minutes=plain(arrival),
            start_minutes=row.start_minutes,
            end_minutes=plain(row.end_minutes),
            tardiness_minutes=plain(late[row.key]),
            line_id=row.line_id,
        )
        for row, arrival in zip(rows, arrivals, strict=True)
    )
    has_start, has_end = shift.start_location_id is not None, shift.end_location_id is not None
    return Route(
        shift_id=shift.id,
        caregiver_id=shift.caregiver_id,
        departure_minutes=shift.start_minutes if has_start else stops[0].arrival_minutes,
        return_minutes=plain(back) if has_end else stops[-1].end_minutes,
        travel_minutes=plain(table.travel_minutes),
        work_minutes=plain(table.work_minutes),
        stops=stops,
        breaks=tuple(PlannedBreak(i, plain(a), plain(b)) for i, (a, b) in enumerate(breaks)),
    )


def _tardiness(planned: Sequence[Booked]) -> dict[tuple[str, int], float]:
    rows: dict[str, list[Booked]] = defaultdict(list)
    for row in planned:
        rows[row.visit.id].append(row)
    return {(name, slot): late for name, of in rows.items() for slot, late in tardiness(of).items()}


def _unserved(lookup: Lookup, planned: Sequence[Booked], before: Plan) -> tuple[Unserved, ...]:
    filled = {b.key for b in planned}
    said = {u.visit_id: u for u in before.unserved}
    left = [v for v in lookup.instance.visits if any((v.id, slot) not in filled for slot in range(len(v.slots)))]
    return tuple(said.get(v.id) or Unserved(v.id, UnservedCode.NO_ROOM) for v in left)


def _renewed(row: Booked, visit: Visit) -> Booked:
    return replace(row, visit=visit) if row.visit.id == visit.id else row
