"""Could the paid caregiver behind each volunteer really still make it?"""

from collections import Counter
from collections.abc import Iterator

from matching.feasibility.facts import PAID_KINDS, Booking, Facts, by_shift
from matching.feasibility.people import person_violations
from matching.feasibility.routes import feasible_sequence
from matching.feasibility.violations import EPSILON, Parameter, Violation, ViolationCode, violation
from matching.feasibility.visits import pair_violations
from matching.instance import FallbackRule, ProviderKind


def fallback_violations(facts: Facts, bookings: list[Booking], fallbacks: list[Booking]) -> Iterator[Violation]:
    """Each fallback alone, then with its visit's other person, then all of them in their routes."""
    planned = {b.key: b for b in bookings}
    behind = {f.key: f for f in fallbacks}
    yield from _required(bookings, behind)
    for (visit_id, slot), times in Counter(f.key for f in fallbacks).items():
        if times > 1:
            text = "slot {slot} of visit {visit} has {times} fallbacks"
            yield violation(ViolationCode.FALLBACK_TWICE, text, visit=visit_id, slot=slot, times=times)
    for row in fallbacks:
        yield from _place(row, planned.get(row.key))
        for others in (planned, behind):
            other = others.get((row.visit.id, 1 - row.slot))
            if other is not None and len(row.visit.slots) == 2:
                yield from pair_violations(facts, *sorted((row, other), key=lambda b: b.slot))
    yield from person_violations(facts, fallbacks)
    yield from _routes(facts, bookings, fallbacks)


def _required(bookings: list[Booking], behind: dict[tuple[str, int], Booking]) -> Iterator[Violation]:
    """Volunteers who still are a question; one with whom the slot is agreed needs nobody behind her."""
    for booking in bookings:
        pin = booking.visit.slots[booking.slot].pin
        if pin is not None and pin.caregiver_id == booking.caregiver.id:
            continue
        if (
            booking.visit.fallback is FallbackRule.REQUIRED
            and booking.caregiver.kind is ProviderKind.VOLUNTEER
            and booking.key not in behind
        ):
            text = "volunteer {caregiver} at slot {slot} of visit {visit} needs a fallback and has none"
            at: dict[str, Parameter] = {
                "visit": booking.visit.id,
                "slot": booking.slot,
                "caregiver": booking.caregiver.id,
            }
            yield violation(ViolationCode.FALLBACK_MISSING, text, **at)


def _place(row: Booking, planned: Booking | None) -> Iterator[Violation]:
    at: dict[str, Parameter] = {"visit": row.visit.id, "slot": row.slot, "caregiver": row.caregiver.id}
    if row.visit.fallback is FallbackRule.NONE:
        text = "slot {slot} of visit {visit} has a fallback though none is wanted"
        yield violation(ViolationCode.FALLBACK_NOT_WANTED, text, **at)
    if planned is None or planned.caregiver.kind is not ProviderKind.VOLUNTEER:
        text = "the fallback of slot {slot} of visit {visit} is not behind a volunteer"
        yield violation(ViolationCode.FALLBACK_NOT_BEHIND_VOLUNTEER, text, **at)
    if row.caregiver.kind not in PAID_KINDS:
        text = "{caregiver}, the fallback of slot {slot} of visit {visit}, is not paid"
        yield violation(ViolationCode.FALLBACK_UNPAID, text, **at)
    if planned is not None and abs(planned.start_minutes - row.start_minutes) > EPSILON:
        text = "the fallback of slot {slot} of visit {visit} starts at {start:g}, the volunteer at {planned:g}"
        times: dict[str, Parameter] = {"start": row.start_minutes, "planned": planned.start_minutes}
        yield violation(ViolationCode.FALLBACK_START, text, **at, **times)


def _routes(facts: Facts, bookings: list[Booking], fallbacks: list[Booking]) -> Iterator[Violation]:
    routes = by_shift(bookings)
    for shift_id, rows in by_shift(fallbacks).items():
        shift = facts.shifts[shift_id]
        if any(row.caregiver.id != shift.caregiver_id for row in rows):
            text = "shift {shift} of {caregiver} is not the fallback's own"
            yield violation(ViolationCode.NOT_THEIR_SHIFT, text, shift=shift_id, caregiver=shift.caregiver_id)
            continue
        together = sorted([*routes[shift_id], *rows], key=lambda b: b.start_minutes)
        if not feasible_sequence(facts, shift, together):
            text = "{caregiver} cannot keep the stops of shift {shift} if the fallbacks fall due: {visits}"
            visits = ", ".join(row.visit.id for row in rows)
            yield violation(
                ViolationCode.FALLBACK_TIME,
                text,
                caregiver=shift.caregiver_id,
                shift=shift_id,
                visits=visits,
            )
