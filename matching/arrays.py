"""An instance as flat arrays of numbers, for the compiled search (`kernel`).

Nothing is decided here that `eligibility` has not decided: its answers are asked once per kind of
visit and kept as masks over caregivers, and the fit of a slot into an empty shift is the same
arithmetic over all shifts at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from matching.eligibility import (
    allowed_mixes,
    day_reasons,
    person_reasons,
    required_qualifications,
    within_radius,
)
from matching.errors import UnsupportedField
from matching.instance import FallbackRule, Instance, LineRule, Pin, ProviderKind, Shift, Unit, Visit
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


def refuse_unsupported(instance: Instance) -> None:
    """Raise `UnsupportedField` for what the model knows and the search cannot honour yet."""
    for i, visit in enumerate(instance.visits):
        if visit.fallback is FallbackRule.REQUIRED:
            raise UnsupportedField(f"visits[{i}].fallback", "'required' is not honoured yet", "use 'wanted'")
        if len(visit.slots) == 2 and visit.synchronisation.same_caregiver_allowed:
            raise UnsupportedField(f"visits[{i}].synchronisation.same_caregiver_allowed", "is not honoured yet")


def build_arrays(lookup: Lookup) -> Problem:
    """The arrays of one validated instance."""
    instance = lookup.instance
    refuse_unsupported(instance)
    parts: dict[str, Any] = {"travel": _travel(lookup)}
    parts |= _visit_arrays(lookup) | _window_arrays(instance) | _slot_arrays(lookup) | _shift_arrays(lookup)
    parts |= _caregiver_arrays(lookup) | _line_arrays(lookup) | _objective_arrays(instance)
    parts |= _candidates(lookup, parts)
    parts["s_points"] = _preference_points(lookup)
    parts["v_mix"] = np.array([_mix_bits(lookup, v) for v in instance.visits], dtype=np.int64)
    parts["route_length"] = _route_length(parts)
    parts["neighbours"] = _neighbours(parts)
    return Problem(**parts)


def slot_pairs(instance: Instance) -> list[tuple[Visit, int]]:
    """Every (visit, slot number), in the order of the slot arrays."""
    return [(visit, k) for visit in instance.visits for k in range(len(visit.slots))]


def _travel(lookup: Lookup) -> np.ndarray:
    size = len(lookup.instance.locations)
    return np.stack(lookup.travel) if lookup.travel else np.zeros((1, size, size))


def _ints(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.int64)


def _floats(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.float64)


def _rows(rows: Sequence[Sequence[Any]]) -> tuple[np.ndarray, list[Any]]:
    """Row pointers and the flat list of compressed rows."""
    pointers = np.concatenate(([0], np.cumsum([len(r) for r in rows], dtype=np.int64))).astype(np.int64)
    return pointers, [item for row in rows for item in row]


def _visit_arrays(lookup: Lookup) -> dict[str, Any]:
    visits = lookup.instance.visits
    households = {row.id: i for i, row in enumerate(lookup.instance.households)}
    persons = {q.person_id: i for i, q in enumerate(lookup.instance.quotas)}
    first = np.concatenate(([0], np.cumsum([len(v.slots) for v in visits], dtype=np.int64)))[:-1]
    return {
        "v_slot0": first.astype(np.int64),
        "v_slots": _ints(len(v.slots) for v in visits),
        "v_rank": _ints(0 if v.mandatory else v.tier + 1 for v in visits),
        "v_loc": _ints(lookup.location_index[v.location_id] for v in visits),
        "v_access": _floats(v.access_minutes for v in visits),
        "v_late": _floats(v.max_tardiness_minutes for v in visits),
        "v_household": _ints(households[v.household_id] for v in visits),
        "v_person": _ints(persons.get(v.person_id or "", -1) for v in visits),
        "v_offset_min": _floats(v.synchronisation.min_offset_minutes for v in visits),
        "v_offset_max": _floats(v.synchronisation.max_offset_minutes for v in visits),
        "v_once": np.array([v.charged_once for v in visits], dtype=np.bool_),
        "v_rule": _ints(RULES.index(v.line_rule) for v in visits),
    }


def _window_arrays(instance: Instance) -> dict[str, Any]:
    hard = [sorted((w.start_minutes, w.end_minutes) for w in v.windows) for v in instance.visits]
    soft = [sorted((w.start_minutes, w.end_minutes) for w in v.preferred_windows) for v in instance.visits]
    hard_ptr, hard_flat = _rows(hard)
    soft_ptr, soft_flat = _rows(soft)
    return {
        "v_win_ptr": hard_ptr,
        "win_lo": _floats(w[0] for w in hard_flat),
        "win_hi": _floats(w[1] for w in hard_flat),
        "v_pref_ptr": soft_ptr,
        "pref_lo": _floats(w[0] for w in soft_flat),
        "pref_hi": _floats(w[1] for w in soft_flat),
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
    line_ptr, line_flat = _rows([_slot_lines(lookup, v, k, lines) for v, k in pairs])
    return {
        "s_visit": _ints(visits[v.id] for v, _ in pairs),
        "s_minutes": _floats(slot_minutes(v, k) for v, k in pairs),
        "s_fix": _floats(-1 if p is None or p.start_minutes is None else p.start_minutes for p in pins),
        "s_pinned": _ints(_pin_weight(pin) for pin in pins),
        "s_charge": np.array([_charge(v, k) for v, k in pairs], dtype=np.float64).reshape(-1, 3),
        "s_line_ptr": line_ptr,
        "s_line": _ints(line_flat),
        "s_run_caregiver": _ints(-1 if r is None else caregivers[r.caregiver_id] for r in told),
        "s_run_start": _floats(0 if r is None else r.start_minutes for r in told),
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
    limit_ptr, limit_flat = _rows(applying)
    break_ptr, breaks = _rows([_pauses(lookup, s) for s in shifts])
    return {
        "h_caregiver": _ints(caregivers[s.caregiver_id] for s in shifts),
        "h_day": _ints(s.day for s in shifts),
        "h_start": _floats(s.start_minutes for s in shifts),
        "h_end": _floats(s.end_minutes for s in shifts),
        "h_mode": _ints(lookup.mode_index[s.mode_id] for s in shifts),
        "h_from": _ints(lookup.location_index.get(s.start_location_id or "", -1) for s in shifts),
        "h_to": _ints(lookup.location_index.get(s.end_location_id or "", -1) for s in shifts),
        "h_break_ptr": break_ptr,
        "b_lo": _floats(b[0] for b in breaks),
        "b_hi": _floats(b[1] for b in breaks),
        "b_minutes": _floats(b[2] for b in breaks),
        "b_index": _ints(b[3] for b in breaks),
        "h_limit_ptr": limit_ptr,
        "h_limit": _ints(limit_flat),
        "l_max_minutes": _floats(NEVER if r.max_minutes is None else r.max_minutes for _, r in limits),
        "l_max_visits": _ints(2**40 if r.max_visits is None else r.max_visits for _, r in limits),
        "l_used_minutes": _floats(r.used_minutes for _, r in limits),
        "l_used_visits": _ints(r.used_visits for _, r in limits),
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
        "c_kind": _ints(KINDS.index(c.kind) for c in rows),
        "c_organisation": _ints(organisations.get(c.organisation_id, -1) for c in rows),
        "c_needs_line": np.array([c.needs_contract_line for c in rows], dtype=np.bool_),
        "c_cost": _floats(c.cost_per_minute_fen for c in rows),
        "c_capacity": _floats(fair_capacity(c, lookup.shifts_of[c.id]) for c in rows),
        "c_max_new": _ints(2**40 if c.max_new_households is None else c.max_new_households for c in rows),
        "c_together": together,
        "known": known,
        "household_max_new": _ints(
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
    line_ptr, line_flat = _rows(by_line)
    person_ptr, person_flat = _rows(by_person)
    rows = instance.contract_lines
    return {
        "n_organisation": _ints(organisations[n.organisation_id] for n in rows),
        "n_first": _ints(n.first_day for n in rows),
        "n_last": _ints(n.last_day for n in rows),
        "n_unit": _ints(UNITS.index(n.unit) for n in rows),
        "n_price": _floats(n.price_fen for n in rows),
        "n_cap_ptr": line_ptr,
        "n_cap": _ints(line_flat),
        "p_cap_ptr": person_ptr,
        "p_cap": _ints(person_flat),
        "k_unit": _ints(UNITS.index(k.unit) for k in caps),
        "k_line": _ints(-1 if k.line_id is None else lines[k.line_id] for k in caps),
        "k_first": _ints(k.first_day for k in caps),
        "k_last": _ints(k.last_day for k in caps),
        "k_cap": _floats(k.cap for k in caps),
        "k_used": _floats(k.used for k in caps),
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
        "weight": _floats(weight),
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


def _candidates(lookup: Lookup, parts: dict[str, Any]) -> dict[str, Any]:
    """Per slot the shifts that could hold it, were nothing else in them."""
    masks = _Masks(lookup)
    rows = []
    for s, (visit, k) in enumerate(slot_pairs(lookup.instance)):
        good = masks.person(visit, k)[parts["h_caregiver"]]
        if good.any():
            good &= masks.on_days(visit, k)[parts["h_caregiver"], parts["h_day"]]
            good &= _fits(parts, s)
        rows.append(np.flatnonzero(good).tolist())
    pointers, flat = _rows(rows)
    return {"s_cand_ptr": pointers, "s_cand": _ints(flat)}


def _fits(parts: dict[str, Any], s: int) -> np.ndarray:
    """Which shifts have a start for slot s; the vector form of `eligibility.start_spans`."""
    v = parts["s_visit"][s]
    place, travel, mode = parts["v_loc"][v], parts["travel"], parts["h_mode"]
    away, home = parts["h_from"], parts["h_to"]
    to = np.where(away < 0, 0.0, travel[mode, away, place])
    back = np.where(home < 0, 0.0, travel[mode, place, home])
    earliest = parts["h_start"] + to + np.where(away == place, 0.0, parts["v_access"][v])
    latest = parts["h_end"] - back - parts["s_minutes"][s]
    if parts["s_fix"][s] >= 0:
        earliest = np.maximum(earliest, parts["s_fix"][s])
        latest = np.minimum(latest, parts["s_fix"][s])
    fits = np.zeros(len(earliest), dtype=np.bool_)
    for w in range(parts["v_win_ptr"][v], parts["v_win_ptr"][v + 1]):
        high = parts["win_hi"][w] + parts["v_late"][v]
        fits |= np.maximum(earliest, parts["win_lo"][w]) <= np.minimum(latest, high)
    return fits


class _Masks:
    """Answers of `eligibility`, asked once per kind of slot and kept as masks over caregivers."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.index = {row.id: i for i, row in enumerate(lookup.instance.caregivers)}
        self._person: dict[Any, np.ndarray] = {}
        self._days: dict[Any, np.ndarray] = {}
        self._radius: dict[str, np.ndarray] = {}

    def person(self, visit: Visit, slot: int) -> np.ndarray:
        key = _kind_of_visit(visit, slot)
        if key not in self._person:
            plain = replace(
                visit,
                excluded_caregiver_ids=(),
                slots=tuple(replace(row, pin=None) for row in visit.slots),
            )
            self._person[key] = np.array(
                [
                    not person_reasons(self.lookup, plain, slot, c, ask_radius=False)
                    for c in self.lookup.instance.caregivers
                ],
                dtype=np.bool_,
            )
        mask = self._person[key] & self.radius(visit.location_id)
        mask[[self.index[c] for c in visit.excluded_caregiver_ids]] = False
        pin = visit.slots[slot].pin
        if pin is not None and pin.caregiver_id is not None:
            only = np.zeros_like(mask)
            only[self.index[pin.caregiver_id]] = True
            mask &= only
        return mask

    def radius(self, location_id: str) -> np.ndarray:
        if location_id not in self._radius:
            self._radius[location_id] = np.array(
                [within_radius(self.lookup, c, location_id) for c in self.lookup.instance.caregivers],
                dtype=np.bool_,
            )
        return self._radius[location_id]

    def on_days(self, visit: Visit, slot: int) -> np.ndarray:
        """Caregiver x day: papers and contract lines allow it."""
        names = tuple(required_qualifications(self.lookup, visit, slot))
        service = self.lookup.service_of(visit, slot)
        key = (names, service.id, visit.contract_line_ids, visit.line_rule)
        if key not in self._days:
            days = range(self.lookup.instance.horizon_days)
            self._days[key] = np.array(
                [
                    [not day_reasons(self.lookup, visit, slot, c, d) for d in days]
                    for c in self.lookup.instance.caregivers
                ],
                dtype=np.bool_,
            ).reshape(len(self.index), len(days))
        return self._days[key]


