"""What is shared between streets, divided: people by min-cost flow, budgets by what could be drawn where.

Flow of minutes: groups of like people → the street where they would work → the kinds of need there that they
can meet, vital ones first. It is solved by OR-Tools' `SimpleMinCostFlow` (Goldberg's cost scaling, 1997);
whole people then follow their group's shares by largest remainders, whoever lives nearest first.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ortools.graph.python import min_cost_flow

from matching.city import City
from matching.eligibility import required_qualifications, slot_kinds
from matching.instance import Budget, Caregiver, ProviderKind, Unit, Visit
from matching.lookup import Lookup, slot_minutes

WAY_MINUTES = 8
"""What each slot is taken to cost on the road, in minutes."""
USEFUL_SHARE = 0.85
"""Of a shift so much is work that can be planned."""
UNMET_COST, AWAY_COST = 1000, 1
"""Per minute: of need left unmet in the lowest tier (higher tiers more), and of work away from the first street."""


class Need(NamedTuple):
    """What a slot asks of whoever comes, in one street."""

    street: int
    service: str
    qualifications: frozenset[str]
    kinds: frozenset[ProviderKind]
    tier: int


@dataclass(frozen=True, slots=True)
class Group:
    """People alike in what they can do and where."""

    kind: ProviderKind
    qualifications: frozenset[str]
    services: frozenset[str] | None
    organisation: str | None
    streets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Caregiver id → her street; and per street the caps of the shared budgets."""

    street_of: dict[str, int]
    budgets: tuple[tuple[Budget, ...], ...]


def allocate(city: City, lookup: Lookup) -> Allocation:
    """Divide people and budgets; the same city is always divided the same way."""
    capacity = {c.id: _capacity(lookup, c) for c in city.instance.caregivers}
    street_of = _agreed(city)
    for name, streets in city.streets_of.items():
        if len(streets) == 1 or capacity[name] == 0:
            street_of.setdefault(name, streets[0])
    groups = _groups(city, lookup, street_of)
    flow = _flow(groups, capacity, _needs(city, lookup))
    for group, people in groups.items():
        if len(group.streets) > 1:
            street_of |= _divide(city, lookup, group, people, [flow.get((group, s), 0) for s in group.streets])
    return Allocation(street_of, _budgets(city, lookup, street_of, capacity))


def _capacity(lookup: Lookup, person: Caregiver) -> int:
    shifts = lookup.shifts_of.get(person.id, [])
    minutes = sum(s.end_minutes - s.start_minutes - sum(b.duration_minutes for b in s.breaks) for s in shifts)
    limits = [lim.max_minutes - lim.used_minutes for lim in person.work_limits if lim.max_minutes is not None]
    return max(0, int(min([minutes * USEFUL_SHARE, *limits])))


def _agreed(city: City) -> dict[str, int]:
    """Shared people with an agreed visit stay in its street (the first such)."""
    found: dict[str, int] = {}
    for visit in city.instance.visits:
        street = city.street_of[visit.household_id]
        for slot in visit.slots:
            name = slot.pin.caregiver_id if slot.pin is not None else None
            if name is not None and street in city.streets_of.get(name, ()):
                found.setdefault(name, street)
    return found


def _groups(city: City, lookup: Lookup, street_of: dict[str, int]) -> dict[Group, list[str]]:
    found: dict[Group, list[str]] = defaultdict(list)
    for name, streets in city.streets_of.items():
        person = lookup.caregivers[name]
        fixed = street_of.get(name)
        group = Group(
            person.kind,
            frozenset(q.id for q in person.qualifications),
            None if person.service_ids is None else frozenset(person.service_ids),
            person.organisation_id if person.needs_contract_line else None,
            streets if fixed is None else (fixed,),
        )
        found[group].append(name)
    return dict(found)


def _needs(city: City, lookup: Lookup) -> dict[Need, int]:
    found: dict[Need, int] = defaultdict(int)
    for visit in city.instance.visits:
        for slot in range(len(visit.slots)):
            need = Need(
                city.street_of[visit.household_id],
                visit.slots[slot].service_id or visit.service_id,
                frozenset(required_qualifications(lookup, visit, slot)),
                frozenset(slot_kinds(lookup, visit, slot)),
                -1 if visit.mandatory else visit.tier,
            )
            found[need] += math.ceil(slot_minutes(visit, slot) + visit.access_minutes + WAY_MINUTES)
    return dict(found)


def _can(group: Group, need: Need) -> bool:
    offers = group.services is None or need.service in group.services
    return offers and group.kind in need.kinds and need.qualifications <= group.qualifications


