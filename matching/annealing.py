"""Chains of simulated annealing over one instance: its arrays, its state, and back to a plan.

The compiled part (`kernel.annealing`, `kernel.links`) keeps routes as linked stops and lets the starts of
two-person visits follow from both routes. It knows a part of the model: one window per visit, no breaks or
absences, no limits over several visits, no contract lines, no running plan. `suits` says whether an
instance keeps to that; the others are searched by ruin and recreate (`local_search`), on the same arrays
and with the same objective.
"""

from collections.abc import Callable
from functools import partial
from threading import Event

import numpy as np

from matching.kernel.annealing import MOST, anneal
from matching.kernel.board import Board
from matching.kernel.links import (
    ACCESS,
    CLOSE,
    END,
    HOUSE,
    LAST,
    NEXT,
    OFFSET,
    OPEN,
    OTHER,
    PLACE,
    POINTS,
    PREV,
    SHIFT,
    START,
    STAY,
    VISIT,
    note_latest,
    time_all,
    total,
)
from matching.kernel.problem import (
    LOST_PIN,
    NEVER,
    RANKS,
    W_COST,
    W_MAX_TARDINESS,
    W_NEW_FACE,
    W_TARDINESS,
    W_TRAVEL,
    W_UNFAIR,
    Problem,
)
from matching.search import Snapshot
from matching.stop import Stop
from matching.threads import together

SOFT = 300.0  # minutes of tardiness from which on a window is hardly a hard one
# Near stops looked at for each slot, and the first temperature in typical ways from a stop to the next: where
# windows are hard, room is scarce and the search must look farther.
NEAR, NEAR_HARD = 16, 40
HOT, HOT_HARD = 5.0, 25.0
COLD = 0.08  # the last temperature
HOTTER = 4.0  # every second chain begins so much hotter: it leaves more of the first plan behind
STEPS = 200  # annealing steps that count as one iteration of the budget
CHUNK = 25  # iterations between two looks at the clock: some 30 milliseconds
ROUND = 8000  # steps per slot for which it is better to cool down once more than to cool more slowly


def suits(p: Problem) -> bool:
    """Whether the instance uses only what the annealing knows."""
    limited = (p.l_max_minutes < NEVER).any() or (p.l_max_visits < 2**40).any()
    faces = (p.household_max_new < 2**40).any() or (p.c_max_new < 2**40).any() or p.weight[W_NEW_FACE] > 0
    unfair = p.weight[W_UNFAIR] > 0 and (p.c_capacity > 0).any()
    several = (np.diff(p.v_win_ptr) != 1).any() or len(p.pref_lo) > 0
    pinned = (p.s_pinned > 0) & (p.v_slots[p.s_visit] == 2)
    simple = not (limited or faces or unfair or several or pinned.any() or p.has_running or len(p.b_lo))
    return bool(simple and not p.c_needs_line.any() and not p.v_alone.any() and len(p.s_cand))


