"""Schedules: a route's times follow from its sequence.

Everyone goes as early as possible, waits where a stop's `wait` flag says so (until what people were told,
or until a preferred window), and takes a break where it costs nothing, else as late as its window allows.
The two slots of a two-person visit get a fixed start when they are inserted, so every route can be
scheduled by itself.
"""

import numpy as np

from matching.kernel.compiled import jit
from matching.kernel.handles import BROKEN, State
from matching.kernel.problem import NEVER, W_OUTSIDE, W_TARDINESS, W_TRAVEL, Problem
from matching.kernel.tellings import tell


@jit
def leg(p: Problem, mode: int, origin: int, destination: int) -> float:
    return 0.0 if origin < 0 or destination < 0 else p.travel[mode, origin, destination]


@jit
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


@jit
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


@jit
def has_aim(p: Problem, slot: int, caregiver: int) -> bool:
    v = p.s_visit[slot]
    return p.s_run_caregiver[slot] == caregiver or p.v_pref_ptr[v + 1] > p.v_pref_ptr[v]


@jit
def lateness(p: Problem, v: int, start: float) -> float:
    """Minutes after the end of the window in which the start lies."""
    if p.v_late[v] == 0:
        return 0.0
    least = NEVER
    for w in range(p.v_win_ptr[v], p.v_win_ptr[v + 1]):
        if p.win_lo[w] <= start <= p.win_hi[w] + p.v_late[v]:
            least = min(least, max(0.0, start - p.win_hi[w]))
    return least


@jit
def outside(p: Problem, v: int, start: float) -> float:
    """Minutes from the start to the nearest preferred window."""
    first, end = p.v_pref_ptr[v], p.v_pref_ptr[v + 1]
    least = NEVER if end > first else 0.0
    for w in range(first, end):
        least = min(least, max(0.0, p.pref_lo[w] - start, start - p.pref_hi[w]))
    return least


@jit
def stop_cost(p: Problem, v: int, start: float) -> float:
    """Points of a start: tardiness and minutes outside preferred windows."""
    return p.weight[W_TARDINESS] * lateness(p, v, start) + p.weight[W_OUTSIDE] * outside(p, v, start)


@jit
def bounds(s: State, slot: int) -> tuple[float, float]:
    """The span a placed slot's start is held to: its fixed start, or anything."""
    fix = s.s_fix[slot]
    return (fix, fix) if fix >= 0 else (-1.0, NEVER)


@jit
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


@jit
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


@jit
def place_before(p: Problem, s: State, h: int, position: int) -> int:
    """The location in which shift h is before its stop number `position`."""
    if position == 0:
        return p.h_from[h]
    return p.v_loc[p.s_visit[s.route[h, position - 1]]]


@jit
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


@jit
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


@jit
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


@jit
def way_back(p: Problem, s: State, h: int) -> float:
    """Travel minutes from the last stop of shift h to its end."""
    return leg(p, p.h_mode[h], place_before(p, s, h, s.length[h]), p.h_to[h]) if s.length[h] else 0.0


@jit
def route_travel(p: Problem, s: State, h: int) -> float:
    total = way_back(p, s, h)
    for k in range(s.length[h]):
        place = p.v_loc[p.s_visit[s.route[h, k]]]
        total += leg(p, p.h_mode[h], place_before(p, s, h, k), place)
    return total
