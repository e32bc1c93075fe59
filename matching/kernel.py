"""The compiled heart of the search: schedules of routes, what an insertion costs, do and undo.

A route's schedule follows from its sequence: everyone goes as early as possible, waits where a stop's
`wait` flag says so (until what people were told, or until a preferred window), and takes a break where
it costs nothing, else as late as its window allows. The two slots of a two-person visit get a fixed
start when they are inserted, so every route can be scheduled by itself.

Everything is exact for whole minutes: float64 holds whole numbers, and all sums stay far below 2^53.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from matching.arrays import (
    NEVER,
    W_COST,
    W_MAX_TARDINESS,
    W_NEW_FACE,
    W_OUTSIDE,
    W_TARDINESS,
    W_TOLD,
    W_TRAVEL,
    W_UNFAIR,
    Problem,
)
from matching.handles import LOST_PIN, UNTOLD, State

FEN = 3  # the index of fen among the units

# Counters of State.sums.
NEW_FACES, TOLD, POINTS, BROKEN = range(4)


class Insertion(NamedTuple):
    """Where a slot would go: cost in points (NEVER: nowhere), and all that `put` needs to know."""

    cost: float
    shift: int
    position: int
    wait: int
    start: float
    line: int


@njit(cache=True, nogil=True)
def start_empty(p: Problem, s: State) -> None:
    for h in range(len(p.h_start)):
        s.r_end[h, 0] = p.h_start[h]
        s.r_break[h, 0] = p.h_break_ptr[h]
    if p.has_running:
        for slot in range(len(p.s_visit)):
            tell(p, s, slot, -1, -1.0)


@njit(cache=True, nogil=True)
def random(s: State) -> float:
    """A number in [0, 1) from an xorshift generator kept in the state (Marsaglia 2003)."""
    x = s.rng[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.rng[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)
def leg(p: Problem, mode: int, origin: int, destination: int) -> float:
    return 0.0 if origin < 0 or destination < 0 else p.travel[mode, origin, destination]


@njit(cache=True, nogil=True)
def open_start(p: Problem, slot: int, caregiver: int, ready: float, wait: int, lo: float, hi: float) -> float:
    """The first allowed start not before `ready` within [lo, hi]; -1 if there is none."""
    v = p.s_visit[slot]
    if ready < lo:
        ready = lo
    for w in range(p.v_win_ptr[v], p.v_win_ptr[v + 1]):
        last = p.win_hi[w] + p.v_late[v]
        if ready <= last:
            start = max(ready, p.win_lo[w])
            if wait:
                start = aimed_start(p, slot, caregiver, start, p.win_hi[w])
            return start if start <= hi else -1.0
    return -1.0


@njit(cache=True, nogil=True)
def aimed_start(p: Problem, slot: int, caregiver: int, start: float, last: float) -> float:
    """Wait for the time that people were told, else for a preferred window, if the window allows it."""
    if p.s_run_caregiver[slot] == caregiver:
        told = p.s_run_start[slot]
        return told if start < told <= last else start
    v = p.s_visit[slot]
    for w in range(p.v_pref_ptr[v], p.v_pref_ptr[v + 1]):
        if p.pref_hi[w] >= start:
            aim = max(start, p.pref_lo[w])
            return aim if aim <= last else start
    return start


@njit(cache=True, nogil=True)
def lateness(p: Problem, v: int, start: float) -> float:
    """Minutes after the end of the window in which the start lies."""
    if p.v_late[v] == 0:
        return 0.0
    least = NEVER
    for w in range(p.v_win_ptr[v], p.v_win_ptr[v + 1]):
        if p.win_lo[w] <= start <= p.win_hi[w] + p.v_late[v]:
            least = min(least, max(0.0, start - p.win_hi[w]))
    return least


@njit(cache=True, nogil=True)
def outside(p: Problem, v: int, start: float) -> float:
    """Minutes from the start to the nearest preferred window."""
    first, end = p.v_pref_ptr[v], p.v_pref_ptr[v + 1]
    least = NEVER if end > first else 0.0
    for w in range(first, end):
        least = min(least, max(0.0, p.pref_lo[w] - start, start - p.pref_hi[w]))
    return least


@njit(cache=True, nogil=True)
def go(
    p: Problem,
    s: State,
    slot: int,
    h: int,
    wait: int,
    lo: float,
    hi: float,
    time: float,
    place: int,
    pause: int,
) -> tuple[float, float, int]:
    """Serve `slot` next in shift h, being free at `time` at `place` with breaks from `pause` on to take.

    Returns (arrival, start, next break); start is -1 if impossible. Notes when breaks begin in `marks`.
    """
    v = p.s_visit[slot]
    rest = leg(p, p.h_mode[h], place, p.v_loc[v])
    access = 0.0 if place == p.v_loc[v] else p.v_access[v]
    caregiver = p.h_caregiver[h]
    start = open_start(p, slot, caregiver, time + rest + access, wait, lo, hi)
    while start >= 0 and pause < p.h_break_ptr[h + 1]:
        begin = max(time, p.b_lo[pause])
        gone = min(rest, begin - time)
        after = begin + p.b_minutes[pause]
        paused = -1.0
        if begin <= p.b_hi[pause]:
            paused = open_start(p, slot, caregiver, after + rest - gone + access, wait, lo, hi)
        if paused != start and start + p.s_minutes[slot] <= p.b_hi[pause]:
            break
        s.marks[pause] = begin
        start, time, rest, pause = paused, after, rest - gone, pause + 1
    return time + rest, start, pause


@njit(cache=True, nogil=True)
def finish(p: Problem, s: State, h: int, time: float, place: int, pause: int) -> float:
    """When shift h is back at its end location after its last stop; NEVER if that is too late.

    Breaks still to come may lie before, on or after the way back.
    """
    rest = leg(p, p.h_mode[h], place, p.h_to[h])
    back = -1.0
    while pause < p.h_break_ptr[h + 1]:
        begin = max(time, p.b_lo[pause])
        if begin > p.b_hi[pause]:
            return NEVER
        s.marks[pause] = begin
        gone = min(rest, begin - time)
        if gone == rest and back < 0:
            back = time + gone
        time, rest, pause = begin + p.b_minutes[pause], rest - gone, pause + 1
    if back < 0:
        back = time + rest
    return back if back <= p.h_end[h] else NEVER


@njit(cache=True, nogil=True)
def place_before(p: Problem, s: State, h: int, position: int) -> int:
    """The location in which shift h is before its stop number `position`."""
    if position == 0:
        return p.h_from[h]
    return p.v_loc[p.s_visit[s.route[h, position - 1]]]


@njit(cache=True, nogil=True)
def refresh(p: Problem, s: State, h: int, position: int) -> bool:
    """Schedule shift h again from `position` on. False if the sequence is not feasible.

    Taking a stop out can break a route too (without the triangle inequality the way may get longer):
    then `broken` says so, nothing is added to it, and the iteration is undone.
    """
    caregiver = p.h_caregiver[h]
    s.c_work[caregiver] -= s.r_work[h, s.r_work.shape[1] - 1]
    before = s.r_work[h, s.r_work.shape[1] - 1]
    place = place_before(p, s, h, position)
    time, pause = s.r_end[h, position], s.r_break[h, position]
    cost, work = s.r_cost[h, position], s.r_work[h, position]
    good = True
    for k in range(position, s.length[h]):
        slot = s.route[h, k]
        v = p.s_visit[slot]
        lo, hi = bounds(s, slot)
        _, start, pause = go(p, s, slot, h, s.s_wait[slot], lo, hi, time, place, pause)
        if start < 0:
            good = False
            break
        step = leg(p, p.h_mode[h], place, p.v_loc[v])
        work += step + (0.0 if place == p.v_loc[v] else p.v_access[v]) + p.s_minutes[slot]
        cost += step * p.weight[W_TRAVEL] + stop_cost(p, v, start)
        time, place = start + p.s_minutes[slot], p.v_loc[v]
        s.r_end[h, k + 1], s.r_break[h, k + 1] = time, pause
        s.r_cost[h, k + 1], s.r_work[h, k + 1] = cost, work
        s.s_start[slot] = start
        if p.has_running:
            tell(p, s, slot, caregiver, start)
    if good and s.length[h]:
        good = finish(p, s, h, time, place, pause) < NEVER
        work += leg(p, p.h_mode[h], place, p.h_to[h])
    total = work if s.length[h] else 0.0
    s.r_work[h, s.r_work.shape[1] - 1] = total
    s.c_work[caregiver] += total
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        s.l_minutes[p.h_limit[j]] += total - before
    s.sums[BROKEN] += int(not good) - int(s.broken[h])
    s.broken[h] = not good
    note_latest(p, s, h)
    return good


@njit(cache=True, nogil=True)
def note_latest(p: Problem, s: State, h: int) -> None:
    """Bound the starts of shift h from behind, breaks left out: a quick no for what cannot fit."""
    latest, place = p.h_end[h], p.h_to[h]
    s.r_latest[h, s.length[h]] = latest
    access = 0.0
    for k in range(s.length[h] - 1, -1, -1):
        slot = s.route[h, k]
        v = p.s_visit[slot]
        there = p.v_loc[v]
        latest -= leg(p, p.h_mode[h], there, place) + p.s_minutes[slot] + (0.0 if there == place else access)
        window = p.win_hi[p.v_win_ptr[v + 1] - 1] + p.v_late[v]
        latest = min(latest, s.s_fix[slot] if s.s_fix[slot] >= 0 else window)
        s.r_latest[h, k] = latest
        place, access = there, p.v_access[v]


@njit(cache=True, nogil=True)
def stop_cost(p: Problem, v: int, start: float) -> float:
    """Points of a start: tardiness and minutes outside preferred windows."""
    return p.weight[W_TARDINESS] * lateness(p, v, start) + p.weight[W_OUTSIDE] * outside(p, v, start)


@njit(cache=True, nogil=True)
def bounds(s: State, slot: int) -> tuple[float, float]:
    """The span a placed slot's start is held to: its fixed start, or anything."""
    fix = s.s_fix[slot]
    return (fix, fix) if fix >= 0 else (-1.0, NEVER)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def one_told(s: State, counts: np.ndarray, who: int, sign: int) -> None:
    before = counts[who]
    counts[who] += sign
    s.sums[TOLD] += int(counts[who] > 0) - int(before > 0)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def is_charged(p: Problem, s: State, slot: int) -> bool:
    """Whether the slot draws from a line of its own (the second of a visit charged once does not)."""
    v = p.s_visit[slot]
    return not p.v_once[v] or slot == p.v_slot0[v] or s.s_line[p.v_slot0[v]] < 0


