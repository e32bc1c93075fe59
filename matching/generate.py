"""A made-up street (街道) for trying and measuring: everything from one seed, nobody real."""

import math
from dataclasses import replace
from random import Random

from matching.instance import (
    Break,
    Budget,
    Caregiver,
    ContractLine,
    FallbackRule,
    Gender,
    Household,
    Instance,
    Location,
    ProviderKind,
    Qualification,
    Quota,
    Service,
    Shift,
    Slot,
    TimeWindow,
    TravelMode,
    Visit,
    Wish,
    WorkLimit,
)

CARER, SOCIAL, VOLUNTEER = ProviderKind.CARER, ProviderKind.SOCIAL_WORKER, ProviderKind.VOLUNTEER
SERVICES = (
    # id, kinds, qualifications, minutes, people, insured, share of visits
    ("meal", (CARER, VOLUNTEER), (), 20, 1, False, 20),
    ("clean", (CARER,), (), 40, 1, False, 16),
    ("care", (CARER,), ("care",), 45, 1, False, 18),
    ("bath", (CARER, VOLUNTEER), (), 50, 2, True, 4),
    ("company", (VOLUNTEER, CARER), (), 40, 1, False, 14),
    ("escort", (CARER, VOLUNTEER), (), 60, 1, True, 4),
    ("nursing", (CARER,), ("care", "nursing"), 30, 1, False, 8),
    ("talk", (SOCIAL,), ("psychology",), 45, 1, False, 4),
    ("errand", (VOLUNTEER, CARER), (), 25, 1, False, 8),
)
ORGANISATIONS = ("org1", "org2", "org3")


def generate_street(
    seed: int = 1,
    *,
    visits_per_day: int = 300,
    days: int = 7,
    carers: int = 45,
    volunteers: int = 60,
    matrix: bool = True,
) -> Instance:
    """A street's week: households in communities, carers of three organisations, volunteers.

    The same arguments give the same instance. Without `matrix` the travel mode's is left out (`street_points`
    says where the places are).
    """
    random = Random(seed)
    households = _households_for(visits_per_day)
    points = _points(random, households + carers + volunteers)
    people = _people(random, carers, volunteers, households)
    needs = _needs(random, households, visits_per_day * days, days, people)
    visits = _visits(needs, days, visits_per_day * days)
    return Instance(
        name=f"street {seed}",
        horizon_days=days,
        locations=tuple(Location(f"p{i}") for i in range(len(points))),
        travel_modes=(TravelMode("bike", _matrix(points) if matrix else None),),
        services=tuple(
            Service(name, kinds, _mixes(people_needed), papers, insured)
            for name, kinds, papers, _, people_needed, insured, _ in SERVICES
        ),
        caregivers=people,
        shifts=_shifts(random, people, days, households),
        households=_households(needs, households),
        visits=visits,
        contract_lines=street_lines(),
        budgets=_budgets(visits, days),
        quotas=_quotas(needs, days),
    )


def _households_for(visits_per_day: int) -> int:
    return max(2, round(visits_per_day * 1.5))


def street_points(seed: int, visits_per_day: int, people: int) -> list[tuple[float, float]]:
    """Where the places of `generate_street` with these arguments are: metres east and north."""
    return _points(Random(seed), _households_for(visits_per_day) + people)


def _mixes(people: int) -> tuple:
    return ((CARER, CARER), (CARER, VOLUNTEER)) if people == 2 else ()


def _points(random: Random, count: int) -> list[tuple[float, float]]:
    """Places in metres, gathered in communities within a street of about 4 km across."""
    centres = [(random.uniform(0, 4000), random.uniform(0, 4000)) for _ in range(12)]
    return [(random.gauss(x, 250), random.gauss(y, 250)) for x, y in (random.choice(centres) for _ in range(count))]


