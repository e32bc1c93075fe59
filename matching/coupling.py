"""Budgets and quotas by CP-SAT: which visits get the scarce minutes, and which line pays for which.

Routes stay as they are. The model may drop a visit from its route, charge a placed slot to another line
of the same organisation, and put one waiting visit into each shift where it fits; caps hold exactly.
What it finds is put into the plan with every other rule checked again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model

from matching.arrays import RULES
from matching.construction import put_single, slot_bounds
from matching.cpsat import Solved, run
from matching.instance import LineRule
from matching.kernel.charges import draw, drawn
from matching.kernel.insertion import best_in_shift, take
from matching.kernel.problem import FEN, NEVER, Problem
from matching.search import Search, Snapshot
from matching.stop import Stop

PLACES = 4  # shifts offered per waiting visit
SECONDS = 2.0
EFFORT = 0.5
MOST_BOOLEANS = 60_000


@dataclass
class _Model:
    """The model, and its Booleans by what they mean."""

    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    kept: dict[int, cp_model.IntVar] = field(default_factory=dict)
    pays: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)
    placed: dict[tuple[int, int, int], cp_model.IntVar] = field(default_factory=dict)
    costs: list[tuple[float, cp_model.IntVar]] = field(default_factory=list)
    draws: dict[int, list[tuple[int, cp_model.IntVar]]] = field(default_factory=dict)


def improve_lines(search: Search, stop: Stop) -> Iterator[tuple[Snapshot, bool]]:
    """Yield a plan with better use of the caps, if there is one (never proven optimal for the whole)."""
    if not _worthwhile(search):
        return
    model = _Model()
    _placed_slots(search, model)
    _waiting_visits(search, model)
    free = (search.problem.v_rule == RULES.index(LineRule.ANY)).any()
    if not (model.placed or free) or len(model.costs) > MOST_BOOLEANS:
        return
    _caps(search.problem, search.state.k_used, model)
    model.cp.minimize(sum(round(cost) * var for cost, var in model.costs))
    solved = run(model.cp, stop, seconds=SECONDS, effort=EFFORT)
    if solved is not None:
        _apply(search, model, solved)
        yield search.snapshot(), False


def _worthwhile(search: Search) -> bool:
    """Something is capped, in whole units, and someone waits or some line is free to choose."""
    p = search.problem
    if not len(p.k_cap) or (p.s_charge % 1).any():
        return False
    waiting = (search.state.s_shift < 0).any()
    return bool(waiting or (p.v_rule == RULES.index(LineRule.ANY)).any())


def covering_lines(p: Problem, slot: int, h: int) -> list[int]:
    """The lines of the caregiver's organisation that cover the slot in shift h."""
    caregiver, day = p.h_caregiver[h], p.h_day[h]
    rows = p.s_line[p.s_line_ptr[slot] : p.s_line_ptr[slot + 1]]
    found = [
        int(n)
        for n in rows
        if p.n_organisation[n] == p.c_organisation[caregiver] and p.n_first[n] <= day <= p.n_last[n]
    ]
    return found[:1] if p.v_rule[p.s_visit[slot]] == RULES.index(LineRule.FIRST) else found


def _placed_slots(search: Search, model: _Model) -> None:
    p, state = search.problem, search.state
    for slot in np.flatnonzero(state.s_drawn):
        v = int(p.s_visit[slot])
        slots = range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v])
        if v not in model.kept:
            kept = model.cp.new_bool_var("")
            model.kept[v] = kept
            if p.s_pinned[slots].any() or (state.s_shift[slots] < 0).any():
                model.cp.add(kept == 1)
            model.costs.append((-p.rank_points[p.v_rank[v]], kept))
            model.cp.add_hint(kept, 1)
        options = []
        for line in covering_lines(p, int(slot), int(state.s_shift[slot])):
            var = model.cp.new_bool_var("")
            model.pays[int(slot), line] = var
            model.cp.add_hint(var, int(line == state.s_line[slot]))
            model.costs.append((p.weight[5] * drawn(search.p, int(slot), line, FEN), var))
            _draws(search, model, int(slot), line, int(p.h_day[state.s_shift[slot]]), var)
            options.append(var)
        model.cp.add(sum(options) == model.kept[v])


def _draws(search: Search, model: _Model, slot: int, line: int, day: int, var: cp_model.IntVar) -> None:
    """Note what the Boolean draws from which cap, by letting the kernel book it once."""
    before = search.state.k_used.copy()
    draw(search.p, search.s, slot, line, day, 1.0)
    for k in np.flatnonzero(search.state.k_used != before):
        model.draws.setdefault(int(k), []).append((round(search.state.k_used[k] - before[k]), var))
    draw(search.p, search.s, slot, line, day, -1.0)


def _waiting_visits(search: Search, model: _Model) -> None:
    """Up to PLACES shifts for every waiting one-person visit, whatever the caps say."""
    p = search.problem
    in_shift: dict[int, list[cp_model.IntVar]] = {}
    for v in np.flatnonzero((p.v_slots == 1) & (search.state.s_shift[p.v_slot0] < 0)):
        slot = int(p.v_slot0[v])
        ways = []
        for points, h in _places(search, slot):
            for line in covering_lines(p, slot, h):
                var = model.cp.new_bool_var("")
                model.placed[slot, h, line] = var
                model.cp.add_hint(var, 0)
                gain = p.rank_points[p.v_rank[v]] - points - p.weight[5] * drawn(search.p, slot, line, FEN)
                model.costs.append((-gain, var))
                _draws(search, model, slot, line, int(p.h_day[h]), var)
                in_shift.setdefault(h, []).append(var)
                ways.append(var)
        if ways:
            model.cp.add_at_most_one(ways)
    for rows in in_shift.values():
        model.cp.add_at_most_one(rows)


def _places(search: Search, slot: int) -> list[tuple[float, int]]:
    """The cheapest shifts of paid caregivers that could take the slot but for the caps."""
    p, found = search.problem, []
    lo, hi = slot_bounds(search.p, slot)
    for h in p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]:
        if p.c_needs_line[p.h_caregiver[h]]:
            at = best_in_shift(search.p, search.s, slot, int(h), lo, hi, False, NEVER)
            if at.cost < NEVER:
                found.append((float(at.cost), int(h)))
    return sorted(found)[:PLACES]


def _caps(p: Problem, used: np.ndarray, model: _Model) -> None:
    """Every cap holds; one that is overdrawn already may not be drawn further."""
    for k, rows in model.draws.items():
        fixed = p.k_used[k]
        model.cp.add(sum(amount * var for amount, var in rows) <= int(max(0, p.k_cap[k] - fixed)))


def _apply(search: Search, model: _Model, solved: Solved) -> None:
    """Change the present plan as the model says: drop, rebook, then place."""
    p, state = search.problem, search.state
    for v, kept in model.kept.items():
        if not solved.value(kept):
            for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
                take(search.p, search.s, slot)
    for (slot, line), var in model.pays.items():
        if solved.value(var) and state.s_line[slot] != line:
            day = int(p.h_day[state.s_shift[slot]])
            draw(search.p, search.s, slot, int(state.s_line[slot]), day, -1.0)
            draw(search.p, search.s, slot, line, day, 1.0)
            state.s_line[slot] = line
    for (slot, h, _), var in model.placed.items():
        if solved.value(var) and state.s_shift[slot] < 0:
            lo, hi = slot_bounds(search.p, slot)
            at = best_in_shift(search.p, search.s, slot, h, lo, hi, True, NEVER)
            if at.cost < NEVER:
                put_single(search.p, search.s, slot, at)
