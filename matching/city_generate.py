"""A made-up city from one seed: streets of different need and staff, shared people and budgets, nobody real."""

import math
from dataclasses import replace
from random import Random

from matching.city import City, Street
from matching.generate import ORGANISATIONS, generate_street, street_lines, street_points
from matching.instance import Budget, Caregiver, Instance, Location, Shift, TravelMode, Visit

METRES_PER_DEGREE = 111_320.0
CENTRE = (24.48, 118.09)
STREET_METRES = 4000
SHARED_SHARE = 0.3
"""Of the caregivers so many may also work in one or two streets next to their own."""
LINE_SHARES = (0.27, 0.12)
"""What an organisation's first and second line may pay of all the city's minutes."""


def generate_city(seed: int = 1, *, streets: int = 38, visits: int = 20_000, caregivers: int = 4_000) -> City:
    """One day of a city. The same arguments give the same city."""
    random = Random(seed)
    needs = _shares(random, streets, visits)
    staff = _shares(random, streets, caregivers)
    parts = [_street(seed, i, needs[i], staff[i]) for i in range(streets)]
    listed = _listed(random, parts)
    instance = Instance(
        name=f"city {seed}",
        horizon_days=1,
        locations=tuple(row for part in parts for row in part.locations),
        travel_modes=(TravelMode("bike", speed_metres_per_minute=220, detour_factor=1.3),),
        services=parts[0].services,
        caregivers=tuple(row for part in parts for row in part.caregivers),
        shifts=tuple(row for part in parts for row in part.shifts),
        households=tuple(row for part in parts for row in part.households),
        visits=tuple(row for part in parts for row in part.visits),
        contract_lines=street_lines(),
        budgets=_budgets(parts),
        quotas=tuple(row for part in parts for row in part.quotas),
    )
    homes = (tuple(h.id for h in part.households) for part in parts)
    return City(instance, tuple(Street(f"s{i}", own, tuple(listed[i])) for i, own in enumerate(homes)))


def _shares(random: Random, streets: int, total: int) -> list[int]:
    """The total divided unevenly, by half as much again at most."""
    weights = [random.uniform(0.75, 1.25) for _ in range(streets)]
    found = [int(total * w / sum(weights)) for w in weights]
    for i in range(total - sum(found)):
        found[i % streets] += 1
    return found


def _street(seed: int, number: int, visits: int, people: int) -> Instance:
    """One street in its place in the city, every name with the street's number before it."""
    carers = round(people * 0.6)
    own = 1000 * seed + number
    made = generate_street(own, visits_per_day=visits, days=1, carers=carers, volunteers=people - carers, matrix=False)
    columns = 7
    corner = (STREET_METRES * (number % columns), STREET_METRES * (number // columns))
    places = street_points(own, visits, people)
    locations = tuple(_location(number, i, corner, point) for i, point in enumerate(places))
    p = f"s{number}"
    return replace(
        made,
        locations=locations,
        caregivers=tuple(_person(p, row) for row in made.caregivers),
        shifts=tuple(_shift(p, row) for row in made.shifts),
        households=tuple(
            replace(h, id=p + h.id, known_caregiver_ids=_named(p, h.known_caregiver_ids)) for h in made.households
        ),
        visits=tuple(_visit(p, row) for row in made.visits),
        quotas=tuple(replace(q, id=p + q.id, person_id=p + q.person_id) for q in made.quotas),
    )


def _location(street: int, number: int, corner: tuple[int, int], point: tuple[float, float]) -> Location:
    north, east = corner[1] + point[1], corner[0] + point[0]
    latitude = CENTRE[0] + north / METRES_PER_DEGREE
    longitude = CENTRE[1] + east / (METRES_PER_DEGREE * math.cos(math.radians(CENTRE[0])))
    return Location(f"s{street}p{number}", round(latitude, 6), round(longitude, 6))


def _named(prefix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(prefix + name for name in names)


def _person(prefix: str, row: Caregiver) -> Caregiver:
    home = None if row.home_location_id is None else prefix + row.home_location_id
    return replace(row, id=prefix + row.id, home_location_id=home)


def _shift(prefix: str, row: Shift) -> Shift:
    return replace(
        row,
        id=prefix + row.id,
        caregiver_id=prefix + row.caregiver_id,
        start_location_id=prefix + (row.start_location_id or ""),
        end_location_id=prefix + (row.end_location_id or ""),
    )


def _visit(prefix: str, row: Visit) -> Visit:
    slots = tuple(
        replace(s, standing_caregiver_id=prefix + s.standing_caregiver_id) if s.standing_caregiver_id else s
        for s in row.slots
    )
    return replace(
        row,
        id=prefix + row.id,
        household_id=prefix + row.household_id,
        location_id=prefix + row.location_id,
        person_id=prefix + (row.person_id or ""),
        slots=slots,
        previous_caregiver_ids=_named(prefix, row.previous_caregiver_ids),
    )


def _listed(random: Random, parts: list[Instance]) -> list[list[str]]:
    """Per street everyone who may work there, its own people first."""
    listed = [[person.id for person in part.caregivers] for part in parts]
    for i, part in enumerate(parts):
        near = [j for j in (i - 1, i + 1, i - 7, i + 7) if 0 <= j < len(parts)]
        for person in part.caregivers:
            if near and random.random() < SHARED_SHARE:
                for j in random.sample(near, k=min(len(near), random.choice([1, 2]))):
                    listed[j].append(person.id)
    return listed


def _budgets(parts: list[Instance]) -> tuple[Budget, ...]:
    """Each organisation's two lines: one cap for the whole city."""
    work = sum(v.service_minutes for part in parts for v in part.visits if v.service_id != "talk")
    return tuple(
        Budget(f"{org}{line}-cap", f"{org}{line}", 0, 0, round(work * share))
        for org in ORGANISATIONS
        for line, share in zip("ab", LINE_SHARES, strict=True)
    )
