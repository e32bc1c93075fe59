"""Exchanging the ends of two routes, or the whole of them (2-opt* of vehicle routing)."""

from matching.kernel.board import Board, draw, may_join
from matching.kernel.compiled import jit
from matching.kernel.links import (
    LOGGED,
    NEXT,
    POINTS,
    PREV,
    SHIFT,
    TARDY,
    W_HARD,
    W_LATE,
    W_WAY,
    W_WORST,
    WORST,
    cross,
    find_worst,
    leg,
    note_latest,
    push,
    settle,
    total,
)
from matching.kernel.problem import NEVER


@jit
def exchange(b: Board, limit: float) -> bool:
    """Exchange the ends of two routes (or the whole of them); False if it is impossible or too dear."""
    slots, shifts = b.near.shape[0], len(b.modes)
    p, q = cut(b, slots, shifts)
    if p < 0:
        return False
    g, h = b.net[p, SHIFT], b.net[q, SHIFT]
    end_g, end_h = slots + shifts + g, slots + shifts + h
    first, second = b.net[p, NEXT], b.net[q, NEXT]
    if first == end_g and second == end_h:
        return False
    gain = moved_points(b, p, g, h, end_g)
    gain += moved_points(b, q, h, g, end_h)
    if gain >= NEVER / 2:
        return False
    gain -= outer_points(b, p, g, end_g) + outer_points(b, q, h, end_h)
    cross(b.net, p, q, shifts, slots)
    logged = int(b.cost[LOGGED])
    b.log[logged, 0], b.log[logged, 1], b.log[logged, 2] = p, -2 - q, h
    b.cost[LOGGED] = logged + 1
    first, second = b.net[p, NEXT], b.net[q, NEXT]
    b.cost[POINTS] += gain + outer_points(b, p, g, end_g) + outer_points(b, q, h, end_h)
    most = limit + b.weights[W_LATE] * b.cost[TARDY] + b.weights[W_WORST] * b.cost[WORST]
    if b.cost[POINTS] > limit or not all_join(b, first, end_g) or not all_join(b, second, end_h):
        return False
    count = push(b.waiting, 0, first)
    count = push(b.waiting, count, second)
    count = push(b.waiting, count, end_g)  # the stops may keep their starts and still have another way home
    count = push(b.waiting, count, end_h)
    if not settle(b.net, b.times, b.travel, b.modes, b.weights, b.cost, b.journal, b.waiting, count, most):
        return False
    find_worst(b.times, slots, b.cost)
    if b.weights[W_HARD] > 0:
        note_latest(b.net, b.times, b.travel, b.modes, g, end_g)
        note_latest(b.net, b.times, b.travel, b.modes, h, end_h)
    return total(b.cost, b.weights) <= limit


@jit
def outer_points(b: Board, p: int, h: int, end: int) -> float:
    """Points of the way on from p in shift h, and of the way to its end."""
    minutes = leg(b.net, b.travel, b.modes[h], p, b.net[p, NEXT])
    if b.net[p, NEXT] != end:
        minutes += leg(b.net, b.travel, b.modes[h], b.net[end, PREV], end)
    return b.weights[W_WAY] * minutes


@jit
def cut(b: Board, slots: int, shifts: int) -> tuple[int, int]:
    """Where to cut two routes: so that near stops come next to each other, or whole routes; (-1, -1): nowhere."""
    net, near, random = b.net, b.near, b.random
    x = int(draw(random) * slots)
    if net[x, SHIFT] < 0:
        return -1, -1
    dice = draw(random)
    if dice < 0.15:
        h = int(draw(random) * shifts)
        if h == net[x, SHIFT]:
            return -1, -1
        return (slots + net[x, SHIFT] if dice < 0.1 else net[x, PREV]), slots + h
    u = draw(random)
    z = near[x, int(u * u * near.shape[1])]
    if z < 0 or net[z, SHIFT] < 0 or net[z, SHIFT] == net[x, SHIFT]:
        return -1, -1
    return x, net[z, PREV]


@jit
def moved_points(b: Board, p: int, g: int, h: int, end: int) -> float:
    """More points if all stops after p go from shift g to h, but for the ways at their two ends."""
    net, travel, modes, fit, weights = b.net, b.travel, b.modes, b.fit, b.weights
    points = 0.0
    x = net[p, NEXT]
    while x != end:
        if fit[x, h] >= NEVER:
            return NEVER
        points += fit[x, h] - fit[x, g]
        y = net[x, NEXT]
        if y != end and modes[g] != modes[h]:
            points += weights[W_WAY] * (leg(net, travel, modes[h], x, y) - leg(net, travel, modes[g], x, y))
        x = y
    return points


@jit
def all_join(b: Board, x: int, end: int) -> bool:
    """Whether all stops from x on may be served together with whoever serves their other slots."""
    net = b.net
    while x != end:
        if not may_join(b, x, net[x, SHIFT]):
            return False
        x = net[x, NEXT]
    return True
