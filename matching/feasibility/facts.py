"""What the checker knows: the instance by id, its own travel times, and the plan as bookings."""

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from matching.instance import Caregiver, Instance, LineRule, ProviderKind, Service, Shift, Unit, Visit
from matching.plan import Plan

EARTH_RADIUS_METRES = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Booking:
    """One person at one slot, in the plan or behind it as a fallback."""

    visit: Visit
    slot: int
    caregiver: Caregiver
    shift: Shift
    start_minutes: float
    line_id: str | None
    fallback: bool = False

    @property
    def key(self) -> tuple[str, int]:
        return self.visit.id, self.slot

    @property
    def service_minutes(self) -> float:
        own = self.visit.slots[self.slot].service_minutes
        return self.visit.service_minutes if own is None else own

    @property
    def end_minutes(self) -> float:
        return self.start_minutes + self.service_minutes

    @property
    def day(self) -> int:
        return self.shift.day


class Facts:
    """One instance, read the checker's own way (nothing is shared with the solvers)."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.visits = {v.id: v for v in instance.visits}
        self.caregivers = {c.id: c for c in instance.caregivers}
        self.shifts = {s.id: s for s in instance.shifts}
        self.services = {s.id: s for s in instance.services}
        self.households = {h.id: h for h in instance.households}
        self.lines = {line.id: line for line in instance.contract_lines}
        self._modes = {m.id: m for m in instance.travel_modes}
        self._place = {place.id: i for i, place in enumerate(instance.locations)}
        self._known_travel: dict[tuple[str, str, str], float] = {}

    @cached_property
    def shifts_of(self) -> dict[str, list[Shift]]:
        found: dict[str, list[Shift]] = defaultdict(list)
        for shift in self.instance.shifts:
            found[shift.caregiver_id].append(shift)
        return found

    @cached_property
    def excluded_pairs(self) -> set[frozenset[str]]:
        return {frozenset((p.first_caregiver_id, p.second_caregiver_id)) for p in self.instance.excluded_pairs}

    def service(self, visit: Visit, slot: int) -> Service:
        return self.services[visit.slots[slot].service_id or visit.service_id]

    def travel(self, mode_id: str, origin: str | None, destination: str | None) -> float:
        """Minutes from place to place in a mode; 0 where the shift has no such end."""
        if origin is None or destination is None:
            return 0.0
        key = (mode_id, origin, destination)
        if key not in self._known_travel:
            self._known_travel[key] = self._travel(mode_id, origin, destination)
        return self._known_travel[key]

    def metres(self, origin: str, destination: str) -> float:
        """Great-circle metres (haversine)."""
        a = self.instance.locations[self._place[origin]]
        b = self.instance.locations[self._place[destination]]
        assert a.latitude is not None and a.longitude is not None
        assert b.latitude is not None and b.longitude is not None
        north, east = math.radians(b.latitude - a.latitude), math.radians(b.longitude - a.longitude)
        chord = math.sin(north / 2) ** 2 + (
            math.cos(math.radians(a.latitude)) * math.cos(math.radians(b.latitude)) * math.sin(east / 2) ** 2
        )
        return 2 * EARTH_RADIUS_METRES * math.asin(math.sqrt(min(1.0, max(0.0, chord))))

    def access(self, booking: Booking, before: str | None) -> float:
        """Minutes to the door; none where the person was already at this place."""
        return 0.0 if before == booking.visit.location_id else booking.visit.access_minutes

    def work(self, shift: Shift, bookings: list[Booking]) -> float:
        """Service, access and travel minutes of the shift's bookings in the order given."""
        return self.travel_of(shift, bookings) + sum(
            booking.service_minutes + self.access(booking, before)
            for booking, before in zip(bookings, self.places_before(shift, bookings), strict=True)
        )

    def travel_of(self, shift: Shift, bookings: list[Booking]) -> float:
        """Travel minutes of the whole route, there and back."""
        if not bookings:
            return 0.0
        places = [shift.start_location_id, *(b.visit.location_id for b in bookings), shift.end_location_id]
        legs = zip(places, places[1:], strict=False)
        return sum(self.travel(shift.mode_id, a, b) for a, b in legs)

    def places_before(self, shift: Shift, bookings: list[Booking]) -> list[str | None]:
        return [shift.start_location_id, *(b.visit.location_id for b in bookings)][: len(bookings)]

    def amount(self, booking: Booking, unit: Unit) -> float:
        """What a charged slot draws from its line, in that unit."""
        visit = booking.visit
        if unit is Unit.MINUTES:
            return booking.service_minutes if visit.charge_minutes is None else visit.charge_minutes
        if unit is Unit.VISITS:
            return 1
        if unit is Unit.MEALS:
            return visit.charge_meals
        line = self.lines[booking.line_id or ""]
        return line.price_fen * self.amount(booking, line.unit)

    def covering_lines(self, booking: Booking) -> list[str]:
        """Lines that may pay for this booking, in the visit's order; one only under `first`."""
        service = self.service(booking.visit, booking.slot).id
        found = []
        for name in booking.visit.contract_line_ids:
            line = self.lines[name]
            if (
                line.organisation_id == booking.caregiver.organisation_id
                and service in line.service_ids
                and line.first_day <= booking.day <= line.last_day
            ):
                found.append(name)
        return found[:1] if booking.visit.line_rule is LineRule.FIRST else found

    def _travel(self, mode_id: str, origin: str, destination: str) -> float:
        mode = self._modes[mode_id]
        if mode.matrix_minutes is not None:
            return mode.matrix_minutes[self._place[origin]][self._place[destination]]
        assert mode.speed_metres_per_minute is not None
        raw = self.metres(origin, destination) * mode.detour_factor / mode.speed_metres_per_minute
        return float(math.ceil(round(raw, 6)))


def bookings_of(facts: Facts, plan: Plan) -> list[Booking]:
    """Every stop of every route (ids must be known)."""
    return [
        Booking(
            visit=facts.visits[stop.visit_id],
            slot=stop.slot,
            caregiver=facts.caregivers[route.caregiver_id],
            shift=facts.shifts[route.shift_id],
            start_minutes=stop.start_minutes,
            line_id=stop.line_id,
        )
        for route in plan.routes
        for stop in route.stops
    ]


def fallbacks_of(facts: Facts, plan: Plan) -> list[Booking]:
    """Every fallback as the booking that it would become."""
    return [
        Booking(
            visit=facts.visits[row.visit_id],
            slot=row.slot,
            caregiver=facts.caregivers[row.caregiver_id],
            shift=facts.shifts[row.shift_id],
            start_minutes=row.start_minutes,
            line_id=row.line_id,
            fallback=True,
        )
        for row in plan.fallbacks
    ]


def by_visit(bookings: list[Booking]) -> dict[str, list[Booking]]:
    """Bookings by visit id, in slot order."""
    found: dict[str, list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda b: b.slot):
        found[booking.visit.id].append(booking)
    return found


def by_shift(bookings: list[Booking]) -> dict[str, list[Booking]]:
    """Bookings by shift id, in order of start."""
    found: dict[str, list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda b: (b.start_minutes, b.visit.id, b.slot)):
        found[booking.shift.id].append(booking)
    return found


PAID_KINDS = frozenset({ProviderKind.CARER, ProviderKind.SOCIAL_WORKER})