@njit(cache=True, nogil=True)
def drawn(p: Problem, slot: int, line: int, unit: int) -> float:
    """What the slot draws from the line, in the given unit."""
    if unit == FEN:
        return p.n_price[line] * p.s_charge[slot, p.n_unit[line]]
    return p.s_charge[slot, unit]


@njit(cache=True, nogil=True)
def has_room(p: Problem, s: State, slot: int, line: int, day: int) -> bool:
    """Whether every budget of the line and every quota of the person can take the slot that day."""
    for j in range(p.n_cap_ptr[line], p.n_cap_ptr[line + 1]):
        k = p.n_cap[j]
        if p.k_first[k] <= day <= p.k_last[k]:
            amount = drawn(p, slot, line, p.k_unit[k])
            if amount > 0 and s.k_used[k] + amount > p.k_cap[k]:
                return False
    person = p.v_person[p.s_visit[slot]]
    if person < 0:
        return True
    for j in range(p.p_cap_ptr[person], p.p_cap_ptr[person + 1]):
        k = p.p_cap[j]
        if p.k_first[k] <= day <= p.k_last[k] and (p.k_line[k] < 0 or p.k_line[k] == line):
            amount = drawn(p, slot, line, p.k_unit[k])
            if amount > 0 and s.k_used[k] + amount > p.k_cap[k]:
                return False
    return True


