"""Ruin and recreate: take a neighbourhood of visits out of the plan and put them back better.

Strings of neighbouring visits are removed and reinserted greedily with blinks, accepted by simulated
annealing: Christiaens, Vanden Berghe (2020), "Slack Induction by String Removals for Vehicle Routing
Problems", doi:10.1287/trsc.2019.0914. What is new here: two-person visits, visits still unserved that
compete for the room just made, and an exact lexicographic order in which the best plan is kept.
"""

import numpy as np

from matching.construction import put_visit
from matching.kernel.compiled import jit
from matching.kernel.handles import BROKEN, Memory, State
from matching.kernel.insertion import put, random, take
from matching.kernel.judging import energy, is_better, judge
from matching.kernel.problem import Problem
from matching.kernel.schedule import refresh

STRING = 8  # longest string taken out of one route
REMOVED = 12.0  # visits taken out on average
BLINK = 0.01
ATTEMPTS = 6  # unserved visits that may try the room made in one iteration
# Columns of the undo log.
TAKEN, GIVEN = 0, 1


@jit
def keep_best(s: State, m: Memory, points: float, unserved: np.ndarray) -> None:
    """Remember the present plan as the best one."""
    m.route[:], m.length[:] = s.route, s.length
    m.s_wait[:], m.s_fix[:], m.s_line[:] = s.s_wait, s.s_fix, s.s_line
    m.best_points[0] = points
    m.best_unserved[:] = unserved


@jit
def restore_best(p: Problem, s: State, m: Memory) -> None:
    """Make the best plan the present one."""
    for slot in range(len(p.s_visit)):
        if s.s_shift[slot] >= 0:
            take(p, s, slot)
    load(p, s, m.route, m.length, m.s_wait, m.s_fix, m.s_line)


@jit
def load(
    p: Problem,
    s: State,
    route: np.ndarray,
    length: np.ndarray,
    wait: np.ndarray,
    fix: np.ndarray,
    line: np.ndarray,
) -> bool:
    """Fill an empty state with given routes. False if some route is not feasible."""
    for h in range(len(length)):
        for k in range(length[h]):
            slot = route[h, k]
            put(p, s, slot, h, k, wait[slot], fix[slot], line[slot])
    for h in range(len(length)):
        refresh(p, s, h, 0)
    return s.sums[BROKEN] == 0


@jit
def take_visit(p: Problem, s: State, m: Memory, v: int, logged: int) -> int:
    """Take every placed slot of a visit out, writing the undo log; returns the log's new length."""
    for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
        h = s.s_shift[slot]
        if h >= 0:
            row = m.log[logged]
            row[0], row[1], row[2], row[4], row[5] = TAKEN, slot, h, s.s_wait[slot], s.s_line[slot]
            m.log_fix[logged] = s.s_fix[slot]
            row[3] = take(p, s, slot)
            m.touched[h] = True
            logged += 1
    return logged


@jit
def note_given(p: Problem, s: State, m: Memory, v: int, logged: int) -> int:
    """Write the placed slots of a visit to the undo log."""
    for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
        if s.s_shift[slot] >= 0:
            m.log[logged, 0], m.log[logged, 1] = GIVEN, slot
            m.touched[s.s_shift[slot]] = True
            logged += 1
    return logged


@jit
def undo(p: Problem, s: State, m: Memory, logged: int) -> None:
    """Go back through the log to the plan before the iteration."""
    while logged > 0:
        logged -= 1
        slot = m.log[logged, 1]
        if m.log[logged, 0] == GIVEN:
            take(p, s, slot)
        else:
            h, position, wait = m.log[logged, 2], m.log[logged, 3], m.log[logged, 4]
            put(p, s, slot, h, position, wait, m.log_fix[logged], m.log[logged, 5])


