"""What an annealing chain works on, and where a slot would cost least."""

from typing import NamedTuple

import numpy as np

from matching.kernel.compiled import jit
from matching.kernel.links import (
    CLOSE,
    END,
    LAST,
    LATEST,
    NEXT,
    OFFSET,
    OPEN,
    OTHER,
    PREV,
    SHIFT,
    START,
    STAY,
    VISIT,
    W_HARD,
    W_LATE,
    W_NOISE,
    W_WAY,
    W_WORST,
    WORST,
    detour_points,
    way,
)
from matching.kernel.problem import NEVER

BLINK = 0.02
EMPTY_TRIES = 2  # shifts without stops looked at for each slot


class Board(NamedTuple):
    """All that a chain works on: nodes, what is allowed, what the plan costs, and how to undo a step."""

    net: np.ndarray
    times: np.ndarray
    travel: np.ndarray
    modes: np.ndarray
    fit: np.ndarray
    weights: np.ndarray
    near: np.ndarray
    pairs: np.ndarray
    mixes: np.ndarray
    kinds: np.ndarray
    slot0: np.ndarray
    numbers: np.ndarray
    unserved: np.ndarray
    cost: np.ndarray
    journal: np.ndarray
    log: np.ndarray
    waiting: np.ndarray
    chosen: np.ndarray
    random: np.ndarray


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
def place_points(b: Board, worst: float, x: int, before: int, soonest: float, least: float) -> float:
    """What x would cost behind `before`, other routes left aside: never more than it will; NEVER if impossible.

    `soonest` is the earliest start that the other slot allows. Gives up above `least`.
    """
    net, times, travel, modes, fit, weights = b.net, b.times, b.travel, b.modes, b.fit, b.weights
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
    free, last, y = start + times[x, STAY], x, after
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
def may_join(b: Board, x: int, h: int) -> bool:
    """Whether shift h may serve x together with whoever serves the other slot."""
    net, pairs, mixes, kinds, slot0 = b.net, b.pairs, b.mixes, b.kinds, b.slot0
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
def best_place(b: Board, slots: int, x: int, forbidden: int, limit: float) -> tuple[int, float]:
    """The stop behind which x looks cheapest, and its points; (-1, NEVER) if nothing is below `limit`."""
    best, least = -1, NEVER
    y = b.net[x, OTHER]
    soonest = b.times[x, OPEN]
    if y >= 0 and b.net[y, SHIFT] >= 0:
        soonest = max(soonest, b.times[y, START] + b.times[x, OFFSET])
    for k in range(b.near.shape[1] + EMPTY_TRIES):
        if k < b.near.shape[1]:
            z = b.near[x, k]
            if z < 0 or b.net[z, SHIFT] < 0:
                continue
        else:
            z = slots + int(draw(b.random) * len(b.modes))
            if b.net[b.net[z, NEXT], NEXT] >= 0:
                continue
        h = b.net[z, SHIFT]
        if b.fit[x, h] >= limit or draw(b.random) < BLINK:
            continue
        if y >= 0 and not may_join(b, x, h):
            continue
        for _ in range(2):
            if z != forbidden:
                noise = b.weights[W_NOISE] * draw(b.random)
                most = min(limit, least - noise)
                points = place_points(b, b.cost[WORST], x, z, soonest, most)
                if points < most:
                    best, least = z, points + noise
            z = b.net[z, PREV]
            if z < 0:
                break
    return best, least
