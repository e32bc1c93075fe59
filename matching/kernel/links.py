"""Routes as linked stops whose starts depend on one another: linking, unlinking, and settling the times.

A *node* is a slot, or the beginning or the end of a shift. Every start is the earliest that the stop
before, the window and the other slot of the visit allow:

    start = max(opening, end of the stop before + way, start of the other slot + offset)

so the starts are the least solution of a system of such equations. Linking or unlinking a node changes
few of them: `settle` follows the change from node to node, earliest first, and across two-person visits
into other routes, notes each old start in a journal, and gives up as soon as the plan is surely too dear
(starts only rise after an insertion). A ring of people waiting for each other lets starts rise without
end, so it is found in the same way.
"""

import numpy as np

from matching.kernel.compiled import jit
from matching.kernel.problem import NEVER

# Columns of the whole numbers of a node.
NEXT, PREV, SHIFT, PLACE, OTHER, VISIT, HOUSE = range(7)
# Columns of its minutes: start and end of service; opening and close of the window; last start allowed;
# duration; access; least distance to the start of the visit's other slot; last start that leaves time
# for the rest of the route.
START, END, OPEN, CLOSE, LAST, STAY, ACCESS, OFFSET, LATEST = range(9)
# What the plan in hand costs: points of travel and people; minutes of tardiness, and the largest; whether
# the largest must be looked for again; journal and log lengths.
POINTS, TARDY, WORST, STALE, NOTED, LOGGED = range(6)
# Weights: per minute of travel and of tardiness, of the largest tardiness; whether windows are hard; noise of the
# estimates.
W_WAY, W_LATE, W_WORST, W_HARD, W_NOISE = range(5)


@jit
def way(net: np.ndarray, times: np.ndarray, travel: np.ndarray, mode: int, origin: int, x: int) -> float:
    """Minutes from the end of service at `origin` until service at x can start."""
    a, b = net[origin, PLACE], net[x, PLACE]
    return travel[mode, a, b] + (times[x, ACCESS] if a != b else 0.0)


@jit
def opening(net: np.ndarray, times: np.ndarray, travel: np.ndarray, modes: np.ndarray, x: int) -> float:
    """The earliest start of x as its own route and window allow."""
    before = net[x, PREV]
    ready = times[before, END] + way(net, times, travel, modes[net[x, SHIFT]], before, x)
    return max(ready, times[x, OPEN])


@jit
def move_start(times: np.ndarray, cost: np.ndarray, journal: np.ndarray, x: int, start: float) -> None:
    """Give x another start and note the old one."""
    old, close = times[x, START], times[x, CLOSE]
    noted = int(cost[NOTED])
    journal[noted, 0], journal[noted, 1] = x, old
    cost[NOTED] = noted + 1
    times[x, START], times[x, END] = start, start + times[x, STAY]
    late, was = max(0.0, start - close), max(0.0, old - close)
    if late != was:
        cost[TARDY] += late - was
        if late > cost[WORST]:
            cost[WORST] = late
        elif was == cost[WORST]:
            cost[STALE] = 1.0


@jit
def push(waiting: np.ndarray, count: int, x: int) -> int:
    """Add x to the nodes whose start must be looked at, unless it is there."""
    for i in range(count):
        if waiting[i] == x:
            return count
    waiting[count] = x
    return count + 1


@jit
def total(cost: np.ndarray, weights: np.ndarray) -> float:
    return cost[POINTS] + weights[W_LATE] * cost[TARDY] + weights[W_WORST] * cost[WORST]


@jit
def settle(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    weights: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    waiting: np.ndarray,
    count: int,
    limit: float,
) -> bool:
    """Bring the starts of the `count` waiting nodes, and all that follow from them, up to date.

    False if a start would be too late, or the plan dearer than `limit`; the journal undoes what was done.
    """
    most = len(journal) - 4
    while count > 0:
        if cost[NOTED] >= most:
            return False
        first = 0
        for i in range(1, count):
            if times[waiting[i], START] < times[waiting[first], START]:
                first = i
        x = waiting[first]
        count -= 1
        waiting[first] = waiting[count]
        if net[x, NEXT] < 0 and net[net[x, PREV], PREV] < 0:
            continue  # an empty shift has no way home
        start = opening(net, times, travel, modes, x)
        y = net[x, OTHER]
        if y >= 0 and net[y, SHIFT] >= 0:
            other = opening(net, times, travel, modes, y)
            later = max(other, start + times[y, OFFSET])
            start = max(start, other + times[x, OFFSET])
            if later != times[y, START]:
                if later > times[y, LAST]:
                    return False
                move_start(times, cost, journal, y, later)
                count = push(waiting, count, net[y, NEXT])
        if start != times[x, START]:
            if start > times[x, LAST]:
                return False
            move_start(times, cost, journal, x, start)
            if net[x, NEXT] >= 0:
                count = push(waiting, count, net[x, NEXT])
        if total(cost, weights) > limit:
            return False
    return True


