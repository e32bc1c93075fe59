"""Regret insertion over the whole horizon: the first plan, and the floor of every later one.

Ropke, Pisinger (2006), "An adaptive large neighborhood search heuristic for the pickup and delivery
problem with time windows", doi:10.1287/trsc.1050.0135: always place next the visit that would lose
most if its best places were taken. Pinned visits come first, then rank by rank (mandatory, tier 0, ...),
in each rank the visits of two people before those of one.
"""

import numpy as np

from matching.kernel.charges import choose_line, is_charged
from matching.kernel.compiled import jit
from matching.kernel.handles import State
from matching.kernel.insertion import Insertion, best_in_shift, detour, may_come, put, random, take, work_fits
from matching.kernel.problem import NEVER, Problem

REGRET = 3
MISSING_PLACE = 50_000.0  # points of regret for each of the REGRET best places that does not exist
TIMES = 10  # start times tried for a two-person visit
BEST = 4  # places per person kept for each of them


@jit
def slot_bounds(p: Problem, slot: int) -> tuple[float, float]:
    """The span of starts of a slot that is not yet placed: its pin, or anything."""
    fix = p.s_fix[slot]
    return (fix, fix) if fix >= 0 else (-1.0, NEVER)


@jit
def best_single(p: Problem, s: State, slot: int, blink: float) -> Insertion:
    """The cheapest place of a slot over all its shifts; blinks skip some."""
    lo, hi = slot_bounds(p, slot)
    best = Insertion(NEVER, -1, -1, 0, -1.0, -1)
    for j in range(p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]):
        h = p.s_cand[j]
        if blink > 0 and random(s) < blink:
            continue
        found = best_in_shift(p, s, slot, h, lo, hi, True, best.cost)
        if found.cost < best.cost:
            best = found
    return best


@jit
def put_single(p: Problem, s: State, slot: int, at: Insertion) -> bool:
    """Place a slot where `best_single` found room; restores the state and says False if it fails."""
    if put(p, s, slot, at.shift, at.position, at.wait, p.s_fix[slot], at.line):
        return True
    take(p, s, slot)
    return False


@jit
def put_as_told(p: Problem, s: State, slot: int) -> bool:
    """Append a slot where and when people were told, waiting for that time, if every rule allows it."""
    start = p.s_run_start[slot]
    lo, hi = slot_bounds(p, slot)
    alone = p.v_slots[p.s_visit[slot]] == 1
    for j in range(p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]):
        h = p.s_cand[j]
        if p.h_caregiver[h] != p.s_run_caregiver[slot] or not lo <= start <= hi:
            continue
        if not p.h_start[h] <= start < p.h_end[h] or not may_come(p, s, slot, h):
            continue
        line, _ = choose_line(p, s, slot, h, is_charged(p, s, slot))
        _, more, fits = detour(p, s, slot, h, s.length[h], start)
        if line == -2 or not fits or not work_fits(p, s, h, more):
            continue
        if put(p, s, slot, h, s.length[h], 1, p.s_fix[slot] if alone else start, line):
            return True
        take(p, s, slot)
    return False


@jit
def follow(p: Problem, s: State, told: np.ndarray) -> None:
    """Fill the empty plan with the running plan: `told` slots in order of their starts."""
    for slot in told:
        put_as_told(p, s, slot)
    for v in range(len(p.v_slot0)):
        a = p.v_slot0[v]
        b = a + 1
        if p.v_slots[v] == 2 and (s.s_shift[a] >= 0 or s.s_shift[b] >= 0):
            keep_pair(p, s, v, a, b)


@jit
def keep_pair(p: Problem, s: State, v: int, a: int, b: int) -> None:
    """Take out what is left of a visit whose two people no longer fit together (pins stay)."""
    good = s.s_shift[a] >= 0 and s.s_shift[b] >= 0
    if good:
        one, two = p.h_caregiver[s.s_shift[a]], p.h_caregiver[s.s_shift[b]]
        offset = s.s_start[b] - s.s_start[a]
        good = p.v_offset_min[v] <= offset <= p.v_offset_max[v] and go_together(p, v, one, two)
        good = good and same_window(p, v, s.s_start[a], s.s_start[b])
    if not good:
        for slot in (a, b):
            if s.s_shift[slot] >= 0:
                take(p, s, slot)
        put_pins(p, s, v)