@jit
def ruin(p: Problem, s: State, m: Memory, seed: int) -> tuple[int, int]:
    """Take strings of visits near `seed` out; returns (visits absent, log length)."""
    absent, logged = 0, 0
    most = int(1 + random(s) * (2 * REMOVED - 1))
    for v in p.neighbours[seed]:
        if absent >= most:
            break
        h = s.s_shift[p.v_slot0[v]]
        if h < 0 or m.touched[h]:
            continue
        longest = min(STRING, s.length[h], most - absent)
        length = int(1 + random(s) * longest)
        at = 0
        while s.route[h, at] != p.v_slot0[v]:
            at += 1
        first = max(0, min(at - int(random(s) * length), s.length[h] - length))
        for _ in range(min(length, s.length[h] - first)):
            if first >= s.length[h]:
                break
            u = p.s_visit[s.route[h, first]]
            logged = take_visit(p, s, m, u, logged)
            m.absent[absent] = u
            absent += 1
        m.touched[h] = True
    return absent, logged


@jit
def pick_seed(p: Problem, s: State) -> int:
    """A visit to ruin around: every third time one that is unserved, if there is one."""
    count = len(p.v_slot0)
    v = int(random(s) * count)
    if random(s) < 0.33:
        for step in range(count):
            u = (v + step) % count
            if s.s_shift[p.v_slot0[u]] < 0 and p.s_cand_ptr[p.v_slot0[u]] < p.s_cand_ptr[p.v_slot0[u] + 1]:
                return u
    return v


@jit
def add_waiting(p: Problem, s: State, m: Memory, seed: int, absent: int) -> int:
    """Let a few unserved visits, the nearest first, compete for the room just made."""
    added = 0
    for v in p.neighbours[seed]:
        if added >= ATTEMPTS:
            break
        if s.s_shift[p.v_slot0[v]] < 0 or s.s_shift[p.v_slot0[v] + p.v_slots[v] - 1] < 0:
            listed = False
            for i in range(absent):
                listed = listed or m.absent[i] == v
            if not listed:
                m.absent[absent] = v
                absent += 1
                added += 1
    return absent


@jit
def sort_absent(p: Problem, s: State, m: Memory, absent: int) -> None:
    """Order in which visits go back: by rank, two people first, then by one of four keys at random."""
    choice = int(random(s) * 4)
    for i in range(absent):
        v = m.absent[i]
        if choice == 0:
            key = random(s)
        elif choice == 1:
            key = 1.0 - p.s_minutes[p.v_slot0[v]] / 1e4
        elif choice == 2:
            key = p.win_hi[p.v_win_ptr[v + 1] - 1] / 1e7
        else:
            key = (p.s_cand_ptr[p.v_slot0[v] + 1] - p.s_cand_ptr[p.v_slot0[v]]) / 1e7
        m.order[i] = 10.0 * p.v_rank[v] + (0.0 if p.v_slots[v] == 2 else 2.0) + key
    for i in range(1, absent):
        v, key = m.absent[i], m.order[i]
        j = i
        while j > 0 and m.order[j - 1] > key:
            m.absent[j], m.order[j] = m.absent[j - 1], m.order[j - 1]
            j -= 1
        m.absent[j], m.order[j] = v, key


@jit
def iterate(p: Problem, s: State, m: Memory, iterations: int, hot: float, cold: float) -> int:
    """Run iterations while the temperature falls from `hot` to `cold` points; returns improvements."""
    points = judge(p, s, m.unserved)
    current = energy(p, points, m.unserved)
    improvements = 0
    for i in range(iterations):
        temperature = hot * (cold / hot) ** (i / iterations)
        m.touched[:] = False
        seed = pick_seed(p, s)
        removed, logged = ruin(p, s, m, seed)
        absent = add_waiting(p, s, m, seed, removed)
        sort_absent(p, s, m, absent)
        for k in range(absent):
            logged = take_visit(p, s, m, m.absent[k], logged)
            put_visit(p, s, m.absent[k], BLINK, m.rows)
            logged = note_given(p, s, m, m.absent[k], logged)
        points = judge(p, s, m.unserved)
        new = energy(p, points, m.unserved)
        if s.sums[BROKEN] > 0:
            undo(p, s, m, logged)
        elif is_better(points, m.unserved, m.best_points[0], m.best_unserved):
            keep_best(s, m, points, m.unserved)
            improvements += 1
            current = new
        elif new < current - temperature * np.log(max(random(s), 1e-300)):
            current = new
        else:
            undo(p, s, m, logged)
    return improvements