def _flow(
    groups: dict[Group, list[str]], capacity: dict[str, int], needs: dict[Need, int]
) -> dict[tuple[Group, int], int]:
    """Minutes of each group in each of its streets."""
    solver = min_cost_flow.SimpleMinCostFlow()
    nodes: dict[object, int] = {}
    arcs: dict[int, tuple[Group, int]] = {}
    by_street: dict[int, list[Need]] = defaultdict(list)
    for need in needs:
        by_street[need.street].append(need)
    supply = 0

    def node(key: object) -> int:
        return nodes.setdefault(key, len(nodes))

    unused, unmet = node("unused"), node("unmet")
    for group, people in groups.items():
        minutes = sum(capacity[name] for name in people)
        solver.set_node_supply(node(group), minutes)
        supply += minutes
        solver.add_arc_with_capacity_and_unit_cost(node(group), unused, minutes, 0)
        for turn, street in enumerate(group.streets):
            arc = solver.add_arc_with_capacity_and_unit_cost(
                node(group), node((group, street)), minutes, AWAY_COST * (turn > 0)
            )
            arcs[arc] = (group, street)
            for need in by_street[street]:
                if _can(group, need):
                    solver.add_arc_with_capacity_and_unit_cost(node((group, street)), node(need), minutes, 0)
    wanted = sum(needs.values())
    for need, minutes in needs.items():
        cost = UNMET_COST * (10 - need.tier)
        solver.add_arc_with_capacity_and_unit_cost(unmet, node(need), minutes, cost)
        solver.set_node_supply(node(need), -minutes)
    solver.set_node_supply(unmet, wanted)
    solver.add_arc_with_capacity_and_unit_cost(unmet, unused, wanted, 0)
    solver.set_node_supply(unused, -supply)
    if solver.solve() != solver.OPTIMAL:
        raise AssertionError("the flow of minutes has no solution, though leaving all unmet is one")
    return {key: int(solver.flow(arc)) for arc, key in arcs.items()}


def _divide(city: City, lookup: Lookup, group: Group, people: Sequence[str], minutes: Sequence[int]) -> dict[str, int]:
    """Whole people by their group's minutes; who is not needed anywhere stays in the first street."""
    if not sum(minutes):
        return dict.fromkeys(people, group.streets[0])
    shares = split(len(people), minutes)
    left = dict(zip(group.streets, shares, strict=True))
    pairs = sorted((_distance(city, lookup, name, street), name, street) for name in people for street in group.streets)
    found: dict[str, int] = {}
    for _, name, street in pairs:
        if name not in found and left[street]:
            found[name] = street
            left[street] -= 1
    return found


def split(total: int, weights: Sequence[float]) -> list[int]:
    """The total in whole parts in proportion to the weights, by largest remainders (Hamilton's method)."""
    whole = sum(weights)
    if whole <= 0:
        weights, whole = [1.0] * len(weights), float(len(weights))
    exact = [total * w / whole for w in weights]
    parts = [math.floor(x) for x in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _distance(city: City, lookup: Lookup, name: str, street: int) -> float:
    """How far the person's home is from the middle of the street's households, in degrees squared."""
    home = lookup.caregivers[name].home_location_id
    centre = _centre(city, lookup, street)
    if home is None or centre is None:
        return 0.0
    row = city.instance.locations[lookup.location_index[home]]
    if row.latitude is None or row.longitude is None:
        return 0.0
    return (row.latitude - centre[0]) ** 2 + (row.longitude - centre[1]) ** 2


def _centre(city: City, lookup: Lookup, street: int) -> tuple[float, float] | None:
    cached = city.__dict__.setdefault("_centres", {})
    if street not in cached:
        places = {v.location_id for v in city.instance.visits if city.street_of[v.household_id] == street}
        rows = [city.instance.locations[lookup.location_index[name]] for name in sorted(places)]
        known = [(r.latitude, r.longitude) for r in rows if r.latitude is not None and r.longitude is not None]
        count = len(known)
        cached[street] = (sum(a for a, _ in known) / count, sum(b for _, b in known) / count) if known else None
    return cached[street]


def _budgets(
    city: City, lookup: Lookup, street_of: dict[str, int], capacity: dict[str, int]
) -> tuple[tuple[Budget, ...], ...]:
    """Each budget divided by what each street could draw: what its visits ask of the line, and no more than its
    people of that organisation can give."""
    count = len(city.streets)
    able: dict[str, list[float]] = defaultdict(lambda: [0.0] * count)
    for name, street in street_of.items():
        organisation = lookup.caregivers[name].organisation_id
        if organisation is not None:
            able[organisation][street] += capacity[name]
    asked: dict[str, list[float]] = defaultdict(lambda: [0.0] * count)
    for visit in city.instance.visits:
        for name in visit.contract_line_ids:
            asked[name][city.street_of[visit.household_id]] += sum(_charges(lookup, visit, name))
    found: list[list[Budget]] = [[] for _ in range(count)]
    for budget in city.instance.budgets:
        organisation = lookup.lines[budget.line_id].organisation_id
        weights = [min(a, b) for a, b in zip(asked[budget.line_id], able[organisation], strict=True)]
        for street, cap in enumerate(split(max(0, budget.cap - budget.used), weights)):
            found[street].append(
                Budget(budget.id, budget.line_id, budget.first_day, budget.last_day, cap, budget.unit, 0)
            )
    return tuple(tuple(rows) for rows in found)


def _charges(lookup: Lookup, visit: Visit, line_id: str) -> Iterable[float]:
    """Minutes that the visit's slots could draw from the line (as a measure, whatever the line's unit)."""
    line = lookup.lines[line_id]
    for slot in range(1 if visit.charged_once else len(visit.slots)):
        if (visit.slots[slot].service_id or visit.service_id) in line.service_ids:
            own = visit.charge_minutes if line.unit is Unit.MINUTES else None
            yield slot_minutes(visit, slot) if own is None else own
