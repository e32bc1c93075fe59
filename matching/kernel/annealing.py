"""Simulated annealing over services: take a few visits out, put each back where it costs least, or undo.

A step takes out one visit, or a few that lie near each other (or one person of a two-person visit), and
puts them back one after the other at the place that looks cheapest among those beside near stops; some
places are overlooked at random (blinks). How dear the result may be is drawn before it is known, so most
steps end as soon as the removal, or the first estimate, shows that it is hopeless.

Kirkpatrick, Gelatt, Vecchi (1983), doi:10.1126/science.220.4598.671; slack induction by removals and
blinks: Christiaens, Vanden Berghe (2020), doi:10.1287/trsc.2019.0914.
"""

import numpy as np

from matching.kernel.compiled import jit
from matching.kernel.links import (
    CLOSE,
    END,
    LAST,
    LATEST,
    LOGGED,
    NEXT,
    NOTED,
    OFFSET,
    OPEN,
    OTHER,
    POINTS,
    PREV,
    SHIFT,
    START,
    STAY,
    VISIT,
    W_HARD,
    W_LATE,
    W_WAY,
    W_WORST,
    WORST,
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
    way,
)
from matching.kernel.problem import NEVER

BLINK = 0.08  # share of places overlooked
MOST = 8  # visits taken out in one step at most
EMPTY_TRIES = 2  # shifts without stops looked at for each slot


