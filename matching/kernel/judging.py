"""What a whole plan is worth, exactly."""

import numpy as np

from matching.kernel.charges import fen_of
from matching.kernel.compiled import jit
from matching.kernel.handles import NEW_FACES, POINTS, TOLD, State
from matching.kernel.insertion import unfair
from matching.kernel.problem import LOST_PIN, W_COST, W_MAX_TARDINESS, W_NEW_FACE, W_TOLD, W_TRAVEL, W_UNFAIR, Problem
from matching.kernel.schedule import lateness, outside, route_travel, way_back


@jit
def judge(p: Problem, s: State, unserved: np.ndarray) -> float:
    """The weighted sum of the whole plan; fills `unserved` with counts by rank (last: lost pins)."""
    unserved[:] = 0
    points = s.sums[POINTS] + p.weight[W_NEW_FACE] * s.sums[NEW_FACES] + p.weight[W_TOLD] * s.sums[TOLD]
    latest, fen = 0.0, 0.0
    for v in range(len(p.v_slot0)):
        served = True
        for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
            if s.s_shift[slot] < 0:
                served = False
                unserved[LOST_PIN] += p.s_pinned[slot]
                continue
            latest = max(latest, lateness(p, v, s.s_start[slot]))
            fen += fen_of(p, s, slot)
        if not served:
            unserved[p.v_rank[v]] += 1
    for h in range(len(p.h_start)):
        points += s.r_cost[h, s.length[h]] + p.weight[W_TRAVEL] * way_back(p, s, h)
    for c in range(len(p.c_kind)):
        points += p.weight[W_UNFAIR] * unfair(p, c, s.c_work[c])
    return points + p.weight[W_COST] * fen + p.weight[W_MAX_TARDINESS] * latest


@jit
def count_terms(p: Problem, s: State, terms: np.ndarray) -> None:
    """Fill `terms` with tardiness, its maximum, minutes outside preferred windows, unfairness, fen, travel."""
    terms[:] = 0.0
    for slot in range(len(p.s_visit)):
        if s.s_shift[slot] >= 0:
            late = lateness(p, p.s_visit[slot], s.s_start[slot])
            terms[0] += late
            terms[1] = max(terms[1], late)
            terms[2] += outside(p, p.s_visit[slot], s.s_start[slot])
            terms[4] += fen_of(p, s, slot)
    for c in range(len(p.c_kind)):
        terms[3] += unfair(p, c, s.c_work[c])
    for h in range(len(p.h_start)):
        terms[5] += route_travel(p, s, h)


@jit
def energy(p: Problem, points: float, unserved: np.ndarray) -> float:
    """One number for the annealing: unserved visits weigh more than any ordinary saving."""
    return points + (p.rank_points * unserved).sum()


@jit
def is_better(points: float, unserved: np.ndarray, old_points: float, old_unserved: np.ndarray) -> bool:
    """The exact order of plans: lost pins, then unserved by rank, then the sum."""
    if unserved[LOST_PIN] != old_unserved[LOST_PIN]:
        return unserved[LOST_PIN] < old_unserved[LOST_PIN]
    for rank in range(LOST_PIN):
        if unserved[rank] != old_unserved[rank]:
            return unserved[rank] < old_unserved[rank]
    return points < old_points - 1e-6
