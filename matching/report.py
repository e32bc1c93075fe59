"""A plan as a whole: its score term by term, how fairly the work lies, who is known where, and bounds."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from matching.bounds import ServedBound, served_bounds
from matching.charging import Booked
from matching.eligibility import person_reasons
from matching.instance import Instance, ProviderKind, Visit
from matching.lookup import Lookup
from matching.objective import ObjectiveWeights
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.pricing import total_points, visit_terms
from matching.proof import Prover

TERMS: tuple[tuple[str, str, str], ...] = (
    ("tardiness_minutes", "minutes", "tardiness_per_minute"),
    ("max_tardiness_minutes", "minutes", "max_tardiness_per_minute"),
    ("outside_preferred_minutes", "minutes", "outside_preferred_per_minute"),
    ("new_faces", "pairs", "new_face"),
    ("not_previous", "slots", "not_previous"),
    ("not_preferred", "slots", "not_preferred"),
    ("wishes_missed", "wishes", "wish_missed"),
    ("standing_broken", "slots", "standing_broken"),
    ("unfairness_minutes", "minutes", "unfairness_per_minute"),
    ("cost_fen", "fen", "cost_per_fen"),
    ("travel_minutes", "minutes", "travel_per_minute"),
    ("people_told", "people", "told_per_person"),
)
"""Term of the sum, its unit, and the name of its weight."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the objective: its value in its unit, points per unit, and the points."""

    name: str
    value: float
    unit: str
    weight: int
    points: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """How the work lies on the people of one kind who have a capacity.

    Minutes of work: least, median, most. `gini` of everyone's share of their own capacity: 0 everyone
    carries the same share, towards 1 one person carries all (Gini 1912).
    """

    kind: ProviderKind
    people: int
    idle: int
    least_minutes: float
    median_minutes: float
    most_minutes: float
    gini: float


