"""Counting the people who must be told that the running plan changes."""

import numpy as np

from matching.kernel.compiled import jit
from matching.kernel.handles import TOLD, State
from matching.kernel.problem import UNTOLD, W_TOLD, Problem


@jit
def start_empty(p: Problem, s: State) -> None:
    for h in range(len(p.h_start)):
        s.r_end[h, 0] = p.h_start[h]
        s.r_break[h, 0] = p.h_break_ptr[h]
    if p.has_running:
        for slot in range(len(p.s_visit)):
            tell(p, s, slot, -1, -1.0)


@jit
def tell(p: Problem, s: State, slot: int, caregiver: int, start: float) -> None:
    """Keep count of the people who must be told, now that `slot` is with `caregiver` (-1: nobody)."""
    run = p.s_run_caregiver[slot]
    if run < 0:
        return
    told = caregiver
    if caregiver == run and abs(start - p.s_run_start[slot]) <= p.run_tolerance:
        told = UNTOLD
    if told == s.s_told[slot]:
        return
    household = p.v_household[p.s_visit[slot]]
    if s.s_told[slot] != UNTOLD:
        one_told(s, s.told_household, household, -1)
        one_told(s, s.told_caregiver, run, -1)
        if s.s_told[slot] >= 0 and s.s_told[slot] != run:
            one_told(s, s.told_caregiver, s.s_told[slot], -1)
    if told != UNTOLD:
        one_told(s, s.told_household, household, 1)
        one_told(s, s.told_caregiver, run, 1)
        if told >= 0 and told != run:
            one_told(s, s.told_caregiver, told, 1)
    s.s_told[slot] = told


@jit
def one_told(s: State, counts: np.ndarray, who: int, sign: int) -> None:
    before = counts[who]
    counts[who] += sign
    s.sums[TOLD] += int(counts[who] > 0) - int(before > 0)


@jit
def told_points(p: Problem, s: State, slot: int, caregiver: int, start: float) -> float:
    """Points by which telling changes if `slot` is with `caregiver` at `start` (an estimate: people
    who are told of several things at once may be counted twice)."""
    run = p.s_run_caregiver[slot]
    if run < 0:
        return 0.0
    keeps = caregiver == run and abs(start - p.s_run_start[slot]) <= p.run_tolerance
    household = p.v_household[p.s_visit[slot]]
    people = 0.0
    if s.s_told[slot] == UNTOLD and not keeps:
        people += int(s.told_household[household] == 0) + int(s.told_caregiver[run] == 0)
    elif s.s_told[slot] != UNTOLD and keeps:
        people -= int(s.told_household[household] == 1) + int(s.told_caregiver[run] == 1)
    if not keeps and caregiver != run and s.s_told[slot] != caregiver:
        people += int(s.told_caregiver[caregiver] == 0)
    return people * p.weight[W_TOLD]