def _kind_of_visit(visit: Visit, slot: int) -> tuple:
    """All that `person_reasons` looks at, except exclusions, pins and the radius."""
    services = tuple(row.service_id or visit.service_id for row in visit.slots)
    own = visit.slots[slot]
    return (
        services,
        slot,
        visit.provider_kinds,
        own.provider_kinds,
        visit.mixes,
        visit.required_qualifications,
        own.required_qualifications,
        visit.gender_wish,
        visit.language_wish,
    )


def _preference_points(lookup: Lookup) -> np.ndarray:
    """Slot x caregiver: points of continuity, preference and soft wishes that depend on nothing else."""
    rows = lookup.instance.caregivers
    index = {row.id: i for i, row in enumerate(rows)}
    w = lookup.instance.weights
    pairs = slot_pairs(lookup.instance)
    points = np.zeros((len(pairs), len(rows)), dtype=np.float64)
    for s, (visit, k) in enumerate(pairs):
        groups = (
            (visit.previous_caregiver_ids, w.not_previous),
            (visit.preferred_caregiver_ids, w.not_preferred),
            ((visit.slots[k].standing_caregiver_id,), w.standing_broken),
        )
        for wanted, price in groups:
            if wanted and wanted[0] is not None:
                points[s] += price
                points[s, [index[c] for c in dict.fromkeys(wanted) if c is not None]] -= price
        points[s] += _wish_points(visit, rows, w.wish_missed)
    return points


def _wish_points(visit: Visit, rows: Sequence[Any], price: int) -> np.ndarray | float:
    total: np.ndarray | float = 0.0
    wish = visit.gender_wish
    if wish is not None and not wish.hard:
        total = total + price * np.array([c.gender not in wish.values for c in rows])
    wish = visit.language_wish
    if wish is not None and not wish.hard:
        total = total + price * np.array([not set(wish.values) & set(c.languages) for c in rows])
    return total


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
