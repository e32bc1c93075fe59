"""Tiny instances and plans, written so that a test shows only what it is about.

Locations p0, p1, ... lie on a line, ten minutes apart; everything begins at 8:00 (480).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matching.feasibility import evaluate
from matching.feasibility.evaluation import tardiness_of
from matching.feasibility.facts import Facts, bookings_of
from matching.instance import (
    Caregiver,
    Household,
    Instance,
    Location,
    ProviderKind,
    Service,
    Shift,
    Slot,
    TimeWindow,
    TravelMode,
    Visit,
)
from matching.objective import ObjectiveVector
from matching.plan import Fallback, Plan, PlannedBreak, Route, Stop, Unserved, UnservedCode
from matching.validation import validate

CARER, SOCIAL_WORKER, VOLUNTEER = ProviderKind
EIGHT, NOON, EVENING = 480, 720, 1080
DAY = 1440
EVERY_KIND = (CARER, SOCIAL_WORKER, VOLUNTEER)


def window(start: float = EIGHT, end: float = EVENING, day: int = 0) -> TimeWindow:
    return TimeWindow(day * DAY + start, day * DAY + end)


def visit(id: str = "v", place: int = 1, minutes: float = 60, **more: Any) -> Visit:
    more.setdefault("windows", (window(),))
    return Visit(
        id=id,
        household_id=more.pop("household_id", f"h{place}"),
        location_id=f"p{place}",
        service_id=more.pop("service_id", "care"),
        service_minutes=minutes,
        **more,
    )


def pair(id: str = "v", place: int = 1, minutes: float = 60, **more: Any) -> Visit:
    more.setdefault("slots", (Slot(), Slot()))
    return visit(id, place, minutes, **more)


def carer(id: str = "a", kind: ProviderKind = CARER, **more: Any) -> Caregiver:
    return Caregiver(id=id, kind=kind, **more)


def shift(who: str = "a", day: int = 0, start: float = EIGHT, end: float = EVENING, **more: Any) -> Shift:
    more.setdefault("start_location_id", "p0")
    more.setdefault("end_location_id", "p0")
    return Shift(
        id=more.pop("id", f"{who}-{day}"),
        caregiver_id=who,
        day=day,
        start_minutes=day * DAY + start,
        end_minutes=day * DAY + end,
        mode_id="walk",
        **more,
    )


def service(id: str = "care", kinds: Sequence[ProviderKind] = EVERY_KIND, **more: Any) -> Service:
    return Service(id=id, provider_kinds=tuple(kinds), **more)


def instance(
    visits: Sequence[Visit],
    caregivers: Sequence[Caregiver] = (carer(),),
    shifts: Sequence[Shift] | None = None,
    **more: Any,
) -> Instance:
    """An instance in which every named place, household and service exists."""
    size = more.pop("places", 6)
    matrix = tuple(tuple(10.0 * abs(i - j) for j in range(size)) for i in range(size))
    if shifts is None:
        days = range(more.get("horizon_days", 1))
        shifts = [shift(c.id, day) for c in caregivers for day in days]
    given = {h.id: h for h in more.pop("households", ())}
    homes = dict.fromkeys(v.household_id for v in visits)
    made = Instance(
        horizon_days=more.pop("horizon_days", 1),
        locations=more.pop("locations", tuple(Location(f"p{i}") for i in range(size))),
        travel_modes=more.pop("travel_modes", (TravelMode("walk", matrix),)),
        services=tuple(more.pop("services", (service(),))),
        caregivers=tuple(caregivers),
        shifts=tuple(shifts),
        households=tuple(given.get(h, Household(h)) for h in homes),
        visits=tuple(visits),
        **more,
    )
    validate(made)
    return made


def stop(visit_id: str, start: float, slot: int = 0, line: str | None = None) -> Stop:
    """A stop of which only the start is said yet; `plan` works out the rest."""
    return Stop(visit_id, slot, start_minutes=start, line_id=line, arrival_minutes=0, end_minutes=0)


def plan(
    of: Instance,
    routes: dict[str, Sequence[Stop]],
    *,
    breaks: dict[str, Sequence[tuple[float, float]]] | None = None,
    fallbacks: Sequence[Fallback] = (),
) -> Plan:
    """The plan with these stops at these starts, everything else stated truly.

    Everyone leaves when the shift begins and goes on at once.
    """
    made = [_route(of, shift_id, rows, (breaks or {}).get(shift_id, ())) for shift_id, rows in routes.items()]
    filled = {(s.visit_id, s.slot) for r in made for s in r.stops}
    left = [v.id for v in of.visits if any((v.id, k) not in filled for k in range(len(v.slots)))]
    unserved = tuple(Unserved(name, UnservedCode.NO_ROOM) for name in left)
    return truthful(of, Plan(routes=tuple(made), unserved=unserved, fallbacks=tuple(fallbacks)))


def truthful(of: Instance, stated: Plan) -> Plan:
    """The plan with tardiness and objective as they are."""
    facts = Facts(of)
    late = tardiness_of(bookings_of(facts, stated))
    routes = tuple(
        replace(
            route,
            stops=tuple(replace(s, tardiness_minutes=late[s.visit_id, s.slot]) for s in route.stops),
        )
        for route in stated.routes
    )
    return replace(stated, routes=routes, objective=ObjectiveVector(**evaluate(of, stated)))  # type: ignore[arg-type]


def _route(of: Instance, shift_id: str, rows: Sequence[Stop], breaks: Sequence[tuple[float, float]]) -> Route:
    facts = Facts(of)
    own = facts.shifts[shift_id]
    away = [(a.start_minutes, a.end_minutes) for a in facts.caregivers[own.caregiver_id].absences]
    blocks = sorted([*breaks, *away])
    place, clock = own.start_location_id, own.start_minutes
    travelled = worked = 0.0
    stops = []
    for row in rows:
        visited = facts.visits[row.visit_id]
        travel = facts.travel(own.mode_id, place, visited.location_id)
        access = 0.0 if place == visited.location_id else visited.access_minutes
        minutes = visited.slots[row.slot].service_minutes or visited.service_minutes
        end = row.start_minutes + minutes
        stops.append(replace(row, arrival_minutes=_arrival(clock, travel, blocks), end_minutes=end))
        place, clock = visited.location_id, end
        travelled, worked = travelled + travel, worked + travel + access + minutes
    back = facts.travel(own.mode_id, place, own.end_location_id)
    return Route(
        shift_id=shift_id,
        caregiver_id=own.caregiver_id,
        departure_minutes=own.start_minutes,
        return_minutes=_arrival(clock, back, blocks),
        travel_minutes=travelled + back,
        work_minutes=worked + back,
        stops=tuple(stops),
        breaks=tuple(PlannedBreak(i, a, b) for i, (a, b) in enumerate(breaks)),
    )


def _arrival(clock: float, travel: float, blocks: Sequence[tuple[float, float]]) -> float:
    for begin, end in blocks:
        if begin < clock + travel and end > clock:
            travel -= max(0.0, begin - clock)
            clock = end
    return clock + travel
