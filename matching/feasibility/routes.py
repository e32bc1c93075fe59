"""Can one person really do this route: hours, journeys, doors, breaks and absences?

Access takes the minutes directly before the start of service. Between leaving one stop and the
access of the next lies a gap, into which the journey must fit (breaks and absences may cut it in
pieces) and any break that is taken there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matching.feasibility.facts import Booking, Facts
from matching.feasibility.violations import EPSILON, Parameter, Violation, ViolationCode, violation
from matching.instance import Break, Shift
from matching.plan import Route, Stop

Block = tuple[float, float]


def route_violations(facts: Facts, route: Route, bookings: list[Booking]) -> Iterator[Violation]:
    """One route as the plan states it; `bookings` are its stops, in the same order."""
    shift = facts.shifts[route.shift_id]
    yield from _hours(route, shift)
    yield from _breaks(facts, route, shift, bookings)
    absences = _absences(facts, shift)
    breaks = [(b.start_minutes, b.end_minutes) for b in route.breaks]
    for booking, stop, before in zip(bookings, route.stops, facts.places_before(shift, bookings), strict=True):
        yield from _stop(booking, stop, facts.access(booking, before), absences)
    for leg in _legs(facts, route, shift, bookings):
        yield from _leg(leg, shift, breaks, absences)
    yield from _stated(facts, route, shift, bookings)


def feasible_sequence(facts: Facts, shift: Shift, bookings: list[Booking]) -> bool:
    """Whether the shift can hold these bookings at exactly their starts, in order of start.

    Breaks may lie wherever their spans allow. Taking each in the first gap where it fits is enough:
    the spans of a shift's breaks follow one another.
    """
    absences = _absences(facts, shift)
    pending = list(shift.breaks)
    leave, place = shift.start_minutes, shift.start_location_id
    for booking in bookings:
        there = booking.visit.location_id
        access = facts.access(booking, place)
        if _overlap(booking.start_minutes - access, booking.end_minutes, absences):
            return False
        travel = facts.travel(shift.mode_id, place, there)
        if not _gap(leave, booking.start_minutes - access, travel, pending, absences):
            return False
        leave, place = booking.end_minutes, there
    back = facts.travel(shift.mode_id, place, shift.end_location_id)
    return _gap(leave, shift.end_minutes, back, pending, absences) and not pending


def _gap(leave: float, deadline: float, travel: float, pending: list[Break], absences: Sequence[Block]) -> bool:
    """Whether the journey fits; takes out of `pending` the breaks that fit here as well."""
    if deadline < leave - EPSILON or free_minutes(leave, deadline, absences) < travel - EPSILON:
        return False
    taken: list[Block] = []
    while pending:
        ways = [
            [*taken, (begin, begin + pending[0].duration_minutes)] for begin in _begins(pending[0], leave, absences)
        ]
        fitting = [
            blocks
            for blocks in ways
            if blocks[-1][1] <= deadline + EPSILON
            and free_minutes(leave, deadline, [*blocks, *absences]) >= travel - EPSILON
        ]
        if not fitting:
            return True
        taken = max(fitting, key=lambda blocks: free_minutes(leave, deadline, [*blocks, *absences]))
        pending.pop(0)
    return True


def _begins(rest: Break, leave: float, absences: Sequence[Block]) -> Iterator[float]:
    """Where a break may begin that is worth trying: at once, or within an absence."""
    low, high = max(rest.earliest_start_minutes, leave), rest.latest_start_minutes
    moments = [low, *(m for a, b in absences for m in (a, b - rest.duration_minutes))]
    return (m for m in moments if low <= m <= high)


@dataclass(frozen=True, slots=True)
class _Leg:
    """A journey from the end of one stop to the next; the last one leads to the shift's end."""

    leave: float
    arrive: float
    travel: float
    to: str


def free_minutes(start: float, end: float, blocks: Sequence[Block]) -> float:
    """Minutes of [start, end] outside the blocks (which may overlap each other)."""
    covered, reached = 0.0, start
    for a, b in sorted(blocks):
        a, b = max(a, reached), min(b, end)
        if b > a:
            covered += b - a
            reached = b
    return max(0.0, end - start) - covered


def _hours(route: Route, shift: Shift) -> Iterator[Violation]:
    ids: dict[str, Parameter] = {"caregiver": route.caregiver_id, "shift": shift.id}
    if route.departure_minutes < shift.start_minutes - EPSILON:
        yield violation(
            ViolationCode.BEFORE_SHIFT,
            "{caregiver} leaves at {time:g}, before shift {shift} begins at {limit:g}",
            **ids,
            time=route.departure_minutes,
            limit=shift.start_minutes,
        )
    if route.return_minutes > shift.end_minutes + EPSILON:
        yield violation(
            ViolationCode.AFTER_SHIFT,
            "{caregiver} is back at {time:g}, after shift {shift} ends at {limit:g}",
            **ids,
            time=route.return_minutes,
            limit=shift.end_minutes,
        )


