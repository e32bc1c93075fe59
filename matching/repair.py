"""Least-change replanning: the plan as it was, the instance as it is now, and as little moved as possible.

What still holds stays exactly as it is. What no longer holds is taken out; it and what waits is put in
again, vital visits first: where nobody else moves if that is possible, else by taking one or two visits
that are not agreed out of one person's day and placing those elsewhere or at another time. The result
is judged by the checker before it is handed out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

from matching.charging import Booked, settled
from matching.errors import MatchingError
from matching.events import running_plan_of
from matching.feasibility import Violation, ViolationCode, check
from matching.instance import Instance, RunningPlan, Visit
from matching.instance_io import instance_digest
from matching.lookup import slot_minutes
from matching.placing import Placing, is_question
from matching.plan import Plan, PlanStatus
from matching.plan_state import PlanState
from matching.rebuild import plan_of
from matching.surviving import importance, rank, surviving
from matching.timetable import Interval

MAX_EJECTED = 2
"""At most so many visits are taken out of one day to make room for one other."""
MAX_TRIES = 16
"""Of the ways to make room, so many are tried for one visit, the least disturbing first."""
NEAR_MINUTES = 60
"""Visits so near to the time that is needed may be in the way."""


class RepairRefused(MatchingError):
    """The repaired plan would break a rule; `violations` says which. The plan before stays in force."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(map(str, violations[:3])))


