"""Why each person cannot take a slot of a visit in a running plan, from papers to the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from matching.charging import Booked
from matching.eligibility import Parameter, ReasonCode, possible_shifts, reasons, start_spans
from matching.instance import Budget, Caregiver, FallbackRule, ProviderKind, Shift, Visit
from matching.lookup import slot_minutes
from matching.placing import Placing
from matching.plan_state import PlanState
from matching.timetable import Timetable


class BusyCode(StrEnum):
    """Why somebody who could come cannot come as the plan stands. After the dash the parameters."""

    HOUSEHOLD_NEW_FACES = "household_new_faces"  # - limit
    PERSON_NEW_HOUSEHOLDS = "person_new_households"  # - limit
    LINE_FULL = "line_full"  # - line, budget, unit, needed, left, day
    QUOTA_FULL = "quota_full"  # - quota, unit, needed, left, day
    WORK_MINUTES_FULL = "work_minutes_full"  # - first_day, last_day, limit
    WORK_VISITS_FULL = "work_visits_full"  # - first_day, last_day, limit
    BUSY = "busy"  # - day, visits (ids of the stops in the way, comma between; "" if only a break)
    TRAVEL_TOO_LONG = "travel_too_long"  # - day, visits
    KEPT_AS_FALLBACK = "kept_as_fallback"  # - day, visits (behind whose volunteers)
    ROUTE_BROKEN = "route_broken"  # - day (the route as planned no longer fits, e.g. an absence since)
    NO_FALLBACK = "no_fallback"  # free, but a paid person must stand behind a volunteer here, and none can
    NOT_TOGETHER = "not_together"  # free alone, but with nobody for the other slot at the same time


Code = ReasonCode | BusyCode

STAGES: dict[Code, int] = {
    ReasonCode.WRONG_PROVIDER_KIND: 0,
    ReasonCode.SERVICE_NOT_OFFERED: 1,
    ReasonCode.PINNED_TO_OTHER: 1,
    ReasonCode.EXCLUDED: 2,
    ReasonCode.MINOR: 2,
    ReasonCode.MISSING_QUALIFICATION: 2,
    ReasonCode.GENDER: 3,
    ReasonCode.LANGUAGE: 3,
    ReasonCode.BEYOND_RADIUS: 3,
    ReasonCode.QUALIFICATION_EXPIRED: 3,
    ReasonCode.QUALIFICATION_NOT_YET_VALID: 3,
    ReasonCode.INSURANCE_MISSING: 3,
    ReasonCode.CONTRACT_LINE_NOT_COVERING: 4,
    ReasonCode.NO_SHIFT_THAT_DAY: 5,
    ReasonCode.WINDOW_OUTSIDE_SHIFT: 5,
    ReasonCode.ABSENT: 5,
    BusyCode.HOUSEHOLD_NEW_FACES: 6,
    BusyCode.PERSON_NEW_HOUSEHOLDS: 6,
    BusyCode.QUOTA_FULL: 6,
    BusyCode.LINE_FULL: 6,
    BusyCode.WORK_MINUTES_FULL: 6,
    BusyCode.WORK_VISITS_FULL: 6,
    BusyCode.ROUTE_BROKEN: 6,
    BusyCode.BUSY: 7,
    BusyCode.TRAVEL_TOO_LONG: 7,
    BusyCode.KEPT_AS_FALLBACK: 7,
    BusyCode.NO_FALLBACK: 8,
    BusyCode.NOT_TOGETHER: 8,
}
"""How close somebody with this obstacle comes to serving the visit (higher is closer)."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason against one person: a code and its parameters in a fixed order."""

    code: Code
    parameters: tuple[tuple[str, Parameter], ...] = ()

    def get(self, name: str) -> Parameter:
        return dict(self.parameters).get(name)


@dataclass(frozen=True, slots=True)
class PersonObstacles:
    """Everything that keeps one person from one slot (never empty)."""

    caregiver_id: str
    slot: int
    obstacles: tuple[Obstacle, ...]

    @property
    def stage(self) -> int:
        """How close this person comes: where the most serious of the obstacles stands."""
        return min(STAGES[o.code] for o in self.obstacles)


def obstacles_of(placing: Placing) -> list[PersonObstacles]:
    """Why not, for everyone and each missing slot of a visit that cannot be placed."""
    able = {(o.slot, o.caregiver.id) for options in placing.options for o in options}
    found = []
    for slot in placing.missing:
        for person in placing.state.instance.caregivers:
            against = _alone(placing, slot, person) if (slot, person.id) in able else _person(placing, slot, person)
            rows = tuple(dict.fromkeys(against)) or (Obstacle(BusyCode.NOT_TOGETHER),)
            found.append(PersonObstacles(person.id, slot, rows))
    return found


