"""One shift with its stops at fixed starts: where would one more stop fit without moving any of them?

Between two stops (and before the first, after the last) lies a gap. A new stop splits its gap in two,
each of which must hold its journey and the breaks and absences that fall into it. Breaks may be taken
in another gap than before; stops may not move. All of it has a closed form: for every gap the starts
that fit are a few intervals, so nothing is tried out minute by minute.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from matching.instance import Absence, Break, Shift

Travel = Callable[[str | None, str | None], float]
Interval = tuple[float, float]
EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Halt:
    """A stop as the timetable needs it: when, where, and the minutes to the door."""

    location_id: str
    start_minutes: float
    service_minutes: float
    access_minutes: float

    @property
    def end_minutes(self) -> float:
        return self.start_minutes + self.service_minutes


@dataclass(frozen=True, slots=True)
class Opening:
    """Starts [earliest, latest] that fit a new stop into a gap, and the travel and work it adds."""

    earliest: float
    latest: float
    gap: int
    travel_added: float
    work_added: float


@dataclass(frozen=True, slots=True)
class _Gap:
    """From leaving `origin` at `leave` to the door of the next stop, or the shift's end, at `until`."""

    leave: float
    origin: str | None
    until: float
    destination: str | None
    access: float  # of the next stop, had the person not been at its place before
    before_next: float  # start of the next stop, or the shift's end


