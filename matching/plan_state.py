"""A running plan, read once, so that questions about one more visit are answered in milliseconds.

Nothing in the plan moves: a new visit goes between the stops as they are, and every fallback of the
plan must still be able to fall due. `recommend`, `explain` and `repair` all ask here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from matching.charging import Account, Booked, Full, drawing
from matching.eligibility import day_reasons, eligible_lines, person_reasons
from matching.instance import Absence, Budget, Caregiver, Instance, Quota, Shift, Visit, WorkLimit
from matching.lookup import Lookup, fair_capacity, slot_minutes
from matching.plan import Plan
from matching.pricing import tardiness
from matching.timetable import Halt, Interval, Opening, Timetable


@dataclass(frozen=True, slots=True)
class Held:
    """A span in which a person is spoken for outside the plan: an open question, another errand.

    The way there and back is the sender's to include. (A question about a slot of this plan is in the
    plan already.)
    """

    caregiver_id: str
    start_minutes: float
    end_minutes: float


@dataclass(frozen=True, slots=True)
class Option:
    """One person in one shift who could fill a slot, at starts in [earliest, latest]."""

    slot: int
    caregiver: Caregiver
    shift: Shift
    earliest: float
    latest: float
    travel_added: float
    work_added: float
    work_added_due: float


class PlanState:
    """What a plan leaves free.

    Parameters
    ----------
    instance, plan
        A valid instance and a plan for it that the checker accepts.
    held
        Spans in which people are spoken for, on top of their absences.
    lookup
        The lookup of this very instance, where there is one already (then without `held`).
    """

    def __init__(
        self, instance: Instance, plan: Plan, *, held: Sequence[Held] = (), lookup: Lookup | None = None
    ) -> None:
        self.instance = _with_held(instance, held)
        self.plan = plan
        self.lookup = lookup or Lookup(self.instance)
        self.planned, self.behind = bookings(self.lookup, self.plan)
        self.account = Account(self.lookup)
        self.at_visit: dict[str, list[Booked]] = defaultdict(list)
        self.behind_visit: dict[str, list[Booked]] = defaultdict(list)
        for row in self.planned:
            self.at_visit[row.visit.id].append(row)
        for row in self.behind:
            self.behind_visit[row.visit.id].append(row)
        for name in {**self.at_visit, **self.behind_visit}:
            self.account.draw(drawing(self.at_visit.get(name, ()), self.behind_visit.get(name, ())))
        covered = {b.key for b in self.behind}
        self.due = [b for b in self.planned if b.key not in covered] + self.behind
        self._routes = _by_shift(self.planned)
        self._due_routes = _by_shift([*self.planned, *self.behind])
        self._tables: dict[tuple[str, bool], Timetable] = {}

    def __contains__(self, visit_id: str) -> bool:
        return visit_id in self.lookup.visits

    def emptied(self) -> "PlanState":
        """The same instance with an empty plan."""
        return self.replanned(Plan())

    def replanned(self, plan: Plan) -> "PlanState":
        """The same instance with another plan."""
        return PlanState(self.instance, plan, lookup=self.lookup)

    def with_shift(self, shift: Shift) -> "PlanState":
        """The same plan with one shift of other hours."""
        other = self._copy(shifts=_swapped(self.instance.shifts, shift))
        other.lookup.shifts = {**self.lookup.shifts, shift.id: shift}
        own = _swapped(self.lookup.shifts_of[shift.caregiver_id], shift)
        other.lookup.shifts_of = self.lookup.shifts_of.copy()
        other.lookup.shifts_of[shift.caregiver_id] = list(own)
        other._tables = {key: table for key, table in self._tables.items() if key[0] != shift.id}
        return other

    def with_person(self, person: Caregiver) -> "PlanState":
        """The same plan with one person who asks for something else (not: absent at other times)."""
        other = self._copy(caregivers=_swapped(self.instance.caregivers, person))
        other.lookup.caregivers = {**self.lookup.caregivers, person.id: person}
        return other

    def with_cap(self, row: Budget | Quota) -> "PlanState":
        """The same plan with another cap of one budget or quota."""
        name = "budgets" if isinstance(row, Budget) else "quotas"
        other = self._copy(**{name: _swapped(getattr(self.instance, name), row)})
        other.account = self.account.with_cap(row)
        return other

    def _copy(self, **changes: Any) -> "PlanState":
        other = copy(self)
        other.instance = replace(self.instance, **changes)
        other.lookup = copy(self.lookup)
        other.lookup.instance = other.instance
        return other

    @cached_property
    def max_tardiness(self) -> float:
        late = [minutes for rows in self.at_visit.values() for minutes in tardiness(rows).values()]
        return max(late, default=0.0)

    @cached_property
    def faces(self) -> Counter[tuple[str, str]]:
        """Planned places by (household, caregiver)."""
        return Counter((b.visit.household_id, b.caregiver.id) for b in self.planned)

    @cached_property
    def faces_due(self) -> Counter[tuple[str, str]]:
        """The same with every fallback in the place of its volunteer."""
        return Counter((b.visit.household_id, b.caregiver.id) for b in self.due)

    @cached_property
    def work(self) -> dict[str, dict[int, float]]:
        """Minutes of work by caregiver and day."""
        return self._work(self._routes, due=False)

    @cached_property
    def work_due(self) -> dict[str, dict[int, float]]:
        """The same with every fallback due (of people who stand behind someone)."""
        return self._work(self._due_routes, due=True)

    @cached_property
    def visits_on(self) -> dict[str, dict[int, set[str]]]:
        """Visits, fallbacks included, by caregiver and day."""
        found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in [*self.planned, *self.behind]:
            found[row.caregiver.id][row.shift.day].add(row.visit.id)
        return found

    def route(self, shift_id: str) -> list[Booked]:
        """The planned places of a shift in order of start."""
        return self._routes.get(shift_id, [])

    def table(self, shift: Shift, *, due: bool = False) -> Timetable:
        """The shift's timetable; with `due` as if all its fallbacks had fallen due."""
        rows = self._due_routes.get(shift.id, []) if due else self.route(shift.id)
        due = due and len(rows) != len(self.route(shift.id))
        if (shift.id, due) not in self._tables:
            self._tables[shift.id, due] = self.table_of(shift, rows)
        return self._tables[shift.id, due]

    def table_of(self, shift: Shift, rows: Iterable[Booked]) -> Timetable:
        """A timetable of this shift with other stops than the plan's."""
        halts = [
            Halt(b.visit.location_id, b.start_minutes, slot_minutes(b.visit, b.slot), b.visit.access_minutes)
            for b in rows
        ]
        mode = shift.mode_id
        minutes = self.lookup.travel_minutes
        absences = self.lookup.caregivers[shift.caregiver_id].absences
        return Timetable(shift, halts, absences, lambda a, b: minutes(mode, a, b))

    def options(self, visit: Visit, slot: int, *, fallback: bool = False) -> list[Option]:
        """Everyone who could fill the slot, with every time they could start, limits respected.

        With `fallback`: who could stand behind a volunteer there (paid people only need to be free
        once everything is due).
        """
        spans = start_spans(visit, slot)
        found: list[Option] = []
        for person in self.instance.caregivers:
            if person_reasons(self.lookup, visit, slot, person):
                continue
            for shift in self.lookup.shifts_of.get(person.id, ()):
                near = [(a, b) for a, b in spans if a <= shift.end_minutes and b >= shift.start_minutes]
                if near and not day_reasons(self.lookup, visit, slot, person, shift.day):
                    found += self._options_in(visit, slot, person, shift, near, fallback)
        return found

    def options_after(self, option: Option, first: Booked, span: Interval) -> list[Option]:
        """How the person of a visit's first slot, at `first`, could fill the second one too, within the span of starts.

        In any of the person's shifts; limits of hours hold for both together.
        """
        visit, person, slot = first.visit, first.caregiver, 1 - first.slot
        if person_reasons(self.lookup, visit, slot, person):
            return []
        spans = [(max(a, span[0]), min(b, span[1])) for a, b in start_spans(visit, slot)]
        spans = [(a, b) for a, b in spans if a <= b]
        found = []
        for shift in self.lookup.shifts_of.get(person.id, ()) if spans else ():
            if day_reasons(self.lookup, visit, slot, person, shift.day):
                continue
            beside = self.beside(first, shift) if shift.id == first.shift.id else self
            for now, due in beside.openings(visit, slot, shift, spans):
                works = (option.work_added + now.work_added, option.work_added_due + due.work_added)
                if not any(
                    self.limit_broken(visit, person, shift, minutes, due=later)
                    for minutes, later in zip(works, (False, True), strict=True)
                ):
                    times = (now.earliest, now.latest, now.travel_added, now.work_added, due.work_added)
                    found.append(Option(slot, person, shift, *times))
        return found

    def beside(self, first: Booked, shift: Shift) -> "PlanState":
        """The same plan with one more stop in one shift, as far as its openings go."""
        other = copy(self)
        other._tables = {}
        for due, routes in ((False, self._routes), (True, self._due_routes)):
            rows = sorted([*routes.get(shift.id, []), first], key=lambda b: (b.start_minutes, b.visit.id, b.slot))
            other._tables[shift.id, due] = self.table_of(shift, rows)
        return other

    def able_shifts(self, visit: Visit, slot: int, spans: Sequence[Interval], *, within: float = 0) -> Iterator[Shift]:
        """Shifts within so many minutes of the spans, of people against whom nothing speaks but the plan."""
        for person in self.instance.caregivers:
            if person_reasons(self.lookup, visit, slot, person):
                continue
            for shift in self.lookup.shifts_of.get(person.id, ()):
                near = any(a <= shift.end_minutes + within and b >= shift.start_minutes - within for a, b in spans)
                if near and not day_reasons(self.lookup, visit, slot, person, shift.day):
                    yield shift

    def openings(
        self, visit: Visit, slot: int, shift: Shift, spans: Sequence[Interval], *, fallback: bool = False
    ) -> list[tuple[Opening, Opening]]:
        """Pairs of an opening as planned and the opening with all fallbacks due that it lies in."""
        table, due = self.table(shift), self.table(shift, due=True)
        if not table.feasible_now or not due.feasible_now:
            return []
        minutes, access = slot_minutes(visit, slot), visit.access_minutes
        late = due.openings(visit.location_id, minutes, access, spans)
        if due is table or fallback:
            return [(o, o) for o in late]
        found = []
        for one in table.openings(visit.location_id, minutes, access, spans):
            for other in late:
                a, b = max(one.earliest, other.earliest), min(one.latest, other.latest)
                if a <= b:
                    found.append((replace(one, earliest=a, latest=b), other))
        return found

    def limit_broken(
        self, visit: Visit, person: Caregiver, shift: Shift, work_added: float, *, due: bool
    ) -> WorkLimit | None:
        """The first limit of hours or visits that one more visit would break."""
        done = (self.work_due if due else self.work)[person.id]
        for limit in person.work_limits:
            if not limit.first_day <= shift.day <= limit.last_day:
                continue
            days = range(limit.first_day, limit.last_day + 1)
            minutes = limit.used_minutes + sum(done.get(day, 0.0) for day in days) + work_added
            if limit.max_minutes is not None and minutes > limit.max_minutes + 1e-6:
                return limit
            seen = set[str]().union(*(self.visits_on[person.id].get(day, set()) for day in days))
            if limit.max_visits is not None and limit.used_visits + len(seen | {visit.id}) > limit.max_visits:
                return limit
        return None

    def household_is_new_to(self, person: Caregiver, household_id: str) -> bool:
        """Whether the person has a limit of new households, and this one would break it."""
        if person.max_new_households is None or self.is_known(household_id, person.id):
            return False
        return any(
            len(self._new_homes(faces, person.id) | {household_id}) > person.max_new_households
            for faces in (self.faces, self.faces_due)
        )

    def faces_full(self, household_id: str, person: Caregiver, *, due: bool) -> bool:
        """Whether the household has a limit of new faces, and this person would break it."""
        limit = self.lookup.households[household_id].max_new_faces
        if limit is None or self.is_known(household_id, person.id):
            return False
        faces = self.faces_due if due else self.faces
        met = {who for home, who in faces if home == household_id and not self.is_known(home, who)}
        return len(met | {person.id}) > limit

    def is_known(self, household_id: str, caregiver_id: str) -> bool:
        return caregiver_id in self.lookup.households[household_id].known_caregiver_ids

    def full_lines(self, visit: Visit, slot: int, person: Caregiver, day: int) -> list[Full]:
        """Why no contract line pays this person for the slot that day; empty if one does."""
        if not person.needs_contract_line:
            return []
        found: list[Full] = []
        for line in eligible_lines(self.lookup, visit, slot, person, day):
            full = self.account.full(visit, slot, line.id, day)
            if not full:
                return []
            found += full
        return found

    def capacity(self, person: Caregiver) -> float:
        return fair_capacity(person, self.lookup.shifts_of.get(person.id, []))

    def _options_in(
        self,
        visit: Visit,
        slot: int,
        person: Caregiver,
        shift: Shift,
        spans: list[Interval],
        fallback: bool,
    ) -> list[Option]:
        if self.household_is_new_to(person, visit.household_id):
            return []
        if self.faces_full(visit.household_id, person, due=fallback):
            return []
        shares_charge = visit.charged_once and len(visit.slots) == 2
        if not shares_charge and self.full_lines(visit, slot, person, shift.day):
            return []
        found = []
        for now, due in self.openings(visit, slot, shift, spans, fallback=fallback):
            broken = self.limit_broken(visit, person, shift, due.work_added, due=True)
            if broken is None and not fallback:
                broken = self.limit_broken(visit, person, shift, now.work_added, due=False)
            if broken is None:
                found.append(
                    Option(
                        slot,
                        person,
                        shift,
                        now.earliest,
                        now.latest,
                        now.travel_added,
                        now.work_added,
                        due.work_added,
                    )
                )
        return found

    def _new_homes(self, faces: Counter[tuple[str, str]], caregiver_id: str) -> set[str]:
        return {h for h, who in faces if who == caregiver_id and not self.is_known(h, who)}

    def _work(self, routes: dict[str, list[Booked]], *, due: bool) -> dict[str, dict[int, float]]:
        found: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for shift_id in routes:
            shift = self.lookup.shifts[shift_id]
            found[shift.caregiver_id][shift.day] += self.table(shift, due=due).work_minutes
        return found


