"""An instance as flat arrays of numbers, for the compiled search (`kernel`).

Nothing is decided here that `eligibility` has not decided: its answers are asked once per kind of
visit and kept as masks over caregivers, and the fit of a slot into an empty shift is the same
arithmetic over all shifts at once.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from matching.candidacy import candidate_arrays, preference_points
from matching.eligibility import allowed_mixes
from matching.flat import compressed, floats, ints, slot_pairs
from matching.instance import Instance, LineRule, Pin, ProviderKind, Shift, Unit, Visit
from matching.kernel.problem import NEVER, Problem
from matching.lookup import Lookup, fair_capacity, slot_minutes
from matching.objective import TIERS

KINDS = tuple(ProviderKind)
UNITS = tuple(Unit)
RULES = (LineRule.FIRST, LineRule.ORDERED, LineRule.ANY)
NEIGHBOURS = 80
# An unserved visit weighs this many points in the search's energy; each higher tier weighs RANK_FACTOR
# times more. The best plan is kept by the exact lexicographic order, whatever these are.
UNSERVED_POINTS = 400_000.0
RANK_FACTOR = 40.0
# What a lost pin counts: a slot agreed with person and time, and with a person alone.
FULLY_PINNED, PERSON_PINNED = 1000, 1


def build_arrays(lookup: Lookup) -> Problem:
    """The arrays of one validated instance."""
    instance = lookup.instance
    parts: dict[str, Any] = {"travel": _travel(lookup)}
    parts |= _visit_arrays(lookup) | _window_arrays(instance) | _slot_arrays(lookup) | _shift_arrays(lookup)
    parts |= _caregiver_arrays(lookup) | _line_arrays(lookup) | _objective_arrays(instance)
    parts |= candidate_arrays(lookup, parts)
    parts["s_points"] = preference_points(lookup)
    parts["v_mix"] = np.array([_mix_bits(lookup, v) for v in instance.visits], dtype=np.int64)
    parts["route_length"] = _route_length(parts)
    parts["neighbours"] = _neighbours(parts)
    return Problem(**parts)


def _travel(lookup: Lookup) -> np.ndarray:
    size = len(lookup.instance.locations)
    return np.stack(lookup.travel) if lookup.travel else np.zeros((1, size, size))


def _visit_arrays(lookup: Lookup) -> dict[str, Any]:
    visits = lookup.instance.visits
    households = {row.id: i for i, row in enumerate(lookup.instance.households)}
    persons = {q.person_id: i for i, q in enumerate(lookup.instance.quotas)}
    first = np.concatenate(([0], np.cumsum([len(v.slots) for v in visits], dtype=np.int64)))[:-1]
    return {
        "v_slot0": first.astype(np.int64),
        "v_slots": ints(len(v.slots) for v in visits),
        "v_rank": ints(0 if v.mandatory else v.tier + 1 for v in visits),
        "v_loc": ints(lookup.location_index[v.location_id] for v in visits),
        "v_access": floats(v.access_minutes for v in visits),
        "v_late": floats(v.max_tardiness_minutes for v in visits),
        "v_household": ints(households[v.household_id] for v in visits),
        "v_person": ints(persons.get(v.person_id or "", -1) for v in visits),
        "v_offset_min": floats(v.synchronisation.min_offset_minutes for v in visits),
        "v_offset_max": floats(v.synchronisation.max_offset_minutes for v in visits),
        "v_alone": np.array([v.synchronisation.same_caregiver_allowed for v in visits], dtype=np.bool_)
        & (ints(len(v.slots) for v in visits) == 2),
        "v_once": np.array([v.charged_once for v in visits], dtype=np.bool_),
        "v_rule": ints(RULES.index(v.line_rule) for v in visits),
    }


def _window_arrays(instance: Instance) -> dict[str, Any]:
    hard = [sorted((w.start_minutes, w.end_minutes) for w in v.windows) for v in instance.visits]
    soft = [sorted((w.start_minutes, w.end_minutes) for w in v.preferred_windows) for v in instance.visits]
    hard_ptr, hard_flat = compressed(hard)
    soft_ptr, soft_flat = compressed(soft)
    return {
        "v_win_ptr": hard_ptr,
        "win_lo": floats(w[0] for w in hard_flat),
        "win_hi": floats(w[1] for w in hard_flat),
        "v_pref_ptr": soft_ptr,
        "pref_lo": floats(w[0] for w in soft_flat),
        "pref_hi": floats(w[1] for w in soft_flat),
    }


def _mix_bits(lookup: Lookup, visit: Visit) -> int:
    """Bit 3a + b is set where a first person of kind a and a second of kind b may go together."""
    mixes = allowed_mixes(lookup, visit) if len(visit.slots) == 2 else None
    if mixes is None:
        return 511
    return sum(1 << (3 * KINDS.index(a) + KINDS.index(b)) for a, b in mixes)


def _slot_arrays(lookup: Lookup) -> dict[str, Any]:
    pairs = slot_pairs(lookup.instance)
    caregivers = {row.id: i for i, row in enumerate(lookup.instance.caregivers)}
    visits = {row.id: i for i, row in enumerate(lookup.instance.visits)}
    lines = {row.id: i for i, row in enumerate(lookup.instance.contract_lines)}
    running = {(r.visit_id, r.slot): r for r in lookup.instance.running_plan.assignments}
    pins = [v.slots[k].pin for v, k in pairs]
    told = [running.get((v.id, k)) for v, k in pairs]
    line_ptr, line_flat = compressed([_slot_lines(lookup, v, k, lines) for v, k in pairs])
    return {
        "s_visit": ints(visits[v.id] for v, _ in pairs),
        "s_minutes": floats(slot_minutes(v, k) for v, k in pairs),
        "s_fix": floats(-1 if p is None or p.start_minutes is None else p.start_minutes for p in pins),
        "s_pinned": ints(_pin_weight(pin) for pin in pins),
        "s_charge": np.array([_charge(v, k) for v, k in pairs], dtype=np.float64).reshape(-1, 3),
        "s_line_ptr": line_ptr,
        "s_line": ints(line_flat),
        "s_run_caregiver": ints(-1 if r is None else caregivers[r.caregiver_id] for r in told),
        "s_run_start": floats(0 if r is None else r.start_minutes for r in told),
    }


def _pin_weight(pin: Pin | None) -> int:
    """How much losing the pin counts: person and time agreed before person alone."""
    if pin is None or pin.caregiver_id is None:
        return 0
    return PERSON_PINNED if pin.start_minutes is None else FULLY_PINNED


def _charge(visit: Visit, slot: int) -> tuple[float, float, float]:
    """What the slot draws, in minutes, visits and meals (the order of `Unit`)."""
    own = visit.charge_minutes
    return (slot_minutes(visit, slot) if own is None else own, 1, visit.charge_meals)


def _slot_lines(lookup: Lookup, visit: Visit, slot: int, index: dict[str, int]) -> list[int]:
    service = visit.slots[slot].service_id or visit.service_id
    return [index[n] for n in visit.contract_line_ids if service in lookup.lines[n].service_ids]


def _shift_arrays(lookup: Lookup) -> dict[str, Any]:
    shifts = lookup.instance.shifts
    caregivers = {row.id: i for i, row in enumerate(lookup.instance.caregivers)}
    limits = [(i, limit) for i, c in enumerate(lookup.instance.caregivers) for limit in c.work_limits]
    of_caregiver = defaultdict(list)
    for j, (i, limit) in enumerate(limits):
        of_caregiver[i].append((j, limit))
    applying = [
        [j for j, row in of_caregiver[caregivers[s.caregiver_id]] if row.first_day <= s.day <= row.last_day]
        for s in shifts
    ]
    limit_ptr, limit_flat = compressed(applying)
    break_ptr, breaks = compressed([_pauses(lookup, s) for s in shifts])
    return {
        "h_caregiver": ints(caregivers[s.caregiver_id] for s in shifts),
        "h_day": ints(s.day for s in shifts),
        "h_start": floats(s.start_minutes for s in shifts),
        "h_end": floats(s.end_minutes for s in shifts),
        "h_mode": ints(lookup.mode_index[s.mode_id] for s in shifts),
        "h_from": ints(lookup.location_index.get(s.start_location_id or "", -1) for s in shifts),
        "h_to": ints(lookup.location_index.get(s.end_location_id or "", -1) for s in shifts),
        "h_break_ptr": break_ptr,
        "b_lo": floats(b[0] for b in breaks),
        "b_hi": floats(b[1] for b in breaks),
        "b_minutes": floats(b[2] for b in breaks),
        "b_index": ints(b[3] for b in breaks),
        "h_limit_ptr": limit_ptr,
        "h_limit": ints(limit_flat),
        "l_max_minutes": floats(NEVER if r.max_minutes is None else r.max_minutes for _, r in limits),
        "l_max_visits": ints(2**40 if r.max_visits is None else r.max_visits for _, r in limits),
        "l_used_minutes": floats(r.used_minutes for _, r in limits),
        "l_used_visits": ints(r.used_visits for _, r in limits),
    }


def _pauses(lookup: Lookup, shift: Shift) -> list[tuple[float, float, float, int]]:
    """The breaks, and the absences as breaks that cannot move (index -1), in order of time."""
    resting = {index for index, _ in breaks_while_absent(lookup, shift)}
    rows = [
        (b.earliest_start_minutes, b.latest_start_minutes, b.duration_minutes, i)
        for i, b in enumerate(shift.breaks)
        if i not in resting
    ]
    rows += [(start, start, end - start, -1) for start, end in _absent(lookup, shift)]
    return sorted(rows)


def _absent(lookup: Lookup, shift: Shift) -> list[tuple[float, float]]:
    """The absences within the shift as disjoint spans in order."""
    spans: list[tuple[float, float]] = []
    rows = lookup.caregivers[shift.caregiver_id].absences
    for row in sorted(rows, key=lambda a: a.start_minutes):
        start, end = max(row.start_minutes, shift.start_minutes), min(row.end_minutes, shift.end_minutes)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif start < end:
            spans.append((start, end))
    return spans


def breaks_while_absent(lookup: Lookup, shift: Shift) -> list[tuple[int, float]]:
    """Breaks (index, start) that fall into an absence and so need no time of their own."""
    found = []
    for i, rest in enumerate(shift.breaks):
        for start, end in _absent(lookup, shift):
            begin = max(start, rest.earliest_start_minutes)
            if begin <= min(rest.latest_start_minutes, end - rest.duration_minutes):
                found.append((i, begin))
                break
    return found


def _caregiver_arrays(lookup: Lookup) -> dict[str, Any]:
    rows = lookup.instance.caregivers
    index = {row.id: i for i, row in enumerate(rows)}
    organisations = _organisations(lookup.instance)
    together = ~np.eye(len(rows), dtype=np.bool_)
    for pair in lookup.instance.excluded_pairs:
        a, b = index[pair.first_caregiver_id], index[pair.second_caregiver_id]
        together[a, b] = together[b, a] = False
    known = np.zeros((len(lookup.instance.households), len(rows)), dtype=np.bool_)
    for i, household in enumerate(lookup.instance.households):
        known[i, [index[c] for c in household.known_caregiver_ids]] = True
    return {
        "c_kind": ints(KINDS.index(c.kind) for c in rows),
        "c_organisation": ints(organisations.get(c.organisation_id, -1) for c in rows),
        "c_needs_line": np.array([c.needs_contract_line for c in rows], dtype=np.bool_),
        "c_cost": floats(c.cost_per_minute_fen for c in rows),
        "c_capacity": floats(fair_capacity(c, lookup.shifts_of[c.id]) for c in rows),
        "c_max_new": ints(2**40 if c.max_new_households is None else c.max_new_households for c in rows),
        "c_together": together,
        "known": known,
        "household_max_new": ints(
            2**40 if h.max_new_faces is None else h.max_new_faces for h in lookup.instance.households
        ),
    }


def _organisations(instance: Instance) -> dict[str | None, int]:
    names = [row.organisation_id for row in instance.contract_lines]
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def _line_arrays(lookup: Lookup) -> dict[str, Any]:
    instance = lookup.instance
    organisations = _organisations(instance)
    lines = {row.id: i for i, row in enumerate(instance.contract_lines)}
    persons = {q.person_id: i for i, q in enumerate(instance.quotas)}
    caps: list[Any] = [*instance.budgets, *instance.quotas]
    by_line: list[list[int]] = [[] for _ in lines]
    by_person: list[list[int]] = [[] for _ in instance.quotas]
    for i, budget in enumerate(instance.budgets):
        by_line[lines[budget.line_id]].append(i)
    for i, quota in enumerate(instance.quotas, start=len(instance.budgets)):
        by_person[persons[quota.person_id]].append(i)
    line_ptr, line_flat = compressed(by_line)
    person_ptr, person_flat = compressed(by_person)
    rows = instance.contract_lines
    return {
        "n_organisation": ints(organisations[n.organisation_id] for n in rows),
        "n_first": ints(n.first_day for n in rows),
        "n_last": ints(n.last_day for n in rows),
        "n_unit": ints(UNITS.index(n.unit) for n in rows),
        "n_price": floats(n.price_fen for n in rows),
        "n_cap_ptr": line_ptr,
        "n_cap": ints(line_flat),
        "p_cap_ptr": person_ptr,
        "p_cap": ints(person_flat),
        "k_unit": ints(UNITS.index(k.unit) for k in caps),
        "k_line": ints(-1 if k.line_id is None else lines[k.line_id] for k in caps),
        "k_first": ints(k.first_day for k in caps),
        "k_last": ints(k.last_day for k in caps),
        "k_cap": floats(k.cap for k in caps),
        "k_used": floats(k.used for k in caps),
    }


def _objective_arrays(instance: Instance) -> dict[str, Any]:
    w = instance.weights
    weight = (
        w.tardiness_per_minute,
        w.max_tardiness_per_minute,
        w.outside_preferred_per_minute,
        w.new_face,
        w.unfairness_per_minute,
        w.cost_per_fen,
        w.travel_per_minute,
        w.told_per_person,
    )
    return {
        "weight": floats(weight),
        "rank_points": _rank_points(instance),
        "run_tolerance": float(instance.running_plan.tolerance_minutes),
        "has_running": bool(instance.running_plan.assignments),
    }


def _rank_points(instance: Instance) -> np.ndarray:
    """Points of an unserved visit per rank (0 mandatory, 1 + tier), then those of a lost pin."""
    present = sorted({0 if v.mandatory else v.tier + 1 for v in instance.visits})
    factor = min(RANK_FACTOR, 1e10 ** (1 / max(1, len(present))))
    points = np.full(TIERS + 2, UNSERVED_POINTS)
    for steps, rank in enumerate(reversed(present)):
        points[rank] = UNSERVED_POINTS * factor**steps
    points[TIERS + 1] = points[: TIERS + 1].max() * 2
    return np.round(points)


def _route_length(parts: dict[str, Any]) -> int:
    """More stops than this cannot lie in one shift."""
    if not len(parts["s_minutes"]) or not len(parts["h_start"]):
        return 1
    longest = float((parts["h_end"] - parts["h_start"]).max())
    return min(int(longest // parts["s_minutes"].min()) + 1, len(parts["s_minutes"]))


def _neighbours(parts: dict[str, Any]) -> np.ndarray:
    """Per visit the visits nearest in travel time and time of day that share a window's day."""
    count = len(parts["v_loc"])
    width = min(NEIGHBOURS, count)
    travel = parts["travel"].min(axis=0)
    nearest = np.zeros((count, width), dtype=np.int64)
    first = parts["v_win_ptr"][:-1]
    middle = (parts["win_lo"][first] + parts["win_hi"][first]) / 2 if count else np.zeros(0)
    day = np.floor(middle / 1440)
    for v in range(count):
        apart = travel[parts["v_loc"][v], parts["v_loc"]] + 0.1 * np.abs(middle - middle[v])
        apart = apart + np.where(day == day[v], 0, 1000.0)
        apart[v] = -1
        nearest[v] = np.argsort(apart, kind="stable")[:width]
    return nearest
