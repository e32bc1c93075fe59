"""Rule C: winner determination over all lots with combined offers, by CP-SAT, proven.

Goals are compared in the declared order. Neighbouring goals are merged into one integer objective as long as it
stays within 60 bits, which saves solves; the draw decides last, and a further solve says whether the set is the
only one. One worker and no randomness: the same input gives the same set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

from matching.awarding.model import Bidder, Goal, Lot, Tender
from matching.awarding.scores import Scored
from matching.errors import MatchingError

WIDEST = 2**60
SECONDS = 60.0


class NoAward(MatchingError):
    """No set of offers keeps the limits (only a least number of winners can be at fault)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Σ sizes of the chosen offers (by their place) ≤ most."""

    sizes: dict[int, int]
    most: int


@dataclass(frozen=True, slots=True)
class Optimum:
    """The winning offers; whether they are proven best, and proven to be the only best set."""

    winners: tuple[Scored, ...]
    optimal: bool
    unique: bool


def optimum(tender: Tender, scored: Sequence[Scored], *, seed: int = 0, seconds: float = SECONDS) -> Optimum:
    """The best set of offers under all limits of the tender.

    After the first objective, each further one is asked of all *other* sets that are as good so far: if there is
    none, or none that is as good in it, the set at hand is the only best one, and nothing remains to be asked.
    Offers that no equally good set can hold are left out of what follows (`_still_open`).

    Raises `NoAward` if there is none.
    """
    rows, gains = _limits(tender, scored), _merged(tender, scored)
    best = _best(tender, scored, rows, range(len(scored)), gains[0], seed, seconds)
    if best is None:
        raise NoAward(f"no award has {tender.least_suppliers} winners")
    held, gain = best, gains[0]
    for following in [*gains[1:], [0] * len(scored)]:
        if not held.proven:
            return Optimum(_picked(scored, held.taken), False, False)
        open_places = _still_open(gain, held.value, rows, held.open_places, held.taken)
        rows = [*rows, Limit({place: -gain[place] for place in open_places}, -held.value)]
        other = _best(tender, scored, rows, open_places, following, seed, seconds, but=held.taken)
        own = sum(following[place] for place in held.taken)
        if other is None or (other.proven and other.value < own):
            return Optimum(_picked(scored, held.taken), True, True)
        if other.value < own:
            other = replace(other, taken=held.taken, value=own)
        held, gain = other, following
    return Optimum(_picked(scored, held.taken), held.proven, False)


@dataclass(frozen=True, slots=True)
class Best:
    """What one objective gave: the offers taken, what they gain, whether proven; and among which it was sought."""

    taken: frozenset[int]
    value: int
    proven: bool
    open_places: tuple[int, ...]


def _best(
    tender: Tender,
    scored: Sequence[Scored],
    rows: Sequence[Limit],
    open_places: Sequence[int],
    gain: Sequence[int],
    seed: int,
    seconds: float,
    but: frozenset[int] = frozenset(),
) -> Best | None:
    """The set that gains most, other than `but`; None if there is none.  Raises `Undecided` if time ran out first."""
    model, chosen = _model(tender, scored, rows, open_places)
    if but or not chosen:
        model.add_bool_or(x.negated() if place in but else x for place, x in chosen.items())
    model.maximize(sum(gain[place] * x for place, x in chosen.items()))
    solver = _solver(seed, seconds)
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Best(but, sum(gain[place] for place in but), False, tuple(open_places))
    taken = frozenset(place for place, x in chosen.items() if solver.boolean_value(x))
    value = sum(gain[place] for place in taken)
    return Best(taken, value, status == cp_model.OPTIMAL, tuple(open_places))


def _picked(scored: Sequence[Scored], taken: frozenset[int]) -> tuple[Scored, ...]:
    return tuple(scored[place] for place in sorted(taken))


def _solver(seed: int, seconds: float) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_presolve = False  # the model is a packing already: presolve took longer than the proof
    solver.parameters.max_time_in_seconds = seconds
    return solver


def _limits(tender: Tender, scored: Sequence[Scored]) -> list[Limit]:
    """One offer a lot, what each bidder can carry or may have, what all may cost."""
    lots = {lot.id: lot for lot in tender.lots}
    on_lot: dict[str, dict[int, int]] = {}
    of_bidder: dict[str, list[int]] = {bidder.id: [] for bidder in tender.bidders}
    for place, row in enumerate(scored):
        of_bidder[row.offer.bidder].append(place)
        for part in row.offer.parts:
            on_lot.setdefault(part.lot, {})[place] = 1
    rows = [Limit(offers, 1) for offers in on_lot.values()]
    share = None
    if tender.most_share_permille is not None:
        share = tender.most_share_permille * sum(lot.ceiling_fen for lot in tender.lots) // 1000
    sizes: list[tuple[Callable[[Lot], int], Callable[[Bidder], int | None]]] = [
        (lambda _lot: 1, lambda bidder: bidder.most_lots),
        (lambda _lot: 1, lambda _bidder: tender.most_lots),
        (lambda lot: lot.service_minutes, lambda bidder: bidder.capacity_minutes),
        (lambda lot: lot.ceiling_fen, lambda _bidder: share),
    ]
    for bidder in tender.bidders:
        for size, most in sizes:
            load = {p: sum(size(lots[part.lot]) for part in scored[p].offer.parts) for p in of_bidder[bidder.id]}
            limit = most(bidder)
            if limit is not None and sum(load.values()) > limit:
                rows.append(Limit(load, limit))
    if tender.budget_fen is not None:
        rows.append(Limit({place: row.offer.price_fen for place, row in enumerate(scored)}, tender.budget_fen))
    return rows


def _model(
    tender: Tender, scored: Sequence[Scored], rows: Sequence[Limit], open_places: Sequence[int]
) -> tuple[cp_model.CpModel, dict[int, cp_model.IntVar]]:
    model = cp_model.CpModel()
    chosen = {place: model.new_bool_var("") for place in open_places}
    for row in rows:
        own = {place: size for place, size in row.sizes.items() if place in chosen}
        if row.most == 1 and set(own.values()) == {1}:
            model.add_at_most_one(chosen[place] for place in own)
        else:
            model.add(sum(size * chosen[place] for place, size in own.items()) <= row.most)
    if tender.least_suppliers:
        offers: dict[str, list[cp_model.IntVar]] = {}
        for place, x in chosen.items():
            offers.setdefault(scored[place].offer.bidder, []).append(x)
        wins = {bidder: model.new_bool_var("") for bidder in offers}
        for bidder, win in wins.items():
            model.add_bool_or(offers[bidder]).only_enforce_if(win)
        model.add(sum(wins.values()) >= tender.least_suppliers)
    return model, chosen


def _still_open(
    gain: Sequence[int], value: int, rows: Sequence[Limit], open_places: Sequence[int], taken: frozenset[int]
) -> list[int]:
    """The offers that some set worth `value` may hold: all but those whose reduced cost in the relaxation forbids it.

    An offer that the relaxation leaves out costs its reduced cost if it comes in; where the bound less that cost lies
    below `value`, no set with it is as good (reduced-cost fixing: Nemhauser and Wolsey, Integer and Combinatorial
    Optimization, 1988, II.5.2). A margin makes up for rounding: rather an offer too many than one too few.
    """
    solver = pywraplp.Solver.CreateSolver("GLOP")
    x = {place: solver.NumVar(0, 1, "") for place in open_places}
    for row in rows:
        constraint = solver.Constraint(-solver.infinity(), row.most)
        for place, size in row.sizes.items():
            if place in x:
                constraint.SetCoefficient(x[place], size)
    for place, variable in x.items():
        solver.Objective().SetCoefficient(variable, gain[place])
    solver.Objective().SetMaximization()
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return list(open_places)
    slack = solver.Objective().Value() - value + max(1e-3, 1e-9 * abs(value))
    return [place for place in open_places if place in taken or -x[place].reduced_cost() <= slack]


def _merged(tender: Tender, scored: Sequence[Scored]) -> list[list[int]]:
    """Goals as gains per offer, in order, neighbours merged: a later one never outweighs a unit of an earlier one."""
    drawn = {name: place for place, name in enumerate(tender.draw)}
    gains = [[_gain(goal, row) for row in scored] for goal in tender.goals]
    gains.append([-drawn.get(row.offer.id, len(drawn)) for row in scored])
    groups: list[list[int]] = []
    for gain in gains:
        reach = _reach(gain, scored) + 1
        if groups and _reach(groups[-1], scored) * reach + reach < WIDEST:
            groups[-1] = [reach * high + low for high, low in zip(groups[-1], gain, strict=True)]
        else:
            groups.append(gain)
    return groups


def _gain(goal: Goal, row: Scored) -> int:
    return {Goal.LOTS: len(row.offer.parts), Goal.SCORE: row.score, Goal.COST: -row.offer.price_fen}[goal]


def _reach(gain: Sequence[int], scored: Sequence[Scored]) -> int:
    """No award gains, or loses, more in all: the greatest size per lot, over the lots."""
    most: dict[str, int] = {}
    for size, row in zip(gain, scored, strict=True):
        share = -(-abs(size) // len(row.offer.parts))
        for part in row.offer.parts:
            most[part.lot] = max(share, most.get(part.lot, 0))
    return sum(most.values())
