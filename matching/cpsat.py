"""Running a CP-SAT model so that it is repeatable, bounded, and can be cancelled."""

import threading
from dataclasses import dataclass

from ortools.sat.python import cp_model

from matching.stop import Stop

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Solved:
    """A solver that holds a solution, and whether that is proven optimal."""

    solver: cp_model.CpSolver
    optimal: bool

    def value(self, variable: cp_model.IntVar) -> int:
        return int(self.solver.value(variable))

    @property
    def objective(self) -> float:
        return self.solver.objective_value


def run(model: cp_model.CpModel, stop: Stop, *, seconds: float, effort: float, slack: float = 0.0) -> Solved | None:
    """Solve with one worker for at most `seconds` of what the stopping rule leaves.

    Without a limit of time (an iteration budget) the limit is `effort`, CP-SAT's deterministic time, so
    that the same input gives the same plan. With `slack` a solution that is proven to be at most so much
    above the optimum counts as optimal. Returns None if it found no solution.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.absolute_gap_limit = max(1e-4, slack)
    left = stop.seconds_left()
    if left is None:
        solver.parameters.max_deterministic_time = effort
    else:
        solver.parameters.max_time_in_seconds = max(0.05, min(left, seconds))
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(solver, stop, done), daemon=True)
    watcher.start()
    try:
        status = solver.solve(model)
    finally:
        done.set()
        watcher.join()
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return Solved(solver, status == cp_model.OPTIMAL)


def _watch(solver: cp_model.CpSolver, stop: Stop, done: threading.Event) -> None:
    while not done.wait(POLL_SECONDS):
        if stop.cancelled():
            solver.stop_search()
            return
