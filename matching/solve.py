"""The one front door: `solve(instance, stop)` gives a plan.

Steps: validate; regret insertion (and once more from the running plan, if there is one); ruin and
recreate; contract lines and budgets by CP-SAT; small instances exactly by CP-SAT; routes of each day by
OR-Tools routing. Every step starts from the best plan so far, and its result is taken only if it is
better by the exact lexicographic order, so no plan is worse than regret insertion in any tier.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock

import numpy as np

from matching.annealing import Annealing, plan_of, suits
from matching.assembly import objective_of, plan_routes, unserved_visits
from matching.coupling import improve_lines
from matching.eligibility import possible_shifts
from matching.exact import is_small, solve_exactly
from matching.fallbacks import find_fallbacks
from matching.instance import FallbackRule, Instance, ProviderKind, Visit
from matching.instance_io import instance_digest
from matching.kernel.problem import W_TRAVEL
from matching.lookup import Lookup
from matching.objective import TIERS
from matching.plan import Plan, PlanStatus
from matching.questions import ask_volunteers, could_ask
from matching.routing import polish_days
from matching.search import Search, Snapshot
from matching.stop import MaxRuntime, Stop
from matching.threads import together
from matching.validation import DEFAULT_LIMITS, Limits, validate

log = logging.getLogger(__name__)

CHUNK = 50  # iterations between two looks at the stopping rule
SEARCH_SHARE = 0.9  # of the budget of time; the rest is for the steps by OR-Tools, which gain less
SMALL_SECONDS = 0.5  # of search at most (and a tenth of the budget), before a small instance goes to CP-SAT
HOT, COLD = 80.0, 1.0  # first and last temperature of the annealing, in minutes of travel
# With a running plan the search stays near it: at 80 minutes it would forget what people were told.
HOT_RUNNING, COLD_RUNNING = 4.0, 0.4


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is and what the best plan so far is worth.

    `fraction` of the budget used, in [0, 1]; unserved visits as in `ObjectiveVector`; `total` in points.
    """

    fraction: float
    iterations: int
    unserved_mandatory: int
    unserved_by_tier: tuple[int, ...]
    total: float

    @property
    def unserved(self) -> int:
        return self.unserved_mandatory + sum(self.unserved_by_tier)


class _Cancelled(Exception):
    """Someone asked to stop; the best plan so far is still to be handed out."""


class _Run:
    """One call of `solve`."""

    def __init__(self, search: Search, stop: Stop, on_progress: Callable[[Progress], None] | None, chains: int) -> None:
        self.search = search
        self.stop = stop
        self.chains = chains
        self.on_progress = on_progress
        self.iterations = 0
        self.best: Snapshot | None = None
        self.shown: tuple[float, np.ndarray] | None = None  # points and unserved visits of the best so far
        self.optimal = False
        self._found: Snapshot | None = None  # by a chain that is still running
        self._lock = Lock()
        self._told = 0.0

    def all_steps(self) -> PlanStatus:
        """Run the steps; the best plan is loaded afterwards."""
        try:
            self._construct()
            if not self._is_trivial():
                self._search()
        except _Cancelled:
            self._take(self.search.snapshot())
        assert self.best is not None
        self.search.load(self.best)
        if self.stop.cancelled():
            return PlanStatus.CANCELLED
        return PlanStatus.COMPLETE if self.optimal or self._is_trivial() else PlanStatus.STOPPED

    def _is_trivial(self) -> bool:
        """No slot has anywhere to go: there is nothing to search."""
        return len(self.search.problem.s_cand) == 0

    def _look(self) -> None:
        """Tell the progress, at most ten times a second; raise if someone asked to stop."""
        if self.on_progress is not None and time.monotonic() - self._told >= 0.1:
            self._told = time.monotonic()
            points, counts = self.shown or (0.0, np.zeros(TIERS + 1, dtype=np.int64))
            tiers = tuple(int(n) for n in counts[1 : TIERS + 1])
            self.on_progress(
                Progress(
                    self.stop.fraction(self.iterations),
                    self.iterations,
                    int(counts[0]),
                    tiers,
                    points,
                )
            )
        if self.stop.cancelled():
            raise _Cancelled

    def _take(self, plan: Snapshot) -> bool:
        """Remember a plan if it is better than the best."""
        better = plan.beats(self.best)
        if better:
            self.best, self.shown = plan, (plan.points, plan.unserved)
        return better

    def _construct(self) -> None:
        for _ in self.search.construct():
            self._look()
        self._take(self.search.snapshot())
        if self.search.problem.has_running:
            self.search.clear()
            self.search.follow_running_plan()
            for _ in self.search.construct():
                self._look()
            self._take(self.search.snapshot())

    def _search(self) -> None:
        """Improve the first plan; a small instance is proven optimal early, and then that is all."""
        timed = self.stop.iterations_left(0) is None and self.stop.seconds_left() is not None
        improve = self._follow_links if suits(self.search.problem) else self._improve
        if timed and is_small(self.search.problem):
            improve(min(0.1, SMALL_SECONDS / max(0.1, self.stop.seconds_left() or 0.1)))
            self._step(solve_exactly)
        if not self.optimal:
            improve(SEARCH_SHARE if timed and improve == self._improve else 1.0)
        for step in (improve_lines, solve_exactly, polish_days):
            if not self.optimal:
                self._step(step)

    def _follow_links(self, share: float) -> None:
        """Anneal over linked routes until this share of the budget is used."""
        assert self.best is not None
        annealing = Annealing(self.search.problem, self.best, self.search.seed, self.chains)

        def look() -> None:
            self.iterations = annealing.iterations
            self.shown = annealing.best.found
            self._look()

        try:
            annealing.run(self.stop, share, look)
        finally:
            for chain in annealing.chains:
                if self.search.load(plan_of(annealing.layout, chain)):
                    self._take(self.search.snapshot())
            self.search.load(self.best)

    def _improve(self, share: float) -> None:
        """Ruin and recreate, cooling down, until this share of the budget is used.

        Under an iteration budget there is one chain, else one per thread, all from the best plan so far.
        """
        assert self.best is not None
        main = self.search
        timed = self.stop.iterations_left(0) is None
        others = range(1, self.chains if timed else 1)
        searches = [main, *(Search(main.lookup, main.seed + 7919 * n, main.problem) for n in others)]
        for search in searches:
            search.load(self.best)
            search.begin_improving()

        def look() -> None:
            self.iterations = max(search.iterations for search in searches)
            self._look()

        self._found = self.best
        try:
            together([partial(self._anneal, search, share) for search in searches], look)
        finally:
            for plan in [search.best() for search in searches]:
                main.load(plan)
                self._take(main.snapshot())
            self.iterations = max(search.iterations for search in searches)

    def _anneal(self, search: Search, share: float, enough: Event) -> None:
        """Ruin and recreate, cooling down, until this share of the budget is used."""
        hot, cold = (HOT_RUNNING, COLD_RUNNING) if search.problem.has_running else (HOT, COLD)
        minute = max(1.0, float(search.problem.weight[W_TRAVEL]))
        while (used := self.stop.fraction(search.iterations) / share) < 1 and not enough.is_set():
            left = self.stop.iterations_left(search.iterations)
            count = CHUNK if left is None else min(CHUNK, left)
            temperature = minute * hot * (cold / hot) ** used
            if search.improve(count, temperature, temperature):
                best = search.best()
                with self._lock:
                    if best.beats(self._found):
                        self._found, self.shown = best, (best.points, best.unserved)
            search.iterations += count

    def _step(self, step: Callable[[Search, Stop], Iterator[tuple[Snapshot, bool]]]) -> None:
        """One of the steps that OR-Tools does: it hands back plans, and whether they are proven."""
        assert self.best is not None
        self.search.load(self.best)
        for plan, proven in step(self.search, self.stop):
            if self._take(plan):
                log.info("%s found a better plan: %s points", step.__name__, plan.points)
            self.optimal = self.optimal or proven
            self._look()