@dataclass(frozen=True, slots=True)
class Continuity:
    """Of all slots: by somebody the household knows; of those with a wish for it: by a former or the
    standing caregiver (kept, of)."""

    slots: int
    known: int
    previous: tuple[int, int]
    standing: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What no plan can be better than.

    Parameters
    ----------
    unserved_at_least
        The larger of: unserved visits that are proven one by one, and visits beyond the served bound.
    points_at_least
        For the visits that this plan serves: the points of preferences, cost and travel if each got its own
        best person and shortest way.
    served
        How many visits any plan could serve at most, by what is looked at and down to which tier (`bounds`);
        empty where the instance is too large for that.
    """

    unserved_at_least: int
    points_at_least: float
    served: tuple[ServedBound, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    unserved_mandatory: int
    unserved_by_tier: tuple[int, ...]
    terms: tuple[Term, ...]
    total_points: float
    fairness: tuple[Fairness, ...]
    continuity: Continuity
    bounds: Bounds


def report(instance: Instance, plan: Plan, *, state: PlanState | None = None, prover: Prover | None = None) -> Report:
    """What there is to say of a plan as a whole."""
    state = state or PlanState(instance, plan)
    value, weights = plan.objective, instance.weights
    return Report(
        unserved_mandatory=value.unserved_mandatory,
        unserved_by_tier=value.unserved_by_tier,
        terms=tuple(_term(name, getattr(value, name), unit, weights, weight) for name, unit, weight in TERMS),
        total_points=value.total,
        fairness=tuple(_fairness(state)),
        continuity=_continuity(state),
        bounds=_bounds(state, prover or Prover(state)),
    )


def gini(values: Sequence[float]) -> float:
    """The Gini coefficient of values >= 0: half the mean absolute difference over the mean; 0 if all are 0."""
    ordered = np.sort(np.array(values, dtype=float))
    total = float(ordered.sum())
    if not len(ordered) or total <= 0:
        return 0.0
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * total))


def _term(name: str, value: float, unit: str, weights: ObjectiveWeights, weight: str) -> Term:
    each = getattr(weights, weight)
    return Term(name, value, unit, each, value * each)


def _fairness(state: PlanState) -> Iterable[Fairness]:
    rows: dict[ProviderKind, list[tuple[float, float]]] = defaultdict(list)
    for person in state.instance.caregivers:
        capacity = state.capacity(person)
        if capacity > 0:
            rows[person.kind].append((sum(state.work[person.id].values()), capacity))
    for kind in ProviderKind:
        if rows[kind]:
            minutes = [work for work, _ in rows[kind]]
            yield Fairness(
                kind,
                len(minutes),
                sum(work == 0 for work in minutes),
                min(minutes),
                statistics.median(minutes),
                max(minutes),
                round(gini([work / capacity for work, capacity in rows[kind]]), 4),
            )


def _continuity(state: PlanState) -> Continuity:
    previous = [b for b in state.planned if b.visit.previous_caregiver_ids]
    standing = [b for b in state.planned if _standing(b) is not None]
    return Continuity(
        slots=len(state.planned),
        known=sum(state.is_known(b.visit.household_id, b.caregiver.id) for b in state.planned),
        previous=(sum(b.caregiver.id in b.visit.previous_caregiver_ids for b in previous), len(previous)),
        standing=(sum(b.caregiver.id == _standing(b) for b in standing), len(standing)),
    )


def _standing(row: Booked) -> str | None:
    return row.visit.slots[row.slot].standing_caregiver_id


def _bounds(state: PlanState, prover: Prover) -> Bounds:
    visits = state.lookup.visits
    proven = sum(prover.nobody_ever(visits[row.visit_id]) for row in state.plan.unserved)
    inbound = _shortest_ways(state.lookup)
    weights = state.instance.weights
    points = sum(_least_points(state, b.visit, b.slot) for b in state.planned)
    points += weights.travel_per_minute * sum(inbound[b.visit.location_id] for b in state.planned)
    served = tuple(served_bounds(state.lookup))
    beyond = max((row.visits - row.served_at_most for row in served), default=0)
    return Bounds(max(proven, beyond), points, served)


def _shortest_ways(lookup: Lookup) -> dict[str, float]:
    """For each place of a visit the shortest way to it from anywhere (0 where two visits share it)."""
    count: dict[str, int] = defaultdict(int)
    for visit in lookup.instance.visits:
        count[visit.location_id] += len(visit.slots)
    found = {}
    for place, visits in count.items():
        column = lookup.location_index[place]
        least = min((float(np.delete(m[:, column], column).min(initial=np.inf)) for m in lookup.travel), default=0.0)
        ends = any(place == s.start_location_id or s.start_location_id is None for s in lookup.instance.shifts)
        found[place] = 0.0 if visits > 1 or ends or np.isinf(least) else least
    return found


def _least_points(state: PlanState, visit: Visit, slot: int) -> float:
    """The least that preferences, wishes and cost of the slot can come to, whoever may come."""
    found = []
    for person in state.instance.caregivers:
        shifts = state.lookup.shifts_of.get(person.id)
        if not shifts or person_reasons(state.lookup, visit, slot, person, ask_radius=False):
            continue
        row = Booked(visit, slot, person, shifts[0], visit.windows[0].start_minutes)
        terms = dict.fromkeys((name for name, _, _ in TERMS), 0.0) | visit_terms(state.account, [row])
        terms["tardiness_minutes"] = terms["outside_preferred_minutes"] = 0.0
        if person.needs_contract_line:
            lines = [n for n in visit.contract_line_ids if _pays(state, n, person.organisation_id, visit, slot)]
            once = visit.charged_once and len(visit.slots) == 2
            terms["cost_fen"] = 0.0 if once or not lines else min(state.account.fen(visit, slot, n) for n in lines)
        found.append(total_points(state.instance.weights, terms))
    return min(found, default=0.0)


def _pays(state: PlanState, line_id: str, organisation_id: str | None, visit: Visit, slot: int) -> bool:
    line = state.lookup.lines[line_id]
    service = visit.slots[slot].service_id or visit.service_id
    return line.organisation_id == organisation_id and service in line.service_ids