def _matrix(points: list[tuple[float, float]]) -> tuple[tuple[float, ...], ...]:
    """Minutes by electric bicycle: 220 m a minute, detour 1.3, and two minutes to park and set off."""
    return tuple(tuple(0 if a == b else 2 + math.ceil(math.dist(a, b) * 1.3 / 220) for b in points) for a in points)


def _people(random: Random, carers: int, volunteers: int, first_place: int) -> tuple[Caregiver, ...]:
    rows = []
    for i in range(carers):
        kind = SOCIAL if i % 9 == 8 else CARER
        papers = ["psychology"] if kind is SOCIAL else ["care"] if i % 10 else []
        if kind is CARER and i % 3 == 0 and papers:
            papers.append("nursing")
        rows.append(
            Caregiver(
                id=f"c{i}",
                kind=kind,
                gender=Gender.MALE if random.random() < 0.2 else Gender.FEMALE,
                languages=("mandarin", "minnan") if random.random() < 0.6 else ("mandarin",),
                qualifications=tuple(Qualification(name) for name in papers),
                organisation_id=ORGANISATIONS[i % 3],
                needs_contract_line=True,
                work_limits=(WorkLimit(0, 6, max_minutes=2400),),
                home_location_id=f"p{first_place + i}",
            )
        )
    for i in range(volunteers):
        offered = random.sample(["meal", "company", "errand", "escort", "bath"], k=3)
        rows.append(
            Caregiver(
                id=f"v{i}",
                kind=VOLUNTEER,
                gender=Gender.MALE if random.random() < 0.35 else Gender.FEMALE,
                languages=("mandarin", "minnan") if random.random() < 0.7 else ("mandarin",),
                service_ids=tuple(offered),
                insured_until_day=None if random.random() < 0.8 else -1,
                work_limits=(WorkLimit(0, 6, max_minutes=480, max_visits=8),),
                home_location_id=f"p{first_place + carers + i}",
                radius_minutes=random.choice([10, 15, 20]),
                max_new_households=6,
            )
        )
    return tuple(rows)


def _shifts(random: Random, people: tuple[Caregiver, ...], days: int, first_place: int) -> tuple[Shift, ...]:
    rows = []
    for i, person in enumerate(people):
        home = f"p{first_place + i}"
        paid = person.kind is not VOLUNTEER
        free_days = {(i + 3 * k) % 7 for k in range(2)} if paid else set(random.sample(range(7), k=4))
        for day in range(days):
            if day % 7 in free_days:
                continue
            midnight = day * 1440
            begin = midnight + (480 if paid and i % 2 else 450 if paid else random.choice([510, 570, 840, 900]))
            length = 540 if paid else random.choice([150, 180, 210])
            rest = (Break(midnight + 660, midnight + 780, 45),) if paid else ()
            rows.append(Shift(f"{person.id}d{day}", person.id, day, begin, begin + length, "bike", home, home, rest))
    return tuple(rows)


def _needs(random: Random, households: int, wanted: int, days: int, people: tuple[Caregiver, ...]) -> list[dict]:
    """Recurring needs, each with its days and time, until they make the wanted number of visits."""
    weights = [row[-1] for row in SERVICES]
    needs: list[dict] = []
    made = 0
    while made < wanted:
        name, kinds, papers, usual, count, _, _ = random.choices(SERVICES, weights)[0]
        often = min(days, random.choice([1, 2, 3, 5, 7]))
        fit = [c for c in people if _could(c, name, kinds, papers)]
        before = random.sample(fit, k=min(len(fit), random.choice([0, 1, 2])))
        needs.append(
            {
                "household": random.randrange(households) if needs else 0,
                "service": name,
                "days": sorted(random.sample(range(days), k=often)),
                "minutes": usual + random.choice([0, 0, 0, 10]),
                "people": count,
                "begin": random.choice([480, 495, 510, 540, 570, 600, 660, 720, 780, 840, 870, 900, 930]),
                "width": random.choice([60, 90, 120, 180, 240]),
                "tier": random.choices([0, 1, 2], [2, 5, 3])[0],
                "before": tuple(c.id for c in before),
                "standing": before[0].id if before and random.random() < 0.3 else None,
                "woman": random.random() < (0.5 if name == "bath" else 0.08),
                "dialect": random.random() < 0.2,
            }
        )
        made += often
    return needs


