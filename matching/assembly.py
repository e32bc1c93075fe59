"""From the arrays of the search back to a frozen plan."""

from matching.arrays import Problem, slot_pairs
from matching.instance import Visit
from matching.kernel import FEN, State, bounds, drawn, finish, go, lateness, leg, outside, refresh, unfair
from matching.lookup import Lookup
from matching.objective import TIERS, ObjectiveVector
from matching.plan import PlannedBreak, Route, Stop, Unserved, UnservedCode


def plan_routes(lookup: Lookup, p: Problem, s: State) -> tuple[Route, ...]:
    """The routes of every shift that has a stop, in the order of the shifts."""
    pairs = slot_pairs(lookup.instance)
    return tuple(_route(lookup, p, s, h, pairs) for h in range(len(s.length)) if s.length[h])


def unserved_visits(lookup: Lookup, p: Problem, s: State) -> tuple[Unserved, ...]:
    """Every visit that is not fully staffed, with the short reason."""
    rows = []
    for v, visit in enumerate(lookup.instance.visits):
        slots = range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v])
        if any(s.s_shift[slot] < 0 for slot in slots):
            rows.append(_unserved(p, s, visit, list(slots)))
    return tuple(rows)


def objective_of(lookup: Lookup, p: Problem, s: State) -> ObjectiveVector:
    """The terms of the plan as the search sees them (the checker computes them for itself)."""
    instance = lookup.instance
    placed = [slot for slot in range(len(p.s_visit)) if s.s_shift[slot] >= 0]
    unserved = [0] * TIERS
    mandatory = 0
    for row in unserved_visits(lookup, p, s):
        visit = lookup.visits[row.visit_id]
        mandatory += visit.mandatory
        unserved[visit.tier] += not visit.mandatory
    late = [lateness(p, p.s_visit[slot], s.s_start[slot]) for slot in placed]
    terms = _preference_terms(lookup, p, s, placed) | {
        "tardiness_minutes": sum(late),
        "max_tardiness_minutes": max(late, default=0),
        "outside_preferred_minutes": sum(outside(p, p.s_visit[x], s.s_start[x]) for x in placed),
        "new_faces": int(((s.faces > 0) & ~p.known).sum()),
        "unfairness_minutes": int(sum(unfair(p, c, s.c_work[c]) for c in range(len(p.c_kind)))),
        "cost_fen": sum(_fen(p, s, slot) for slot in placed),
        "travel_minutes": sum(_travel(p, s, h) for h in range(len(s.length))),
        "people_told": int((s.told_household > 0).sum() + (s.told_caregiver > 0).sum()),
    }
    terms = {name: _plain(value) for name, value in terms.items()}
    w = instance.weights
    total = (
        w.tardiness_per_minute * terms["tardiness_minutes"]
        + w.max_tardiness_per_minute * terms["max_tardiness_minutes"]
        + w.outside_preferred_per_minute * terms["outside_preferred_minutes"]
        + w.new_face * terms["new_faces"]
        + w.not_previous * terms["not_previous"]
        + w.not_preferred * terms["not_preferred"]
        + w.wish_missed * terms["wishes_missed"]
        + w.standing_broken * terms["standing_broken"]
        + w.unfairness_per_minute * terms["unfairness_minutes"]
        + w.cost_per_fen * terms["cost_fen"]
        + w.travel_per_minute * terms["travel_minutes"]
        + w.told_per_person * terms["people_told"]
    )
    return ObjectiveVector(unserved_mandatory=mandatory, unserved_by_tier=tuple(unserved), total=_plain(total), **terms)


def _route(lookup: Lookup, p: Problem, s: State, h: int, pairs: list[tuple[Visit, int]]) -> Route:
    refresh(p, s, h, 0)
    shift = lookup.instance.shifts[h]
    time, place, pause = p.h_start[h], p.h_from[h], p.h_break_ptr[h]
    stops: list[Stop] = []
    travel = 0.0
    for slot in s.route[h, : s.length[h]]:
        lo, hi = bounds(s, slot)
        arrival, start, pause = go(p, s, slot, h, s.s_wait[slot], lo, hi, time, place, pause)
        travel += leg(p, p.h_mode[h], place, p.v_loc[p.s_visit[slot]])
        time, place = start + p.s_minutes[slot], p.v_loc[p.s_visit[slot]]
        stops.append(_stop(lookup, p, s, pairs[slot], slot, arrival, start))
    back = finish(p, s, h, time, place, pause)
    travel += leg(p, p.h_mode[h], place, p.h_to[h])
    return Route(
        shift_id=shift.id,
        caregiver_id=shift.caregiver_id,
        departure_minutes=_plain(p.h_start[h]) if p.h_from[h] >= 0 else stops[0].arrival_minutes,
        return_minutes=_plain(back) if p.h_to[h] >= 0 else stops[-1].end_minutes,
        travel_minutes=_plain(travel),
        work_minutes=_plain(s.r_work[h, -1]),
        stops=tuple(stops),
        breaks=_breaks(p, s, h),
    )


