"""A street of a city as an instance of its own, and plans of streets as bookings in the city's instance."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from matching.city import City
from matching.instance import Budget, Caregiver, Household, Instance, Quota, RunningPlan, Shift, TravelMode, Visit
from matching.lookup import Lookup


class Index:
    """Visits by street, households by id and people by street: read once for all parts."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.lookup = Lookup(city.instance)
        self.visits: list[list[Visit]] = [[] for _ in city.streets]
        for visit in city.instance.visits:
            self.visits[city.street_of[visit.household_id]].append(visit)
        self.order = {c.id: i for i, c in enumerate(city.instance.caregivers)}
        self.visit_order = {v.id: i for i, v in enumerate(city.instance.visits)}
        self.shift_order = {s.id: i for i, s in enumerate(city.instance.shifts)}
        self.quotas_of: dict[str, list[Quota]] = defaultdict(list)
        for quota in city.instance.quotas:
            self.quotas_of[quota.person_id].append(quota)

    def people(self, names: Iterable[str]) -> list[Caregiver]:
        return [self.lookup.caregivers[name] for name in sorted(set(names), key=self.order.__getitem__)]


def part(
    index: Index,
    name: str,
    visits: Sequence[Visit],
    caregiver_ids: Iterable[str],
    budgets: tuple[Budget, ...],
    quotas: dict[str, Quota] | None = None,
) -> Instance:
    """An instance of these visits and people, with only the places and households that they need.

    People whom a visit, a household or a rule names and who do not work here are in it without a shift, so
    that every preference counts as in the city. `quotas`: others in the place of the city's.
    """
    whole = index.city.instance
    working = set(caregiver_ids)
    households = [index.lookup.households[h] for h in dict.fromkeys(v.household_id for v in visits)]
    people = index.people(working | _named(visits, households))
    shifts = _shifts(index, people, working)
    persons = dict.fromkeys(v.person_id for v in visits if v.person_id is not None)
    places = _places(visits, people, shifts)
    order = sorted(index.lookup.location_index[place] for place in places)
    on_duty = {shift.caregiver_id for shift in shifts}
    known = {c.id for c in people}
    kept = {v.id for v in visits}
    running = [a for a in whole.running_plan.assignments if a.visit_id in kept and a.caregiver_id in known]
    return replace(
        whole,
        name=f"{whole.name} {name}".strip(),
        locations=tuple(whole.locations[i] for i in order),
        travel_modes=tuple(_cut(mode, order) for mode in whole.travel_modes),
        caregivers=tuple(c if c.id in on_duty else _without_home(c) for c in people),
        shifts=tuple(shifts),
        households=tuple(households),
        visits=tuple(visits),
        budgets=budgets,
        quotas=tuple((quotas or {}).get(q.id, q) for p in persons for q in index.quotas_of[p]),
        excluded_pairs=tuple(
            x for x in whole.excluded_pairs if x.first_caregiver_id in known and x.second_caregiver_id in known
        ),
        running_plan=RunningPlan(tuple(running), whole.running_plan.tolerance_minutes),
    )


def _named(visits: Sequence[Visit], households: Sequence[Household]) -> set[str]:
    found = {name for home in households for name in home.known_caregiver_ids}
    for visit in visits:
        found.update(visit.excluded_caregiver_ids, visit.previous_caregiver_ids, visit.preferred_caregiver_ids)
        for slot in visit.slots:
            found.update(n for n in (slot.standing_caregiver_id, slot.pin and slot.pin.caregiver_id) if n)
    return found


def _cut(mode: TravelMode, order: Sequence[int]) -> TravelMode:
    if mode.matrix_minutes is None:
        return mode
    return replace(mode, matrix_minutes=tuple(tuple(mode.matrix_minutes[i][j] for j in order) for i in order))


def _without_home(person: Caregiver) -> Caregiver:
    return replace(person, home_location_id=None, radius_minutes=None, radius_metres=None)


def _shifts(index: Index, people: Sequence[Caregiver], working: set[str]) -> list[Shift]:
    rows = [shift for c in people if c.id in working for shift in index.lookup.shifts_of.get(c.id, ())]
    return sorted(rows, key=lambda shift: index.shift_order[shift.id])


def _places(visits: Sequence[Visit], people: Sequence[Caregiver], shifts: Sequence[Shift]) -> set[str]:
    found = {v.location_id for v in visits}
    working = {s.caregiver_id for s in shifts}
    found |= {c.home_location_id for c in people if c.home_location_id is not None and c.id in working}
    for shift in shifts:
        found |= {place for place in (shift.start_location_id, shift.end_location_id) if place is not None}
    return found
