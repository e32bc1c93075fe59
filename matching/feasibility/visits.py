"""Does each visit get its people together, within its windows, as was agreed?"""

from collections.abc import Iterator

from matching.feasibility.facts import Booking, Facts, by_visit
from matching.feasibility.people import allowed_mixes
from matching.feasibility.violations import EPSILON, Parameter, Violation, ViolationCode, violation
from matching.instance import TimeWindow, Visit


def visit_violations(facts: Facts, bookings: list[Booking]) -> Iterator[Violation]:
    """Windows, offsets, pairs of people, mixes and pins of the given bookings."""
    for rows in by_visit(bookings).values():
        yield from _windows(rows)
        for booking in rows:
            yield from _pin(booking)
        if len(rows) == 2 and rows[0].slot != rows[1].slot:
            yield from pair_violations(facts, rows[0], rows[1])


def pair_violations(facts: Facts, first: Booking, second: Booking) -> Iterator[Violation]:
    """What the two people of one visit must satisfy together (`first` holds slot 0)."""
    visit = first.visit
    rule = visit.synchronisation
    offset = second.start_minutes - first.start_minutes
    if not rule.min_offset_minutes - EPSILON <= offset <= rule.max_offset_minutes + EPSILON:
        yield violation(
            ViolationCode.OFFSET,
            "the second person of visit {visit} starts {offset:g} minutes after the first, not {least:g} to {most:g}",
            visit=visit.id,
            offset=offset,
            least=rule.min_offset_minutes,
            most=rule.max_offset_minutes,
        )
    one, other = first.caregiver, second.caregiver
    people: dict[str, Parameter] = {"visit": visit.id, "first": one.id, "second": other.id}
    if one.id == other.id and not rule.same_caregiver_allowed:
        text = "visit {visit} needs two people, {first} fills both slots"
        yield violation(ViolationCode.SAME_PERSON, text, **people)
    if not all((one.kind, other.kind) in mix for mix in allowed_mixes(facts, visit)):
        yield violation(
            ViolationCode.MIX,
            "visit {visit} may not be served by {kinds} together ({first}, {second})",
            **people,
            kinds=f"{one.kind} and {other.kind}",
        )
    if frozenset((one.id, other.id)) in facts.excluded_pairs:
        text = "{first} and {second} are never together, but both come to visit {visit}"
        yield violation(ViolationCode.EXCLUDED_PAIR, text, **people)


def window_of(visit: Visit, starts: list[float]) -> TimeWindow | None:
    """The window within which all starts lie and with the least tardiness; None if there is none."""
    late = visit.max_tardiness_minutes
    fitting = [
        w
        for w in visit.windows
        if all(w.start_minutes - EPSILON <= s <= w.end_minutes + late + EPSILON for s in starts)
    ]
    return max(fitting, key=lambda w: w.end_minutes, default=None)


def _windows(rows: list[Booking]) -> Iterator[Violation]:
    visit = rows[0].visit
    starts = [booking.start_minutes for booking in rows]
    if window_of(visit, starts) is not None:
        return
    outside = [booking for booking in rows if window_of(visit, [booking.start_minutes]) is None]
    for booking in outside:
        yield violation(
            ViolationCode.OUTSIDE_WINDOWS,
            "slot {slot} of visit {visit} starts at {start:g}, in none of its windows",
            visit=visit.id,
            slot=booking.slot,
            start=booking.start_minutes,
        )
    if not outside:
        text = "the slots of visit {visit} start in different windows"
        yield violation(ViolationCode.DIFFERENT_WINDOWS, text, visit=visit.id)


def _pin(booking: Booking) -> Iterator[Violation]:
    pin = booking.visit.slots[booking.slot].pin
    if pin is None:
        return
    if pin.caregiver_id is not None and pin.caregiver_id != booking.caregiver.id and not booking.fallback:
        yield violation(
            ViolationCode.PINNED_PERSON,
            "slot {slot} of visit {visit} is agreed with {pinned}, not {caregiver}",
            visit=booking.visit.id,
            slot=booking.slot,
            pinned=pin.caregiver_id,
            caregiver=booking.caregiver.id,
        )
    if pin.start_minutes is not None and abs(pin.start_minutes - booking.start_minutes) > EPSILON:
        yield violation(
            ViolationCode.PINNED_START,
            "slot {slot} of visit {visit} is agreed for {pinned:g}, not {start:g}",
            visit=booking.visit.id,
            slot=booking.slot,
            pinned=pin.start_minutes,
            start=booking.start_minutes,
        )
