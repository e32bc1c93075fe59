"""Simulated annealing over services: take a few visits out, put each back where it costs least, or undo.

A step takes out one visit, or a few that lie near each other (or one person of a two-person visit), and
puts them back one after the other at the place that looks cheapest among those beside near stops; some
places are overlooked at random (blinks). How dear the result may be is drawn before it is known, so most
steps end as soon as the removal, or the first estimate, shows that it is hopeless.

Kirkpatrick, Gelatt, Vecchi (1983), doi:10.1126/science.220.4598.671; slack induction by removals and
blinks: Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914.
"""

import numpy as np

from matching.kernel.board import Board, best_place, draw
from matching.kernel.compiled import jit
from matching.kernel.exchange import exchange
from matching.kernel.links import (
    LOGGED,
    NEXT,
    NOTED,
    OTHER,
    POINTS,
    PREV,
    SHIFT,
    VISIT,
    W_HARD,
    W_NOISE,
    W_WAY,
    detour_points,
    find_worst,
    go_back,
    link,
    move_start,
    note_latest,
    push,
    settle,
    total,
    unlink,
)
from matching.kernel.problem import NEVER

MORE = 0.65  # chance of one more
MOST = 12  # visits taken out in one step at most
EXCHANGE = 0.2  # share of steps that exchange the ends of two routes
WHOLE = 0.05  # share of the others that empty a short route
NOISE = 3.0  # how much, in temperatures, the cheapest place may be mistaken for another


@jit
def take_out(b: Board, count: int, slots: int, x: int) -> int:
    """Unlink a slot; the nodes whose start that changes are added to `waiting`. Returns their number."""
    before, after, h = b.net[x, PREV], b.net[x, NEXT], b.net[x, SHIFT]
    unlink(b.net, x)
    logged = int(b.cost[LOGGED])
    b.log[logged, 0], b.log[logged, 1], b.log[logged, 2] = x, before, h
    b.cost[LOGGED] = logged + 1
    b.cost[POINTS] -= b.fit[x, h] + b.weights[W_WAY] * detour_points(b.net, b.travel, b.modes[h], before, x, after)
    move_start(b.times, b.cost, b.journal, x, -1.0)
    for i in range(count):
        if b.waiting[i] == x:
            count -= 1
            b.waiting[i] = b.waiting[count]
            break
    count = push(b.waiting, count, after)
    y = b.net[x, OTHER]
    if y >= 0 and b.net[y, SHIFT] >= 0:
        count = push(b.waiting, count, y)
    if b.weights[W_HARD] > 0:
        note_latest(b.net, b.times, b.travel, b.modes, h, slots + len(b.modes) + h)
    return count


@jit
def put_in(b: Board, slots: int, x: int, before: int, limit: float) -> bool:
    """Link a slot behind `before` and settle; False if that is impossible or too dear."""
    h = b.net[before, SHIFT]
    b.cost[POINTS] += b.fit[x, h] + b.weights[W_WAY] * detour_points(
        b.net, b.travel, b.modes[h], before, x, b.net[before, NEXT]
    )
    link(b.net, x, before)
    logged = int(b.cost[LOGGED])
    b.log[logged, 0], b.log[logged, 1], b.log[logged, 2] = x, -1, h
    b.cost[LOGGED] = logged + 1
    b.waiting[0] = x
    if not settle(b.net, b.times, b.travel, b.modes, b.weights, b.cost, b.journal, b.waiting, 1, limit):
        return False
    find_worst(b.times, slots, b.cost)
    if b.weights[W_HARD] > 0:
        note_latest(b.net, b.times, b.travel, b.modes, h, slots + len(b.modes) + h)
    return True


@jit
def choose(b: Board, visits: int) -> int:
    """Fill `chosen` with the visits of one step; returns their number."""
    net, near, slot0, chosen, random = b.net, b.near, b.slot0, b.chosen, b.random
    v = int(draw(random) * visits)
    chosen[0] = v
    count = 1
    wanted = 1
    while wanted < MOST and draw(random) < MORE:
        wanted += 1
    x = slot0[v]
    string = draw(random) < 0.3
    if net[x, SHIFT] >= 0 and draw(random) < WHOLE:
        return all_stops(b, x)
    for _ in range(3 * wanted):
        if count >= wanted:
            break
        z = -1
        if string and net[x, SHIFT] >= 0:
            z = net[x, NEXT]
            if net[z, NEXT] < 0:
                string = False
                continue
            x = z
        else:
            u = draw(random)
            z = near[slot0[v], int(u * u * near.shape[1])]
        if z < 0:
            continue
        w = net[z, VISIT]
        known = False
        for i in range(count):
            known = known or chosen[i] == w
        if not known:
            chosen[count] = w
            count += 1
    return count