class Layout:
    """What all chains of an instance share."""

    def __init__(self, p: Problem) -> None:
        self.p = p
        self.slots, self.shifts = len(p.s_visit), len(p.h_start)
        self.nodes = self.slots + 2 * self.shifts
        away = p.travel.shape[1]
        self.travel = np.zeros((p.travel.shape[0], away + 1, away + 1))
        self.travel[:, :away, :away] = p.travel
        self.modes = p.h_mode
        self.fit = self._fit()
        self.net, self.times = self._nodes(away)
        late = self.times[: self.slots, LAST] - self.times[: self.slots, CLOSE]
        self.hard = bool((late < SOFT).any())
        weights = (p.weight[W_TRAVEL], p.weight[W_TARDINESS], p.weight[W_MAX_TARDINESS], self.hard, 0)
        self.weights = np.array(weights, dtype=np.float64)
        self.rules = (self._pairs(), p.v_mix, p.c_kind[p.h_caregiver])
        self.unserved = p.rank_points[p.v_rank].copy()
        np.add.at(self.unserved, p.s_visit, p.s_pinned * p.rank_points[LOST_PIN])
        self.near, self.scale = self._near()

    def _fit(self) -> np.ndarray:
        """Slot x shift: points of the person for the slot; NEVER where it is not allowed."""
        p = self.p
        fit = np.full((self.slots, self.shifts), NEVER)
        slots = np.repeat(np.arange(self.slots), np.diff(p.s_cand_ptr))
        who = p.h_caregiver[p.s_cand]
        fit[slots, p.s_cand] = p.s_points[slots, who] + p.weight[W_COST] * p.c_cost[who] * p.s_minutes[slots]
        return fit

    def _pairs(self) -> np.ndarray:
        """Shift x shift: whether their people may serve one visit together."""
        who = self.p.h_caregiver
        return self.p.c_together[np.ix_(who, who)]

    def _nodes(self, away: int) -> tuple[np.ndarray, np.ndarray]:
        p, n, m = self.p, self.slots, self.shifts
        v = p.s_visit
        net = np.full((self.nodes, 8), -1, dtype=np.int64)
        times = np.zeros((self.nodes, 10))
        net[:n, PLACE], net[:n, VISIT], net[:n, HOUSE] = p.v_loc[v], v, p.v_household[v]
        first = p.v_slot0[v] == np.arange(n)
        two = p.v_slots[v] == 2
        net[:n, OTHER] = np.where(two, np.arange(n) + np.where(first, 1, -1), -1)
        times[:n, OFFSET] = np.where(first, -p.v_offset_max[v], p.v_offset_min[v])
        low, high = p.win_lo[p.v_win_ptr[v]], p.win_hi[p.v_win_ptr[v]]
        fixed = p.s_fix >= 0
        times[:n, OPEN] = np.where(fixed, np.maximum(low, p.s_fix), low)
        times[:n, CLOSE] = high
        times[:n, LAST] = np.where(fixed, p.s_fix, high + p.v_late[v])
        times[:n, STAY], times[:n, ACCESS] = p.s_minutes, p.v_access[v]
        begins, ends = np.arange(n, n + m), np.arange(n + m, n + 2 * m)
        net[begins, PLACE] = np.where(p.h_from < 0, away, p.h_from)
        net[ends, PLACE] = np.where(p.h_to < 0, away, p.h_to)
        net[begins, SHIFT] = net[ends, SHIFT] = np.arange(m)
        net[begins, NEXT], net[ends, PREV] = ends, begins
        times[begins, START] = times[begins, END] = times[begins, LAST] = p.h_start
        times[begins, CLOSE] = times[ends, CLOSE] = NEVER
        times[ends, OPEN], times[ends, LAST] = -1.0, p.h_end
        times[:n, START] = -1.0
        return net, times

    def _near(self) -> tuple[np.ndarray, float]:
        """Per slot the slots that could well be next to it in a route, the nearest first; and a typical way."""
        p, n = self.p, self.slots
        v = p.s_visit
        width = min(NEAR_HARD if self.hard else NEAR, max(1, n - 1))
        able = (self.fit < NEVER).astype(np.float32)
        ways = p.travel.min(axis=0)
        opens, closes = self.times[:n, OPEN], self.times[:n, CLOSE]
        near = np.full((n, width), -1, dtype=np.int64)
        typical = []
        for x in range(n):
            to, back = ways[p.v_loc[v[x]], p.v_loc[v]], ways[p.v_loc[v], p.v_loc[v[x]]]
            after = _apart(to, opens, closes, opens[x] + p.s_minutes[x] + to, closes[x] + p.s_minutes[x] + to)
            ready, late = opens + p.s_minutes + back, closes + p.s_minutes + back
            apart = np.minimum(after, _apart(back, opens[x], closes[x], ready, late))
            good = (able @ able[x] > 0) & (v != v[x])
            apart = np.where(good, apart, NEVER)
            order = np.argsort(apart, kind="stable")[:width]
            order = order[good[order]]
            near[x, : len(order)] = order
            typical.append(float(to[order[:4]].mean()) if len(order) else 0.0)
        return near, max(0.5, float(np.mean(typical))) if typical else 1.0


