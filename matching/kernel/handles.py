"""The arrays of the search as one handle each, passed to compiled code by reference.

Numba passes a named tuple by value: with a hundred arrays, calls cost more than the work they do, and
compiling takes minutes. A structref is one pointer. Python keeps the named tuples; both see the same
memory.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.experimental import structref

from matching.kernel.compiled import jit
from matching.kernel.problem import RANKS, UNTOLD, Problem

# Counters of State.sums.
NEW_FACES, TOLD, POINTS, BROKEN = range(4)


class State(NamedTuple):
    """A plan under construction. Row h, column k of the `r_` arrays is route h after k stops.

    `r_latest` is the latest start of stop k (of the end, for k the length) that could be feasible.
    """

    route: np.ndarray
    length: np.ndarray
    r_end: np.ndarray
    r_break: np.ndarray
    r_cost: np.ndarray
    r_work: np.ndarray
    r_latest: np.ndarray
    s_shift: np.ndarray
    s_start: np.ndarray
    s_wait: np.ndarray
    s_fix: np.ndarray
    s_line: np.ndarray
    s_told: np.ndarray
    c_work: np.ndarray
    c_new: np.ndarray
    household_new: np.ndarray
    faces: np.ndarray
    l_minutes: np.ndarray
    l_visits: np.ndarray
    k_used: np.ndarray
    told_household: np.ndarray
    told_caregiver: np.ndarray
    s_drawn: np.ndarray
    broken: np.ndarray
    sums: np.ndarray
    marks: np.ndarray
    rng: np.ndarray


class Memory(NamedTuple):
    """The best plan so far, the scratch space of an iteration, and what the last chunk achieved."""

    route: np.ndarray
    length: np.ndarray
    s_wait: np.ndarray
    s_fix: np.ndarray
    s_line: np.ndarray
    best_points: np.ndarray
    best_unserved: np.ndarray
    log: np.ndarray
    log_fix: np.ndarray
    absent: np.ndarray
    touched: np.ndarray
    order: np.ndarray
    rows: np.ndarray
    unserved: np.ndarray


def new_state(problem: Problem, seed: int) -> State:
    """An empty plan; `kernel.start_empty` must still be called on its handle."""
    shifts, slots = len(problem.h_start), len(problem.s_visit)
    households, caregivers = problem.known.shape
    size = problem.route_length
    return State(
        route=np.full((shifts, size + 1), -1, dtype=np.int64),
        length=np.zeros(shifts, dtype=np.int64),
        r_end=np.zeros((shifts, size + 2)),
        r_break=np.zeros((shifts, size + 2), dtype=np.int64),
        r_cost=np.zeros((shifts, size + 2)),
        r_work=np.zeros((shifts, size + 2)),
        r_latest=np.tile(problem.h_end.reshape(-1, 1), (1, size + 2)),
        s_shift=np.full(slots, -1, dtype=np.int64),
        s_start=np.full(slots, -1.0),
        s_wait=np.zeros(slots, dtype=np.int64),
        s_fix=problem.s_fix.copy(),
        s_line=np.full(slots, -1, dtype=np.int64),
        s_told=np.full(slots, UNTOLD, dtype=np.int64),
        c_work=np.zeros(caregivers),
        c_new=np.zeros(caregivers, dtype=np.int64),
        household_new=np.zeros(households, dtype=np.int64),
        faces=np.zeros((households, caregivers), dtype=np.int64),
        l_minutes=problem.l_used_minutes.copy(),
        l_visits=problem.l_used_visits.copy(),
        k_used=problem.k_used.copy(),
        told_household=np.zeros(households, dtype=np.int64),
        told_caregiver=np.zeros(caregivers, dtype=np.int64),
        s_drawn=np.zeros(slots, dtype=np.bool_),
        broken=np.zeros(shifts, dtype=np.bool_),
        sums=np.zeros(4),
        marks=np.zeros(len(problem.b_lo)),
        rng=np.array([(seed * 2654435761 + 88172645463325252) % 2**63 | 1], dtype=np.uint64),
    )


def new_memory(problem: Problem, state: State) -> Memory:
    """Scratch space; the best plan is worse than any until `keep_best` is called."""
    slots, visits, shifts = len(problem.s_visit), len(problem.v_slot0), len(problem.h_start)
    return Memory(
        route=state.route.copy(),
        length=state.length.copy(),
        s_wait=state.s_wait.copy(),
        s_fix=state.s_fix.copy(),
        s_line=state.s_line.copy(),
        best_points=np.zeros(1),
        best_unserved=np.full(RANKS, 2**40, dtype=np.int64),
        log=np.zeros((4 * slots + 64, 6), dtype=np.int64),
        log_fix=np.zeros(4 * slots + 64),
        absent=np.zeros(visits, dtype=np.int64),
        touched=np.zeros(shifts, dtype=np.bool_),
        order=np.zeros(visits),
        rows=np.zeros((2, 4, 6)),
        unserved=np.zeros(RANKS, dtype=np.int64),
    )


@structref.register
class ProblemType(types.StructRef):
    """Numba's type of a problem's handle."""


class ProblemRef(structref.StructRefProxy):
    """A problem by reference."""


structref.define_proxy(ProblemRef, ProblemType, list(Problem._fields))


@structref.register
class StateType(types.StructRef):
    """Numba's type of a state's handle."""


class StateRef(structref.StructRefProxy):
    """A state by reference."""


structref.define_proxy(StateRef, StateType, list(State._fields))


@structref.register
class MemoryType(types.StructRef):
    """Numba's type of a memory's handle."""


class MemoryRef(structref.StructRefProxy):
    """A memory by reference."""


structref.define_proxy(MemoryRef, MemoryType, list(Memory._fields))


@jit
def problem_ref(t: Any) -> Any:
    """The handle of a problem."""
    return ProblemRef(*t)


@jit
def state_ref(t: Any) -> Any:
    """The handle of a state."""
    return StateRef(*t)


@jit
def memory_ref(t: Any) -> Any:
    """The handle of a memory."""
    return MemoryRef(*t)