def bookings(look: Lookup, plan: Plan) -> tuple[list[Booked], list[Booked]]:
    """The places of a plan, and those behind them, in the instance that `look` reads."""
    planned = [
        Booked(
            look.visits[stop.visit_id],
            stop.slot,
            look.caregivers[route.caregiver_id],
            look.shifts[route.shift_id],
            stop.start_minutes,
            stop.line_id,
        )
        for route in plan.routes
        for stop in route.stops
    ]
    behind = [
        Booked(
            look.visits[row.visit_id],
            row.slot,
            look.caregivers[row.caregiver_id],
            look.shifts[row.shift_id],
            row.start_minutes,
            row.line_id,
        )
        for row in plan.fallbacks
    ]
    return planned, behind


def start_spans(visit: Visit, slot: int) -> list[Interval]:
    """The spans in which the slot may start: its windows, tardiness included, cut to its pin."""
    late = visit.max_tardiness_minutes
    spans = [(w.start_minutes, w.end_minutes + late) for w in visit.windows]
    pin = visit.slots[slot].pin
    if pin is not None and pin.start_minutes is not None:
        spans = [(max(a, pin.start_minutes), min(b, pin.start_minutes)) for a, b in spans]
    return [(a, b) for a, b in spans if a <= b]


def _swapped(rows: Sequence[Any], row: Any) -> tuple[Any, ...]:
    return tuple(row if other.id == row.id else other for other in rows)


def _by_shift(rows: Iterable[Booked]) -> dict[str, list[Booked]]:
    found: dict[str, list[Booked]] = defaultdict(list)
    for row in sorted(rows, key=lambda b: (b.start_minutes, b.visit.id, b.slot)):
        found[row.shift.id].append(row)
    return dict(found)


def _with_held(instance: Instance, held: Sequence[Held]) -> Instance:
    if not held:
        return instance
    spans: dict[str, list[Absence]] = defaultdict(list)
    for row in held:
        spans[row.caregiver_id].append(Absence(row.start_minutes, row.end_minutes))
    people = tuple(
        replace(c, absences=(*c.absences, *spans[c.id])) if c.id in spans else c for c in instance.caregivers
    )
    return replace(instance, caregivers=people)