@njit(cache=True, nogil=True)
def draw(p: Problem, s: State, slot: int, line: int, day: int, sign: float) -> None:
    """Book (sign 1) or give back (sign -1) what the slot draws."""
    for j in range(p.n_cap_ptr[line], p.n_cap_ptr[line + 1]):
        k = p.n_cap[j]
        if p.k_first[k] <= day <= p.k_last[k]:
            s.k_used[k] += sign * drawn(p, slot, line, p.k_unit[k])
    person = p.v_person[p.s_visit[slot]]
    if person < 0:
        return
    for j in range(p.p_cap_ptr[person], p.p_cap_ptr[person + 1]):
        k = p.p_cap[j]
        if p.k_first[k] <= day <= p.k_last[k] and (p.k_line[k] < 0 or p.k_line[k] == line):
            s.k_used[k] += sign * drawn(p, slot, line, p.k_unit[k])


@njit(cache=True, nogil=True)
def settle_charge(p: Problem, s: State, v: int) -> None:
    """Let exactly those slots of a visit draw that are charged now."""
    for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
        due = s.s_line[slot] >= 0 and is_charged(p, s, slot)
        if due != s.s_drawn[slot]:
            draw(p, s, slot, s.s_line[slot], p.h_day[s.s_shift[slot]], 1.0 if due else -1.0)
            s.s_drawn[slot] = due


@njit(cache=True, nogil=True)
def choose_line(p: Problem, s: State, slot: int, h: int, charged: bool) -> tuple[int, float]:
    """The line that would pay for the slot in shift h and its cost in fen; (-2, 0) if none can."""
    caregiver, day = p.h_caregiver[h], p.h_day[h]
    if not p.c_needs_line[caregiver]:
        return -1, p.c_cost[caregiver] * p.s_minutes[slot]
    best, least = -2, NEVER
    rule = p.v_rule[p.s_visit[slot]]
    for j in range(p.s_line_ptr[slot], p.s_line_ptr[slot + 1]):
        line = p.s_line[j]
        if p.n_organisation[line] != p.c_organisation[caregiver]:
            continue
        if not p.n_first[line] <= day <= p.n_last[line]:
            continue
        if not charged or has_room(p, s, slot, line, day):
            cost = drawn(p, slot, line, FEN) if charged else 0.0
            if cost < least:
                best, least = line, cost
            if rule != 2:
                break
        if rule == 0:
            break
    return best, (least if best >= 0 else 0.0)