@jit
def start_times(p: Problem, s: State, a: int, b: int, times: np.ndarray, blink: float) -> int:
    """Promising starts of the first slot of a pair, from the cheap single places of both."""
    v = p.s_visit[a]
    count = 0
    for slot in (a, b):
        shift_back = 0.0 if slot == a else p.v_offset_min[v]
        lo, hi = slot_bounds(p, slot)
        costs = np.full(TIMES // 2, NEVER)
        starts = np.full(TIMES // 2, -1.0)
        for j in range(p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]):
            if blink > 0 and random(s) < blink:
                continue
            found = best_in_shift(p, s, slot, p.s_cand[j], lo, hi, True, NEVER)
            if found.cost < NEVER:
                keep_start(costs, starts, found.cost, found.start - shift_back)
        for k in range(len(starts)):
            known = costs[k] == NEVER
            for i in range(count):
                known = known or times[i] == starts[k]
            if not known:
                times[count] = starts[k]
                count += 1
    return count


@jit
def keep_start(costs: np.ndarray, starts: np.ndarray, cost: float, start: float) -> None:
    """Keep the cheapest different starts: replace the same start, else the dearest one."""
    worst = 0
    for k in range(len(costs)):
        if starts[k] == start:
            costs[k] = min(costs[k], cost)
            return
        if costs[k] > costs[worst]:
            worst = k
    if cost < costs[worst]:
        costs[worst], starts[worst] = cost, start


@jit
def places_at(p: Problem, s: State, slot: int, lo: float, hi: float, charged: bool, out: np.ndarray) -> int:
    """Fill `out` with up to BEST places of different caregivers, cheapest first, in rows of
    (cost, shift, position, wait, start, line)."""
    count = 0
    for j in range(p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]):
        limit = out[BEST - 1, 0] if count == BEST else NEVER
        found = best_in_shift(p, s, slot, p.s_cand[j], lo, hi, charged, limit)
        if found.cost >= limit:
            continue
        k = min(count, BEST - 1)
        while k > 0 and out[k - 1, 0] > found.cost:
            out[k] = out[k - 1]
            k -= 1
        out[k, 0], out[k, 1], out[k, 2] = found.cost, found.shift, found.position
        out[k, 3], out[k, 4], out[k, 5] = found.wait, found.start, found.line
        count = min(count + 1, BEST)
    return count


@jit
def go_together(p: Problem, v: int, first: int, second: int) -> bool:
    """Whether these two caregivers may serve a two-person visit together."""
    bit = 3 * p.c_kind[first] + p.c_kind[second]
    fits = p.v_alone[v] if first == second else p.c_together[first, second]
    return fits and (p.v_mix[v] >> bit) & 1 == 1


@jit
def same_window(p: Problem, v: int, first: float, second: float) -> bool:
    for w in range(p.v_win_ptr[v], p.v_win_ptr[v + 1]):
        last = p.win_hi[w] + p.v_late[v]
        if p.win_lo[w] <= first <= last and p.win_lo[w] <= second <= last:
            return True
    return False


