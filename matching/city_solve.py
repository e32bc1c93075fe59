"""Solve a city: divide what is shared, solve the streets apart, offer the rest across borders, merge.

The streets are solved on any `concurrent.futures` executor: a process pool by default, a `distributed`
cluster by its client's executor. A part whose worker died is solved again. Under an iteration budget the
plan depends on city, seed and budget alone, not on which worker solved what, or when.
"""

import logging
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from matching.city import City
from matching.city_allocation import Allocation, allocate
from matching.city_borders import Board
from matching.city_parts import Index, part
from matching.errors import MatchingError
from matching.instance import Instance
from matching.instance_io import instance_digest
from matching.plan import Plan
from matching.plan_state import bookings
from matching.solve import solve
from matching.stop import MaxIterations, MaxRuntime, Stop

log = logging.getLogger(__name__)
ATTEMPTS = 3
"""A part is solved so often at most; each time its worker died."""


class PartLost(MatchingError):
    """A part's worker died every time."""


@dataclass(frozen=True, slots=True)
class StreetResult:
    """What became of one street: visits, how many are served, and what its part took."""

    street: str
    visits: int
    served: int
    caregivers: int
    seconds: float
    memory_mib: float

    @property
    def share(self) -> float:
        return self.served / self.visits if self.visits else 1.0


@dataclass(frozen=True, slots=True)
class CityResult:
    """The merged plan and how it came about; `re_offered`: visits served across a border or with what other
    streets left of a budget."""

    plan: Plan
    streets: tuple[StreetResult, ...]
    re_offered: int
    seconds: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class _Solved:
    plan: Plan
    seconds: float
    memory_mib: float


def solve_part(instance: Instance, iterations: int | None, seconds: float | None, seed: int) -> _Solved:
    """Solve one street: what a worker does."""
    begun = time.perf_counter()
    stop: Stop = MaxIterations(iterations) if iterations is not None else MaxRuntime(seconds or 10)
    plan = solve(instance, stop, seed)
    return _Solved(plan, time.perf_counter() - begun, peak_mib())


def peak_mib() -> float:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solve_city(
    city: City,
    *,
    iterations: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    workers: int = 2,
    executor: Executor | None = None,
    on_part: Callable[[str, int, int], None] | None = None,
) -> CityResult:
    """Plan a city.

    Parameters
    ----------
    iterations, seconds
        The budget of each street's search; by iterations the plan is repeatable.
    workers, executor
        A process pool of so many workers, or an executor that stands already (it is not shut down).
    on_part
        Called with a street's id and how many of how many are solved.

    Raises `PartLost` if a part's worker died `ATTEMPTS` times.
    """
    begun = time.perf_counter()
    index = Index(city)
    shared = allocate(city, index.lookup)
    parts = _parts(index, shared)
    solved = _solve_all(city, parts, (iterations, seconds, seed), workers, executor, on_part)
    board = Board(index, shared.street_of)
    for one in solved:
        board.put(*bookings(index.lookup, one.plan), one.plan.unserved)
    re_offered = board.offer_across_borders()
    plan = board.merged(seed, sum(one.plan.iterations for one in solved), instance_digest(city.instance))
    left = {row.visit_id for row in plan.unserved}
    rows = []
    for i, (street, one) in enumerate(zip(city.streets, solved, strict=True)):
        served = sum(v.id not in left for v in index.visits[i])
        people = sum(s == i for s in shared.street_of.values())
        memory = round(one.memory_mib, 1)
        rows.append(StreetResult(street.id, len(index.visits[i]), served, people, round(one.seconds, 2), memory))
    largest = max((one.memory_mib for one in solved), default=0.0)
    whole = peak_mib() + workers * largest
    return CityResult(plan, tuple(rows), re_offered, time.perf_counter() - begun, whole)


def _parts(index: Index, shared: Allocation) -> list[Instance]:
    people: list[list[str]] = [[] for _ in index.city.streets]
    for name, street in shared.street_of.items():
        people[street].append(name)
    return [
        part(index, street.id, index.visits[i], people[i], shared.budgets[i])
        for i, street in enumerate(index.city.streets)
    ]


Budget = tuple[int | None, float | None, int]


def _solve_all(
    city: City,
    parts: list[Instance],
    budget: Budget,
    workers: int,
    executor: Executor | None,
    on_part: Callable[[str, int, int], None] | None,
) -> list[_Solved]:
    """Every part's plan, in the order of the streets; the largest parts begin first."""
    found: dict[int, _Solved] = {}
    for attempt in range(ATTEMPTS):
        left = sorted((i for i in range(len(parts)) if i not in found), key=lambda i: (-len(parts[i].visits), i))
        if not left:
            break
        if attempt:
            log.warning("%d parts are solved again: their worker died", len(left))
        with _pool(executor, workers) as pool:
            futures = {pool.submit(solve_part, parts[i], *budget): i for i in left}
            _gather(city, futures, found, len(parts), on_part)
    if len(found) < len(parts):
        lost = [city.streets[i].id for i in range(len(parts)) if i not in found]
        raise PartLost(f"the workers of {', '.join(lost)} died {ATTEMPTS} times")
    return [found[i] for i in range(len(parts))]


def _gather(
    city: City,
    futures: dict[Future, int],
    found: dict[int, _Solved],
    count: int,
    on_part: Callable[[str, int, int], None] | None,
) -> None:
    for future in as_completed(futures):
        try:
            found[futures[future]] = future.result()
        except Exception as error:
            if not _worker_died(error):
                raise
            continue
        if on_part is not None:
            on_part(city.streets[futures[future]].id, len(found), count)


def _worker_died(error: Exception) -> bool:
    """A broken pool, or what `distributed` says of a task whose workers died."""
    return isinstance(error, BrokenProcessPool) or type(error).__name__ in ("KilledWorker", "CancelledError")


@contextmanager
def _pool(executor: Executor | None, workers: int) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        yield pool