def _could(person: Caregiver, service: str, kinds: tuple, papers: tuple) -> bool:
    held = {q.id for q in person.qualifications}
    offers = person.service_ids is None or service in person.service_ids
    return person.kind in kinds and offers and held.issuperset(papers)


def _visits(needs: list[dict], days: int, wanted: int) -> tuple[Visit, ...]:
    rows = [_visit(n, need, day) for n, need in enumerate(needs) for day in need["days"]]
    return tuple(sorted(rows, key=lambda v: (v.windows[0].start_minutes, v.id))[:wanted])


def _visit(n: int, need: dict, day: int) -> Visit:
    begin = day * 1440 + need["begin"]
    standing = Slot(standing_caregiver_id=need["standing"])
    kinds = ("c",) if need["service"] == "talk" else ("a", "b")
    return Visit(
        id=f"n{n}d{day}",
        household_id=f"h{need['household']}",
        location_id=f"p{need['household']}",
        person_id=f"h{need['household']}a",
        service_id=need["service"],
        windows=(TimeWindow(begin, begin + need["width"]),),
        service_minutes=need["minutes"],
        access_minutes=3,
        preferred_windows=(TimeWindow(begin, begin + 30),) if n % 4 == 0 else (),
        tier=need["tier"],
        slots=(standing, Slot()) if need["people"] == 2 else (standing,),
        gender_wish=Wish(("female",), hard=need["service"] == "bath") if need["woman"] else None,
        language_wish=Wish(("minnan",)) if need["dialect"] else None,
        previous_caregiver_ids=need["before"],
        fallback=FallbackRule.WANTED if need["tier"] < 2 else FallbackRule.NONE,
        contract_line_ids=tuple(f"{org}{kind}" for org in ORGANISATIONS for kind in kinds),
        charged_once=need["service"] == "bath" and n % 2 == 0,
    )


def street_lines() -> tuple[ContractLine, ...]:
    """Per organisation: a line for most services, a dearer one that overflows, one for social work."""
    usual = tuple(row[0] for row in SERVICES if row[0] != "talk")
    rows = []
    for i, org in enumerate(ORGANISATIONS):
        rows.append(ContractLine(f"{org}a", org, usual, price_fen=60 + 5 * i))
        rows.append(ContractLine(f"{org}b", org, usual, price_fen=80))
        rows.append(ContractLine(f"{org}c", org, ("talk",), price_fen=120))
    return tuple(rows)


def _budgets(visits: tuple[Visit, ...], days: int) -> tuple[Budget, ...]:
    work = sum(v.service_minutes for v in visits if v.service_id != "talk")
    rows = []
    for org in ORGANISATIONS:
        rows.append(Budget(f"{org}a-cap", f"{org}a", 0, days - 1, round(work * 0.27)))
        rows.append(Budget(f"{org}b-cap", f"{org}b", 0, days - 1, round(work * 0.12)))
    return tuple(rows)


def _quotas(needs: list[dict], days: int) -> tuple[Quota, ...]:
    people = sorted({need["household"] for need in needs})
    return tuple(Quota(f"q{h}", f"h{h}a", 0, days - 1, 700) for h in people)


def _households(needs: list[dict], count: int) -> tuple[Household, ...]:
    known: dict[int, set[str]] = {}
    for need in needs:
        known.setdefault(need["household"], set()).update(need["before"])
    return tuple(
        Household(f"h{i}", tuple(sorted(known.get(i, ()))), max_new_faces=6 if i % 5 == 0 else None)
        for i in range(count)
    )


def without(instance: Instance, **changes: object) -> Instance:
    """The instance with some top-level fields replaced."""
    return replace(instance, **changes)  # type: ignore[arg-type]
