"""Small instances solved exactly, by CP-SAT over the whole problem.

One Boolean per slot and shift, one start per slot, one circuit per shift. Breaks and absences cut
journeys in two, which this model does not say, so instances with them are left to the search. Fractional
minutes are counted in thousandths, where only travel and tardiness have a price. The search's plan is the
hint; what is found is rebuilt with every rule checked, and only a plan that keeps the objective's exact
value counts as proven.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from matching.annealing import Chain, Layout, plan_of, suits
from matching.arrays import FULLY_PINNED, KINDS
from matching.coupling import covering_lines
from matching.cpsat import Solved, run
from matching.kernel.charges import draw, drawn
from matching.kernel.insertion import put
from matching.kernel.links import NEXT
from matching.kernel.problem import (
    FEN,
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
from matching.search import Search, Snapshot
from matching.stop import Stop

SIZE = 25  # visits
MOST_ARCS = 40_000
EFFORT = 5.0  # deterministic time without a limit of seconds
SHARE = 0.4  # of the seconds left
FINE = 1000
# All that is counted in minutes in the model (not: what is charged to a line).
MINUTES = (
    "travel",
    "s_minutes",
    "v_access",
    "v_late",
    "v_offset_min",
    "v_offset_max",
    "win_lo",
    "win_hi",
    "pref_lo",
    "pref_hi",
    "h_start",
    "h_end",
    "s_fix",
)


@dataclass
class _Model:
    """The CP-SAT model and its variables by what they mean."""

    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    takes: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)
    starts: dict[int, cp_model.IntVar] = field(default_factory=dict)
    placed: dict[int, cp_model.IntVar] = field(default_factory=dict)
    served: dict[int, cp_model.IntVar] = field(default_factory=dict)
    pays: dict[tuple[int, int, int], cp_model.IntVar] = field(default_factory=dict)
    arcs: dict[tuple[int, int, int], cp_model.IntVar] = field(default_factory=dict)
    late: list[cp_model.IntVar] = field(default_factory=list)
    terms: list[tuple[int, Any]] = field(default_factory=list)
    bound: int = 0
    priced: int = 0
    lexicographic: bool = True
    scale: int = 1

    def boolean(self) -> cp_model.IntVar:
        return self.cp.new_bool_var("")

    def price(self, points: float, var: cp_model.IntVar, most: int = 1) -> None:
        """Let `var`, which is at most `most`, cost so many points each."""
        if points:
            self.terms.append((round(points), var))
            self.bound += round(points) * most


def solve_exactly(search: Search, stop: Stop) -> Iterator[tuple[Snapshot, bool]]:
    """Yield the best plan CP-SAT finds for a small instance, and whether it is proven optimal."""
    if not is_small(search.problem):
        return
    left = stop.seconds_left()
    if left is not None and left < 0.1:
        return
    model = build_model(search)
    if not model.lexicographic:
        return
    hint(search, model)
    slack = stop.gap * model.scale * search.snapshot().points
    solved = run(model.cp, stop, seconds=SHARE * (left or 0), effort=EFFORT, slack=slack)
    if solved is None:
        return
    if model.scale > 1:
        found = _in_order(search, model, solved)
        if found is None or not search.load(found):
            return
    else:
        _rebuild(search, model, solved)
    plan = search.snapshot()
    loose = _loosened(search, plan)
    plan = plan if loose is None or plan.beats(loose) else loose
    yield plan, solved.optimal and plan.points <= _terms(model, solved) / model.scale + 0.5


def _terms(model: _Model, solved: Solved) -> float:
    """The weighted sum as the model sees it, without what is left out."""
    return sum(points * solved.value(var) for points, var in model.terms[: model.priced])


def _loosened(search: Search, plan: Snapshot) -> Snapshot | None:
    """The same routes with everyone as early as possible: the solver may start visits needlessly late."""
    p = search.problem
    fix, wait = plan.fix.copy(), plan.wait.copy()
    single = p.v_slots[p.s_visit] == 1
    fix[single] = p.s_fix[single]
    wait[single] = 1
    return search.snapshot() if search.load(replace(plan, fix=fix, wait=wait)) else None


def is_small(p: Problem) -> bool:
    """Whether CP-SAT takes it: few visits, no breaks, not too many arcs, times that can be counted."""
    if not 0 < len(p.v_slot0) <= SIZE or len(p.b_lo) or scale_of(p) is None:
        return False
    if p.v_alone.any() and (p.l_max_visits < 2**40).any():
        return False  # there the two places of one person count as one visit
    return sum(_stops_in(p, h) ** 2 for h in range(len(p.h_start))) <= MOST_ARCS


def scale_of(p: Problem) -> int | None:
    """How many units a minute has in the model: 1, or 1,000 where minutes are fractional and only prices of
    minutes of travel and tardiness matter; None if that is not enough."""
    counted = [getattr(p, name) for name in MINUTES]
    if not any((array % 1).any() for array in counted):
        return None if (p.s_charge % 1).any() else 1
    prices = np.delete(p.weight, [W_TRAVEL, W_TARDINESS, W_MAX_TARDINESS])
    plain = suits(p) and not (prices.any() or p.s_points.any())
    exact = all((np.abs(np.round(array * FINE) - array * FINE) < 1e-6).all() for array in counted)
    return FINE if plain and exact and p.h_end.max() * FINE < 2**31 else None


def scaled(p: Problem, scale: int) -> Problem:
    """The same problem counted in units of 1 / scale minutes."""
    return p._replace(**{name: np.round(getattr(p, name) * scale) for name in MINUTES}) if scale > 1 else p


def _stops_in(p: Problem, h: int) -> int:
    return int((p.s_cand == h).sum())


def build_model(search: Search) -> _Model:
    """The whole problem as one CP-SAT model."""
    model = _Model()
    model.scale = scale_of(search.problem) or 1
    p = scaled(search.problem, model.scale)
    _slots(p, model)
    _pairs(p, model)
    for h in range(len(p.h_start)):
        _circuit(p, model, h)
    _work(p, model)
    _lines(search, model)
    _faces(p, model)
    _told(p, model)
    _tardiness(p, model)
    _tiers(p, model)
    model.cp.minimize(sum(c * var for c, var in model.terms))
    return model


def _tiers(p: Problem, model: _Model) -> None:
    """Price what is left out so that no sum of lower things outweighs one higher thing.

    The first price exceeds all other terms together; each higher rank exceeds all lower ones.
    """
    lost: dict[float, list[cp_model.IntVar]] = {}
    for v, served in model.served.items():
        lost.setdefault(int(p.v_rank[v]), []).append(served)
    for slot in np.flatnonzero(p.s_pinned):
        rank = -1 if p.s_pinned[slot] == FULLY_PINNED else -0.5
        lost.setdefault(rank, []).append(model.placed[int(slot)])
    model.priced = len(model.terms)
    price = model.bound + 1
    for rank in sorted(lost, reverse=True):
        for there in lost[rank]:
            model.terms.append((price, 1 - there))
        price *= len(lost[rank]) + 1
    model.lexicographic = price < 2**60


def _slots(p: Problem, model: _Model) -> None:
    """Who takes a slot, when it starts, and whether its visit is served."""
    horizon = int(p.h_end.max())
    for slot in range(len(p.s_visit)):
        v = p.s_visit[slot]
        model.starts[slot] = model.cp.new_int_var(0, horizon, "")
        shifts = p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]
        for h in map(int, shifts):
            model.takes[slot, h] = model.boolean()
            model.price(p.s_points[slot, p.h_caregiver[h]], model.takes[slot, h])
        placed = model.placed[slot] = model.boolean()
        model.cp.add(sum(model.takes[slot, int(h)] for h in shifts) == placed)
        if p.s_fix[slot] >= 0:
            model.cp.add(model.starts[slot] == int(p.s_fix[slot])).only_enforce_if(placed)
        if slot == p.v_slot0[v]:
            model.served[int(v)] = model.boolean()


def _pairs(p: Problem, model: _Model) -> None:
    """Windows of all slots of a visit, offsets, different people, mixes; half staffed only by pins."""
    for v, served in model.served.items():
        slots = [int(p.v_slot0[v]) + k for k in range(int(p.v_slots[v]))]
        for slot in slots:
            model.cp.add_implication(served, model.placed[slot])
            if not p.s_pinned[slot]:
                model.cp.add_implication(model.placed[slot], served)
        model.cp.add_bool_or([served, *(model.placed[s].negated() for s in slots)])
        _windows(p, model, v, slots)
        if len(slots) == 2:
            a, b = slots
            offset = model.starts[b] - model.starts[a]
            low, high = int(p.v_offset_min[v]), int(p.v_offset_max[v])
            model.cp.add_linear_constraint(offset, low, high).only_enforce_if(served)
            for h in map(int, p.s_cand[p.s_cand_ptr[a] : p.s_cand_ptr[a + 1]]):
                for g in map(int, p.s_cand[p.s_cand_ptr[b] : p.s_cand_ptr[b + 1]]):
                    if not _together(p, v, h, g):
                        model.cp.add_at_most_one([model.takes[a, h], model.takes[b, g]])


def _together(p: Problem, v: int, h: int, g: int) -> bool:
    one, two = p.h_caregiver[h], p.h_caregiver[g]
    bit = len(KINDS) * p.c_kind[one] + p.c_kind[two]
    fits = p.v_alone[v] if one == two else p.c_together[one, two]
    return bool(fits) and bool((p.v_mix[v] >> bit) & 1)


def _windows(p: Problem, model: _Model, v: int, slots: list[int]) -> None:
    chosen = []
    for w in range(p.v_win_ptr[v], p.v_win_ptr[v + 1]):
        inside = model.boolean()
        chosen.append(inside)
        for slot in slots:
            span = (int(p.win_lo[w]), int(p.win_hi[w] + p.v_late[v]))
            condition = [inside, model.placed[slot]]
            model.cp.add_linear_constraint(model.starts[slot], *span).only_enforce_if(condition)
            if p.v_late[v]:
                late = model.cp.new_int_var(0, int(p.v_late[v]), "")
                model.cp.add(late >= model.starts[slot] - int(p.win_hi[w])).only_enforce_if(condition)
                model.price(p.weight[W_TARDINESS], late, int(p.v_late[v]))
                model.late.append(late)
    model.cp.add_exactly_one(chosen)
    soft = range(p.v_pref_ptr[v], p.v_pref_ptr[v + 1])
    if soft and p.weight[W_OUTSIDE]:
        for slot in slots:
            _preferred(p, model, slot, soft)


def _preferred(p: Problem, model: _Model, slot: int, soft: range) -> None:
    outside = model.cp.new_int_var(0, int(p.h_end.max()), "")
    nearest = [model.boolean() for _ in soft]
    model.cp.add_exactly_one(nearest)
    for near, w in zip(nearest, soft, strict=True):
        condition = [near, model.placed[slot]]
        model.cp.add(outside >= int(p.pref_lo[w]) - model.starts[slot]).only_enforce_if(condition)
        model.cp.add(outside >= model.starts[slot] - int(p.pref_hi[w])).only_enforce_if(condition)
    model.price(p.weight[W_OUTSIDE], outside, int(p.h_end.max()))


def _circuit(p: Problem, model: _Model, h: int) -> None:
    """The sequence of shift h: node 0 is its start and end."""
    slots = [slot for slot in range(len(p.s_visit)) if (slot, h) in model.takes]
    node = {slot: i + 1 for i, slot in enumerate(slots)}
    idle = model.boolean()
    literals: list[tuple[int, int, Any]] = [(0, 0, idle)]
    begin, end = int(p.h_start[h]), int(p.h_end[h])
    for slot in slots:
        literals.append((node[slot], node[slot], model.takes[slot, h].negated()))
        first, last = model.boolean(), model.boolean()
        literals += [(0, node[slot], first), (node[slot], 0, last)]
        place, start = int(p.v_loc[p.s_visit[slot]]), model.starts[slot]
        to, access = _step(p, h, int(p.h_from[h]), slot)
        model.cp.add(start >= begin + to + access).only_enforce_if(first)
        model.arcs[h, -1, slot] = first
        back = _leg(p, h, place, int(p.h_to[h]))
        model.cp.add(start + int(p.s_minutes[slot]) + back <= end).only_enforce_if(last)
        model.arcs[h, slot, -1] = last
        model.price(p.weight[W_TRAVEL] * to, first)
        model.price(p.weight[W_TRAVEL] * back, last)
        for other in slots:
            if other != slot and (p.s_visit[other] != p.s_visit[slot] or p.v_alone[p.s_visit[slot]]):
                arc = model.boolean()
                literals.append((node[slot], node[other], arc))
                travel, access = _step(p, h, place, other)
                ready = start + int(p.s_minutes[slot]) + travel + access
                model.cp.add(model.starts[other] >= ready).only_enforce_if(arc)
                model.price(p.weight[W_TRAVEL] * travel, arc)
                model.arcs[h, slot, other] = arc
    if slots:
        model.cp.add_circuit(literals)


def _leg(p: Problem, h: int, origin: int, destination: int) -> int:
    return 0 if origin < 0 or destination < 0 else int(p.travel[p.h_mode[h], origin, destination])


def _step(p: Problem, h: int, origin: int, slot: int) -> tuple[int, int]:
    """Travel and access minutes from a place to a slot."""
    v = p.s_visit[slot]
    place = int(p.v_loc[v])
    return _leg(p, h, origin, place), 0 if origin == place else int(p.v_access[v])


def _work(p: Problem, model: _Model) -> None:
    """Work limits and fairness."""
    work: dict[int, list] = {h: [] for h in range(len(p.h_start))}
    for (h, one, other), arc in model.arcs.items():
        origin = int(p.h_from[h]) if one < 0 else int(p.v_loc[p.s_visit[one]])
        if other < 0:
            work[h].append((_leg(p, h, origin, int(p.h_to[h])), arc))
        else:
            travel, access = _step(p, h, origin, other)
            work[h].append((travel + access + int(p.s_minutes[other]), arc))
    for row in range(len(p.l_max_minutes)):
        shifts = [h for h in work if row in p.h_limit[p.h_limit_ptr[h] : p.h_limit_ptr[h + 1]]]
        minutes = sum(m * arc for h in shifts for m, arc in work[h])
        visits = sum(var for (_, h), var in model.takes.items() if h in shifts)
        room = int(min(10**9, max(0, np.floor(p.l_max_minutes[row] - p.l_used_minutes[row]))))
        model.cp.add(minutes <= room)
        model.cp.add(visits <= int(max(0, p.l_max_visits[row] - p.l_used_visits[row])))
    if p.weight[W_UNFAIR]:
        for c in np.flatnonzero(p.c_capacity > 0):
            rows = [row for h in np.flatnonzero(p.h_caregiver == c) for row in work[int(h)]]
            if rows:
                _unfair(p, model, int(c), rows)


def _unfair(p: Problem, model: _Model, c: int, rows: list) -> None:
    most = sum(m for m, _ in rows)
    load = model.cp.new_int_var(0, most, "")
    model.cp.add(load == sum(m * arc for m, arc in rows))
    square = model.cp.new_int_var(0, most * most, "")
    model.cp.add_multiplication_equality(square, [load, load])
    share = model.cp.new_int_var(0, most * most, "")
    capacity = max(1, int(p.c_capacity[c]))
    model.cp.add_division_equality(share, square, capacity)
    model.price(p.weight[W_UNFAIR], share, most * most // capacity)


def _lines(search: Search, model: _Model) -> None:
    """Who pays, what it costs, and the caps."""
    p = search.problem
    caps: dict[int, list] = {}
    for (slot, h), takes in model.takes.items():
        caregiver = p.h_caregiver[h]
        if not p.c_needs_line[caregiver]:
            model.price(p.weight[W_COST] * p.c_cost[caregiver] * p.s_minutes[slot], takes)
            continue
        lines = covering_lines(p, slot, h)
        ways = []
        for line in lines:
            pays = model.pays[slot, h, line] = model.boolean()
            ways.append(pays)
            charged = _charged(p, model, slot, pays)
            model.price(p.weight[W_COST] * drawn(search.p, slot, line, FEN), charged)
            for k, amount in _drawn(search, slot, line, int(p.h_day[h])):
                caps.setdefault(k, []).append((amount, charged))
        model.cp.add(sum(ways) == takes)
    for k, rows in caps.items():
        room = int(max(0, p.k_cap[k] - p.k_used[k]))
        model.cp.add(sum(amount * var for amount, var in rows) <= room)


def _charged(p: Problem, model: _Model, slot: int, pays: cp_model.IntVar) -> cp_model.IntVar:
    """True where the slot draws: always, but for the second of a visit charged once."""
    v = p.s_visit[slot]
    first = int(p.v_slot0[v])
    if slot == first or not p.v_once[v]:
        return pays
    others = [var for (s, _, _), var in model.pays.items() if s == first]
    charged = model.boolean()
    model.cp.add(charged >= pays - sum(others))
    return charged


def _drawn(search: Search, slot: int, line: int, day: int) -> list[tuple[int, int]]:
    used = search.state.k_used
    before = used.copy()
    draw(search.p, search.s, slot, line, day, 1.0)
    found = [(int(k), round(used[k] - before[k])) for k in np.flatnonzero(used != before)]
    draw(search.p, search.s, slot, line, day, -1.0)
    return found


def _faces(p: Problem, model: _Model) -> None:
    """New faces: their price and the limits of households and caregivers."""
    pairs: dict[tuple[int, int], list] = {}
    for (slot, h), takes in model.takes.items():
        household, caregiver = int(p.v_household[p.s_visit[slot]]), int(p.h_caregiver[h])
        if not p.known[household, caregiver]:
            pairs.setdefault((household, caregiver), []).append(takes)
    new = {}
    for pair, rows in pairs.items():
        new[pair] = model.boolean()
        model.cp.add_max_equality(new[pair], rows)
        model.price(p.weight[W_NEW_FACE], new[pair])
    for household in {a for a, _ in new}:
        rows = [var for (a, _), var in new.items() if a == household]
        model.cp.add(sum(rows) <= int(p.household_max_new[household]))
    for caregiver in {b for _, b in new}:
        rows = [var for (_, b), var in new.items() if b == caregiver]
        model.cp.add(sum(rows) <= int(p.c_max_new[caregiver]))


def _told(p: Problem, model: _Model) -> None:
    """People who must be told of a change of the running plan."""
    households: dict[int, list] = {}
    caregivers: dict[int, list] = {}
    for slot in map(int, np.flatnonzero(p.s_run_caregiver >= 0)):
        run = int(p.s_run_caregiver[slot])
        own = [var for (s, h), var in model.takes.items() if s == slot and p.h_caregiver[h] == run]
        kept = model.boolean()
        low, high = int(p.s_run_start[slot] - p.run_tolerance), int(p.s_run_start[slot] + p.run_tolerance)
        model.cp.add_linear_constraint(model.starts[slot], low, high).only_enforce_if(kept)
        model.cp.add(kept <= sum(own))
        households.setdefault(int(p.v_household[p.s_visit[slot]]), []).append(1 - kept)
        caregivers.setdefault(run, []).append(1 - kept)
        for (s, h), var in model.takes.items():
            if s == slot and p.h_caregiver[h] != run:
                caregivers.setdefault(int(p.h_caregiver[h]), []).append(var)
    for rows in [*households.values(), *caregivers.values()]:
        told = model.boolean()
        for change in rows:
            model.cp.add(told >= change)
        model.price(p.weight[W_TOLD], told)


def _tardiness(p: Problem, model: _Model) -> None:
    if model.late and p.weight[W_MAX_TARDINESS]:
        latest = model.cp.new_int_var(0, int(p.v_late.max()), "")
        model.cp.add_max_equality(latest, model.late)
        model.price(p.weight[W_MAX_TARDINESS], latest, int(p.v_late.max()))


def hint(search: Search, model: _Model) -> None:
    """Tell the solver the present plan."""
    p, state = search.problem, search.state
    for (slot, h), var in model.takes.items():
        model.cp.add_hint(var, int(state.s_shift[slot] == h))
    for slot, var in model.starts.items():
        if state.s_shift[slot] >= 0:
            model.cp.add_hint(var, int(state.s_start[slot]))
    for (slot, h, line), var in model.pays.items():
        model.cp.add_hint(var, int(state.s_shift[slot] == h and state.s_line[slot] == line))
    for v, var in model.served.items():
        slots = slice(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v])
        model.cp.add_hint(var, int((state.s_shift[slots] >= 0).all()))


def _in_order(search: Search, model: _Model, solved: Solved) -> Snapshot | None:
    """The solver's routes with the starts that follow from them (its own are rounded to thousandths)."""
    layout = Layout(search.problem)
    following = layout.net[:, NEXT].copy()
    rows = [(solved.value(model.starts[slot]), slot, h) for (slot, h), var in model.takes.items() if solved.value(var)]
    last = {h: layout.slots + h for h in range(layout.shifts)}
    for _, slot, h in sorted(rows):
        following[last[h]], following[slot] = slot, layout.slots + layout.shifts + h
        last[h] = slot
    chain = Chain(layout, 0)
    return plan_of(layout, chain) if chain.start(following) else None


def _rebuild(search: Search, model: _Model, solved: Solved) -> None:
    """Make the solver's plan the present one, every start fixed where the solver put it."""
    search.clear()
    rows = [(solved.value(model.starts[slot]), slot, h) for (slot, h), var in model.takes.items() if solved.value(var)]
    for start, slot, h in sorted(rows):
        lines = [n for (s, g, n), var in model.pays.items() if (s, g) == (slot, h) and solved.value(var)]
        line = lines[0] if lines else -1
        position = int(search.state.length[h])
        put(search.p, search.s, slot, h, position, 0, start / model.scale, line)
