"""Who could take a slot, and what each person costs there in preferences, as arrays.

The answers of `eligibility` are asked once per kind of slot and kept as masks over caregivers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from matching.eligibility import day_reasons, person_reasons, required_qualifications, within_radius
from matching.flat import compressed, ints, slot_pairs
from matching.instance import FallbackRule, ProviderKind, Visit
from matching.lookup import Lookup


def candidate_arrays(lookup: Lookup, parts: dict[str, Any]) -> dict[str, Any]:
    """Per slot the shifts that could hold it, were nothing else in them."""
    masks = _Masks(lookup)
    rows = []
    for s, (visit, k) in enumerate(slot_pairs(lookup.instance)):
        good = masks.person(visit, k)[parts["h_caregiver"]]
        if good.any():
            good &= masks.on_days(visit, k)[parts["h_caregiver"], parts["h_day"]]
            good &= _fits(parts, s)
        rows.append(np.flatnonzero(good).tolist())
    pointers, flat = compressed(rows)
    return {"s_cand_ptr": pointers, "s_cand": ints(flat)}


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
        people = lookup.instance.caregivers
        self.index = {row.id: i for i, row in enumerate(people)}
        self.volunteers = np.array([c.kind is ProviderKind.VOLUNTEER for c in people], dtype=np.bool_)
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
        if visit.fallback is FallbackRule.REQUIRED:
            # The search places the paid person; `questions` puts a volunteer before her where that is better.
            agreed = -1 if pin is None or pin.caregiver_id is None else self.index[pin.caregiver_id]
            mask &= ~self.volunteers | (np.arange(len(mask)) == agreed)
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


def preference_points(lookup: Lookup) -> np.ndarray:
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
