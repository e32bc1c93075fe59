"""Was an agreed slot left out though it could have been kept?

Only a pin of person and start together can be judged without searching: it is dropped wrongly if
it, together with the agreed slots that the plan keeps, breaks no hard rule.
"""

from collections.abc import Iterator
from dataclasses import replace

from matching.feasibility.facts import Booking, Facts, by_shift
from matching.feasibility.limits import limit_violations
from matching.feasibility.people import person_violations
from matching.feasibility.routes import feasible_sequence
from matching.feasibility.violations import Violation, ViolationCode, violation
from matching.feasibility.visits import visit_violations
from matching.instance import Visit


def dropped_pins(facts: Facts, bookings: list[Booking]) -> Iterator[Violation]:
    planned = {b.key for b in bookings}
    kept = [b for b in bookings if _is_agreed(b.visit, b.slot)]
    for visit in facts.instance.visits:
        for slot in range(len(visit.slots)):
            if (visit.id, slot) in planned or not _is_agreed(visit, slot):
                continue
            if any(_could_stay(facts, kept, booking) for booking in _ways(facts, visit, slot)):
                text = "slot {slot} of visit {visit} was agreed and could be kept, but is not planned"
                yield violation(ViolationCode.PIN_DROPPED, text, visit=visit.id, slot=slot)


def _is_agreed(visit: Visit, slot: int) -> bool:
    pin = visit.slots[slot].pin
    return pin is not None and pin.caregiver_id is not None and pin.start_minutes is not None


def _ways(facts: Facts, visit: Visit, slot: int) -> Iterator[Booking]:
    """The agreed slot in each shift and on each line that could hold it."""
    pin = visit.slots[slot].pin
    assert pin is not None and pin.caregiver_id is not None and pin.start_minutes is not None
    person = facts.caregivers[pin.caregiver_id]
    for shift in facts.shifts_of[person.id]:
        booking = Booking(visit, slot, person, shift, pin.start_minutes, None)
        inside = shift.start_minutes <= booking.start_minutes and booking.end_minutes <= shift.end_minutes
        if inside and not person.needs_contract_line:
            yield booking
        elif inside:
            yield from (replace(booking, line_id=line) for line in facts.covering_lines(booking))


def _could_stay(facts: Facts, kept: list[Booking], booking: Booking) -> bool:
    partner = [b for b in kept if b.visit.id == booking.visit.id]
    together = [*kept, booking]
    if any(person_violations(facts, [booking])) or any(visit_violations(facts, [*partner, booking])):
        return False
    route = by_shift(together)[booking.shift.id]
    return feasible_sequence(facts, booking.shift, route) and not _worse(facts, kept, together)


def _worse(facts: Facts, kept: list[Booking], together: list[Booking]) -> bool:
    """Whether the added booking breaks a limit (the line's order is the search's to choose)."""

    def broken(bookings: list[Booking]) -> int:
        found = limit_violations(facts, bookings, [])
        return sum(v.code is not ViolationCode.LINE_RULE for v in found)

    return broken(together) > broken(kept)
