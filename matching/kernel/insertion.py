"""What it costs to put a slot into a shift, and doing and undoing it."""

from typing import NamedTuple

import numpy as np

from matching.kernel.charges import choose_line, draw, settle_charge
from matching.kernel.compiled import jit
from matching.kernel.handles import NEW_FACES, POINTS, State
from matching.kernel.problem import NEVER, W_COST, W_NEW_FACE, W_TRAVEL, W_UNFAIR, Problem
from matching.kernel.schedule import bounds, finish, go, has_aim, leg, place_before, refresh, stop_cost
from matching.kernel.tellings import tell, told_points


class Insertion(NamedTuple):
    """Where a slot would go: cost in points (NEVER: nowhere), and all that `put` needs to know."""

    cost: float
    shift: int
    position: int
    wait: int
    start: float
    line: int


@jit
def random(s: State) -> float:
    """A number in [0, 1) from an xorshift generator kept in the state (Marsaglia 2003)."""
    x = s.rng[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.rng[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@jit
def may_come(p: Problem, s: State, slot: int, h: int) -> bool:
    """Limits of new faces and of visits, which do not depend on the position in the route."""
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    household = p.v_household[v]
    if not p.known[household, caregiver] and s.faces[household, caregiver] == 0:
        if s.household_new[household] >= p.household_max_new[household]:
            return False
        if s.c_new[caregiver] >= p.c_max_new[caregiver]:
            return False
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        row = p.h_limit[j]
        if s.l_visits[row] >= p.l_max_visits[row] and not counted_already(p, s, slot, h, row):
            return False
    return True


@jit
def counted_already(p: Problem, s: State, slot: int, h: int, row: int) -> bool:
    """Whether the visit counts towards this limit already, as the same person has its other slot."""
    v = p.s_visit[slot]
    if not p.v_alone[v]:
        return False
    other = p.v_slot0[v] + (1 if slot == p.v_slot0[v] else 0)
    g = s.s_shift[other]
    if g < 0 or p.h_caregiver[g] != p.h_caregiver[h]:
        return False
    counted = False
    for j in range(p.h_limit_ptr[g], p.h_limit_ptr[g + 1]):
        counted = counted or p.h_limit[j] == row
    return counted


@jit
def unfair(p: Problem, caregiver: int, work: float) -> float:
    capacity = p.c_capacity[caregiver]
    return np.floor(work * work / capacity) if capacity > 0 else 0.0


@jit
def work_fits(p: Problem, s: State, h: int, more: float) -> bool:
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        row = p.h_limit[j]
        if more > 0 and s.l_minutes[row] + more > p.l_max_minutes[row]:
            return False
    return True


@jit
def detour(p: Problem, s: State, slot: int, h: int, position: int, opens: float) -> tuple[float, float, bool]:
    """What it takes to visit `slot` on the way: (more travel, more work, whether it could fit at all).

    The quick no: even started when its first window `opens`, the next stop would be too late.
    """
    v, mode, length = p.s_visit[slot], p.h_mode[h], s.length[h]
    place, there = place_before(p, s, h, position), p.v_loc[v]
    step = leg(p, mode, place, there)
    own_access = 0.0 if place == there else p.v_access[v]
    following, access = p.h_to[h], 0.0
    if position < length:
        u = p.s_visit[s.route[h, position]]
        following, access = p.v_loc[u], p.v_access[u]
    on = leg(p, mode, there, following)
    new_access = 0.0 if there == following else access
    travel, more = step + on, step + own_access + p.s_minutes[slot] + on + new_access
    if length > 0:
        old = leg(p, mode, place, following)
        travel -= old
        more -= old + (0.0 if place == following else access)
    start = max(opens, s.r_end[h, position] + step + own_access)
    fits = start + p.s_minutes[slot] + on + new_access <= s.r_latest[h, position]
    return travel, more, fits


@jit
def try_position(
    p: Problem, s: State, slot: int, h: int, position: int, wait: int, lo: float, hi: float, limit: float
) -> tuple[float, float]:
    """Points of tardiness, preferred times and telling if `slot` went there, of all stops of the shift.

    Returns (points or NEVER, start). Gives up once the points of the slot itself exceed `limit`.
    """
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    place, length = place_before(p, s, h, position), s.length[h]
    free, pause = s.r_end[h, position], s.r_break[h, position]
    _, start, pause = go(p, s, slot, h, wait, lo, hi, free, place, pause)
    if start < 0:
        return NEVER, -1.0
    points = stop_cost(p, v, start)
    if p.has_running:
        points += told_points(p, s, slot, caregiver, start)
    if points > limit:
        return NEVER, -1.0
    time, at = start + p.s_minutes[slot], p.v_loc[v]
    for k in range(position, length):
        x = s.route[h, k]
        u = p.s_visit[x]
        low, high = bounds(s, x)
        _, begin, pause = go(p, s, x, h, s.s_wait[x], low, high, time, at, pause)
        if begin < 0:
            return NEVER, -1.0
        time, at = begin + p.s_minutes[x], p.v_loc[u]
        if begin != s.s_start[x]:
            points += stop_cost(p, u, begin) - stop_cost(p, u, s.s_start[x])
            if p.has_running:
                points += told_points(p, s, x, caregiver, begin)
        elif pause == s.r_break[h, k + 1]:
            return points, start
    if finish(p, s, h, time, at, pause) == NEVER:
        return NEVER, -1.0
    return points, start


@jit
def fixed_points(p: Problem, s: State, slot: int, h: int) -> float:
    """Points of an insertion that do not depend on the position: preferences, new faces."""
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    household = p.v_household[v]
    points = p.s_points[slot, caregiver]
    if not p.known[household, caregiver] and s.faces[household, caregiver] == 0:
        points += p.weight[W_NEW_FACE]
    return points


@jit
def best_in_shift(
    p: Problem, s: State, slot: int, h: int, lo: float, hi: float, charged: bool, limit: float
) -> Insertion:
    """The cheapest place for `slot` in shift h with a start within [lo, hi], cheaper than `limit`."""
    nowhere = Insertion(NEVER, -1, -1, 0, -1.0, -1)
    if s.broken[h] or s.length[h] >= s.route.shape[1] - 1 or not may_come(p, s, slot, h):
        return nowhere
    line, fen = choose_line(p, s, slot, h, charged)
    if line == -2:
        return nowhere
    base = fixed_points(p, s, slot, h) + p.weight[W_COST] * fen
    best = nowhere
    least = min(limit, NEVER)
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    opens = max(lo, p.win_lo[p.v_win_ptr[v]])
    last = min(hi, p.win_hi[p.v_win_ptr[v + 1] - 1] + p.v_late[v])
    waits = 2 if has_aim(p, slot, caregiver) else 1
    work = s.c_work[caregiver]
    share = unfair(p, caregiver, work)
    for position in range(s.length[h] + 1):
        if s.r_end[h, position] > last:
            break
        travel, more, fits = detour(p, s, slot, h, position, opens)
        if not fits or not work_fits(p, s, h, more):
            continue
        known = base + p.weight[W_TRAVEL] * travel
        known += p.weight[W_UNFAIR] * (unfair(p, caregiver, work + more) - share)
        if known >= least and not p.has_running:
            continue
        for wait in range(waits):
            points, start = try_position(p, s, slot, h, position, wait, lo, hi, least - known)
            if points < NEVER and known + points < least:
                least = known + points
                best = Insertion(least, h, position, wait, start, line)
    return best


@jit
def put(p: Problem, s: State, slot: int, h: int, position: int, wait: int, fix: float, line: int) -> bool:
    """Insert `slot` into shift h. False (and the schedule unusable until taken out) if infeasible."""
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    household = p.v_household[v]
    for k in range(s.length[h], position, -1):
        s.route[h, k] = s.route[h, k - 1]
    s.route[h, position] = slot
    s.length[h] += 1
    s.s_shift[slot], s.s_wait[slot], s.s_fix[slot] = h, wait, fix
    if not p.known[household, caregiver] and s.faces[household, caregiver] == 0:
        s.sums[NEW_FACES] += 1
        s.c_new[caregiver] += 1
        s.household_new[household] += 1
    s.faces[household, caregiver] += 1
    s.sums[POINTS] += p.s_points[slot, caregiver]
    s.s_line[slot] = line
    settle_charge(p, s, v)
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        s.l_visits[p.h_limit[j]] += int(not counted_already(p, s, slot, h, p.h_limit[j]))
    return refresh(p, s, h, position)


@jit
def take(p: Problem, s: State, slot: int) -> int:
    """Take `slot` out of its shift; returns the position it had. May leave the route `broken`."""
    h = s.s_shift[slot]
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    household = p.v_household[v]
    position = 0
    while s.route[h, position] != slot:
        position += 1
    s.length[h] -= 1
    for k in range(position, s.length[h]):
        s.route[h, k] = s.route[h, k + 1]
    s.route[h, s.length[h]] = -1
    s.faces[household, caregiver] -= 1
    if not p.known[household, caregiver] and s.faces[household, caregiver] == 0:
        s.sums[NEW_FACES] -= 1
        s.c_new[caregiver] -= 1
        s.household_new[household] -= 1
    s.sums[POINTS] -= p.s_points[slot, caregiver]
    if s.s_drawn[slot]:
        draw(p, s, slot, s.s_line[slot], p.h_day[h], -1.0)
    s.s_line[slot], s.s_drawn[slot] = -1, False
    settle_charge(p, s, v)
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        s.l_visits[p.h_limit[j]] -= int(not counted_already(p, s, slot, h, p.h_limit[j]))
    s.s_shift[slot], s.s_start[slot], s.s_wait[slot], s.s_fix[slot] = -1, -1.0, 0, p.s_fix[slot]
    if p.has_running:
        tell(p, s, slot, -1, -1.0)
    refresh(p, s, h, position)
    return position