@jit
def best_pair(
    p: Problem, s: State, v: int, rows_a: np.ndarray, rows_b: np.ndarray, blink: float
) -> tuple[Insertion, Insertion]:
    """The cheapest two places for a two-person visit, at starts that keep its offsets."""
    a = p.v_slot0[v]
    b = a + 1
    nowhere = Insertion(NEVER, -1, -1, 0, -1.0, -1)
    best_a, best_b = nowhere, nowhere
    times = np.full(2 * TIMES, -1.0)
    lo_b, hi_b = slot_bounds(p, b)
    for t in range(start_times(p, s, a, b, times, blink)):
        lo, hi = slot_bounds(p, a)
        start = times[t]
        if not lo <= start <= hi or start < 0:
            continue
        count_a = places_at(p, s, a, start, start, True, rows_a)
        if count_a == 0:
            continue
        first = max(lo_b, start + p.v_offset_min[v])
        last = min(hi_b, start + p.v_offset_max[v])
        if first > last:
            continue
        count_b = places_at(p, s, b, first, last, not p.v_once[v], rows_b)
        for i in range(count_a):
            for j in range(count_b):
                cost = rows_a[i, 0] + rows_b[j, 0]
                if cost >= best_a.cost + best_b.cost:
                    break
                if rows_a[i, 1] == rows_b[j, 1]:
                    continue  # one person in one shift: the second place depends on the first
                one, two = p.h_caregiver[int(rows_a[i, 1])], p.h_caregiver[int(rows_b[j, 1])]
                if go_together(p, v, one, two) and same_window(p, v, start, rows_b[j, 4]):
                    best_a, best_b = insertion(rows_a[i]), insertion(rows_b[j])
        for i in range(count_a if p.v_alone[v] else 0):
            one = insertion(rows_a[i])
            two = after_oneself(p, s, v, one, first, last)
            if two.cost < NEVER and one.cost + two.cost < best_a.cost + best_b.cost:
                best_a, best_b = one, two
    return best_a, best_b


@jit
def after_oneself(p: Problem, s: State, v: int, one: Insertion, lo: float, hi: float) -> Insertion:
    """Where the second slot would cost least in the shift that has the first, with the first in it."""
    a = p.v_slot0[v]
    best = Insertion(NEVER, -1, -1, 0, -1.0, -1)
    caregiver = p.h_caregiver[one.shift]
    listed = False
    for j in range(p.s_cand_ptr[a + 1], p.s_cand_ptr[a + 2]):
        listed = listed or p.s_cand[j] == one.shift
    if not listed or not go_together(p, v, caregiver, caregiver):
        return best
    if put(p, s, a, one.shift, one.position, 0, one.start, one.line):
        best = best_in_shift(p, s, a + 1, one.shift, lo, hi, is_charged(p, s, a + 1), NEVER)
        if best.cost < NEVER and not same_window(p, v, one.start, best.start):
            best = Insertion(NEVER, -1, -1, 0, -1.0, -1)
    take(p, s, a)
    return best


@jit
def insertion(row: np.ndarray) -> Insertion:
    return Insertion(row[0], int(row[1]), int(row[2]), int(row[3]), row[4], int(row[5]))


@jit
def put_pair(p: Problem, s: State, v: int, one: Insertion, two: Insertion) -> bool:
    """Place both slots with fixed starts; restores the state and says False if that breaks a rule."""
    a = p.v_slot0[v]
    b = a + 1
    if not put(p, s, a, one.shift, one.position, 0, one.start, one.line):
        take(p, s, a)
        return False
    line, _ = choose_line(p, s, b, two.shift, is_charged(p, s, b))
    if line == -2 or not may_come(p, s, b, two.shift):
        take(p, s, a)
        return False
    if not put(p, s, b, two.shift, two.position, 0, two.start, line):
        take(p, s, b)
        take(p, s, a)
        return False
    return True


@jit
def put_pins(p: Problem, s: State, v: int) -> bool:
    """Keep the pinned people of a visit that cannot be fully staffed (half staffed, not served)."""
    kept = False
    for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
        if p.s_pinned[slot] > 0 and s.s_shift[slot] < 0:
            at = best_single(p, s, slot, 0.0)
            kept = (at.cost < NEVER and put_single(p, s, slot, at)) or kept
    return kept


