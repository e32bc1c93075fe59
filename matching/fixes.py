"""The smallest change that would serve a visit: tried, applied, solved again and checked.

One kind of change after the other, in the order of how much it disturbs (`FixCode`); of each kind the
smallest that works. A fix counts only if, with the change made, the visit can be placed with nobody
else moving and the independent checker accepts the whole plan. Sending one person where two are needed
is no fix.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from matching.changes import Change, Fix, FixCode, Made, price_of
from matching.charging import Booked, Full
from matching.eligibility import Parameter, ReasonCode, person_reasons
from matching.feasibility import check
from matching.instance import MINUTES_PER_DAY, Budget, Caregiver, Quota, Shift, TimeWindow, Visit
from matching.lookup import slot_minutes
from matching.placing import Placing
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.rebuild import insert_way, plan_of
from matching.recommend import candidate_of
from matching.staffing import additions, hand_overs, more_hours, more_households, new_faces, releases
from matching.timetable import Interval

MAX_WINDOW_SHIFT_MINUTES = 240
MAX_EXTENSION_MINUTES = 60
MAX_MOVE_MINUTES = 120
STEP_MINUTES = 5
TRIES = 40
"""Of one kind of change so many, the smallest first, are applied and verified."""
STARTS = 4
"""Where another visit must find a place afterwards, so many places of this one are tried, the best first."""


def find_fixes(placing: Placing, *, limit: int) -> list[Fix]:
    """Up to `limit` verified fixes of different kinds, least disturbing first."""
    found: list[Fix] = []
    for kind in _KINDS:
        if len(found) >= limit:
            break
        fix = _smallest(placing.state.plan, kind(placing))
        if fix is not None:
            found.append(fix)
    return found


def apply_change(change: Change) -> Made | None:
    """Make the change, place the visit, and let the checker judge; None if any of it fails."""
    changed = change.make()
    if changed is None:
        return None
    state, visit = changed
    ways = sorted(Placing(state, visit).ways(), key=lambda w: w.points)
    for way in ways[: STARTS if change.finish is not None else 1]:
        made: Made | None = Made(*insert_way(state, visit, way), candidate_of(state, visit, way))
        if change.finish is not None:
            made = change.finish(made)  # type: ignore[arg-type]
        if made is not None and not check(made.instance, made.plan):
            return made
    return None


def _smallest(before: Plan, changes: Iterator[Change]) -> Fix | None:
    for tried, change in enumerate(sorted(changes, key=lambda c: c.size)):
        if tried >= TRIES:
            break
        made = apply_change(change)
        if made is not None:
            named = tuple(change.parameters.items())
            return Fix(change.code, named, change.size, made.candidate, price_of(before, made), made)
    return None


# Move another visit a little


def _moves(placing: Placing) -> Iterator[Change]:
    """Visits of one person, not agreed, that would make room by starting earlier or later."""
    for slot in placing.missing:
        spans = placing.spans_beside(slot)
        for shift in _able_shifts(placing, slot, spans):
            for row in placing.state.route(shift.id):
                if _may_move(placing.state, row) and _is_near(row, spans):
                    yield from _moves_of(placing, slot, shift, row, spans)


def _may_move(state: PlanState, row: Booked) -> bool:
    """Alone at its visit, not agreed, and with nobody behind it who would have to move along."""
    return len(row.visit.slots) == 1 and row.visit.slots[0].pin is None and not state.behind_visit.get(row.visit.id)


def _is_near(row: Booked, spans: list[Interval]) -> bool:
    far = MAX_MOVE_MINUTES
    return any(a - far <= row.end_minutes and row.start_minutes <= b + far for a, b in spans)


def _moves_of(placing: Placing, slot: int, shift: Shift, row: Booked, spans: list[Interval]) -> Iterator[Change]:
    state, visit = placing.state, placing.visit
    others = [b for b in state.route(shift.id) if b is not row]
    table = state.table_of(shift, others)
    minutes = slot_minutes(visit, slot)
    for opening in table.openings(visit.location_id, minutes, visit.access_minutes, spans):
        for start in dict.fromkeys((opening.earliest, opening.latest)):
            new = Booked(visit, slot, row.caregiver, shift, start)
            to = _nearest_start(state, shift, [*others, new], row)
            if to is None or not 0 < abs(to - row.start_minutes) <= MAX_MOVE_MINUTES:
                continue
            size = abs(to - row.start_minutes)
            named: dict[str, Parameter] = {"visit": row.visit.id, "slot": row.slot, "caregiver": row.caregiver.id}
            named |= {"from_minutes": row.start_minutes, "to_minutes": to, "minutes": size}
            yield Change(FixCode.MOVE_OTHER_VISIT, named, size, _moved(state, visit, row, to))


def _nearest_start(state: PlanState, shift: Shift, rows: list[Booked], row: Booked) -> float | None:
    """The start of `row` nearest to its present one, on a whole minute, with the others as given."""
    table = state.table_of(shift, sorted(rows, key=lambda b: b.start_minutes))
    visit, minutes = row.visit, slot_minutes(row.visit, row.slot)
    on_time = [(w.start_minutes, w.end_minutes) for w in visit.windows]
    found = []
    for opening in table.openings(visit.location_id, minutes, visit.access_minutes, on_time):
        low, high = math.ceil(opening.earliest), math.floor(opening.latest)
        if low <= high:
            found.append(min(max(row.start_minutes, low), high))
    return min(found, key=lambda start: abs(start - row.start_minutes), default=None)


def _moved(state: PlanState, visit: Visit, row: Booked, to: float) -> Callable[[], tuple[PlanState, Visit]]:
    def make() -> tuple[PlanState, Visit]:
        planned = [replace(b, start_minutes=to) if b is row else b for b in state.planned]
        plan = plan_of(state.emptied(), planned, state.behind, state.plan, {row.shift.id})
        return PlanState(state.instance, plan), visit

    return make


# Ask the household


def _window_shifts(placing: Placing) -> Iterator[Change]:
    """The window moved earlier or later, by as little as lets somebody start on time in it."""
    state, visit = placing.state, placing.visit
    for index, window in enumerate(visit.windows):
        wider = TimeWindow(
            max(0, window.start_minutes - MAX_WINDOW_SHIFT_MINUTES), window.end_minutes + MAX_WINDOW_SHIFT_MINUTES
        )
        wide = replace(visit, windows=(wider,), max_tardiness_minutes=0)
        for minutes in sorted(_shifts_needed(Placing(state, wide), window), key=abs):
            if 0 < abs(minutes) <= MAX_WINDOW_SHIFT_MINUTES and window.start_minutes + minutes >= 0:
                moved = TimeWindow(window.start_minutes + minutes, window.end_minutes + minutes)
                other = replace(visit, windows=(moved,))
                named: dict[str, Parameter] = {"minutes": minutes, "window": index}
                yield Change(FixCode.SHIFT_WINDOW, named, abs(minutes), _with_visit(state, other))


def _shifts_needed(placing: Placing, window: TimeWindow) -> set[int]:
    """By how many whole minutes the window must move for each way to start outside it."""
    found: set[int] = set()
    for low, high in placing.start_ranges():
        if low > window.end_minutes:
            found.add(math.ceil(low - window.end_minutes))
        elif high < window.start_minutes:
            found.add(-math.ceil(window.start_minutes - high))
    return found


def _other_days(placing: Placing) -> Iterator[Change]:
    state, visit = placing.state, placing.visit
    horizon = state.instance.horizon_days
    taken = {int(w.start_minutes // MINUTES_PER_DAY) for w in visit.windows}
    for days in range(-horizon + 1, horizon):
        shifted = {day + days for day in taken}
        if days and min(shifted) >= 0 and max(shifted) < horizon:
            by = days * MINUTES_PER_DAY
            windows = tuple(TimeWindow(w.start_minutes + by, w.end_minutes + by) for w in visit.windows)
            # A later day disturbs a little less than an earlier one.
            size = abs(days) + (0.5 if days < 0 else 0)
            yield Change(FixCode.OTHER_DAY, {"days": days}, size, _with_visit(state, replace(visit, windows=windows)))


def _relaxed_wishes(placing: Placing) -> Iterator[Change]:
    state, visit = placing.state, placing.visit
    for size, name in enumerate(("language", "gender")):
        wish = getattr(visit, f"{name}_wish")
        if wish is not None and wish.hard:
            softer = replace(visit, **{f"{name}_wish": replace(wish, hard=False)})
            yield Change(FixCode.RELAX_WISH, {"wish": name}, size, _with_visit(state, softer))


# Ask one person, or whoever manages the contract


def _extensions(placing: Placing) -> Iterator[Change]:
    """Shifts that hold the visit if they begin earlier or end later, by steps of five minutes."""
    for slot in placing.missing:
        spans = placing.spans_beside(slot)
        for shift in _able_shifts(placing, slot, spans):
            for at in ("end", "start"):
                minutes = _extension_needed(placing, slot, shift, at, spans)
                if minutes is not None:
                    named: dict[str, Parameter] = {"caregiver": shift.caregiver_id, "shift": shift.id}
                    named |= {"minutes": minutes, "at": at}
                    longer = _longer(shift, at, minutes)
                    yield Change(FixCode.EXTEND_SHIFT, named, minutes, _with_shift(placing, longer))


def _extension_needed(placing: Placing, slot: int, shift: Shift, at: str, spans: list[Interval]) -> int | None:
    state, visit = placing.state, placing.visit

    def fits(minutes: int) -> bool:
        longer = _longer(shift, at, minutes)
        table = state.table_of(longer, state.route(shift.id))
        found = table.openings(visit.location_id, slot_minutes(visit, slot), visit.access_minutes, spans)
        return bool(found) and _stands_alone(state, longer)

    # A longer shift that cannot stand alone may hide a shorter one that can: then step by step.
    most = _longer(shift, at, MAX_EXTENSION_MINUTES)
    if _stands_alone(state, most) and not fits(MAX_EXTENSION_MINUTES):
        return None
    steps = range(STEP_MINUTES, MAX_EXTENSION_MINUTES + 1, STEP_MINUTES)
    return next((minutes for minutes in steps if fits(minutes)), None)


def _longer(shift: Shift, at: str, minutes: float) -> Shift:
    if at == "end":
        return replace(shift, end_minutes=shift.end_minutes + minutes)
    return replace(shift, start_minutes=shift.start_minutes - minutes)


def _stands_alone(state: PlanState, shift: Shift) -> bool:
    """Whether the longer shift is still on its day and clear of the person's other shifts."""
    on_day = shift.day * MINUTES_PER_DAY <= shift.start_minutes
    others = (s for s in state.lookup.shifts_of[shift.caregiver_id] if s.id != shift.id)
    return on_day and all(s.end_minutes <= shift.start_minutes or shift.end_minutes <= s.start_minutes for s in others)