class Timetable:
    """The gaps of one shift.

    Parameters
    ----------
    halts
        The stops in order of start; together with the shift's breaks they must be feasible.
    travel
        Minutes between two locations in the shift's mode; 0 where either is None.
    """

    def __init__(self, shift: Shift, halts: Sequence[Halt], absences: Iterable[Absence], travel: Travel) -> None:
        self.shift = shift
        self.halts = tuple(halts)
        self._travel = travel
        self.away = _merged((a.start_minutes, a.end_minutes) for a in absences)
        # A break that fits into an absence is taken there and asks for nothing more.
        self._resting = {i: at for i, b in enumerate(shift.breaks) if (at := _inside(b, self.away)) is not None}
        self._breaks = [b for i, b in enumerate(shift.breaks) if i not in self._resting]
        self._gaps = [self._gap(i) for i in range(len(self.halts) + 1)]
        self._must_hold: dict[int, list[tuple[Break, ...]]] = {}

    @property
    def travel_minutes(self) -> float:
        """Travel of the whole route (0 without stops)."""
        places = [self.shift.start_location_id, *(h.location_id for h in self.halts), self.shift.end_location_id]
        if not self.halts:
            return 0.0
        return sum(self._travel(a, b) for a, b in zip(places, places[1:], strict=False))

    @property
    def work_minutes(self) -> float:
        """Service, access and travel of the whole route."""
        total, place = self.travel_minutes, self.shift.start_location_id
        for halt in self.halts:
            total += halt.service_minutes + _door(place, halt.location_id, halt.access_minutes)
            place = halt.location_id
        return total

    def openings(
        self, location_id: str, service_minutes: float, access_minutes: float, spans: Sequence[Interval]
    ) -> list[Opening]:
        """Every way to fit a stop that starts within one of the spans (disjoint; by gap, then time)."""
        found: list[Opening] = []
        for index, gap in enumerate(self._gaps):
            if not any(a <= gap.before_next and b >= gap.leave for a, b in spans):
                continue
            access = _door(gap.origin, location_id, access_minutes)
            there, back = self._travel(gap.origin, location_id), self._travel(location_id, gap.destination)
            until = gap.before_next - _door(location_id, gap.destination, gap.access)
            if until < gap.before_next and _overlap(until, gap.before_next, self.away):
                continue
            room = _Room(gap.leave, until, there, back, access, service_minutes)
            starts = self._starts(index, room, spans)
            if not starts:
                continue
            direct = self._travel(gap.origin, gap.destination) if self.halts else 0.0
            travel = there + back - direct
            work = travel + access + service_minutes + gap.until - until
            found += [Opening(a, b, index, travel, work) for a, b in starts]
        return found

    def place_breaks(self) -> list[Interval] | None:
        """When each break of the shift is taken, as early as it fits; None if one does not fit."""
        if not self.halts:
            return []
        pending, placed = list(self._breaks), list(self._resting.values())
        for gap in self._gaps:
            travel, taken = self._travel(gap.origin, gap.destination), self._away_in(gap.leave, gap.until)
            while pending:
                begin = max(pending[0].earliest_start_minutes, gap.leave)
                block = (begin, begin + pending[0].duration_minutes)
                fits = block[1] <= gap.until + EPSILON and begin <= pending[0].latest_start_minutes + EPSILON
                if not fits or gap.until - gap.leave - _length([*taken, block]) < travel - EPSILON:
                    break
                taken.append(block)
                placed.append(block)
                pending.pop(0)
        return None if pending else sorted(placed)

    @cached_property
    def feasible_now(self) -> bool:
        """Whether the stops as given fit with breaks, absences and the shift's hours."""
        if not self.halts:
            return True
        for gap, halt in zip(self._gaps, self.halts, strict=False):
            if _overlap(gap.until, halt.end_minutes, self.away):
                return False
        for gap in self._gaps:
            free = gap.until - gap.leave - _length(self._away_in(gap.leave, gap.until))
            if free < self._travel(gap.origin, gap.destination) - EPSILON:
                return False
        return self.place_breaks() is not None

    def arrivals(self, blocks: Sequence[Interval]) -> list[float]:
        """Arrival at each stop and back at the end location, going as early as possible."""
        stood = sorted([*blocks, *self.away])
        return [_arrival(gap.leave, self._travel(gap.origin, gap.destination), stood) for gap in self._gaps]

    def _gap(self, index: int) -> _Gap:
        shift, halts = self.shift, self.halts
        leave = halts[index - 1].end_minutes if index else shift.start_minutes
        origin = halts[index - 1].location_id if index else shift.start_location_id
        if index == len(halts):
            return _Gap(leave, origin, shift.end_minutes, shift.end_location_id, 0.0, shift.end_minutes)
        following = halts[index]
        door = _door(origin, following.location_id, following.access_minutes)
        return _Gap(
            leave,
            origin,
            following.start_minutes - door,
            following.location_id,
            following.access_minutes,
            following.start_minutes,
        )

    def _needed_in(self, index: int) -> list[tuple[Break, ...]]:
        """Which breaks gap `index` may have to hold: the smallest sets that let all others go elsewhere."""
        if index not in self._must_hold:
            self._must_hold[index] = self._smallest_sets(index)
        return self._must_hold[index]

    def _smallest_sets(self, index: int) -> list[tuple[Break, ...]]:
        breaks = self._breaks
        minimal: list[tuple[int, ...]] = []
        for chosen in _subsets(len(breaks)):
            if any(set(small) <= set(chosen) for small in minimal):
                continue
            others = [b for i, b in enumerate(breaks) if i not in chosen]
            if self._fit_elsewhere(others, index):
                minimal.append(chosen)
        return [tuple(breaks[i] for i in chosen) for chosen in minimal]

    def _fit_elsewhere(self, breaks: Sequence[Break], index: int) -> bool:
        """Whether the breaks find places in the other gaps, each in the first where it fits."""
        pending = list(breaks)
        for i, gap in enumerate(self._gaps):
            if not pending:
                return True
            if i == index:
                continue
            free = gap.until - gap.leave - self._travel(gap.origin, gap.destination)
            free -= _length(self._away_in(gap.leave, gap.until))
            while pending:
                begin = max(pending[0].earliest_start_minutes, gap.leave)
                long = pending[0].duration_minutes
                late = begin > pending[0].latest_start_minutes + EPSILON or begin + long > gap.until + EPSILON
                if late or free < long - EPSILON:
                    break
                free -= long
                pending.pop(0)
        return not pending

    def _starts(self, index: int, room: "_Room", spans: Sequence[Interval]) -> list[Interval]:
        """The starts within the spans that fit the gap, over every way to place its breaks."""
        away = self._away_in(room.leave, room.until)
        found: list[Interval] = []
        for needed in self._needed_in(index):
            for i in range(len(away) + 1):
                for j in range(len(needed) + 1):
                    low, high = room.starts(away[:i], away[i:], needed[:j], needed[j:])
                    found += [(max(low, a), min(high, b)) for a, b in spans if max(low, a) <= min(high, b)]
        return _merged(found)

    def _away_in(self, start: float, end: float) -> list[Interval]:
        return [(max(a, start), min(b, end)) for a, b in self.away if a < end and b > start]