@njit(cache=True, nogil=True)
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
        if s.l_visits[p.h_limit[j]] >= p.l_max_visits[p.h_limit[j]]:
            return False
    return True


@njit(cache=True, nogil=True)
def unfair(p: Problem, caregiver: int, work: float) -> float:
    capacity = p.c_capacity[caregiver]
    return np.floor(work * work / capacity) if capacity > 0 else 0.0


@njit(cache=True, nogil=True)
def work_fits(p: Problem, s: State, h: int, more: float) -> bool:
    for j in range(p.h_limit_ptr[h], p.h_limit_ptr[h + 1]):
        row = p.h_limit[j]
        if more > 0 and s.l_minutes[row] + more > p.l_max_minutes[row]:
            return False
    return True


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def fixed_points(p: Problem, s: State, slot: int, h: int) -> float:
    """Points of an insertion that do not depend on the position: preferences, new faces."""
    v, caregiver = p.s_visit[slot], p.h_caregiver[h]
    household = p.v_household[v]
    points = p.s_points[slot, caregiver]
    if not p.known[household, caregiver] and s.faces[household, caregiver] == 0:
        points += p.weight[W_NEW_FACE]
    return points


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def has_aim(p: Problem, slot: int, caregiver: int) -> bool:
    v = p.s_visit[slot]
    return p.s_run_caregiver[slot] == caregiver or p.v_pref_ptr[v + 1] > p.v_pref_ptr[v]


@njit(cache=True, nogil=True)
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
        s.l_visits[p.h_limit[j]] += 1
    return refresh(p, s, h, position)


@njit(cache=True, nogil=True)
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
        s.l_visits[p.h_limit[j]] -= 1
    s.s_shift[slot], s.s_start[slot], s.s_wait[slot], s.s_fix[slot] = -1, -1.0, 0, p.s_fix[slot]
    if p.has_running:
        tell(p, s, slot, -1, -1.0)
    refresh(p, s, h, position)
    return position


@njit(cache=True, nogil=True)
def fen_of(p: Problem, s: State, slot: int) -> float:
    """Public cost of a placed slot."""
    if s.s_line[slot] < 0:
        return p.c_cost[p.h_caregiver[s.s_shift[slot]]] * p.s_minutes[slot]
    return drawn(p, slot, s.s_line[slot], FEN) if s.s_drawn[slot] else 0.0


@njit(cache=True, nogil=True)
def way_back(p: Problem, s: State, h: int) -> float:
    """Travel minutes from the last stop of shift h to its end."""
    return leg(p, p.h_mode[h], place_before(p, s, h, s.length[h]), p.h_to[h]) if s.length[h] else 0.0


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def route_travel(p: Problem, s: State, h: int) -> float:
    total = way_back(p, s, h)
    for k in range(s.length[h]):
        place = p.v_loc[p.s_visit[s.route[h, k]]]
        total += leg(p, p.h_mode[h], place_before(p, s, h, k), place)
    return total


@njit(cache=True, nogil=True)
def timetable(p: Problem, s: State, h: int, arrivals: np.ndarray, late: np.ndarray) -> float:
    """Fill arrival and tardiness of the slots of shift h, and the marks of its breaks; returns when it is back."""
    place, time, pause = p.h_from[h], p.h_start[h], p.h_break_ptr[h]
    for k in range(s.length[h]):
        slot = s.route[h, k]
        lo, hi = bounds(s, slot)
        arrivals[slot], start, pause = go(p, s, slot, h, s.s_wait[slot], lo, hi, time, place, pause)
        late[slot] = lateness(p, p.s_visit[slot], start)
        time, place = start + p.s_minutes[slot], p.v_loc[p.s_visit[slot]]
    return finish(p, s, h, time, place, pause)


@njit(cache=True, nogil=True)
def energy(p: Problem, points: float, unserved: np.ndarray) -> float:
    """One number for the annealing: unserved visits weigh more than any ordinary saving."""
    return points + (p.rank_points * unserved).sum()


@njit(cache=True, nogil=True)
def is_better(points: float, unserved: np.ndarray, old_points: float, old_unserved: np.ndarray) -> bool:
    """The exact order of plans: lost pins, then unserved by rank, then the sum."""
    if unserved[LOST_PIN] != old_unserved[LOST_PIN]:
        return unserved[LOST_PIN] < old_unserved[LOST_PIN]
    for rank in range(LOST_PIN):
        if unserved[rank] != old_unserved[rank]:
            return unserved[rank] < old_unserved[rank]
    return points < old_points - 1e-6
