"""The objective of a plan, recomputed term by term from the plan alone (units: see `objective`)."""

import math
from collections import defaultdict
from collections.abc import Callable

from matching.feasibility.facts import Booking, Facts, by_shift, by_visit
from matching.feasibility.limits import drawn
from matching.feasibility.visits import window_of
from matching.instance import TimeWindow, Visit

Terms = dict[str, float | int | tuple[int, ...]]

_TIERS = 10


def evaluate_bookings(facts: Facts, bookings: list[Booking]) -> Terms:
    """Every term of the objective by name, `total` included."""
    unserved = _unserved(facts, bookings)
    work, travel = _work_and_travel(facts, bookings)
    lateness = list(tardiness_of(bookings).values())
    terms: Terms = {
        "unserved_mandatory": sum(v.mandatory for v in unserved),
        "unserved_by_tier": tuple(sum(v.tier == tier and not v.mandatory for v in unserved) for tier in range(_TIERS)),
        "tardiness_minutes": sum(lateness),
        "max_tardiness_minutes": max(lateness, default=0),
        "outside_preferred_minutes": sum(_outside_preferred(b) for b in bookings),
        "new_faces": _new_faces(facts, bookings),
        "not_previous": _elsewhere(bookings, lambda v: v.previous_caregiver_ids),
        "not_preferred": _elsewhere(bookings, lambda v: v.preferred_caregiver_ids),
        "wishes_missed": sum(_wishes_missed(b) for b in bookings),
        "standing_broken": sum(_standing_broken(b) for b in bookings),
        "unfairness_minutes": _unfairness(facts, work),
        "cost_fen": _cost(facts, bookings),
        "travel_minutes": travel,
        "people_told": _people_told(facts, bookings),
    }
    return terms | {"total": _total(facts, terms)}


def tardiness_of(bookings: list[Booking]) -> dict[tuple[str, int], float]:
    """Minutes after the end of the visit's window, by (visit id, slot)."""
    found = {}
    for rows in by_visit(bookings).values():
        window = window_of(rows[0].visit, [b.start_minutes for b in rows])
        for booking in rows:
            late = booking.start_minutes - window.end_minutes if window else 0.0
            found[booking.key] = max(0.0, late)
    return found


def _unserved(facts: Facts, bookings: list[Booking]) -> list[Visit]:
    filled = {b.key for b in bookings}
    return [v for v in facts.instance.visits if any((v.id, slot) not in filled for slot in range(len(v.slots)))]


def _work_and_travel(facts: Facts, bookings: list[Booking]) -> tuple[dict[str, float], float]:
    work: dict[str, float] = defaultdict(float)
    travel = 0.0
    for shift_id, rows in by_shift(bookings).items():
        shift = facts.shifts[shift_id]
        work[shift.caregiver_id] += facts.work(shift, rows)
        travel += facts.travel_of(shift, rows)
    return work, travel


def _outside_preferred(booking: Booking) -> float:
    def distance(window: TimeWindow) -> float:
        start = booking.start_minutes
        return max(0.0, window.start_minutes - start, start - window.end_minutes)

    return min(map(distance, booking.visit.preferred_windows), default=0.0)


def _new_faces(facts: Facts, bookings: list[Booking]) -> int:
    pairs = {(b.visit.household_id, b.caregiver.id) for b in bookings}
    return sum(who not in facts.households[home].known_caregiver_ids for home, who in pairs)


def _elsewhere(bookings: list[Booking], names: Callable[[Visit], tuple[str, ...]]) -> int:
    """Slots whose visit names people, and none of them comes."""
    return sum(bool(names(b.visit)) and b.caregiver.id not in names(b.visit) for b in bookings)


def _wishes_missed(booking: Booking) -> int:
    gender, language = booking.visit.gender_wish, booking.visit.language_wish
    missed = gender is not None and not gender.hard and booking.caregiver.gender not in gender.values
    spoken = set(booking.caregiver.languages)
    unheard = language is not None and not language.hard and not spoken & set(language.values)
    return int(missed) + int(unheard)


def _standing_broken(booking: Booking) -> bool:
    standing = booking.visit.slots[booking.slot].standing_caregiver_id
    return standing is not None and standing != booking.caregiver.id


def _unfairness(facts: Facts, work: dict[str, float]) -> int:
    total = 0
    for name, minutes in work.items():
        capacity = facts.caregivers[name].fair_capacity_minutes
        if capacity is None:
            capacity = sum(s.end_minutes - s.start_minutes for s in facts.shifts_of[name])
        if capacity > 0:
            total += math.floor(minutes * minutes / capacity + 1e-9)
    return total


def _cost(facts: Facts, bookings: list[Booking]) -> float:
    charged = sum(
        facts.lines[b.line_id or ""].price_fen * facts.amount(b, facts.lines[b.line_id or ""].unit)
        for b in drawn(bookings, [])
    )
    return charged + sum(b.service_minutes * b.caregiver.cost_per_minute_fen for b in bookings if b.line_id is None)


def _people_told(facts: Facts, bookings: list[Booking]) -> int:
    """Caregivers and households for whom a slot of the running plan changes person or time."""
    planned = {b.key: b for b in bookings}
    running = facts.instance.running_plan
    told: set[tuple[str, str]] = set()
    for row in running.assignments:
        now = planned.get((row.visit_id, row.slot))
        if now is not None and now.caregiver.id == row.caregiver_id:
            moved = abs(now.start_minutes - row.start_minutes)
            if moved <= running.tolerance_minutes + 1e-6:
                continue
        told |= {("caregiver", row.caregiver_id), ("household", facts.visits[row.visit_id].household_id)}
        if now is not None:
            told.add(("caregiver", now.caregiver.id))
    return len(told)


def _total(facts: Facts, terms: Terms) -> float:
    w = facts.instance.weights
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
    return sum(rate * terms[name] for name, rate in rates.items())  # type: ignore[misc, operator]