@dataclass(frozen=True, slots=True)
class _Room:
    """A gap with a new stop in it: leave, travel `there`, access, serve, travel `back`, be there `until`."""

    leave: float
    until: float
    there: float
    back: float
    access: float
    service: float

    def starts(
        self,
        away_before: Sequence[Interval],
        away_after: Sequence[Interval],
        breaks_before: Sequence[Break],
        breaks_after: Sequence[Break],
    ) -> Interval:
        """Earliest and latest start with these absences and breaks before and after the stop.

        Before it, each break is taken as early as possible; after it, as soon as its span and the end
        of service allow. (A shift's breaks have spans that follow one another: none waits for another.)
        """
        low = self.leave + self.there + sum(b - a for a, b in away_before)
        low += sum(rest.duration_minutes for rest in breaks_before)
        high = self.until - self.back - sum(b - a for a, b in away_after)
        high -= sum(rest.duration_minutes for rest in breaks_after)
        low = max([low, *(b for _, b in away_before)])
        high = min([high, *(a for a, _ in away_after)])
        for rest in breaks_before:
            begin = max(rest.earliest_start_minutes, self.leave)
            if begin > rest.latest_start_minutes:
                return 0.0, -1.0
            low = max(low, begin + rest.duration_minutes)
        for rest in breaks_after:
            if rest.earliest_start_minutes + rest.duration_minutes > self.until:
                return 0.0, -1.0
            high = min(high, rest.latest_start_minutes, self.until - rest.duration_minutes)
        return low + self.access, high - self.service


def _inside(rest: Break, away: Sequence[Interval]) -> Interval | None:
    """Where the break lies if it is taken within one of the absences; None if none can hold it."""
    for a, b in away:
        begin = max(a, rest.earliest_start_minutes)
        if begin <= rest.latest_start_minutes and begin + rest.duration_minutes <= b:
            return begin, begin + rest.duration_minutes
    return None


def _door(origin: str | None, destination: str | None, access: float) -> float:
    return 0.0 if origin == destination and origin is not None else access


def _subsets(count: int) -> list[tuple[int, ...]]:
    """Every subset of range(count), smaller ones first."""
    rows = [tuple(i for i in range(count) if bits >> i & 1) for bits in range(1 << count)]
    return sorted(rows, key=len)


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of the intervals, in order."""
    found: list[Interval] = []
    for a, b in sorted(intervals):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], b))
        else:
            found.append((a, b))
    return found


def _length(intervals: Iterable[Interval]) -> float:
    return sum(b - a for a, b in _merged(intervals))


def _overlap(start: float, end: float, blocks: Iterable[Interval]) -> bool:
    return any(start < b - EPSILON and a < end - EPSILON for a, b in blocks)


def _arrival(leave: float, travel: float, blocks: Sequence[Interval]) -> float:
    """When a journey that the blocks interrupt ends."""
    clock, left = leave, travel
    for a, b in _merged(blocks):
        if b <= clock or clock + left <= a:
            continue
        left -= max(0.0, a - clock)
        clock = b
    return clock + left
