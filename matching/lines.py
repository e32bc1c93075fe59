"""Settling which contract line pays, once the routes stand.

Under the rule ``ordered`` a slot belongs to the earliest line that still has room. During the search
room comes and goes, so at the end every slot moves to an earlier line while it can; each move brings a
slot forward, so this ends.
"""

from numba import njit

from matching.arrays import Problem
from matching.handles import State
from matching.kernel import draw, has_room

ORDERED = 1


@njit(cache=True, nogil=True)
def settle_lines(p: Problem, s: State) -> int:
    """Move slots to earlier lines with room until none can; returns the number of moves."""
    moves, moved = 0, True
    while moved:
        moved = False
        for slot in range(len(p.s_visit)):
            if s.s_line[slot] >= 0 and p.v_rule[p.s_visit[slot]] == ORDERED:
                line = earlier_line(p, s, slot)
                if line >= 0:
                    s.s_line[slot] = line
                    moved = True
                    moves += 1
    return moves


@njit(cache=True, nogil=True)
def earlier_line(p: Problem, s: State, slot: int) -> int:
    """Rebook the slot to the first earlier line with room and return it; -1 if there is none."""
    h, old = s.s_shift[slot], s.s_line[slot]
    day, organisation = p.h_day[h], p.c_organisation[p.h_caregiver[h]]
    for j in range(p.s_line_ptr[slot], p.s_line_ptr[slot + 1]):
        line = p.s_line[j]
        if line == old:
            return -1
        if p.n_organisation[line] != organisation or not p.n_first[line] <= day <= p.n_last[line]:
            continue
        if not s.s_drawn[slot]:
            return line
        draw(p, s, slot, old, day, -1.0)
        fits = has_room(p, s, slot, line, day)
        draw(p, s, slot, line if fits else old, day, 1.0)
        if fits:
            return line
    return -1
