"""Ways to put one visit into a running plan without moving anyone: people, starts, lines, fallbacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from matching.candidates import Cover
from matching.charging import Booked, drawing
from matching.eligibility import allowed_mixes
from matching.instance import FallbackRule, ProviderKind, TimeWindow, Visit
from matching.objective import ObjectiveVector
from matching.plan_state import Option, PlanState, start_spans
from matching.pricing import Terms, add, as_vector, no_terms, tardiness, told, total_points, unfairness, visit_terms

ROUND_MINUTES = 5
"""Starts are proposed on such round minutes where there are some."""
SPREAD_MINUTES = 60
"""Within one opening, starts so far apart are looked at."""
TRIES = 60
"""Once a way is found within a window, so many starts are looked at there, the promising first."""

BATCH = 8
"""Pairs of people looked at together, so that the next pair comes before the first one's tenth start."""
LATER_POINTS = 500
"""What each further start of the same opening is put back by in the order of trying."""

Chosen = tuple[tuple[Option, float], ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fill the missing slots: the new bookings, those behind them, and what they change."""

    booked: tuple[Booked, ...]
    behind: tuple[Booked, ...]
    options: tuple[Option, ...]
    change: ObjectiveVector

    @property
    def points(self) -> float:
        return self.change.total


class Placing:
    """All the ways to place one visit (or what it lacks) in one plan."""

    def __init__(self, state: PlanState, visit: Visit) -> None:
        self.state = state
        self.visit = visit
        self.given = state.at_visit.get(visit.id, [])
        filled = {b.slot for b in self.given}
        self.windows = [w for w in visit.windows if all(self._lies_in(b.start_minutes, w) for b in self.given)]
        self.missing = [k for k in range(len(visit.slots)) if k not in filled]
        self._alone = len(visit.slots) == 2 and visit.synchronisation.same_caregiver_allowed
        self._helpers: dict[int, list[Option]] = {}
        self._mixes = allowed_mixes(state.lookup, visit)
        self._pairs = {frozenset((p.first_caregiver_id, p.second_caregiver_id)) for p in state.instance.excluded_pairs}
        running = state.instance.running_plan.assignments
        self._told_starts = [a.start_minutes for a in running if a.visit_id == visit.id]
        self._told_elsewhere = told(
            state.lookup,
            state.planned,
            visits={a.visit_id for a in running} - {visit.id},
        )

    @cached_property
    def options(self) -> list[list[Option]]:
        """For each missing slot everyone who could fill it (for themselves, not yet with one another)."""
        return [[o for o in self.state.options(self.visit, slot) if self._suits_given(o)] for slot in self.missing]

    def ways(self) -> Iterator[Way]:
        """Ways in no strict order; at least one if there is any, and many of the best."""
        if not self.missing or not all(self.options):
            return
        for window in self.windows:
            found = 0
            for tried, chosen in enumerate(self._starts(window)):
                if found and tried >= TRIES:
                    break
                way = self.way(chosen)
                if way is not None:
                    found += 1
                    yield way

    def cover(self, starts: Sequence[float]) -> list[tuple[Cover, int]]:
        """For each start (of the first missing slot): how it is covered, and by how many people."""
        if not self.missing or not starts:
            return [(Cover.NONE, 0)] * len(starts)
        times = np.array(starts)[:, None]
        able = [self._able(0, times, times)]
        if len(self.missing) == 2:
            rule = self.visit.synchronisation
            able.append(self._able(1, times + rule.min_offset_minutes, times + rule.max_offset_minutes))
            enough = self._together(*able)
            for bare in np.flatnonzero(~enough).tolist() if self._alone else ():
                enough[bare] = any(self._serves_alone(i, starts[bare]) for i in np.flatnonzero(able[0][bare]).tolist())
        else:
            for other in self.given:
                low, high = self.offsets(self.missing[0])
                able[0] &= (times >= other.start_minutes + low) & (times <= other.start_minutes + high)
            enough = np.asarray(able[0].any(axis=1))
        found = []
        for row in range(len(starts)):
            chosen = zip(self.options, (mask[row] for mask in able), strict=True)
            people = {o.caregiver.id for options, mask in chosen for o, on in zip(options, mask, strict=True) if on}
            level = Cover.ENOUGH if enough[row] else Cover.SOME if people else Cover.NONE
            found.append((level, len(people)))
        return found

    def _able(self, which: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Rows of starts by options: who could start at some time of [low, high] in the start's window."""
        options = self.options[which]
        earliest = np.array([o.earliest for o in options]).reshape(1, -1)
        latest = np.array([o.latest for o in options]).reshape(1, -1)
        able: np.ndarray = np.zeros((len(low), len(options)), dtype=bool)
        for window in self.windows:
            a, b = self._span(window)
            inside = (low >= a) & (low <= b)
            able = able | (inside & (np.maximum(earliest, low) <= np.minimum(np.minimum(latest, high), b)))
        return able

    def _together(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Per start: is there a person for each slot who may come together?"""
        one, two = ([o.caregiver.id for o in options] for options in self.options)
        fits = np.array([[a != b and self.may_go_together(a, b) for b in two] for a in one], dtype=bool)
        if not fits.size:
            return np.zeros(len(first), dtype=bool)
        return np.asarray(((first.astype(np.int32) @ fits.astype(np.int32) > 0) & second).any(axis=1))

    def _serves_alone(self, which: int, start: float) -> bool:
        option = self.options[0][which]
        windows = (w for w in self.windows if self._lies_in(start, w))
        return any(True for w in windows for _ in self._after_oneself(option, start, w))

    def start_ranges(self) -> list[tuple[float, float]]:
        """For each choice of people: the earliest time by which all missing slots have started, and the
        latest before which none has. (Lines and new faces of both together are not looked at.)"""
        found: list[tuple[float, float]] = []
        for window in self.windows if self.missing and all(self.options) else ():
            if len(self.missing) == 1:
                ranges = (self.single_range(option, window) for option in self.options[0])
                found += [(a, b) for a, b in ranges if a <= b]
                continue
            low, high = self._common_starts(window)
            for i, j in np.argwhere(low <= high).tolist():
                one, two = self.options[0][i], self.options[1][j]
                if self.may_go_together(one.caregiver.id, two.caregiver.id):
                    found.append((self._second_start(two, float(low[i, j])), float(high[i, j])))
        return found

    def spans_beside(self, slot: int) -> list[tuple[float, float]]:
        """When this missing slot could start, given when the visit's other slot is or can be filled."""
        spans = start_spans(self.visit, slot)
        if len(self.visit.slots) == 1:
            return spans
        others = [(b.start_minutes, b.start_minutes) for b in self.given]
        for options in self.options if len(self.missing) == 2 else ():
            others += [(o.earliest, o.latest) for o in options if o.slot != slot]
        low, high = self.offsets(slot)
        beside = [(a + low, b + high) for a, b in others]
        return [(max(a, x), min(b, y)) for a, b in spans for x, y in beside if max(a, x) <= min(b, y)]

    def go_together(self, first: Booked, second: Booked) -> bool:
        """Whether two bookings (slot 0, slot 1) serve the visit together: people, offset, one window."""
        low, high = self.offsets(1)
        starts = (first.start_minutes, second.start_minutes)
        return (
            self.may_go_together(first.caregiver.id, second.caregiver.id)
            and low - 1e-9 <= starts[1] - starts[0] <= high + 1e-9
            and any(all(self._lies_in(s, w) for s in starts) for w in self.visit.windows)
        )

    def may_go_together(self, first_id: str, second_id: str) -> bool:
        """Whether these two people (slot 0, slot 1) may serve the visit together."""
        if first_id == second_id and not self._alone or frozenset((first_id, second_id)) in self._pairs:
            return False
        people = self.state.lookup.caregivers
        return self._mixes is None or (people[first_id].kind, people[second_id].kind) in self._mixes

    # Starts to look at, the promising first

    def _starts(self, window: TimeWindow) -> Iterator[Chosen]:
        if len(self.missing) == 1:
            yield from self._single_starts(window)
        else:
            if self._alone:
                yield from self._alone_starts(window)
            yield from self._pair_starts(window)

    def _alone_starts(self, window: TimeWindow) -> Iterator[Chosen]:
        """One person for both slots: each promising start of the first, and the first start of the second then."""
        rows = []
        low, high = self._span(window)
        for option in self.options[0]:
            if not self.may_go_together(option.caregiver.id, option.caregiver.id):
                continue
            a, b = max(low, option.earliest), min(high, option.latest)
            own = [o for o in self.options[1] if o.caregiver.id == option.caregiver.id]
            latest = (o.earliest - self.visit.synchronisation.max_offset_minutes for o in own)
            starts = [*self._spread(window, a, b, option), *(s for s in latest if a <= s <= b)] if a <= b else []
            for turn, start in enumerate(dict.fromkeys(starts)):
                points = self._own_points(option) + float(self._time_points(window, np.array(start)))
                rows.append((points + turn * LATER_POINTS, start, option))
        rows.sort(key=lambda row: (row[0], row[1], row[2].caregiver.id))
        for _, start, option in rows:
            for second in self._after_oneself(option, start, window):
                yield (option, start), (second, second.earliest)

    def _after_oneself(self, option: Option, start: float, window: TimeWindow) -> list[Option]:
        """The second slot's openings for the person of the first, who is there at `start`."""
        rule = self.visit.synchronisation
        low, high = self._span(window)
        span = max(low, start + rule.min_offset_minutes), min(high, start + rule.max_offset_minutes)
        first = Booked(self.visit, option.slot, option.caregiver, option.shift, start)
        if span[0] > span[1] or not self.may_go_together(option.caregiver.id, option.caregiver.id):
            return []
        return self.state.options_after(option, first, span)

    def _single_starts(self, window: TimeWindow) -> Iterator[Chosen]:
        rows = []
        for option in self.options[0]:
            low, high = self.single_range(option, window)
            if low <= high:
                base = self._own_points(option)
                for turn, start in enumerate(self._spread(window, low, high, option)):
                    points = base + float(self._time_points(window, np.array(start)))
                    rows.append((points + turn * LATER_POINTS, start, option))
        rows.sort(key=lambda row: (row[0], row[1] not in self._told_starts, row[1], row[2].caregiver.id))
        return (((option, start),) for _, start, option in rows)

    def single_range(self, option: Option, window: TimeWindow) -> tuple[float, float]:
        """Starts of the one missing slot: in the window and at the right distance to the other slot."""
        low, high = self._span(window)
        for other in self.given:
            least, most = self.offsets(option.slot)
            low, high = max(low, other.start_minutes + least), min(high, other.start_minutes + most)
        return max(option.earliest, low), min(option.latest, high)

    def _pair_starts(self, window: TimeWindow) -> Iterator[Chosen]:
        first, second = self.options
        low, high = self._common_starts(window)
        points = np.add.outer([self._own_points(o) for o in first], [self._own_points(o) for o in second])
        points = np.where(low <= high, points + 2 * self._time_points(window, low), np.inf)
        order = np.argsort(points, axis=None, kind="stable")[: int((low <= high).sum())]
        pairs = (divmod(int(place), len(second)) for place in order)
        ids = [[o.caregiver.id for o in options] for options in (first, second)]
        fitting = ((i, j) for i, j in pairs if ids[0][i] != ids[1][j] and self.may_go_together(ids[0][i], ids[1][j]))
        # A few pairs at a time: first the best start of each, then their others.
        while batch := list(islice(fitting, BATCH)):
            spreads = [
                (i, j, self._spread(window, float(low[i, j]), float(high[i, j]), first[i], second[j])) for i, j in batch
            ]
            for turn in range(max(len(starts) for _, _, starts in spreads)):
                for i, j, starts in spreads:
                    if turn < len(starts):
                        start = starts[turn]
                        yield (first[i], start), (second[j], self._second_start(second[j], start))

    def _common_starts(self, window: TimeWindow) -> tuple[np.ndarray, np.ndarray]:
        """Per pair of options the starts [low, high] of slot 0 at which both can keep the offsets."""
        first, second = self.options
        rule = self.visit.synchronisation
        low, high = self._span(window)
        a0 = np.maximum([o.earliest for o in first], low)[:, None]
        a1 = np.minimum([o.latest for o in first], high)[:, None]
        b0 = np.maximum([o.earliest for o in second], low)[None, :]
        b1 = np.minimum([o.latest for o in second], high)[None, :]
        both = (a0 <= a1) & (b0 <= b1)
        starts = np.maximum(a0, b0 - rule.max_offset_minutes)
        ends = np.minimum(a1, b1 - rule.min_offset_minutes)
        return starts, np.where(both, ends, -np.inf)

    def _second_start(self, option: Option, first_start: float) -> float:
        return max(option.earliest, first_start + self.visit.synchronisation.min_offset_minutes)

    def _lies_in(self, start: float, window: TimeWindow) -> bool:
        low, high = self._span(window)
        return low <= start <= high

    def _span(self, window: TimeWindow) -> tuple[float, float]:
        return window.start_minutes, window.end_minutes + self.visit.max_tardiness_minutes

    def offsets(self, slot: int) -> tuple[float, float]:
        """Least and greatest start of this slot minus start of the other."""
        rule = self.visit.synchronisation
        if slot == 1:
            return rule.min_offset_minutes, rule.max_offset_minutes
        return -rule.max_offset_minutes, -rule.min_offset_minutes

    def _spread(self, window: TimeWindow, low: float, high: float, *options: Option) -> list[float]:
        """Starts worth proposing in [low, high], the best for the household first: what people were told,
        the first possible, each hour after (unless late), preferred ones, and, where a volunteer must have
        a fallback, those at which one becomes free."""
        last = max(low, min(high, window.end_minutes))
        starts = np.arange(low, last + 1e-9, SPREAD_MINUTES).tolist()
        for wished in self.visit.preferred_windows:
            starts += [max(low, min(last, edge)) for edge in (wished.start_minutes, wished.end_minutes)]
        starts = [_rounded(start, last) for start in starts]
        agreed = [start for start in self._told_starts if low <= start <= high]
        starts = [*agreed, *starts]
        required = self.visit.fallback is FallbackRule.REQUIRED
        if required and any(o.caregiver.kind is ProviderKind.VOLUNTEER for o in options):
            helpers = (f.earliest for slot in self.missing for f in self.helpers_for(slot))
            starts += [low, *(start for start in helpers if low <= start <= high)]
        points = {start: float(self._time_points(window, np.array(start))) for start in starts}
        return sorted(points, key=lambda start: (points[start], start not in agreed, start))

    def _time_points(self, window: TimeWindow, start: np.ndarray) -> np.ndarray:
        weights = self.state.instance.weights
        points = weights.tardiness_per_minute * np.maximum(0.0, start - window.end_minutes)
        if self.visit.preferred_windows:
            away = [
                np.maximum(0.0, np.maximum(w.start_minutes - start, start - w.end_minutes))
                for w in self.visit.preferred_windows
            ]
            points = points + weights.outside_preferred_per_minute * np.min(away, axis=0)
        return points

    def _own_points(self, option: Option) -> float:
        """What the person would add, whatever the time: for the order of trying only."""
        state, person = self.state, option.caregiver
        row = Booked(self.visit, option.slot, person, option.shift, option.earliest)
        lines = state.account.lines_for(self.visit, option.slot, person, option.shift.day)
        if person.needs_contract_line and lines:
            row = replace(row, line_id=lines[0])
        terms = no_terms()
        add(terms, visit_terms(state.account, [row]))
        terms["tardiness_minutes"] = terms["outside_preferred_minutes"] = 0
        self._add_route_terms(terms, [option])
        return total_points(state.instance.weights, terms)

    # Turning a choice into bookings, exactly

    def helpers_for(self, slot: int) -> list[Option]:
        """The paid people who could stand behind a volunteer in the slot."""
        if self.visit.fallback is FallbackRule.NONE:
            return []
        if slot not in self._helpers:
            self._helpers[slot] = [
                o
                for o in self.state.options(self.visit, slot, fallback=True)
                if o.caregiver.kind is not ProviderKind.VOLUNTEER and self._suits_given(o)
            ]
        return self._helpers[slot]

    def backup(self, row: Booked) -> Booked | None:
        """Somebody to stand behind a volunteer who is planned already; None if nobody can."""
        return self._helper(row, (), ())

    def _suits_given(self, option: Option) -> bool:
        """Whether the person may come together with whoever fills (or stands behind) the other slot."""
        others = [*self.given, *self.state.behind_visit.get(self.visit.id, ())]
        return all(
            self.may_go_together(*_in_order(option.slot, option.caregiver.id, other.caregiver.id))
            for other in others
            if other.slot != option.slot
        )

    def way(self, chosen: Chosen) -> Way | None:
        """These people at these starts, with lines and whoever stands behind; None if a limit forbids it."""
        booked: list[Booked] = []
        for option, start in chosen:
            row = self._with_line(Booked(self.visit, option.slot, option.caregiver, option.shift, start), booked, ())
            if row is None:
                return None
            booked.append(row)
        behind: list[Booked] = []
        for row in booked:
            helper = self._helper(row, booked, behind)
            if helper is not None:
                behind.append(helper)
            elif self.visit.fallback is FallbackRule.REQUIRED and is_question(row):
                return None
        if not self._faces_fit(booked, behind):
            return None
        return Way(tuple(booked), tuple(behind), tuple(o for o, _ in chosen), self._change(booked, chosen))

    def _with_line(
        self, row: Booked, booked: Sequence[Booked], behind: Sequence[Booked], *, fallback: bool = False
    ) -> Booked | None:
        """The booking with the line that pays for it; None if no line can."""
        before = [*self.given, *booked]
        old_behind = self.state.behind_visit.get(self.visit.id, [])
        if not row.caregiver.needs_contract_line:
            return row
        for line in self.state.account.lines_for(self.visit, row.slot, row.caregiver, row.shift.day):
            lined = Booked(row.visit, row.slot, row.caregiver, row.shift, row.start_minutes, line)
            planned = before if fallback else [*before, lined]
            stand = [*old_behind, *behind, lined] if fallback else [*old_behind, *behind]
            if self.state.account.can_take(drawing(self.given, old_behind), drawing(planned, stand)):
                return lined
        return None

    def _helper(self, row: Booked, booked: Sequence[Booked], behind: Sequence[Booked]) -> Booked | None:
        """The cheapest paid person who could stand behind a volunteer's place."""
        if not is_question(row):
            return None
        others = [*self.given, *self.state.behind_visit.get(self.visit.id, ()), *booked, *behind]
        others = [b for b in others if b.slot != row.slot]
        able = [o for o in self.helpers_for(row.slot) if o.earliest <= row.start_minutes <= o.latest]
        for option in sorted(able, key=lambda o: (o.travel_added, o.caregiver.id)):
            name = option.caregiver.id
            if all(
                b.caregiver.id != name and self.may_go_together(*_in_order(row.slot, name, b.caregiver.id))
                for b in others
            ):
                stand = Booked(self.visit, row.slot, option.caregiver, option.shift, row.start_minutes)
                lined = self._with_line(stand, booked, behind, fallback=True)
                if lined is not None and self._faces_fit(booked, [*behind, lined]):
                    return lined
        return None

    def _faces_fit(self, booked: Sequence[Booked], behind: Sequence[Booked]) -> bool:
        """Whether the household's limit of new faces holds, as planned and with all fallbacks due."""
        household = self.state.lookup.households[self.visit.household_id]
        if household.max_new_faces is None:
            return True
        covered = {b.slot for b in behind}
        due = [b for b in booked if b.slot not in covered] + list(behind)
        for faces, rows in ((self.state.faces, booked), (self.state.faces_due, due)):
            met = {who for home, who in faces if home == household.id} | {b.caregiver.id for b in rows}
            if len(met - set(household.known_caregiver_ids)) > household.max_new_faces:
                return False
        return True

    def _change(self, booked: Sequence[Booked], chosen: Chosen) -> ObjectiveVector:
        """What the bookings add to the objective, term by term."""
        state, terms = self.state, no_terms()
        after = [*self.given, *booked]
        add(terms, visit_terms(state.account, after))
        add(terms, visit_terms(state.account, self.given), -1)
        latest = max(tardiness(after).values())
        terms["max_tardiness_minutes"] = max(0.0, latest - state.max_tardiness)
        for name in dict.fromkeys(option.caregiver.id for option, _ in chosen):
            self._add_route_terms(terms, [option for option, _ in chosen if option.caregiver.id == name])
        if self._told_starts:
            now = told(state.lookup, after, visits={self.visit.id})
            was = told(state.lookup, self.given, visits={self.visit.id})
            terms["people_told"] = len(self._told_elsewhere | now) - len(self._told_elsewhere | was)
        return as_vector(state.instance.weights, terms)

    def _add_route_terms(self, terms: Terms, of_person: Sequence[Option]) -> None:
        """What the routes of one person add, who fills these slots."""
        state, person = self.state, of_person[0].caregiver
        name = person.id
        before, full = sum(state.work[name].values()), state.capacity(person)
        more = unfairness(full, before + sum(o.work_added for o in of_person)) - unfairness(full, before)
        terms["unfairness_minutes"] += more
        terms["travel_minutes"] += sum(o.travel_added for o in of_person)
        known = state.is_known(self.visit.household_id, name)
        terms["new_faces"] += not known and not state.faces[self.visit.household_id, name]


def is_question(row: Booked) -> bool:
    """Whether the place is a volunteer's who has not agreed yet: only then is somebody needed behind her."""
    pin = row.visit.slots[row.slot].pin
    agreed = pin is not None and pin.caregiver_id == row.caregiver.id
    return row.caregiver.kind is ProviderKind.VOLUNTEER and not agreed


def _in_order(slot: int, name: str, other: str) -> tuple[str, str]:
    return (name, other) if slot == 0 else (other, name)


def _rounded(start: float, latest: float) -> float:
    up = -(-start // ROUND_MINUTES) * ROUND_MINUTES
    return up if up <= latest else start
