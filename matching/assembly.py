"""From the arrays of the search back to a frozen plan."""

from typing import Any

import numpy as np

from matching.arrays import breaks_while_absent
from matching.flat import slot_pairs
from matching.instance import Visit
from matching.kernel.judging import count_terms
from matching.kernel.schedule import route_travel, timetable
from matching.objective import TIERS, ObjectiveVector
from matching.plan import PlannedBreak, Route, Stop, Unserved, UnservedCode
from matching.search import Search


def plan_routes(search: Search) -> tuple[Route, ...]:
    """The routes of every shift that has a stop, in the order of the shifts."""
    pairs = slot_pairs(search.lookup.instance)
    arrivals = np.zeros(len(pairs))
    late = np.zeros(len(pairs))
    used = np.flatnonzero(search.state.length)
    return tuple(_route(search, int(h), pairs, arrivals, late) for h in used)


def unserved_visits(search: Search) -> tuple[Unserved, ...]:
    """Every visit that is not fully staffed, with the short reason."""
    p, rows = search.problem, []
    for v, visit in enumerate(search.lookup.instance.visits):
        slots = list(range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]))
        if (search.state.s_shift[slots] < 0).any():
            rows.append(_unserved(search, visit, slots))
    return tuple(rows)


def objective_of(search: Search) -> ObjectiveVector:
    """The terms of the plan as the search sees them (the checker computes them for itself)."""
    state = search.state
    unserved = [0] * TIERS
    mandatory = 0
    for row in unserved_visits(search):
        visit = search.lookup.visits[row.visit_id]
        mandatory += visit.mandatory
        unserved[visit.tier] += not visit.mandatory
    sums = np.zeros(6)
    count_terms(search.p, search.s, sums)
    terms: dict[str, Any] = _preference_terms(search) | {
        "tardiness_minutes": _plain(sums[0]),
        "max_tardiness_minutes": _plain(sums[1]),
        "outside_preferred_minutes": _plain(sums[2]),
        "new_faces": int(((state.faces > 0) & ~search.problem.known).sum()),
        "unfairness_minutes": int(sums[3]),
        "cost_fen": _plain(sums[4]),
        "travel_minutes": _plain(sums[5]),
        "people_told": int((state.told_household > 0).sum() + (state.told_caregiver > 0).sum()),
    }
    w = search.lookup.instance.weights
    rates = {
        "tardiness_minutes": w.tardiness_per_minute,
        "max_tardiness_minutes": w.max_tardiness_per_minute,
        "outside_preferred_minutes": w.outside_preferred_per_minute,
        "new_faces": w.new_face,
        "not_previous": w.not_previous,
        "not_preferred": w.not_preferred,
        "wishes_missed": w.wish_missed,
        "standing_broken": w.standing_broken,
        "unfairness_minutes": w.unfairness_per_minute,
        "cost_fen": w.cost_per_fen,
        "travel_minutes": w.travel_per_minute,
        "people_told": w.told_per_person,
    }
    total = sum(rate * terms[name] for name, rate in rates.items())
    return ObjectiveVector(unserved_mandatory=mandatory, unserved_by_tier=tuple(unserved), total=_plain(total), **terms)


def _route(search: Search, h: int, pairs: list[tuple[Visit, int]], arrivals: np.ndarray, late: np.ndarray) -> Route:
    p, state = search.problem, search.state
    shift = search.lookup.instance.shifts[h]
    back = timetable(search.p, search.s, h, arrivals, late)
    stops = tuple(_stop(search, pairs[slot], int(slot), arrivals, late) for slot in state.route[h, : state.length[h]])
    breaks = [
        PlannedBreak(int(p.b_index[b]), _plain(state.marks[b]), _plain(state.marks[b] + p.b_minutes[b]))
        for b in range(p.h_break_ptr[h], p.h_break_ptr[h + 1])
        if p.b_index[b] >= 0
    ]
    for index, begin in breaks_while_absent(search.lookup, shift):
        end = begin + shift.breaks[index].duration_minutes
        breaks.append(PlannedBreak(index, _plain(begin), _plain(end)))
    return Route(
        shift_id=shift.id,
        caregiver_id=shift.caregiver_id,
        departure_minutes=_plain(p.h_start[h]) if p.h_from[h] >= 0 else stops[0].arrival_minutes,
        return_minutes=_plain(back) if p.h_to[h] >= 0 else stops[-1].end_minutes,
        travel_minutes=_plain(route_travel(search.p, search.s, h)),
        work_minutes=_plain(state.r_work[h, -1]),
        stops=stops,
        breaks=tuple(sorted(breaks, key=lambda row: row.index)),
    )


def _stop(search: Search, pair: tuple[Visit, int], slot: int, arrivals: np.ndarray, late: np.ndarray) -> Stop:
    visit, k = pair
    line, start = search.state.s_line[slot], search.state.s_start[slot]
    return Stop(
        visit_id=visit.id,
        slot=k,
        arrival_minutes=_plain(arrivals[slot]),
        start_minutes=_plain(start),
        end_minutes=_plain(start + search.problem.s_minutes[slot]),
        tardiness_minutes=_plain(late[slot]),
        line_id=None if line < 0 else search.lookup.instance.contract_lines[line].id,
    )


def _unserved(search: Search, visit: Visit, slots: list[int]) -> Unserved:
    people = [_people(search, slot) for slot in slots]
    if not any(people):
        return Unserved(visit.id, UnservedCode.NOBODY_ELIGIBLE, proven=True)
    alone = visit.synchronisation.same_caregiver_allowed
    if len(slots) == 2 and (not all(people) or (len(people[0] | people[1]) == 1 and not alone)):
        return Unserved(visit.id, UnservedCode.NO_SECOND_PERSON, proven=True)
    return Unserved(visit.id, UnservedCode.NO_ROOM)


def _people(search: Search, slot: int) -> set[int]:
    """Who could take the slot, were nothing else planned."""
    p = search.problem
    return {int(p.h_caregiver[h]) for h in p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]}


def _preference_terms(search: Search) -> dict[str, float]:
    instance, state = search.lookup.instance, search.state
    terms: dict[str, float] = dict.fromkeys(("not_previous", "not_preferred", "wishes_missed", "standing_broken"), 0)
    for slot, (visit, k) in enumerate(slot_pairs(instance)):
        if state.s_shift[slot] < 0:
            continue
        who = instance.caregivers[search.problem.h_caregiver[state.s_shift[slot]]]
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


def _plain(value: float) -> float:
    """A Python number, whole where it is whole."""
    number = float(value)
    return int(number) if number.is_integer() else number