def _radii(placing: Placing) -> Iterator[Change]:
    """People whose radius alone keeps them away, widened to just reach the place."""
    for person in placing.state.instance.caregivers:
        wider, named = _reaching(placing, person)
        if named:
            size = max(float(named.get(k) or 0) / (getattr(person, f) or 1) for k, f in _RADII)
            named = {"caregiver": person.id, **named}
            yield Change(FixCode.WIDEN_RADIUS, named, size, _with_person(placing, wider))


_RADII = (("metres", "radius_metres"), ("radius_minutes", "radius_minutes"))


def _reaching(placing: Placing, person: Caregiver) -> tuple[Caregiver, dict[str, Parameter]]:
    """The person with radii that just reach the place, and the new values (none: the radius is not all)."""
    look, visit = placing.state.lookup, placing.visit
    for slot in placing.missing:
        against = person_reasons(look, visit, slot, person)
        if not against or any(r.code is not ReasonCode.BEYOND_RADIUS for r in against):
            continue
        named: dict[str, Parameter] = {}
        for reason in against:
            if reason.get("metres") is not None and person.home_location_id is not None:
                # To the next hundred metres, as people say it.
                far = look.metres(person.home_location_id, visit.location_id)
                metres = math.ceil(far / 100) * 100
                named["metres"], person = metres, replace(person, radius_metres=metres)
            elif reason.get("minutes") is not None:
                minutes = math.ceil(float(reason.get("minutes") or 0))
                named["radius_minutes"], person = minutes, replace(person, radius_minutes=minutes)
        return person, named
    return person, {}