def _stop(
    lookup: Lookup, p: Problem, s: State, pair: tuple[Visit, int], slot: int, arrival: float, start: float
) -> Stop:
    visit, k = pair
    line = s.s_line[slot]
    return Stop(
        visit_id=visit.id,
        slot=k,
        arrival_minutes=_plain(arrival),
        start_minutes=_plain(start),
        end_minutes=_plain(start + p.s_minutes[slot]),
        tardiness_minutes=_plain(lateness(p, p.s_visit[slot], start)),
        line_id=None if line < 0 else lookup.instance.contract_lines[line].id,
    )


def _breaks(p: Problem, s: State, h: int) -> tuple[PlannedBreak, ...]:
    rows = range(p.h_break_ptr[h], p.h_break_ptr[h + 1])
    return tuple(
        PlannedBreak(int(p.b_index[b]), _plain(s.marks[b]), _plain(s.marks[b] + p.b_minutes[b]))
        for b in rows
        if p.b_index[b] >= 0
    )


def _unserved(p: Problem, s: State, visit: Visit, slots: list[int]) -> Unserved:
    nobody = [slot for slot in slots if p.s_cand_ptr[slot] == p.s_cand_ptr[slot + 1]]
    if nobody:
        code = UnservedCode.NOBODY_ELIGIBLE
        if len(nobody) < len(slots):
            code = UnservedCode.NO_SECOND_PERSON
        return Unserved(visit.id, code, proven=True)
    if len(slots) == 2 and _only_one_person(p, slots):
        return Unserved(visit.id, UnservedCode.NO_SECOND_PERSON, proven=True)
    return Unserved(visit.id, UnservedCode.NO_ROOM)


def _only_one_person(p: Problem, slots: list[int]) -> bool:
    """Both slots could be taken by one and the same person only."""
    people = {int(p.h_caregiver[h]) for slot in slots for h in p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]}
    return len(people) == 1


def _preference_terms(lookup: Lookup, p: Problem, s: State, placed: list[int]) -> dict[str, int]:
    pairs = slot_pairs(lookup.instance)
    terms = dict.fromkeys(("not_previous", "not_preferred", "wishes_missed", "standing_broken"), 0)
    for slot in placed:
        visit, k = pairs[slot]
        who = lookup.instance.caregivers[p.h_caregiver[s.s_shift[slot]]]
        standing = visit.slots[k].standing_caregiver_id
        previous, preferred = visit.previous_caregiver_ids, visit.preferred_caregiver_ids
        terms["not_previous"] += bool(previous) and who.id not in previous
        terms["not_preferred"] += bool(preferred) and who.id not in preferred
        terms["standing_broken"] += standing is not None and who.id != standing
        wish = visit.gender_wish
        terms["wishes_missed"] += wish is not None and not wish.hard and who.gender not in wish.values
        wish = visit.language_wish
        if wish is not None and not wish.hard:
            terms["wishes_missed"] += not set(wish.values) & set(who.languages)
    return terms


def _fen(p: Problem, s: State, slot: int) -> float:
    if s.s_line[slot] < 0:
        return p.c_cost[p.h_caregiver[s.s_shift[slot]]] * p.s_minutes[slot]
    return drawn(p, slot, s.s_line[slot], FEN) if s.s_drawn[slot] else 0.0


def _travel(p: Problem, s: State, h: int) -> float:
    if not s.length[h]:
        return 0.0
    places = [p.h_from[h], *(p.v_loc[p.s_visit[x]] for x in s.route[h, : s.length[h]]), p.h_to[h]]
    return sum(leg(p, p.h_mode[h], a, b) for a, b in zip(places, places[1:], strict=False))


def _plain(value: float) -> float:
    """A Python number, whole where it is whole."""
    number = float(value)
    return int(number) if number.is_integer() else number