def _alone(placing: Placing, slot: int, person: Caregiver) -> Iterator[Obstacle]:
    """Why somebody who is free does not help: a volunteer with nobody who could stand behind."""
    if person.kind is ProviderKind.VOLUNTEER and placing.visit.fallback is FallbackRule.REQUIRED:
        own = [o for o in placing.options[placing.missing.index(slot)] if o.caregiver.id == person.id]
        helpers = [h for h in placing.helpers_for(slot) if h.caregiver.id != person.id]
        if not any(h.earliest <= o.latest and o.earliest <= h.latest for h in helpers for o in own):
            yield Obstacle(BusyCode.NO_FALLBACK)


def _obstacle(code: Code, **parameters: Parameter) -> Obstacle:
    return Obstacle(code, tuple(parameters.items()))


def _person(placing: Placing, slot: int, person: Caregiver) -> Iterator[Obstacle]:
    state, visit = placing.state, placing.visit
    static = reasons(state.lookup, visit, slot, person)
    if static:
        yield from (Obstacle(r.code, r.parameters) for r in static)
        return
    if state.faces_full(visit.household_id, person, due=False):
        limit = state.lookup.households[visit.household_id].max_new_faces
        yield _obstacle(BusyCode.HOUSEHOLD_NEW_FACES, limit=limit)
    if state.household_is_new_to(person, visit.household_id):
        yield _obstacle(BusyCode.PERSON_NEW_HOUSEHOLDS, limit=person.max_new_households)
    for shift in possible_shifts(state.lookup, visit, slot, person):
        yield from _shift(state, visit, slot, person, shift)


def _shift(state: PlanState, visit: Visit, slot: int, person: Caregiver, shift: Shift) -> Iterator[Obstacle]:
    day = shift.day
    for full in state.full_lines(visit, slot, person, day):
        numbers: dict[str, Parameter] = {
            "unit": str(full.row.unit),
            "needed": full.needed,
            "left": full.left,
            "day": day,
        }
        if isinstance(full.row, Budget):
            yield _obstacle(BusyCode.LINE_FULL, line=full.row.line_id, budget=full.row.id, **numbers)
        else:
            yield _obstacle(BusyCode.QUOTA_FULL, quota=full.row.id, **numbers)
    if not state.table(shift).feasible_now or not state.table(shift, due=True).feasible_now:
        yield _obstacle(BusyCode.ROUTE_BROKEN, day=day)
        return
    spans = start_spans(state.lookup, visit, slot, shift)
    openings = state.openings(visit, slot, shift, spans)
    if not openings:
        yield _busy(state, visit, slot, shift)
        return
    least = min(due.work_added for _, due in openings)
    limit = state.limit_broken(visit, person, shift, least, due=True)
    if limit is not None:
        days = {"first_day": limit.first_day, "last_day": limit.last_day}
        if state.limit_broken(visit, person, shift, -1e9, due=True) is not None:
            yield _obstacle(BusyCode.WORK_VISITS_FULL, **days, limit=limit.max_visits)
        else:
            yield _obstacle(BusyCode.WORK_MINUTES_FULL, **days, limit=limit.max_minutes)


def _busy(state: PlanState, visit: Visit, slot: int, shift: Shift) -> Obstacle:
    """Nothing fits into the shift: whose stops are in the way, the way itself, or a fallback's place?"""
    spans = start_spans(state.lookup, visit, slot, shift)
    minutes, access = slot_minutes(visit, slot), visit.access_minutes
    planned = state.table(shift).openings(visit.location_id, minutes, access, spans)
    first, last = min(a for a, _ in spans) - access, max(b for _, b in spans) + minutes
    if planned:
        behind = [b for b in state.behind if b.shift.id == shift.id]
        return _obstacle(BusyCode.KEPT_AS_FALLBACK, day=shift.day, visits=_names(behind, first, last))
    names = _names(state.route(shift.id), first, last)
    at_once = Timetable(shift, state.table(shift).halts, (), lambda a, b: 0.0)
    room = at_once.openings(visit.location_id, minutes, access, spans)
    code = BusyCode.TRAVEL_TOO_LONG if room else BusyCode.BUSY
    return _obstacle(code, day=shift.day, visits=names)


def _names(rows: list[Booked], first: float, last: float) -> str:
    """The visits whose stops lie in [first, last], or next to it where none does."""
    inside = [b for b in rows if b.end_minutes > first and b.start_minutes < last]
    return ",".join(dict.fromkeys(b.visit.id for b in inside or rows))