@jit
def draw(random: np.ndarray) -> float:
    """A number in [0, 1) from an xorshift generator (Marsaglia 2003)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@jit
def place_points(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    worst: float,
    x: int,
    before: int,
    soonest: float,
    least: float,
) -> float:
    """What x would cost behind `before`, other routes left aside: never more than it will; NEVER if impossible.

    `soonest` is the earliest start that the other slot allows. Gives up above `least`.
    """
    h, after = net[before, SHIFT], net[before, NEXT]
    mode = modes[h]
    points = fit[x, h] + weights[W_WAY] * detour_points(net, travel, mode, before, x, after)
    if points >= least:
        return NEVER
    start = max(times[before, END] + way(net, times, travel, mode, before, x), soonest)
    if start > times[x, LAST]:
        return NEVER
    late = max(0.0, start - times[x, CLOSE])
    latest = max(worst, late)
    points += weights[W_LATE] * late
    free, x = start + times[x, STAY], x
    last = x
    y = after
    first = True
    while points < least:
        ready = free + way(net, times, travel, mode, last, y)
        if first and weights[W_HARD] > 0 and ready > times[y, LATEST]:
            return NEVER
        first = False
        if ready <= times[y, START]:
            break
        if net[y, NEXT] < 0:
            if ready > times[y, LAST]:
                return NEVER
            break
        late = max(0.0, ready - times[y, CLOSE])
        points += weights[W_LATE] * (late - max(0.0, times[y, START] - times[y, CLOSE]))
        latest = max(latest, late)
        free, last = ready + times[y, STAY], y
        y = net[y, NEXT]
    return points + weights[W_WORST] * (latest - worst)


@jit
def may_join(
    net: np.ndarray, pairs: np.ndarray, mixes: np.ndarray, kinds: np.ndarray, slot0: np.ndarray, x: int, h: int
) -> bool:
    """Whether shift h may serve x together with whoever serves the other slot."""
    y = net[x, OTHER]
    if y < 0 or net[y, SHIFT] < 0:
        return True
    g = net[y, SHIFT]
    if not pairs[h, g]:
        return False
    v = net[x, VISIT]
    bit = 3 * kinds[h] + kinds[g] if slot0[v] == x else 3 * kinds[g] + kinds[h]
    return (mixes[v] >> bit) & 1 == 1


@jit
def best_place(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    near: np.ndarray,
    rules: tuple,
    cost: np.ndarray,
    random: np.ndarray,
    slots: int,
    x: int,
    forbidden: int,
    limit: float,
) -> tuple[int, float]:
    """The stop behind which x looks cheapest, and its points; (-1, NEVER) if nothing is below `limit`."""
    pairs, mixes, kinds, slot0 = rules
    best, least = -1, limit
    y = net[x, OTHER]
    soonest = times[x, OPEN]
    if y >= 0 and net[y, SHIFT] >= 0:
        soonest = max(soonest, times[y, START] + times[x, OFFSET])
    for k in range(near.shape[1]):
        z = near[x, k]
        if z < 0:
            break
        h = net[z, SHIFT]
        if h < 0 or fit[x, h] >= least or draw(random) < BLINK:
            continue
        if y >= 0 and not may_join(net, pairs, mixes, kinds, slot0, x, h):
            continue
        if z != forbidden:
            points = place_points(net, times, travel, modes, fit, weights, cost[WORST], x, z, soonest, least)
            if points < least:
                best, least = z, points
        z = net[z, PREV]
        if z != forbidden:
            points = place_points(net, times, travel, modes, fit, weights, cost[WORST], x, z, soonest, least)
            if points < least:
                best, least = z, points
    for _ in range(EMPTY_TRIES):
        h = int(draw(random) * len(modes))
        z = slots + h
        if net[net[z, NEXT], NEXT] >= 0 or fit[x, h] >= least or z == forbidden:
            continue
        if may_join(net, pairs, mixes, kinds, slot0, x, h):
            points = place_points(net, times, travel, modes, fit, weights, cost[WORST], x, z, soonest, least)
            if points < least:
                best, least = z, points
    return best, least


@jit
def take_out(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    waiting: np.ndarray,
    count: int,
    slots: int,
    x: int,
) -> int:
    """Unlink a slot; the nodes whose start that changes are added to `waiting`. Returns their number."""
    before, after, h = net[x, PREV], net[x, NEXT], net[x, SHIFT]
    unlink(net, x)
    logged = int(cost[LOGGED])
    log[logged, 0], log[logged, 1], log[logged, 2] = x, before, h
    cost[LOGGED] = logged + 1
    cost[POINTS] -= fit[x, h] + weights[W_WAY] * detour_points(net, travel, modes[h], before, x, after)
    move_start(times, cost, journal, x, -1.0)
    for i in range(count):
        if waiting[i] == x:
            count -= 1
            waiting[i] = waiting[count]
            break
    count = push(waiting, count, after)
    y = net[x, OTHER]
    if y >= 0 and net[y, SHIFT] >= 0:
        count = push(waiting, count, y)
    if weights[W_HARD] > 0:
        note_latest(net, times, travel, modes, h, slots + len(modes) + h)
    return count


@jit
def put_in(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    waiting: np.ndarray,
    slots: int,
    x: int,
    before: int,
    limit: float,
) -> bool:
    """Link a slot behind `before` and settle; False if that is impossible or too dear."""
    h = net[before, SHIFT]
    cost[POINTS] += fit[x, h] + weights[W_WAY] * detour_points(net, travel, modes[h], before, x, net[before, NEXT])
    link(net, x, before)
    logged = int(cost[LOGGED])
    log[logged, 0], log[logged, 1], log[logged, 2] = x, -1, h
    cost[LOGGED] = logged + 1
    waiting[0] = x
    if not settle(net, times, travel, modes, weights, cost, journal, waiting, 1, limit):
        return False
    find_worst(times, slots, cost)
    if weights[W_HARD] > 0:
        note_latest(net, times, travel, modes, h, slots + len(modes) + h)
    return True


@jit
def choose(
    net: np.ndarray, near: np.ndarray, slot0: np.ndarray, random: np.ndarray, chosen: np.ndarray, visits: int
) -> int:
    """Fill `chosen` with the visits of one step; returns their number."""
    v = int(draw(random) * visits)
    chosen[0] = v
    count = 1
    dice = draw(random)
    wanted = 1
    if dice < 0.45:
        wanted = 2
        if dice < 0.2:
            wanted = 3
            if dice < 0.08:
                wanted = 4 + int(draw(random) * (MOST - 3))
    x = slot0[v]
    string = draw(random) < 0.3
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
def step(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    near: np.ndarray,
    rules: tuple,
    unserved: np.ndarray,
    numbers: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    waiting: np.ndarray,
    chosen: np.ndarray,
    random: np.ndarray,
    limit: float,
) -> bool:
    """One step; False (and something to undo) if its result is dearer than `limit`."""
    slot0 = rules[3]
    slots, visits = near.shape[0], len(slot0)
    count = choose(net, near, slot0, random, chosen, visits)
    v = chosen[0]
    alone = -1
    forbidden = -1
    if count == 1:
        x = slot0[v] + int(draw(random) * numbers[v])
        if net[x, SHIFT] >= 0:
            forbidden = net[x, PREV]
            if numbers[v] == 2 and draw(random) < 0.6:
                alone = x
    pending = 0
    for i in range(count):
        w = chosen[i]
        if net[slot0[w], SHIFT] < 0:
            cost[POINTS] -= unserved[w]
            continue
        for k in range(numbers[w]):
            x = slot0[w] + k
            if alone < 0 or alone == x:
                pending = take_out(
                    net, times, travel, modes, fit, weights, cost, journal, log, waiting, pending, slots, x
                )
    if pending > 0:
        if not settle(net, times, travel, modes, weights, cost, journal, waiting, pending, NEVER):
            return False
        find_worst(times, slots, cost)
    for i in range(count):
        j = i + int(draw(random) * (count - i))
        w = chosen[j]
        chosen[j] = chosen[i]
        chosen[i] = w
        if not serve(
            net,
            times,
            travel,
            modes,
            fit,
            weights,
            near,
            rules,
            numbers,
            cost,
            journal,
            log,
            waiting,
            random,
            slots,
            w,
            alone,
            forbidden,
            limit,
        ):
            return False
        if net[slot0[w], SHIFT] < 0:
            cost[POINTS] += unserved[w]
            if total(cost, weights) > limit:
                return False
    return total(cost, weights) <= limit


@jit
def serve(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    near: np.ndarray,
    rules: tuple,
    numbers: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    waiting: np.ndarray,
    random: np.ndarray,
    slots: int,
    w: int,
    alone: int,
    forbidden: int,
    limit: float,
) -> bool:
    """Put the missing slots of a visit in; nothing is put in if there is no place below the limit for the first.

    False if the step is lost: half of the visit is in, or what was put in turned out too dear.
    """
    first = rules[3][w]
    two = numbers[w] == 2 and alone < 0
    x = alone if alone >= 0 else first
    if two and draw(random) < 0.5:
        x = first + 1
    before, _ = best_place(
        net,
        times,
        travel,
        modes,
        fit,
        weights,
        near,
        rules,
        cost,
        random,
        slots,
        x,
        forbidden,
        limit - total(cost, weights),
    )
    if before < 0:
        return alone < 0
    if not put_in(net, times, travel, modes, fit, weights, cost, journal, log, waiting, slots, x, before, limit):
        return False
    if two:
        x = first + 1 if x == first else first
        before, _ = best_place(
            net,
            times,
            travel,
            modes,
            fit,
            weights,
            near,
            rules,
            cost,
            random,
            slots,
            x,
            -1,
            limit - total(cost, weights),
        )
        if before < 0:
            return False
        return put_in(net, times, travel, modes, fit, weights, cost, journal, log, waiting, slots, x, before, limit)
    return True


@jit
def anneal(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    fit: np.ndarray,
    weights: np.ndarray,
    near: np.ndarray,
    rules: tuple,
    unserved: np.ndarray,
    numbers: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    waiting: np.ndarray,
    chosen: np.ndarray,
    random: np.ndarray,
    best: np.ndarray,
    best_total: np.ndarray,
    steps: int,
    temperature: float,
) -> int:
    """Run so many steps at one temperature (in points); the best plan's links are kept. Returns steps accepted."""
    saved = cost.copy()
    accepted = 0
    for _ in range(steps):
        cost[NOTED], cost[LOGGED] = 0.0, 0.0
        saved[:] = cost
        limit = total(cost, weights) - temperature * np.log(1.0 - draw(random))
        good = step(
            net,
            times,
            travel,
            modes,
            fit,
            weights,
            near,
            rules,
            unserved,
            numbers,
            cost,
            journal,
            log,
            waiting,
            chosen,
            random,
            limit,
        )
        if not good:
            undo(net, times, travel, modes, weights, cost, journal, log, saved, near.shape[0])
            continue
        accepted += 1
        now = total(cost, weights)
        if now < best_total[0] - 1e-7:
            best_total[0] = now
            best[:] = net[:, NEXT]
    cost[NOTED], cost[LOGGED] = 0.0, 0.0
    return accepted


@jit
def undo(
    net: np.ndarray,
    times: np.ndarray,
    travel: np.ndarray,
    modes: np.ndarray,
    weights: np.ndarray,
    cost: np.ndarray,
    journal: np.ndarray,
    log: np.ndarray,
    saved: np.ndarray,
    slots: int,
) -> None:
    """Go back to the plan before the step, latest starts included."""
    logged = int(cost[LOGGED])
    go_back(net, times, cost, journal, log, saved)
    if weights[W_HARD] > 0:
        for i in range(logged):
            h = log[i, 2]
            note_latest(net, times, travel, modes, h, slots + len(modes) + h)