def solve(
    instance: Instance,
    stop: Stop | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    chains: int = 2,
) -> Plan:
    """Plan an instance.

    Parameters
    ----------
    stop
        When to end (see `stop`); ten seconds by default.
    seed
        Same instance, seed and iteration budget (`MaxIterations`): the same plan, byte for byte.
    on_progress
        Called with a `Progress`, at most ten times a second.

    Raises
    ------
    InvalidInstance
        Naming the field, before anything is solved.
    """
    stop = stop or MaxRuntime(10)
    stop.begin()
    validate(instance, limits)
    lookup = Lookup(instance)
    search = Search(lookup, seed)
    run = _Run(search, stop, on_progress, chains)
    status = run.all_steps()
    plan = Plan(
        routes=plan_routes(search),
        unserved=unserved_visits(search),
        objective=objective_of(search),
        status=status,
        seed=seed,
        iterations=run.iterations,
    )
    if could_ask(lookup):
        plan = ask_volunteers(lookup, plan)
        if plan.status is PlanStatus.COMPLETE and plan.routes:  # who is asked best is not proven
            plan = replace(plan, status=PlanStatus.STOPPED)
    fallbacks = find_fallbacks(lookup, plan.routes, _possible_shifts(search), plan.fallbacks)
    return replace(plan, fallbacks=fallbacks, instance_digest=instance_digest(instance))


def _possible_shifts(search: Search) -> dict[tuple[str, int], list[str]]:
    """For slots that may have a fallback: the shifts that could hold them.

    Who was asked is pinned; the fallback is for the case that this person does not come.
    """
    p, instance = search.problem, search.lookup.instance
    possible = {}
    for v, visit in enumerate(instance.visits):
        for k in range(len(visit.slots)) if visit.fallback is not FallbackRule.NONE else ():
            slot = p.v_slot0[v] + k
            if p.s_pinned[slot]:
                possible[visit.id, k] = _shifts_of_others(search.lookup, visit, k)
            else:
                shifts = p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]
                possible[visit.id, k] = [instance.shifts[h].id for h in shifts]
    return possible


def _shifts_of_others(lookup: Lookup, visit: Visit, slot: int) -> list[str]:
    """The shifts of paid people that could hold the slot, were it not pinned to someone."""
    unpinned = tuple(replace(row, pin=None) if k == slot else row for k, row in enumerate(visit.slots))
    free = replace(visit, slots=unpinned)
    paid = (c for c in lookup.instance.caregivers if c.kind is not ProviderKind.VOLUNTEER)
    return [shift.id for person in paid for shift in possible_shifts(lookup, free, slot, person)]