def _apart(way: np.ndarray, opens, closes, ready: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Travel, and a part of the waiting, and the lateness that cannot be avoided, if one follows another."""
    return way + 0.2 * np.maximum(0.0, opens - late) + np.maximum(0.0, ready - closes)


class Chain:
    """One sequence of annealing steps with its own random numbers."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.net, self.times = layout.net.copy(), layout.times.copy()
        self.weights = layout.weights.copy()
        nodes = layout.nodes
        self.cost = np.zeros(6)
        self.journal = np.zeros((12 * nodes + 64, 2))
        self.log = np.zeros((8 * nodes + 64, 3), dtype=np.int64)
        self.waiting = np.zeros(nodes + 8, dtype=np.int64)
        self.chosen = np.zeros(MOST + 2, dtype=np.int64)
        self.random = np.array([(seed * 2654435761 + 88172645463325252) % 2**63 | 1], dtype=np.uint64)
        self.best = self.net[:, NEXT].copy()
        self.best_total = np.full(1, np.inf)
        self.board = Board(
            self.net,
            self.times,
            layout.travel,
            layout.modes,
            layout.fit,
            self.weights,
            layout.near,
            *layout.rules,
            layout.p.v_slot0,
            layout.p.v_slots,
            layout.unserved,
            self.cost,
            self.journal,
            self.log,
            self.waiting,
            self.chosen,
            self.random,
        )
        self.heat = 1.0
        self.iterations = 0
        self.expected = 0  # steps within the whole budget, once that can be guessed
        self.found: tuple[float, np.ndarray] = (np.inf, np.zeros(RANKS, dtype=np.int64))

    def load(self, following: np.ndarray) -> bool:
        """Make the plan with these links the present one. False if it is not feasible."""
        layout, net = self.layout, self.net
        n, m = layout.slots, layout.shifts
        net[:] = layout.net
        self.times[:] = layout.times
        points = 0.0
        served = np.zeros(n, dtype=np.bool_)
        for h in range(m):
            before, place, mode = n + h, net[n + h, PLACE], layout.modes[h]
            while (x := following[before]) < n:
                net[before, NEXT], net[x, PREV], net[x, SHIFT] = x, before, h
                points += layout.fit[x, h] + self.weights[0] * layout.travel[mode, place, net[x, PLACE]]
                served[x] = True
                before, place = x, net[x, PLACE]
            net[before, NEXT], net[n + m + h, PREV] = n + m + h, before
            if before < n:
                points += self.weights[0] * layout.travel[mode, place, net[n + m + h, PLACE]]
        self.cost[:] = 0.0
        self.cost[POINTS] = points + layout.unserved[~served[layout.p.v_slot0]].sum()
        good = time_all(
            net, self.times, layout.travel, layout.modes, self.weights, self.cost, self.journal, self.waiting, n
        )
        for h in range(m):
            note_latest(net, self.times, layout.travel, layout.modes, h, n + m + h)
        return bool(good)

    def start(self, following: np.ndarray) -> bool:
        """Load a plan and take it as the best so far."""
        good = self.load(following)
        if good:
            self.best[:] = self.net[:, NEXT]
            self.best_total[0] = total(self.cost, self.weights)
            self._note_found()
        return good

    def _note_found(self) -> None:
        """Keep what the best plan so far is worth, for those who ask while the chain runs on."""
        p, n = self.layout.p, self.layout.slots
        placed = np.zeros(n + self.layout.shifts * 2, dtype=np.bool_)
        placed[self.best[self.best >= 0]] = True
        missing = ~placed[:n][p.v_slot0]
        unserved = np.zeros(RANKS, dtype=np.int64)
        np.add.at(unserved, p.v_rank[missing], 1)
        unserved[LOST_PIN] = p.s_pinned[~placed[:n]].sum()
        self.found = (float(self.best_total[0] - self.layout.unserved[missing].sum()), unserved)

    def run(self, steps: int, temperature: float) -> int:
        """So many steps at one temperature, in points; returns how many were accepted."""
        before = self.best_total[0]
        accepted = int(anneal(self.board, self.best, self.best_total, steps, temperature))
        if self.best_total[0] < before:
            self._note_found()
        return accepted


def links_of(layout: Layout, plan: Snapshot) -> np.ndarray:
    """The plan's routes as links."""
    n, m = layout.slots, layout.shifts
    following = layout.net[:, NEXT].copy()
    for h in range(m):
        before = n + h
        for x in plan.route[h, : plan.length[h]]:
            following[before] = x
            before = int(x)
        following[before] = n + m + h
    return following


class Annealing:
    """Several chains in threads (the compiled code needs no interpreter), the best of which counts.

    Every chain has its own seed and its own share of the budget, so an iteration budget gives the same plan
    however the threads are scheduled.
    """

    def __init__(self, p: Problem, plan: Snapshot, seed: int, chains: int) -> None:
        self.layout = Layout(p)
        self.chains = [Chain(self.layout, seed + 7919 * number) for number in range(chains)]
        for chain in self.chains[1::2]:
            chain.heat = HOTTER
        links = links_of(self.layout, plan)
        for chain in self.chains:
            chain.start(links)

    @property
    def iterations(self) -> int:
        return max(chain.iterations for chain in self.chains)

    @property
    def best(self) -> Chain:
        """The chain with the best plan (the first of equals)."""
        return min(self.chains, key=lambda chain: chain.best_total[0])

    def run(self, stop: Stop, share: float, look: Callable[[], None]) -> None:
        """Cool down until this share of the budget is used; `look` is called now and then and may raise to end it."""
        together([partial(self._cool, chain, stop, share) for chain in self.chains], look)

    def _cool(self, chain: Chain, stop: Stop, share: float, enough: Event) -> None:
        typical = self.layout.scale * self.layout.weights[0]
        begun, hot = chain.iterations, chain.heat * (HOT_HARD if self.layout.hard else HOT)
        while (used := stop.fraction(chain.iterations) / share) < 1 and not enough.is_set():
            left = stop.iterations_left(chain.iterations)
            phase = (used * self._rounds(chain, used, begun, left)) % 1
            count = CHUNK if left is None else min(CHUNK, left)
            chain.run(count * STEPS, typical * hot * (COLD / hot) ** phase)
            chain.iterations += count

    def _rounds(self, chain: Chain, used: float, begun: int, left: int | None) -> int:
        """How often to cool down within the budget: often if the steps suffice for that."""
        if left is not None:
            steps = (chain.iterations + left) * STEPS
        elif used < 0.02:
            return 1
        else:
            chain.expected = chain.expected or int((chain.iterations - begun) * STEPS / used)
            steps = chain.expected
        return max(1, round(steps / (ROUND * self.layout.slots)))


def plan_of(layout: Layout, chain: Chain) -> Snapshot:
    """The best plan of a chain, two-person visits fixed where they start in it."""
    p = layout.p
    chain.load(chain.best)
    route = np.full((layout.shifts, p.route_length + 1), -1, dtype=np.int64)
    length = np.zeros(layout.shifts, dtype=np.int64)
    for h in range(layout.shifts):
        x = chain.net[layout.slots + h, NEXT]
        while x < layout.slots:
            route[h, length[h]] = x
            length[h] += 1
            x = chain.net[x, NEXT]
    paired = (p.v_slots[p.s_visit] == 2) & (chain.net[: layout.slots, SHIFT] >= 0)
    fix = np.where(paired, chain.times[: layout.slots, START], p.s_fix)
    nothing = np.zeros(layout.slots, dtype=np.int64)
    points, unserved = chain.found
    return Snapshot(route, length, nothing, fix, nothing - 1, points, unserved)