@jit
def find_worst(times: np.ndarray, slots: int, cost: np.ndarray) -> None:
    """Look for the largest tardiness again, if it is not known any more."""
    if cost[STALE] > 0:
        worst = 0.0
        for x in range(slots):
            worst = max(worst, times[x, START] - times[x, CLOSE])
        cost[WORST], cost[STALE] = worst, 0.0


@jit
def note_latest(net: np.ndarray, times: np.ndarray, travel: np.ndarray, modes: np.ndarray, h: int, last: int) -> None:
    """Bound the starts of shift h from behind; `last` is the node of its end."""
    x = last
    latest = times[x, LAST]
    times[x, LATEST] = latest
    while net[x, PREV] >= 0:
        before = net[x, PREV]
        latest -= way(net, times, travel, modes[h], before, x) + times[before, STAY]
        latest = min(latest, times[before, LAST])
        times[before, LATEST] = latest
        x = before


@jit
def detour_points(net: np.ndarray, travel: np.ndarray, mode: int, before: int, x: int, after: int) -> float:
    """More travel minutes if x lies between two nodes (0 on the way home of a shift without stops)."""
    a, b, c = net[before, PLACE], net[x, PLACE], net[after, PLACE]
    direct = 0.0 if net[before, PREV] < 0 and net[after, NEXT] < 0 else travel[mode, a, c]
    return travel[mode, a, b] + travel[mode, b, c] - direct


@jit
def link(net: np.ndarray, x: int, before: int) -> None:
    """Put x directly behind another node."""
    after = net[before, NEXT]
    net[x, PREV], net[x, NEXT], net[x, SHIFT] = before, after, net[before, SHIFT]
    net[before, NEXT], net[after, PREV] = x, x


@jit
def unlink(net: np.ndarray, x: int) -> None:
    before, after = net[x, PREV], net[x, NEXT]
    net[before, NEXT], net[after, PREV] = after, before
    net[x, SHIFT], net[x, NEXT] = -1, -1


@jit
def leg(net: np.ndarray, travel: np.ndarray, mode: int, x: int, y: int) -> float:
    """Travel minutes from x to y next to it (none in a shift without stops)."""
    if net[x, PREV] < 0 and net[y, NEXT] < 0:
        return 0.0
    return travel[mode, net[x, PLACE], net[y, PLACE]]


@jit
def cross(net: np.ndarray, p: int, q: int, shifts: int, slots: int) -> None:
    """Exchange what follows p in its shift and what follows q in another; doing it again undoes it."""
    g, h = net[p, SHIFT], net[q, SHIFT]
    a, b = net[p, NEXT], net[q, NEXT]
    end_g, end_h = slots + shifts + g, slots + shifts + h
    last_a, last_b = net[end_g, PREV], net[end_h, PREV]
    x = a
    while x != end_g:
        net[x, SHIFT] = h
        x = net[x, NEXT]
    x = b
    while x != end_h:
        net[x, SHIFT] = g
        x = net[x, NEXT]
    join(net, p, b if b != end_h else end_g)
    if b != end_h:
        join(net, last_b, end_g)
    join(net, q, a if a != end_g else end_h)
    if a != end_g:
        join(net, last_a, end_h)


@jit
def join(net: np.ndarray, x: int, y: int) -> None:
    net[x, NEXT], net[y, PREV] = y, x


@jit
def go_back(
    net: np.ndarray,
    times: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    saved: np.ndarray,
    shifts: int,
    slots: int,
) -> None:
    """Undo everything since journal and log were empty; `saved` is what the plan cost then."""
    for i in range(int(cost[LOGGED]) - 1, -1, -1):
        x, before = log[i, 0], log[i, 1]
        if before < -1:
            cross(net, x, -2 - before, shifts, slots)
        elif before < 0:
            unlink(net, x)
        else:
            link(net, x, before)
    for i in range(int(cost[NOTED]) - 1, -1, -1):
        x = int(journal[i, 0])
        times[x, START] = journal[i, 1]
        times[x, END] = journal[i, 1] + times[x, STAY]
    cost[:] = saved


@jit
def time_all(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    weights: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    waiting: np.ndarray,
    slots: int,
) -> bool:
    """Settle every start from nothing, route by route; False if the plan is not feasible."""
    shifts = len(modes)
    for x in range(slots):
        times[x, START], times[x, END] = -1.0, -1.0
    cost[TARDY], cost[WORST], cost[STALE] = 0.0, 0.0, 0.0
    for h in range(shifts):
        cost[NOTED] = 0.0
        waiting[0] = net[slots + h, NEXT]
        if not settle(net, times, travel, modes, weights, cost, journal, waiting, 1, NEVER):
            return False
    cost[NOTED] = 0.0
    find_worst(times, slots, cost)
    return True
