"""How many visits any plan could serve at most: relaxations that take large instances, each with its name.

A linear program over who could take which slot, without sequence and without clock: every stop takes at least its
service and the shortest way to its place out of a shift, a narrow window makes it fall into certain half hours, two
people are needed where two are asked for, and what a slot draws comes out of budgets and quotas. Fractions are
allowed, so the value is never below what a plan can reach; it is rounded down. Tiers are counted from the most
vital on, mandatory visits first, as plans are compared.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from ortools.linear_solver import pywraplp

from matching.arrays import build_arrays
from matching.coupling import covering_lines
from matching.kernel.problem import FEN, NEVER, Problem
from matching.lookup import Lookup

MOST_VARIABLES = 400_000
"""A larger program is not solved: there is no bound then."""
BUCKET_MINUTES = 30
SLACK = 1e-4


class BoundName(StrEnum):
    """What the bound looks at; everything else is left aside."""

    HOURS = "hours"  # people: who is able and there, their hours, limits of work, and the ways
    MONEY = "money"  # contract lines, budgets and quotas of able people, who are everywhere at once
    TOGETHER = "together"  # both


@dataclass(frozen=True, slots=True)
class ServedBound:
    """No plan serves more: of mandatory visits, of these and tier 0, of these and tier 1, and so on.

    Parameters
    ----------
    up_to_rank
        0 mandatory; 1 + tier: mandatory and every tier down to this one.
    visits
        How many the instance has of them.
    """

    name: BoundName
    up_to_rank: int
    visits: int
    served_at_most: int


def served_bounds(lookup: Lookup, names: tuple[BoundName, ...] = tuple(BoundName)) -> list[ServedBound]:
    """The bounds by name and rank, the ranks that occur only; empty where the program would be too large."""
    p = build_arrays(lookup)
    ranks = sorted(set(p.v_rank.tolist()))
    found = []
    for name in names:
        program = _Program(p, name)
        if program.too_large:
            return []
        for rank in ranks:
            most = program.most(rank)
            found.append(ServedBound(name, rank, int((p.v_rank <= rank).sum()), most))
    return found


class _Program:
    def __init__(self, p: Problem, name: BoundName) -> None:
        self.p, self.name = p, name
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.served = [self.solver.NumVar(0, 1, "") for _ in p.v_slot0]
        self._rows: dict[tuple, list] = defaultdict(list)
        self._room: dict[tuple, float] = {}
        hours, money = name is not BoundName.MONEY, name is not BoundName.HOURS
        self._least = p.s_minutes + _least_ways(p)[p.s_visit]
        self.too_large = len(p.s_cand) * (2 if money else 1) > MOST_VARIABLES
        if self.too_large:
            return
        for slot in range(len(p.s_visit)):
            self._slot(slot, hours=hours, money=money)
        for key, terms in self._rows.items():
            self.solver.Add(self.solver.Sum([amount * var for amount, var in terms]) <= self._room[key])

    def most(self, rank: int) -> int:
        """The largest number of visits of ranks up to this one."""
        self.solver.Maximize(self.solver.Sum([z for v, z in enumerate(self.served) if self.p.v_rank[v] <= rank]))
        status = self.solver.Solve()
        count = int((self.p.v_rank <= rank).sum())
        if status != pywraplp.Solver.OPTIMAL:
            return count
        return min(count, int(np.floor(self.solver.Objective().Value() + SLACK)))

    def _slot(self, slot: int, *, hours: bool, money: bool) -> None:
        """Who may take the slot, and what that takes of whom."""
        p, v, ways = self.p, self.p.s_visit[slot], []
        for h in map(int, p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]):
            paid = money and p.c_needs_line[p.h_caregiver[h]]
            for line in covering_lines(p, slot, h) if paid else [-1]:
                way = self.solver.NumVar(0, 1, "")
                ways.append(way)
                if hours:
                    self._takes_time(slot, h, way)
                if line >= 0 and not (p.v_once[v] and p.v_slots[v] == 2):
                    self._draws(slot, line, int(p.h_day[h]), way)
        self.solver.Add(self.served[v] <= self.solver.Sum(ways) if ways else self.served[v] <= 0)

    def _takes_time(self, slot: int, h: int, way: Any) -> None:
        p = self.p
        self._take(("shift", h), float(self._least[slot]), way, p.h_end[h] - p.h_start[h] - _breaks(p, h))
        for row in p.h_limit[p.h_limit_ptr[h] : p.h_limit_ptr[h + 1]]:
            if p.l_max_minutes[row] < NEVER:
                self._take(
                    ("minutes", row), float(self._least[slot]), way, p.l_max_minutes[row] - p.l_used_minutes[row]
                )
            if p.l_max_visits[row] < 2**40 and not p.v_alone[p.s_visit[slot]]:
                self._take(("visits", row), 1.0, way, p.l_max_visits[row] - p.l_used_visits[row])
        for bucket, minutes in _certain(p, slot):
            self._take(("bucket", h, bucket), minutes, way, float(BUCKET_MINUTES))

    def _draws(self, slot: int, line: int, day: int, way: Any) -> None:
        p = self.p
        caps = [int(k) for k in p.n_cap[p.n_cap_ptr[line] : p.n_cap_ptr[line + 1]]]
        person = p.v_person[p.s_visit[slot]]
        if person >= 0:
            own = [int(k) for k in p.p_cap[p.p_cap_ptr[person] : p.p_cap_ptr[person + 1]]]
            caps += [k for k in own if p.k_line[k] < 0 or p.k_line[k] == line]
        for k in caps:
            if p.k_first[k] <= day <= p.k_last[k]:
                unit = int(p.k_unit[k])
                amount = p.s_charge[slot, unit] if unit != FEN else p.n_price[line] * p.s_charge[slot, p.n_unit[line]]
                self._take(("cap", k), float(amount), way, p.k_cap[k] - p.k_used[k])

    def _take(self, key: tuple, amount: float, way: Any, room: float) -> None:
        if amount > 0:
            self._rows[key].append((amount, way))
            self._room[key] = max(0.0, float(room))


def _breaks(p: Problem, h: int) -> float:
    """Minutes of the breaks and absences that no other one could cover."""
    rows = range(p.h_break_ptr[h], p.h_break_ptr[h + 1])
    apart = all(p.b_hi[b] + p.b_minutes[b] <= p.b_lo[b + 1] for b in rows[:-1])
    inside = all(p.h_start[h] <= p.b_lo[b] and p.b_hi[b] + p.b_minutes[b] <= p.h_end[h] for b in rows)
    return float(sum(p.b_minutes[b] for b in rows)) if apart and inside else 0.0


def _least_ways(p: Problem) -> np.ndarray:
    """Per visit the least minutes of way and access before its service: 0 where somebody may be there already."""
    least = np.zeros(len(p.v_loc))
    if not len(p.h_from):
        return least
    here = np.bincount(p.v_loc, weights=p.v_slots, minlength=p.travel.shape[1])
    begins = set(p.h_from.tolist())
    places = [q for q in sorted({*p.v_loc.tolist(), *begins}) if q >= 0]
    if -1 in begins:
        return least
    for place in set(p.v_loc.tolist()):
        others = [q for q in places if q != place]
        if here[place] == 1 and place not in begins and others:
            of_place = p.v_loc == place
            least[of_place] = float(p.travel[:, others, place].min()) + p.v_access[of_place]
    return least


def _certain(p: Problem, slot: int) -> list[tuple[int, float]]:
    """Minutes of the slot's service that fall into each half hour whenever it starts in its only window."""
    v = p.s_visit[slot]
    if p.v_win_ptr[v + 1] - p.v_win_ptr[v] != 1:
        return []
    first, last = p.win_lo[p.v_win_ptr[v]], p.win_hi[p.v_win_ptr[v]] + p.v_late[v]
    if p.s_fix[slot] >= 0:
        first = last = p.s_fix[slot]
    begin, end = last, first + p.s_minutes[slot]  # busy for certain in [begin, end)
    found = []
    for bucket in range(int(begin // BUCKET_MINUTES), int(-(-end // BUCKET_MINUTES))):
        low, high = bucket * BUCKET_MINUTES, (bucket + 1) * BUCKET_MINUTES
        if (minutes := min(end, high) - max(begin, low)) > 0:
            found.append((bucket, float(minutes)))
    return found
