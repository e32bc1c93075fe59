"""One search over one instance: its arrays, the plan under construction, and the best plan so far."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.arrays import FULLY_PINNED, PERSON_PINNED, build_arrays
from matching.construction import fill_costs, follow, put_all_in_order, put_by_regret
from matching.kernel.charges import settle_lines
from matching.kernel.handles import memory_ref, new_memory, new_state, problem_ref, state_ref
from matching.kernel.insertion import take
from matching.kernel.judging import is_better, judge
from matching.kernel.problem import LOST_PIN, NEVER, RANKS, Problem
from matching.kernel.tellings import start_empty
from matching.local_search import iterate, keep_best, load, restore_best
from matching.lookup import Lookup
from matching.objective import TIERS

PAIRS_AT_ONCE = 20
VISITS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A plan as arrays: enough to load it again, and what it is worth."""

    route: np.ndarray
    length: np.ndarray
    wait: np.ndarray
    fix: np.ndarray
    line: np.ndarray
    points: float
    unserved: np.ndarray

    def beats(self, other: "Snapshot | None") -> bool:
        """Whether this plan comes before the other in the exact order."""
        return other is None or bool(is_better(self.points, self.unserved, other.points, other.unserved))

    @property
    def unserved_visits(self) -> int:
        return int(self.unserved[:LOST_PIN].sum())


class Search:
    """The compiled search, step by step; `solve` decides which steps and how long.

    Everything is repeatable: the random numbers come from the seed and are part of the state. Another
    search over the same instance may share its `problem`.
    """

    def __init__(self, lookup: Lookup, seed: int, problem: Problem | None = None) -> None:
        self.lookup, self.seed = lookup, seed
        self.problem: Problem = build_arrays(lookup) if problem is None else problem
        self.state = new_state(self.problem, seed)
        self.memory = new_memory(self.problem, self.state)
        self.p = problem_ref(self.problem)
        self.s = state_ref(self.state)
        self.m = memory_ref(self.memory)
        self._unserved = np.zeros(RANKS, dtype=np.int64)
        self.iterations = 0
        start_empty(self.p, self.s)

    def clear(self) -> None:
        """Take everything out of the plan."""
        for slot in np.flatnonzero(self.state.s_shift >= 0):
            take(self.p, self.s, int(slot))

    def construct(self) -> Iterator[None]:
        """Fill the plan by regret insertion; yields now and then so that the caller may stop.

        Visits already in the plan stay. Pinned visits come first, then rank by rank.
        """
        pins = np.zeros(len(self.problem.v_slot0), dtype=np.int64)
        np.maximum.at(pins, self.problem.s_visit, self.problem.s_pinned)
        for weight in (FULLY_PINNED, PERSON_PINNED):
            yield from self._construct_some(pins == weight)
        for rank in range(TIERS + 1):
            yield from self._construct_some((pins == 0) & (self.problem.v_rank == rank))

    def _construct_some(self, chosen: np.ndarray) -> Iterator[None]:
        p = self.problem
        open_visits = chosen & (
            (self.state.s_shift[p.v_slot0] < 0) | (self.state.s_shift[p.v_slot0 + p.v_slots - 1] < 0)
        )
        pairs = np.flatnonzero(open_visits & (p.v_slots == 2))
        for i in range(0, len(pairs), PAIRS_AT_ONCE):
            put_all_in_order(self.p, self.s, pairs[i : i + PAIRS_AT_ONCE], self.memory.rows)
            yield
        waiting = np.flatnonzero(open_visits & (p.v_slots == 1))
        costs = np.full(len(p.s_cand), NEVER)
        regrets = np.full(len(p.v_slot0), -2.0)
        for v in waiting:
            fill_costs(self.p, self.s, int(v), costs)
        yield
        while len(waiting) and put_by_regret(self.p, self.s, waiting, costs, regrets, VISITS_AT_ONCE):
            yield

    def follow_running_plan(self) -> None:
        """Put the running plan's assignments in, at their times, as far as they are still feasible."""
        p = self.problem
        told = np.flatnonzero(p.s_run_caregiver >= 0)
        follow(self.p, self.s, told[np.argsort(p.s_run_start[told], kind="stable")])

    def improve(self, iterations: int, hot: float, cold: float) -> int:
        """Ruin and recreate; the best plan is remembered. Returns the number of improvements."""
        return int(iterate(self.p, self.s, self.m, iterations, hot, cold))

    def begin_improving(self) -> None:
        """Take the present plan as the best one so far."""
        keep_best(self.s, self.m, judge(self.p, self.s, self._unserved), self._unserved)

    def return_to_best(self) -> None:
        restore_best(self.p, self.s, self.m)

    def snapshot(self, settle: bool = True) -> Snapshot:
        """The present plan, its lines settled first (see `lines`)."""
        if settle:
            settle_lines(self.p, self.s)
        points = judge(self.p, self.s, self._unserved)
        state = self.state
        return Snapshot(
            state.route.copy(),
            state.length.copy(),
            state.s_wait.copy(),
            state.s_fix.copy(),
            state.s_line.copy(),
            float(points),
            self._unserved.copy(),
        )

    def load(self, plan: Snapshot) -> bool:
        """Make this the present plan; False if it is not feasible (then something else is loaded)."""
        self.clear()
        return bool(load(self.p, self.s, plan.route, plan.length, plan.wait, plan.fix, plan.line))

    def best(self) -> Snapshot:
        """The best plan of `improve` so far (its lines not yet settled)."""
        m = self.memory
        return Snapshot(
            m.route.copy(),
            m.length.copy(),
            m.s_wait.copy(),
            m.s_fix.copy(),
            m.s_line.copy(),
            float(m.best_points[0]),
            m.best_unserved.copy(),
        )

    @property
    def best_unserved(self) -> int:
        return int(self.memory.best_unserved[:LOST_PIN].sum())

    @property
    def best_points(self) -> float:
        return float(self.memory.best_points[0])