@dataclass(frozen=True, slots=True)
class Moved:
    """A slot that was planned before and is planned with another person or start now."""

    visit_id: str
    slot: int
    from_caregiver_id: str
    from_start_minutes: float
    to_caregiver_id: str
    to_start_minutes: float


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired plan and what is different in it.

    Parameters
    ----------
    moved
        Slots planned before and now, otherwise.
    lost
        Slots (visit id, slot) planned before whose place no longer holds in the instance as it is now: they
        had to move (or drop) whatever else happened.
    placed, dropped
        Slots (visit id, slot) planned now and not before; planned before and not now. A visit that is
        no longer in the instance is in neither.
    """

    plan: Plan
    moved: tuple[Moved, ...]
    placed: tuple[tuple[str, int], ...]
    dropped: tuple[tuple[str, int], ...]
    lost: tuple[tuple[str, int], ...] = ()

    @property
    def others_moved(self) -> tuple[Moved, ...]:
        """Those moved only to make room for somebody else."""
        lost = set(self.lost)
        return tuple(row for row in self.moved if (row.visit_id, row.slot) not in lost)


def repair(instance: Instance, before: Plan) -> Repair:
    """The plan for the instance as it is now that differs little from the plan before.

    Visits that are in the instance and were not are placed, those no longer in it are left out; people,
    shifts and rules may have changed too (`events` makes such instances). Visits that were unserved
    before are placed where nobody moves for them. Changes are priced against the instance's running
    plan or, if it has none, against `before`. Raises `RepairRefused` if the result would break a rule.
    """
    work = _Work(_priced(instance, before), before)
    work.replace_what_was_lost()
    work.place_what_waits()
    work.stand_behind()
    plan = work.plan_for(instance)
    broken = check(instance, plan)
    if broken:
        raise RepairRefused(broken)
    return _difference(instance, before, plan, work.lost_places)


def _priced(instance: Instance, before: Plan) -> Instance:
    """The instance with a running plan to price changes against."""
    if instance.running_plan.assignments:
        return instance
    known = {(v.id, k) for v in instance.visits for k in range(len(v.slots))}
    told_of = tuple(a for a in running_plan_of(before).assignments if (a.visit_id, a.slot) in known)
    return replace(instance, running_plan=RunningPlan(told_of, instance.running_plan.tolerance_minutes))


class _Work:
    """The plan under repair."""

    def __init__(self, instance: Instance, before: Plan) -> None:
        self.before = before
        self.empty = PlanState(instance, Plan())
        planned, behind = surviving(self.empty, before)
        self.state = self._state(planned, behind, replace(before, routes=()))
        self._keep_limits()
        held = {b.key for b in self.state.planned}
        self.lost_places = tuple(key for key in _places(before) if key not in held)
        waited = {u.visit_id for u in before.unserved}
        self.lost = {v.id for v in instance.visits if v.id not in waited}

    def replace_what_was_lost(self) -> None:
        """Place visits that were served before, and new ones, making room where it must be."""
        for visit in self._waiting():
            if visit.id in self.lost and not self._filled(visit):
                self._place(visit)

    def place_what_waits(self) -> None:
        """Place what was unserved before, or has just lost its place, where nobody else moves."""
        for visit in self._waiting():
            self.state = self._placed(self.state, visit) or self.state

    def stand_behind(self) -> None:
        """Find somebody else to stand behind volunteers who had somebody and have nobody any more."""
        covered = {b.key for b in self.state.behind}
        before = {(f.visit_id, f.slot) for f in self.before.fallbacks}
        for row in self.state.planned:
            if row.key in before - covered and is_question(row):
                helper = Placing(self.state, row.visit).backup(row)
                if helper is not None:
                    self.state = self._state(self.state.planned, [*self.state.behind, helper], self.state.plan, ())

    def plan_for(self, instance: Instance) -> Plan:
        """The finished plan, lines settled, with the objective of the given instance."""
        behind = self.state.behind
        planned = settled(self.empty.lookup, self.state.planned, behind)
        plan = plan_of(PlanState(instance, Plan()), planned, behind, replace(self.before, routes=()))
        return replace(plan, status=PlanStatus.COMPLETE, iterations=0, instance_digest=instance_digest(instance))

    def _state(
        self,
        planned: Sequence[Booked],
        behind: Sequence[Booked],
        plan: Plan,
        touched: Sequence[str] | None = None,
    ) -> PlanState:
        return self.empty.replanned(plan_of(self.empty, planned, behind, plan, touched, priced=False))

    def _keep_limits(self) -> None:
        """Take out the least important places until what couples several places holds again."""
        for _ in range(len(self.state.planned)):
            broken = [v for v in check(self.state.instance, self.state.plan) if v.code in _COUPLING]
            guilty = [row for found in broken for row in self.state.planned if _shares_in(row, found)]
            if not guilty:
                return
            self.state = self._less([min(guilty, key=importance)])

    def _waiting(self) -> list[Visit]:
        """Visits not fully staffed, vital ones first, then those that have a window soonest."""
        left = [v for v in self.state.instance.visits if not self._filled(v)]
        return sorted(left, key=lambda v: (*rank(v), v.windows[0].start_minutes, v.id))

    def _filled(self, visit: Visit) -> bool:
        return len(self.state.at_visit.get(visit.id, ())) == len(visit.slots)

    def _placed(self, state: PlanState, visit: Visit) -> PlanState | None:
        """The state with the visit's missing slots filled and nobody else moved."""
        way = min(Placing(state, visit).ways(), key=lambda w: w.points, default=None)
        if way is None:
            return None
        touched = [b.shift.id for b in (*way.booked, *state.at_visit.get(visit.id, ()))]
        return self._state([*state.planned, *way.booked], [*state.behind, *way.behind], state.plan, touched)

    def _place(self, visit: Visit) -> None:
        """Place the visit: beside the others, with other people for all its slots, or by making room."""
        movable = [b for b in self.state.at_visit.get(visit.id, ()) if visit.slots[b.slot].pin is None]
        bare = self._less(movable) if movable else self.state
        self.state = (
            self._placed(self.state, visit)
            or (self._placed(bare, visit) if movable else None)
            or self._making_room(self.state, visit)
            or (self._making_room(bare, visit) if movable else None)
            or bare
        )

    def _making_room(self, state: PlanState, visit: Visit) -> PlanState | None:
        """The best state in which the visit is placed and few others are moved for it."""
        best: tuple[tuple, PlanState] | None = None
        for names in islice(_in_the_way(state, visit), MAX_TRIES):
            if best is not None and len(names) > best[0][1]:
                break
            found = self._instead_of(state, visit, names)
            if found is not None:
                value = plan_of(self.empty, found.planned, found.behind, found.plan, ()).objective
                key = (value.unserved, len(names), value.total)
                if best is None or key < best[0]:
                    best = key, found
        return best[1] if best else None

    def _instead_of(self, state: PlanState, visit: Visit, names: set[str]) -> PlanState | None:
        """The visit placed first and the named ones after it; one less vital may be left out."""
        found = self._placed(self._less([b for n in names for b in state.at_visit[n]], state), visit)
        if found is None:
            return None
        for other in sorted((state.lookup.visits[n] for n in names), key=rank):
            again = self._placed(found, other)
            if again is None and rank(other) <= rank(visit):
                return None
            found = again or found
        return found

    def _less(self, rows: Sequence[Booked], state: PlanState | None = None) -> PlanState:
        """The state without these places and whoever stands behind them."""
        state = state or self.state
        gone = {b.key for b in rows}
        planned = [b for b in state.planned if b.key not in gone]
        behind = [b for b in state.behind if b.key not in gone]
        touched = [b.shift.id for b in state.planned if b.visit.id in {name for name, _ in gone}]
        return self._state(planned, behind, state.plan, touched)