def _stop(booking: Booking, stop: Stop, access: float, absences: Sequence[Block]) -> Iterator[Violation]:
    at: dict[str, Parameter] = {"visit": stop.visit_id, "slot": stop.slot, "caregiver": booking.caregiver.id}
    if abs(stop.end_minutes - booking.end_minutes) > EPSILON:
        yield violation(
            ViolationCode.SERVICE_TIME,
            "slot {slot} of visit {visit} ends at {end:g}, but {needed:g} minutes from {start:g} are needed",
            **at,
            end=stop.end_minutes,
            needed=booking.service_minutes,
            start=stop.start_minutes,
        )
    if stop.arrival_minutes + access > stop.start_minutes + EPSILON:
        text = "{caregiver} arrives for visit {visit} at {arrival:g}, less than {access:g} before {start:g}"
        times: dict[str, Parameter] = {
            "arrival": stop.arrival_minutes,
            "access": access,
            "start": stop.start_minutes,
        }
        yield violation(ViolationCode.ACCESS_TOO_SHORT, text, **at, **times)
    if _overlap(stop.start_minutes - access, booking.end_minutes, absences):
        text = "{caregiver} is absent during slot {slot} of visit {visit}"
        yield violation(ViolationCode.ABSENT, text, **at)


def _breaks(facts: Facts, route: Route, shift: Shift, bookings: list[Booking]) -> Iterator[Violation]:
    ids: dict[str, Parameter] = {"caregiver": route.caregiver_id, "shift": shift.id}
    taken = [b.index for b in route.breaks]
    for index in range(len(shift.breaks)):
        if taken.count(index) != 1:
            text = "break {index} of shift {shift} is planned {times} times, not once"
            yield violation(ViolationCode.BREAK_MISSING, text, **ids, index=index, times=taken.count(index))
    for row in route.breaks:
        if row.index >= len(shift.breaks):
            text = "shift {shift} has no break {index}"
            yield violation(ViolationCode.BREAK_MISSING, text, **ids, index=row.index)
            continue
        rest = shift.breaks[row.index]
        early, late = rest.earliest_start_minutes - EPSILON, rest.latest_start_minutes + EPSILON
        length = row.end_minutes - row.start_minutes
        if not early <= row.start_minutes <= late or abs(length - rest.duration_minutes) > EPSILON:
            text = "break {index} of shift {shift} is from {start:g} to {end:g}, outside its span or length"
            start, end = row.start_minutes, row.end_minutes
            yield violation(ViolationCode.BREAK_TIME, text, **ids, index=row.index, start=start, end=end)
        for booking, before in zip(bookings, facts.places_before(shift, bookings), strict=True):
            block = [(row.start_minutes, row.end_minutes)]
            begin = booking.start_minutes - facts.access(booking, before)
            if _overlap(begin, booking.end_minutes, block):
                text = "visit {visit} of {caregiver} lies in break {index} of shift {shift}"
                at: dict[str, Parameter] = {"visit": booking.visit.id, "index": row.index}
                yield violation(ViolationCode.BREAK_INTERRUPTED, text, **ids, **at)


def _legs(facts: Facts, route: Route, shift: Shift, bookings: list[Booking]) -> Iterator[_Leg]:
    leave, place = route.departure_minutes, shift.start_location_id
    for booking, stop in zip(bookings, route.stops, strict=True):
        there = booking.visit.location_id
        travel = facts.travel(shift.mode_id, place, there)
        yield _Leg(leave, stop.arrival_minutes, travel, booking.visit.id)
        leave, place = booking.end_minutes, there
    yield _Leg(leave, route.return_minutes, facts.travel(shift.mode_id, place, shift.end_location_id), "")


def _leg(leg: _Leg, shift: Shift, breaks: list[Block], absences: list[Block]) -> Iterator[Violation]:
    ids: dict[str, Parameter] = {"caregiver": shift.caregiver_id, "shift": shift.id, "visit": leg.to}
    free = free_minutes(leg.leave, leg.arrive, breaks)
    where = "visit {visit}" if leg.to else "the end of shift {shift}"
    # A leg that leaves after it arrives is too short even with nothing to travel.
    if free < leg.travel - EPSILON or leg.arrive < leg.leave - EPSILON:
        text = "{caregiver} has {free:g} minutes for the journey to " + where + ", needs {needed:g}"
        yield violation(
            ViolationCode.TRAVEL_TOO_SHORT,
            text,
            **ids,
            free=min(free, leg.arrive - leg.leave),
            needed=leg.travel,
        )
    elif free_minutes(leg.leave, leg.arrive, breaks + absences) < leg.travel - EPSILON:
        text = "{caregiver} would travel to " + where + " while absent"
        yield violation(ViolationCode.ABSENT, text, **ids)


def _stated(facts: Facts, route: Route, shift: Shift, bookings: list[Booking]) -> Iterator[Violation]:
    ids: dict[str, Parameter] = {"shift": shift.id}
    travel, work = facts.travel_of(shift, bookings), facts.work(shift, bookings)
    if abs(travel - route.travel_minutes) > EPSILON:
        text = "the route of shift {shift} states {stated:g} minutes of travel, it has {real:g}"
        yield violation(ViolationCode.STATED_TRAVEL, text, **ids, stated=route.travel_minutes, real=travel)
    if abs(work - route.work_minutes) > EPSILON:
        text = "the route of shift {shift} states {stated:g} minutes of work, it has {real:g}"
        yield violation(ViolationCode.STATED_WORK, text, **ids, stated=route.work_minutes, real=work)


def _absences(facts: Facts, shift: Shift) -> list[Block]:
    rows = facts.caregivers[shift.caregiver_id].absences
    return [(a.start_minutes, a.end_minutes) for a in rows]


def _overlap(start: float, end: float, blocks: Sequence[Block]) -> bool:
    return any(start < b - EPSILON and a < end - EPSILON for a, b in blocks)