@jit
def put_visit(p: Problem, s: State, v: int, blink: float, rows: np.ndarray) -> bool:
    """Place a visit where it costs least now. False if it is not fully staffed afterwards."""
    if p.v_slots[v] == 1:
        at = best_single(p, s, p.v_slot0[v], blink)
        return at.cost < NEVER and put_single(p, s, p.v_slot0[v], at)
    for slot in range(p.v_slot0[v], p.v_slot0[v] + 2):
        if s.s_shift[slot] >= 0:  # half staffed so far: look for both again
            take(p, s, slot)
    one, two = best_pair(p, s, v, rows[0], rows[1], blink)
    if one.cost < NEVER and put_pair(p, s, v, one, two):
        return True
    put_pins(p, s, v)
    return False


@jit
def put_all_in_order(p: Problem, s: State, order: np.ndarray, rows: np.ndarray) -> None:
    """Place these visits one after the other, each where it costs least."""
    for v in order:
        put_visit(p, s, v, 0.0, rows)


@jit
def regret_of(costs: np.ndarray) -> float:
    """What is lost if the best places are taken; costs are of one visit over its shifts."""
    first, second, third = NEVER, NEVER, NEVER
    for cost in costs:
        if cost < first:
            first, second, third = cost, first, second
        elif cost < second:
            second, third = cost, second
        elif cost < third:
            third = cost
    if first == NEVER:
        return -1.0
    regret = MISSING_PLACE if second == NEVER else second - first
    return regret + (MISSING_PLACE if third == NEVER else third - first)


@jit
def fill_costs(p: Problem, s: State, v: int, costs: np.ndarray) -> None:
    slot = p.v_slot0[v]
    lo, hi = slot_bounds(p, slot)
    for j in range(p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]):
        costs[j] = best_in_shift(p, s, slot, p.s_cand[j], lo, hi, True, NEVER).cost


@jit
def put_by_regret(p: Problem, s: State, waiting: np.ndarray, costs: np.ndarray, regrets: np.ndarray, steps: int) -> int:
    """Place up to `steps` one-person visits of `waiting` (visits; placed or hopeless ones become -1).

    `costs` holds per candidate the last known cost, `regrets` per visit; -2 asks for a new look.
    Returns how many are still waiting.
    """
    while steps > 0:
        chosen, most, left = -1, -1.0, 0
        for i in range(len(waiting)):
            v = waiting[i]
            if v < 0:
                continue
            slot = p.v_slot0[v]
            if regrets[v] == -2.0:
                regrets[v] = regret_of(costs[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]])
            if regrets[v] < 0:
                waiting[i] = -1
                continue
            left += 1
            if regrets[v] > most:
                chosen, most = i, regrets[v]
        if chosen < 0:
            return 0
        steps -= 1
        place_chosen(p, s, waiting, chosen, costs, regrets)
    return left


@jit
def place_chosen(
    p: Problem, s: State, waiting: np.ndarray, chosen: int, costs: np.ndarray, regrets: np.ndarray
) -> None:
    """Place one visit at its cheapest shift if the known cost still holds, else look again."""
    v = waiting[chosen]
    slot = p.v_slot0[v]
    first, end = p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]
    j = first + np.argmin(costs[first:end])
    lo, hi = slot_bounds(p, slot)
    at = best_in_shift(p, s, slot, p.s_cand[j], lo, hi, True, NEVER)
    regrets[v] = -2.0
    if at.cost > costs[j] + 1e-6:
        costs[j] = at.cost
        return
    if not put_single(p, s, slot, at):
        costs[j] = NEVER
        return
    waiting[chosen] = -1
    for i in range(len(waiting)):
        u = waiting[i]
        if u >= 0:
            look_again(p, s, u, at.shift, costs, regrets)


@jit
def look_again(p: Problem, s: State, u: int, h: int, costs: np.ndarray, regrets: np.ndarray) -> None:
    """Shift h has changed: what would visit u cost there now?"""
    slot = p.v_slot0[u]
    first, end = p.s_cand_ptr[slot], p.s_cand_ptr[slot + 1]
    j = first + np.searchsorted(p.s_cand[first:end], h)
    if j < end and p.s_cand[j] == h:
        lo, hi = slot_bounds(p, slot)
        costs[j] = best_in_shift(p, s, slot, h, lo, hi, True, NEVER).cost
        regrets[u] = -2.0