_COUPLING = {
    ViolationCode.WORK_MINUTES,
    ViolationCode.WORK_VISITS,
    ViolationCode.NEW_FACES,
    ViolationCode.NEW_HOUSEHOLDS,
    ViolationCode.BUDGET,
    ViolationCode.QUOTA,
    ViolationCode.FALLBACK_MISSING,
}


def _shares_in(row: Booked, found: Violation) -> bool:
    """Whether the place has a part in what is broken."""
    if found.code is ViolationCode.FALLBACK_MISSING:
        return row.key == (found.get("visit"), found.get("slot"))
    return (
        row.caregiver.id == found.get("caregiver")
        or row.visit.household_id == found.get("household")
        or (row.line_id is not None and row.line_id == found.get("line"))
        or (row.visit.person_id is not None and row.visit.person_id == found.get("person"))
    )


def _in_the_way(state: PlanState, visit: Visit) -> Iterator[set[str]]:
    """Sets of visits of one day without which the visit would have an opening; small sets first."""
    placing = Placing(state, visit)
    found: dict[frozenset[str], tuple[int, float]] = {}
    for slot in placing.missing:
        spans = placing.spans_beside(slot)
        for shift in state.able_shifts(visit, slot, spans):
            route = state.route(shift.id)
            movable = [b for b in route if _may_go(b) and _is_near(b, spans)]
            for out in (c for n in range(1, MAX_EJECTED + 1) for c in combinations(movable, n)):
                table = state.table_of(shift, [b for b in route if b not in out])
                minutes, access = slot_minutes(visit, slot), visit.access_minutes
                more = [o.travel_added for o in table.openings(visit.location_id, minutes, access, spans)]
                if more:
                    found[frozenset(b.visit.id for b in out)] = (len(out), min(more))
    for names in sorted(found, key=lambda names: (found[names], sorted(names))):
        yield set(names)


def _may_go(row: Booked) -> bool:
    """Alone at its visit and not agreed."""
    return len(row.visit.slots) == 1 and row.visit.slots[0].pin is None


def _is_near(row: Booked, spans: Sequence[Interval]) -> bool:
    return any(a - NEAR_MINUTES <= row.end_minutes and row.start_minutes <= b + NEAR_MINUTES for a, b in spans)


def _difference(instance: Instance, before: Plan, plan: Plan, lost: tuple[tuple[str, int], ...]) -> Repair:
    old, new = _places(before), _places(plan)
    known = {(v.id, k) for v in instance.visits for k in range(len(v.slots))}
    return Repair(
        plan=plan,
        moved=tuple(Moved(*key, *old[key], *new[key]) for key in old if key in new and old[key] != new[key]),
        placed=tuple(key for key in new if key not in old),
        dropped=tuple(key for key in old if key not in new and key in known),
        lost=tuple(key for key in lost if key in known),
    )


def _places(plan: Plan) -> dict[tuple[str, int], tuple[str, float]]:
    return {
        (stop.visit_id, stop.slot): (route.caregiver_id, stop.start_minutes)
        for route in plan.routes
        for stop in route.stops
    }
