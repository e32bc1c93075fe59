"""What a plan costs, and what one more visit adds, in the terms of the objective.

For plans held as bookings (`plan_state`); the compiled search counts in its own arrays, and the checker
for itself.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from matching.charging import Account, Booked, drawing
from matching.instance import RunningAssignment, TimeWindow, Visit
from matching.lookup import Lookup, fair_capacity, slot_minutes
from matching.objective import TIERS, ObjectiveVector, ObjectiveWeights

Terms = dict[str, float]


def total_points(weights: ObjectiveWeights, terms: Mapping[str, float]) -> float:
    """The weighted sum of the terms."""
    return (
        weights.tardiness_per_minute * terms["tardiness_minutes"]
        + weights.max_tardiness_per_minute * terms["max_tardiness_minutes"]
        + weights.outside_preferred_per_minute * terms["outside_preferred_minutes"]
        + weights.new_face * terms["new_faces"]
        + weights.not_previous * terms["not_previous"]
        + weights.not_preferred * terms["not_preferred"]
        + weights.wish_missed * terms["wishes_missed"]
        + weights.standing_broken * terms["standing_broken"]
        + weights.unfairness_per_minute * terms["unfairness_minutes"]
        + weights.cost_per_fen * terms["cost_fen"]
        + weights.travel_per_minute * terms["travel_minutes"]
        + weights.told_per_person * terms["people_told"]
    )


_NO_TERMS: Terms = {
    f.name: 0 for f in fields(ObjectiveVector) if f.name not in ("unserved_mandatory", "unserved_by_tier", "total")
}


def no_terms() -> Terms:
    """Every term of the sum, at zero."""
    return dict(_NO_TERMS)


def as_vector(weights: ObjectiveWeights, terms: Mapping[str, float], **unserved: Any) -> ObjectiveVector:
    """Terms with their total as the vector that a plan states."""
    numbers: dict[str, Any] = {name: plain(value) for name, value in terms.items()}
    return ObjectiveVector(**numbers, **unserved, total=plain(total_points(weights, numbers)))


def plain(value: float) -> float:
    """Whole numbers as int, so that files say 600 and not 600.0."""
    number = float(value)
    return int(number) if number.is_integer() else number


def objective_of(
    lookup: Lookup, planned: Sequence[Booked], work: Mapping[str, float], travel: float
) -> ObjectiveVector:
    """The objective of a plan, given each caregiver's minutes of work and the travel of all routes."""
    rows: dict[str, list[Booked]] = defaultdict(list)
    for row in planned:
        rows[row.visit.id].append(row)
    terms = no_terms()
    account = Account(lookup)
    for of_visit in rows.values():
        add(terms, visit_terms(account, of_visit))
        terms["max_tardiness_minutes"] = max(terms["max_tardiness_minutes"], *tardiness(of_visit).values())
    met = {(b.visit.household_id, b.caregiver.id) for b in planned}
    terms["new_faces"] = sum(who not in lookup.households[home].known_caregiver_ids for home, who in met)
    for name, minutes in work.items():
        person = lookup.caregivers[name]
        terms["unfairness_minutes"] += unfairness(fair_capacity(person, lookup.shifts_of.get(name, [])), minutes)
    terms["travel_minutes"] = travel
    terms["people_told"] = len(told(lookup, planned))
    left = [v for v in lookup.instance.visits if len(rows.get(v.id, ())) < len(v.slots)]
    by_tier = [0] * TIERS
    for visit in left:
        by_tier[visit.tier] += not visit.mandatory
    return as_vector(
        lookup.instance.weights,
        terms,
        unserved_mandatory=sum(v.mandatory for v in left),
        unserved_by_tier=tuple(by_tier),
    )


def add(terms: Terms, more: Mapping[str, float], sign: int = 1) -> None:
    for name, value in more.items():
        terms[name] += sign * value


def visit_terms(account: Account, rows: Sequence[Booked]) -> Terms:
    """The terms that belong to one visit alone, given the people who come to it."""
    if not rows:
        return {}
    terms = {
        "tardiness_minutes": sum(tardiness(rows).values()),
        "outside_preferred_minutes": sum(outside_preferred(b.visit, b.start_minutes) for b in rows),
        "not_previous": sum(_somebody_else(b, b.visit.previous_caregiver_ids) for b in rows),
        "not_preferred": sum(_somebody_else(b, b.visit.preferred_caregiver_ids) for b in rows),
        "standing_broken": sum(_somebody_else(b, _standing(b)) for b in rows),
        "wishes_missed": sum(not gender_met(b, soft=True) for b in rows)
        + sum(not language_met(b, soft=True) for b in rows),
        "cost_fen": sum(account.fen(b.visit, b.slot, b.line_id) for b in drawing(rows, ()) if b.line_id),
    }
    terms["cost_fen"] += sum(
        slot_minutes(b.visit, b.slot) * b.caregiver.cost_per_minute_fen for b in rows if b.line_id is None
    )
    return terms


def tardiness(rows: Sequence[Booked]) -> dict[int, float]:
    """Minutes after the end of the visit's window by slot, from the window that makes it least."""
    visit = rows[0].visit
    late = visit.max_tardiness_minutes
    ends = [
        w.end_minutes
        for w in visit.windows
        if all(w.start_minutes <= b.start_minutes <= w.end_minutes + late for b in rows)
    ]
    return {b.slot: max(0.0, b.start_minutes - max(ends)) if ends else 0.0 for b in rows}


def outside_preferred(visit: Visit, start: float) -> float:
    """Minutes to the nearest preferred window."""
    return min((_distance(w, start) for w in visit.preferred_windows), default=0.0)


def unfairness(capacity: float, work: float) -> int:
    return math.floor(work * work / capacity + 1e-9) if capacity > 0 else 0


def gender_met(row: Booked, *, soft: bool = False) -> bool:
    """Whether the gender wish (only if it is soft, with `soft`) is met; True without a wish."""
    wish = row.visit.gender_wish
    return wish is None or (soft and wish.hard) or row.caregiver.gender in wish.values


def language_met(row: Booked, *, soft: bool = False) -> bool:
    wish = row.visit.language_wish
    return wish is None or (soft and wish.hard) or bool(set(wish.values) & set(row.caregiver.languages))


def told(lookup: Lookup, planned: Iterable[Booked], *, visits: set[str] | None = None) -> set[tuple[str, str]]:
    """Who must hear of a change to the running plan (of the given visits only, if some are given)."""
    running = lookup.instance.running_plan
    if not running.assignments:
        return set()
    at = {b.key: b for b in planned}
    found: set[tuple[str, str]] = set()
    for was in running.assignments:
        if visits is not None and was.visit_id not in visits:
            continue
        now = at.get((was.visit_id, was.slot))
        if now is not None and _as_told(now, was, running.tolerance_minutes):
            continue
        found |= {("caregiver", was.caregiver_id), ("household", lookup.visits[was.visit_id].household_id)}
        if now is not None:
            found.add(("caregiver", now.caregiver.id))
    return found


def _as_told(now: Booked, was: RunningAssignment, tolerance: float) -> bool:
    same = now.caregiver.id == was.caregiver_id
    return same and abs(now.start_minutes - was.start_minutes) <= tolerance + 1e-6


def _distance(window: TimeWindow, start: float) -> float:
    return max(0.0, window.start_minutes - start, start - window.end_minutes)


def _somebody_else(row: Booked, names: Sequence[str]) -> bool:
    return bool(names) and row.caregiver.id not in names


def _standing(row: Booked) -> tuple[str, ...]:
    name = row.visit.slots[row.slot].standing_caregiver_id
    return () if name is None else (name,)