@jit
def all_stops(b: Board, x: int) -> int:
    """Fill `chosen` with the visits of the route of x, the last ones first, up to MOST; returns their number."""
    net, chosen = b.net, b.chosen
    while net[net[x, NEXT], NEXT] >= 0:
        x = net[x, NEXT]
    count = 0
    while net[x, PREV] >= 0 and count < MOST:
        chosen[count] = net[x, VISIT]
        count += 1
        x = net[x, PREV]
    return count


@jit
def step(b: Board, limit: float) -> bool:
    """One step; False (and something to undo) if its result is dearer than `limit`."""
    slots, visits = b.near.shape[0], len(b.slot0)
    count = choose(b, visits)
    v = b.chosen[0]
    alone = -1
    if count == 1 and b.numbers[v] == 2 and b.net[b.slot0[v], SHIFT] >= 0 and draw(b.random) < 0.6:
        alone = b.slot0[v] + int(draw(b.random) * 2)
    pending = 0
    for i in range(count):
        w = b.chosen[i]
        if b.net[b.slot0[w], SHIFT] < 0:
            b.cost[POINTS] -= b.unserved[w]
            continue
        for k in range(b.numbers[w]):
            x = b.slot0[w] + k
            if alone < 0 or alone == x:
                pending = take_out(b, pending, slots, x)
    if pending > 0:
        if not settle(b.net, b.times, b.travel, b.modes, b.weights, b.cost, b.journal, b.waiting, pending, NEVER):
            return False
        find_worst(b.times, slots, b.cost)
    for i in range(count):
        j = i + int(draw(b.random) * (count - i))
        w = b.chosen[j]
        b.chosen[j] = b.chosen[i]
        b.chosen[i] = w
        forbidden = -1 if i > 0 else previous(b, w, alone)
        if not serve(b, slots, w, alone, forbidden, limit):
            return False
        if b.net[b.slot0[w], SHIFT] < 0:
            b.cost[POINTS] += b.unserved[w]
            if total(b.cost, b.weights) > limit:
                return False
    return total(b.cost, b.weights) <= limit


@jit
def previous(b: Board, w: int, alone: int) -> int:
    """The stop behind which the visit's first slot (or the one taken out alone) was; -1 if it was nowhere."""
    slot0, cost, log = b.slot0, b.cost, b.log
    x = alone if alone >= 0 else slot0[w]
    for i in range(int(cost[LOGGED])):
        if log[i, 0] == x:
            return log[i, 1]
    return -1


@jit
def serve(b: Board, slots: int, w: int, alone: int, forbidden: int, limit: float) -> bool:
    """Put the missing slots of a visit in; nothing is put in if there is no place below the limit for the first.

    False if the step is lost: half of the visit is in, or what was put in turned out too dear.
    """
    weights, slot0, numbers, cost, random = b.weights, b.slot0, b.numbers, b.cost, b.random
    first = slot0[w]
    two = numbers[w] == 2 and alone < 0
    x = alone if alone >= 0 else first
    if two and forbidden < 0 and draw(random) < 0.5:
        x = first + 1
    before, _ = best_place(b, slots, x, forbidden, limit - total(cost, weights))
    if before < 0:
        return alone < 0
    if not put_in(b, slots, x, before, limit):
        return False
    if two:
        x = first + 1 if x == first else first
        before, _ = best_place(b, slots, x, -1, limit - total(cost, weights))
        if before < 0:
            return False
        return put_in(b, slots, x, before, limit)
    return True


@jit
def anneal(b: Board, best: np.ndarray, best_total: np.ndarray, steps: int, temperature: float) -> int:
    """Run so many steps at one temperature (in points); the best plan's links are kept. Returns steps accepted."""
    net, weights, near, cost, random = b.net, b.weights, b.near, b.cost, b.random
    saved = cost.copy()
    accepted = 0
    weights[W_NOISE] = NOISE * temperature
    for _ in range(steps):
        cost[NOTED], cost[LOGGED] = 0.0, 0.0
        saved[:] = cost
        limit = total(cost, weights) - temperature * np.log(1.0 - draw(random))
        good = exchange(b, limit) if draw(random) < EXCHANGE else step(b, limit)
        if not good:
            undo(b, saved, near.shape[0])
            continue
        accepted += 1
        now = total(cost, weights)
        if now < best_total[0] - 1e-7:
            best_total[0] = now
            best[:] = net[:, NEXT]
    cost[NOTED], cost[LOGGED] = 0.0, 0.0
    return accepted


@jit
def undo(b: Board, saved: np.ndarray, slots: int) -> None:
    """Go back to the plan before the step, latest starts included."""
    logged = int(b.cost[LOGGED])
    go_back(b.net, b.times, b.cost, b.journal, b.log, saved, len(b.modes), slots)
    if b.weights[W_HARD] > 0:
        for i in range(logged):
            for h in (b.log[i, 2], b.net[b.log[i, 0], SHIFT]):
                if h >= 0:
                    note_latest(b.net, b.times, b.travel, b.modes, h, slots + len(b.modes) + h)
