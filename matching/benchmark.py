"""`bench FOLDER`: every benchmark instance of a folder solved, judged by the checker, and tabulated.

Each instance is solved in a process of its own, so that its peak of memory is its own and a broken file
stops nothing. The machine code is loaded before the clock starts.
"""

import csv
import json
import multiprocessing
import re
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from matching.benchmark_io import POINTS, benchmark_files, benchmark_value, load_benchmark, name_of, solution_json
from matching.errors import InvalidPlan, MatchingError
from matching.feasibility import check
from matching.instance import Instance
from matching.plan import Plan
from matching.solve import Progress, solve
from matching.stop import FirstOf, MaxIterations, MaxRuntime, Stop
from matching.warm import warm_up_annealing

BEST_COLUMNS = ("best_published", "best_known", "best", "value")


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each instance is solved, and how."""

    seconds: float | None = 10
    iterations: int | None = None
    seed: int = 1
    chains: int = 2

    def stop(self) -> Stop:
        rules: list[Stop] = []
        if self.iterations is not None:
            rules.append(MaxIterations(self.iterations))
        if self.seconds is not None:
            rules.append(MaxRuntime(self.seconds))
        return FirstOf(*rules)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `value` is the benchmark's objective; `seconds` wall time of the solving;
    `memory_mib` the peak of the process; `error` why there is no value."""

    instance: str
    value: float | None
    best: float | None
    gap_percent: float | None
    seconds: float | None
    memory_mib: float | None
    seed: int
    error: str = field(default="")

    def as_json(self) -> dict[str, Any]:
        """The row as written: `error` only where there is one."""
        return {key: value for key, value in asdict(self).items() if key != "error" or value}


def bench_folder(folder: Path, best: dict[str, float], effort: Effort, solutions: Path | None = None) -> Iterator[Row]:
    """Solve every instance of the folder, one after the other; write the solutions."""
    if solutions is not None:
        solutions.mkdir(parents=True, exist_ok=True)
    for path in benchmark_files(folder):
        yield _in_own_process(path, best.get(name_of(path)), effort, solutions)


def best_values(path: Path | None) -> dict[str, float]:
    """Best known values by instance from a CSV with the columns `instance` and one of `BEST_COLUMNS`."""
    if path is None:
        return {}
    found = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            value = next((row[name] for name in BEST_COLUMNS if row.get(name)), None)
            if row.get("instance") and value is not None:
                found[row["instance"]] = float(value)
    return found


def _in_own_process(path: Path, best: float | None, effort: Effort, solutions: Path | None) -> Row:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(measure, path, best, effort, solutions).result()
        except Exception as problem:  # whatever one instance does, the others are still solved
            return _failed(path, best, effort, str(problem) or type(problem).__name__)


def measure(path: Path, best: float | None, effort: Effort, solutions: Path | None) -> Row:
    """Solve one instance in this process and judge its plan."""
    try:
        instance = load_benchmark(path)
        warm_up_annealing()
        begin = time.monotonic()
        plan = solve(instance, effort.stop(), effort.seed, chains=effort.chains)
        seconds = time.monotonic() - begin
        value = judged(instance, plan)
    except (MatchingError, OSError) as problem:
        return _failed(path, best, effort, str(problem))
    if solutions is not None:
        (solutions / f"{name_of(path)}.json").write_text(solution_json(instance, plan), encoding="utf-8")
    gap = None if not best else round(100 * (value / best - 1), 3)
    return Row(name_of(path), round(value, 3), best, gap, round(seconds, 2), round(peak_mib(), 1), effort.seed)


def judged(instance: Instance, plan: Plan) -> float:
    """The benchmark's objective of a plan that the checker accepts. Raises `InvalidPlan`."""
    problems = check(instance, plan)
    if problems:
        raise InvalidPlan("(plan)", f"the checker refuses it: {problems[0]}")
    value = benchmark_value(plan.objective)
    if value is None:
        raise InvalidPlan("(plan)", f"{plan.objective.unserved} patients are not served")
    return value


def trace(path: Path, effort: Effort) -> list[tuple[float, float]]:
    """Solve one instance; when (seconds) which value was reached."""
    instance = load_benchmark(path)
    warm_up_annealing()
    begin = time.monotonic()
    points: list[tuple[float, float]] = []

    def look(progress: Progress) -> None:
        value = progress.total / (3 * POINTS)
        if progress.total > 0 and not progress.unserved and (not points or value < points[-1][1]):
            points.append((time.monotonic() - begin, value))

    plan = solve(instance, effort.stop(), effort.seed, look, chains=effort.chains)
    return [*points, (time.monotonic() - begin, judged(instance, plan))]


def peak_mib() -> float:
    """The most memory this process has held, in MiB."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def family_of(name: str) -> str:
    """The name without its number: A1 -> A."""
    return re.sub(r"[\W_]*\d+$", "", name) or name


def family_gaps(rows: Iterable[Row]) -> dict[str, tuple[float, int]]:
    """Mean gap in percent and number of instances by family, and of all."""
    gaps: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.gap_percent is not None:
            gaps[family_of(row.instance)].append(row.gap_percent)
            gaps["all"].append(row.gap_percent)
    together = gaps.pop("all", None)
    found = {name: (statistics.mean(of), len(of)) for name, of in sorted(gaps.items())}
    return found if together is None else found | {"all": (statistics.mean(together), len(together))}


HEAD = f"{'instance':24} {'value':>10} {'best':>10} {'gap %':>8} {'s':>7} {'MiB':>7} {'seed':>5}"


def line_of(row: Row) -> str:
    """A row of the printed table."""
    if row.error:
        return f"{row.instance:24} {row.error}"

    def number(value: float | None, width: int, digits: int) -> str:
        return f"{'-' if value is None else format(value, f'.{digits}f'):>{width}}"

    parts = [number(row.value, 10, 3), number(row.best, 10, 3), number(row.gap_percent, 8, 2)]
    parts += [number(row.seconds, 7, 1), number(row.memory_mib, 7, 0), f"{row.seed:>5}"]
    return f"{row.instance:24} {' '.join(parts)}"


def run_benchmark(
    folder: Path,
    best: Path | None,
    effort: Effort,
    *,
    out: Path | None,
    solutions: Path | None,
    say: Callable[[str], None],
) -> int:
    """The command: print the table row by row, write the rows; 0 if every instance was solved, else 1."""
    say(HEAD)
    rows: list[Row] = []
    for row in bench_folder(folder, best_values(best), effort, solutions):
        say(line_of(row))
        rows.append(row)
        if out is not None:
            out.write_text(_rows_json(rows), encoding="utf-8")
    for name, (gap, count) in family_gaps(rows).items():
        say(f"mean gap {name:12} {gap:+.2f} %  ({count})")
    return int(not rows or any(row.error for row in rows))


def _rows_json(rows: Sequence[Row]) -> str:
    return json.dumps([row.as_json() for row in rows], indent=1) + "\n"


def _failed(path: Path, best: float | None, effort: Effort, why: str) -> Row:
    return Row(name_of(path), None, best, None, None, None, effort.seed, why)
