"""Paid fallbacks behind volunteers: who would still make it if the volunteer does not come.

They are looked for when the plan stands, vital tiers first, and moved nothing for: a fallback fits into
a gap of a paid caregiver's route at the very start that the household was told. All of them together
still fit, keep the limits, and reserve what they would draw from a contract line.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from matching.eligibility import allowed_mixes, eligible_lines
from matching.instance import (
    Budget,
    Caregiver,
    FallbackRule,
    Instance,
    LineRule,
    ProviderKind,
    Quota,
    Shift,
    Unit,
    Visit,
)
from matching.lookup import Lookup, slot_minutes
from matching.plan import Fallback, Route


@dataclass(frozen=True, slots=True)
class _Block:
    """Busy from `start` to `end`; `place` None for a break or an absence.

    `access` is needed before the start by anyone who comes from another place; `begin` is where it
    begins in the route as planned.
    """

    begin: float
    start: float
    end: float
    place: str | None = None
    access: float = 0

    def begin_from(self, place: str | None) -> float:
        return self.start if place == self.place else self.start - self.access


class _Book:
    """What the plan and the fallbacks found so far use up."""

    def __init__(self, lookup: Lookup, routes: tuple[Route, ...]) -> None:
        self.lookup = lookup
        self.blocks: dict[str, list[_Block]] = defaultdict(list)
        self.planned: dict[str, dict[int, str]] = defaultdict(dict)
        self.people: dict[str, dict[int, str]] = defaultdict(dict)
        self.starts: dict[tuple[str, int], float] = {}
        self.faces: dict[str, Counter[str]] = defaultdict(Counter)
        self.homes: dict[str, Counter[str]] = defaultdict(Counter)
        self.minutes: dict[tuple[str, int], float] = defaultdict(float)
        self.visits: Counter[tuple[str, int]] = Counter()
        self.drawn: dict[tuple[str, str], float] = defaultdict(float)
        self.charged: set[str] = set()
        self._budgets: dict[str, list[Budget]] = defaultdict(list)
        self._quotas: dict[str | None, list[Quota]] = defaultdict(list)
        for budget in lookup.instance.budgets:
            self._budgets[budget.line_id].append(budget)
        for quota in lookup.instance.quotas:
            self._quotas[quota.person_id].append(quota)
        paid: list[tuple[str, int, str, int]] = []
        for route in routes:
            self._enter(route, paid)
        for visit_id, slot, line_id, day in sorted(paid):
            visit = lookup.visits[visit_id]
            if not (visit.charged_once and visit_id in self.charged):
                self.draw(visit, slot, line_id, day)
        for shift in lookup.instance.shifts:
            if not self.blocks[shift.id]:
                for rest in shift.breaks:
                    start = rest.earliest_start_minutes
                    self.block(shift, _Block(start, start, start + rest.duration_minutes))

    def _enter(self, route: Route, paid: list[tuple[str, int, str, int]]) -> None:
        shift = self.lookup.shifts[route.shift_id]
        place = shift.start_location_id
        for stop in route.stops:
            visit = self.lookup.visits[stop.visit_id]
            self.block(shift, _service(visit, stop.start_minutes, stop.end_minutes, place))
            place = visit.location_id
            self.planned[visit.id][stop.slot] = route.caregiver_id
            self.count(visit, stop.slot, shift, stop.start_minutes)
            if stop.line_id is not None:
                paid.append((visit.id, stop.slot, stop.line_id, shift.day))
        for rest in route.breaks:
            self.block(shift, _Block(rest.start_minutes, rest.start_minutes, rest.end_minutes))
        self.minutes[route.caregiver_id, shift.day] += route.work_minutes

    def block(self, shift: Shift, block: _Block) -> None:
        self.blocks[shift.id].append(block)
        self.blocks[shift.id].sort(key=lambda b: (b.begin, b.end))

    def count(self, visit: Visit, slot: int, shift: Shift, start: float) -> None:
        self.people[visit.id][slot] = shift.caregiver_id
        self.starts[visit.id, slot] = start
        self.faces[visit.household_id][shift.caregiver_id] += 1
        self.homes[shift.caregiver_id][visit.household_id] += 1
        self.visits[shift.caregiver_id, shift.day] += 1

    def draw(self, visit: Visit, slot: int, line_id: str, day: int) -> None:
        self.charged.add(visit.id)
        for cap, amount in self.caps(visit, slot, line_id, day):
            self.drawn[cap] += amount

    def caps(self, visit: Visit, slot: int, line_id: str, day: int) -> list[tuple[tuple[str, str], float]]:
        """The budgets and quotas that a slot on that line and day touches, with the amounts."""
        rows: list[tuple[str, Budget | Quota]] = [("budget", row) for row in self._budgets[line_id]]
        rows += [("quota", q) for q in self._quotas[visit.person_id] if q.line_id in (None, line_id)]
        return [
            ((kind, row.id), self.amount(visit, slot, line_id, row.unit))
            for kind, row in rows
            if row.first_day <= day <= row.last_day
        ]

    def amount(self, visit: Visit, slot: int, line_id: str, unit: Unit) -> float:
        if unit is Unit.FEN:
            line = self.lookup.lines[line_id]
            return line.price_fen * self.amount(visit, slot, line_id, line.unit)
        if unit is Unit.MINUTES:
            own = visit.charge_minutes
            return slot_minutes(visit, slot) if own is None else own
        return 1 if unit is Unit.VISITS else visit.charge_meals


def find_fallbacks(
    lookup: Lookup, routes: tuple[Route, ...], possible: dict, given: Sequence[Fallback] = ()
) -> tuple[Fallback, ...]:
    """Fallbacks for the volunteers of `routes`, in the order of visits; those `given` stay and come first.

    Parameters
    ----------
    possible
        (visit id, slot) -> ids of the shifts that could hold the slot, were nothing else in them.
    """
    book = _Book(lookup, routes)
    caps = _caps(lookup.instance)
    found = {(row.visit_id, row.slot): row for row in given}
    for row in given:
        _reserve(book, lookup.visits[row.visit_id], row.slot, row)
    for visit, slot in _wanted(lookup, book):
        if (visit.id, slot) in found:
            continue
        best = _best(book, caps, visit, slot, possible[visit.id, slot])
        if best is not None:
            _reserve(book, visit, slot, best)
            found[visit.id, slot] = best
    order = {visit.id: i for i, visit in enumerate(lookup.instance.visits)}
    return tuple(found[key] for key in sorted(found, key=lambda k: (order[k[0]], k[1])))


def _caps(instance: Instance) -> dict[tuple[str, str], float]:
    caps = {("budget", b.id): float(b.cap - b.used) for b in instance.budgets}
    return caps | {("quota", q.id): float(q.cap - q.used) for q in instance.quotas}


def _wanted(lookup: Lookup, book: _Book) -> list[tuple[Visit, int]]:
    rows = [
        (visit, slot)
        for visit in lookup.instance.visits
        if visit.fallback is not FallbackRule.NONE
        for slot, who in sorted(book.people[visit.id].items())
        if lookup.caregivers[who].kind is ProviderKind.VOLUNTEER
    ]
    return sorted(rows, key=lambda row: (not row[0].mandatory, row[0].tier))


def _best(book: _Book, caps: dict, visit: Visit, slot: int, shifts: list[str]) -> Fallback | None:
    """The fallback with the least extra work."""
    start = book.starts[visit.id, slot]
    best, least = None, float("inf")
    for shift_id in shifts:
        shift = book.lookup.shifts[shift_id]
        person = book.lookup.caregivers[shift.caregiver_id]
        if not shift.start_minutes <= start < shift.end_minutes or not _may(book, visit, slot, person):
            continue
        more = _extra_work(book, visit, slot, shift, start)
        if more is None or more >= least or not _limits_hold(book, person, shift, more):
            continue
        line = _line(book, caps, visit, slot, person, shift.day)
        if line is not None:
            best, least = Fallback(visit.id, slot, person.id, shift.id, start, line or None), more
    return best


def _may(book: _Book, visit: Visit, slot: int, person: Caregiver) -> bool:
    """Paid, fits with the other person of the visit, and is no face too many."""
    if person.kind is ProviderKind.VOLUNTEER:
        return False
    volunteer = book.people[visit.id][slot]
    if len(visit.slots) == 2:
        others = {people[visit.id].get(1 - slot) for people in (book.planned, book.people)}
        if not all(other is None or _together(book, visit, slot, person, other) for other in others):
            return False
    household = book.lookup.households[visit.household_id]
    known = household.known_caregiver_ids
    faces, homes = book.faces[visit.household_id], book.homes[person.id]
    if person.id not in known and not faces[person.id]:
        gone = faces[volunteer] == 1 and volunteer not in known
        new = sum(1 for who, n in faces.items() if n and who not in known) - gone
        if household.max_new_faces is not None and new >= household.max_new_faces:
            return False
        unknown = [h for h, n in homes.items() if n and not _knows(book, h, person.id)]
        if person.max_new_households is not None and len(unknown) >= person.max_new_households:
            return False
    return True


def _knows(book: _Book, household_id: str, caregiver_id: str) -> bool:
    return caregiver_id in book.lookup.households[household_id].known_caregiver_ids


def _together(book: _Book, visit: Visit, slot: int, person: Caregiver, other_id: str) -> bool:
    if other_id == person.id:
        return False
    pairs = book.lookup.instance.excluded_pairs
    if any({pair.first_caregiver_id, pair.second_caregiver_id} == {person.id, other_id} for pair in pairs):
        return False
    mixes = allowed_mixes(book.lookup, visit)
    kinds = (person.kind, book.lookup.caregivers[other_id].kind)
    return mixes is None or (kinds if slot == 0 else kinds[::-1]) in mixes


def _service(visit: Visit, start: float, end: float, place: str | None) -> _Block:
    """The block of a service that is reached from `place`."""
    access = 0 if place == visit.location_id else visit.access_minutes
    return _Block(start - access, start, end, visit.location_id, visit.access_minutes)


def _extra_work(book: _Book, visit: Visit, slot: int, shift: Shift, start: float) -> float | None:
    """More work minutes if the slot were served at `start`; None if it does not fit among the blocks."""
    blocks = book.blocks[shift.id] + _absences(book, shift)
    before = [b for b in blocks if b.begin < start]
    after = [b for b in blocks if b.begin >= start]
    previous = max((b for b in before if b.place), key=lambda b: b.end, default=None)
    following = min((b for b in after if b.place), key=lambda b: b.begin, default=None)
    place = previous.place if previous else shift.start_location_id
    own = _service(visit, start, start + slot_minutes(visit, slot), place)
    if any(b.end > own.begin for b in before) or any(b.begin < own.end for b in after):
        return None
    free_from = previous.end if previous else shift.start_minutes
    to = book.lookup.travel_minutes(shift.mode_id, place, visit.location_id)
    if own.begin - free_from - _paused(blocks, free_from, own.begin) < to:
        return None
    target = following.place if following else shift.end_location_id
    deadline = following.begin_from(own.place) if following else shift.end_minutes
    on = book.lookup.travel_minutes(shift.mode_id, visit.location_id, target)
    if deadline - own.end - _paused(blocks, own.end, deadline) < on:
        return None
    if following and any(b.end > deadline for b in after if b.begin < following.begin):
        return None
    old = book.lookup.travel_minutes(shift.mode_id, place, target) if previous or following else 0.0
    earlier_access = following.begin - deadline if following else 0.0
    return own.end - own.begin + to + on - old + earlier_access


def _absences(book: _Book, shift: Shift) -> list[_Block]:
    rows = book.lookup.caregivers[shift.caregiver_id].absences
    return [_Block(a.start_minutes, a.start_minutes, a.end_minutes) for a in rows]


def _paused(blocks: list[_Block], begin: float, end: float) -> float:
    """Minutes of [begin, end] in breaks and absences (an upper bound where these overlap)."""
    spans = [min(b.end, end) - max(b.begin, begin) for b in blocks if b.place is None]
    return sum(max(0.0, span) for span in spans)


def _limits_hold(book: _Book, person: Caregiver, shift: Shift, more: float) -> bool:
    for limit in person.work_limits:
        days = range(limit.first_day, limit.last_day + 1)
        if shift.day not in days:
            continue
        minutes = limit.used_minutes + sum(book.minutes[person.id, d] for d in days)
        visits = limit.used_visits + sum(book.visits[person.id, d] for d in days)
        if limit.max_minutes is not None and minutes + more > limit.max_minutes:
            return False
        if limit.max_visits is not None and visits + 1 > limit.max_visits:
            return False
    return True


def _line(book: _Book, caps: dict, visit: Visit, slot: int, person: Caregiver, day: int) -> str | None:
    """The line that would pay ("" where none is needed); None if none has room."""
    if not person.needs_contract_line:
        return ""
    free = visit.charged_once and visit.id in book.charged
    for line in eligible_lines(book.lookup, visit, slot, person, day):
        rows = book.caps(visit, slot, line.id, day)
        if free or all(book.drawn[cap] + amount <= caps[cap] or amount == 0 for cap, amount in rows):
            return line.id
        if visit.line_rule is LineRule.FIRST:
            return None
    return None


def _reserve(book: _Book, visit: Visit, slot: int, row: Fallback) -> None:
    shift = book.lookup.shifts[row.shift_id]
    volunteer = book.people[visit.id][slot]
    more = _extra_work(book, visit, slot, shift, row.start_minutes)
    book.minutes[row.caregiver_id, shift.day] += more or 0
    if row.line_id is not None and not (visit.charged_once and visit.id in book.charged):
        book.draw(visit, slot, row.line_id, shift.day)
    end = row.start_minutes + slot_minutes(visit, slot)
    book.block(shift, _service(visit, row.start_minutes, end, None))
    book.faces[visit.household_id][volunteer] -= 1
    book.homes[volunteer][visit.household_id] -= 1
    book.count(visit, slot, shift, row.start_minutes)