def _loans(placing: Placing) -> Iterator[Change]:
    """What is missing on a contract line's budget, lent."""
    for full in _full_rows(placing):
        if isinstance(full.row, Budget):
            amount = math.ceil(full.needed - full.left)
            named: dict[str, Parameter] = {"line": full.row.line_id, "budget": full.row.id}
            named |= {"amount": amount, "unit": str(full.row.unit)}
            yield Change(FixCode.BORROW_ON_LINE, named, amount, _with_cap(placing, full, amount))


def _quotas(placing: Placing) -> Iterator[Change]:
    """What is missing of the served person's own quota, granted."""
    for full in _full_rows(placing):
        if isinstance(full.row, Quota):
            amount = math.ceil(full.needed - full.left)
            named: dict[str, Parameter] = {"quota": full.row.id, "person": full.row.person_id}
            named |= {"amount": amount, "unit": str(full.row.unit)}
            yield Change(FixCode.RAISE_QUOTA, named, amount, _with_cap(placing, full, amount))


def _full_rows(placing: Placing) -> list[Full]:
    """Every budget and quota that keeps somebody able from coming, each shortage once."""
    state, visit = placing.state, placing.visit
    found: dict[tuple[str, float], Full] = {}
    for slot in placing.missing:
        for shift in _able_shifts(placing, slot, placing.spans_beside(slot)):
            person = state.lookup.caregivers[shift.caregiver_id]
            for full in state.full_lines(visit, slot, person, shift.day):
                found.setdefault((full.row.id, full.needed - full.left), full)
    return list(found.values())


# Common to all


def _able_shifts(placing: Placing, slot: int, spans: list[Interval]) -> Iterator[Shift]:
    return placing.state.able_shifts(placing.visit, slot, spans, within=MAX_EXTENSION_MINUTES)


def _with_visit(state: PlanState, visit: Visit) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (state, visit)


def _with_shift(placing: Placing, shift: Shift) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (placing.state.with_shift(shift), placing.visit)


def _with_person(placing: Placing, person: Caregiver) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (placing.state.with_person(person), placing.visit)


def _with_cap(placing: Placing, full: Full, amount: int) -> Callable[[], tuple[PlanState, Visit]]:
    larger = replace(full.row, cap=full.row.cap + amount)
    return lambda: (placing.state.with_cap(larger), placing.visit)


_KINDS: tuple[Callable[[Placing], Iterator[Change]], ...] = (
    _moves,
    hand_overs,
    _window_shifts,
    _extensions,
    _radii,
    more_hours,
    more_households,
    _loans,
    _other_days,
    _relaxed_wishes,
    new_faces,
    _quotas,
    releases,
    additions,
)
