"""Brute force with the checker's own rules: every person, shift, line and start on a grid.

Only for tiny instances whose times are multiples of five minutes.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from matching.feasibility.facts import Booking, Facts, by_shift
from matching.feasibility.fallbacks import fallback_violations
from matching.feasibility.limits import limit_violations
from matching.feasibility.people import person_violations
from matching.feasibility.routes import feasible_sequence
from matching.feasibility.violations import ViolationCode
from matching.feasibility.visits import visit_violations
from matching.instance import FallbackRule, Instance, ProviderKind, Visit

STEP = 5


def placings(
    of: Instance, planned: Sequence[Booking], behind: Sequence[Booking], visit: Visit, start: float | None = None
) -> Iterator[list[Booking]]:
    """Every way to fill the missing slots of the visit (a new one, or one of the instance) beside what
    is planned, at any start of its first missing slot or at the given one."""
    facts = Facts(of)
    filled = {b.slot for b in planned if b.visit.id == visit.id}
    missing = [k for k in range(len(visit.slots)) if k not in filled]
    singles = [list(_singles(facts, planned, visit, slot)) for slot in missing]
    for chosen in product(*singles):
        if start is not None and chosen[0].start_minutes != start:
            continue
        if _good(facts, planned, behind, chosen):
            yield list(chosen)


def _singles(facts: Facts, planned: Sequence[Booking], visit: Visit, slot: int) -> Iterator[Booking]:
    """Each person at each start that breaks no rule alone with the route as planned."""
    for shift in facts.instance.shifts:
        person = facts.caregivers[shift.caregiver_id]
        route = [b for b in planned if b.shift.id == shift.id]
        for start in range(int(shift.start_minutes), int(shift.end_minutes) + 1, STEP):
            one = Booking(visit, slot, person, shift, start, None)
            if any(person_violations(facts, [one])) or any(visit_violations(facts, [one])):
                continue
            together = sorted([*route, one], key=lambda b: (b.start_minutes, b.visit.id, b.slot))
            if feasible_sequence(facts, shift, together):
                lines = facts.covering_lines(one) if person.needs_contract_line else [None]
                yield from (Booking(visit, slot, person, shift, start, line) for line in lines)


def _good(facts: Facts, planned: Sequence[Booking], behind: Sequence[Booking], chosen: Sequence[Booking]) -> bool:
    together = [*planned, *chosen]
    visit = chosen[0].visit
    given = [b for b in planned if b.visit.id == visit.id]
    if any(visit_violations(facts, [*given, *chosen])):
        return False
    if any(_limits(facts, together, [])):
        return False
    return any(_fallbacks_good(facts, together, [*behind, *rows]) for rows in _stands(facts, visit, chosen))


def _stands(facts: Facts, visit: Visit, chosen: Sequence[Booking]) -> Iterator[list[Booking]]:
    """Every choice of fallbacks behind the chosen volunteers (none at all included unless required)."""
    ways: list[list[Booking | None]] = []
    for row in chosen:
        if row.caregiver.kind is not ProviderKind.VOLUNTEER or visit.fallback is FallbackRule.NONE:
            continue
        stands: list[Booking | None] = [] if visit.fallback is FallbackRule.REQUIRED else [None]
        for shift in facts.instance.shifts if visit.fallback is FallbackRule.REQUIRED else ():
            person = facts.caregivers[shift.caregiver_id]
            one = Booking(visit, row.slot, person, shift, row.start_minutes, None, True)
            lines = facts.covering_lines(one) if person.needs_contract_line else [None]
            stands += [Booking(visit, row.slot, person, shift, row.start_minutes, line, True) for line in lines]
        ways.append(stands)
    for rows in product(*ways):
        yield [row for row in rows if row is not None]


def _fallbacks_good(facts: Facts, together: list[Booking], behind: list[Booking]) -> bool:
    if any(_limits(facts, together, behind)) or any(fallback_violations(facts, together, behind)):
        return False
    routes = by_shift([*together, *behind])
    return all(feasible_sequence(facts, facts.shifts[s], rows) for s, rows in routes.items())


def _limits(facts: Facts, bookings: list[Booking], behind: list[Booking]) -> list:
    return list(limit_violations(facts, bookings, behind))


def broken_codes(found: list) -> set[ViolationCode]:
    return {v.code for v in found}
