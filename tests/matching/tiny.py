"""Random tiny instances that use the whole model; all times are multiples of five minutes."""

from dataclasses import replace
from random import Random

from matching.instance import (
    Absence,
    Break,
    Budget,
    Caregiver,
    ContractLine,
    ExcludedPair,
    FallbackRule,
    Gender,
    Household,
    Instance,
    LineRule,
    Qualification,
    Quota,
    RunningAssignment,
    RunningPlan,
    Slot,
    Synchronisation,
    TimeWindow,
    TravelMode,
    Unit,
    Wish,
    WorkLimit,
)
from tests.matching.builders import CARER, DAY, SOCIAL_WORKER, VOLUNTEER, carer, instance, service, shift, visit

NAMES = "abcd"
PLACES = 5


def tiny_instance(random: Random, *, visits: int = 5) -> Instance:
    """A few people, one or two days, a few visits; about half of all features at once."""
    days = random.choice([1, 1, 2])
    people = [_person(random, name, days) for name in NAMES[: random.randint(2, 4)]]
    rows = [_visit(random, f"v{i}", days) for i in range(visits)]
    of = instance(
        rows,
        people,
        [_shift(random, p, day) for p in people for day in range(days)],
        horizon_days=days,
        places=PLACES,
        travel_modes=(TravelMode("walk", _matrix(random)),),
        services=[_service(random, "care"), _service(random, "cook")],
        households=[
            Household(f"h{i}", _some(random, NAMES[: len(people)]), random.choice([None, None, 1, 2]))
            for i in range(PLACES)
        ],
        contract_lines=_lines(random),
        budgets=_budgets(random, days),
        quotas=tuple(
            Quota(f"q{i}", f"p{i}", 0, days - 1, random.choice([60, 90, 200]), random.choice([None, "l"]))
            for i in range(2)
            if any(v.person_id == f"p{i}" for v in rows)
        ),
        excluded_pairs=(ExcludedPair("a", "b"),) if random.random() < 0.3 else (),
    )
    return replace(of, running_plan=_running(random, of)) if random.random() < 0.5 else of


def _some(random: Random, names: str) -> tuple[str, ...]:
    return tuple(n for n in names if random.random() < 0.4)


def _matrix(random: Random) -> tuple[tuple[float, ...], ...]:
    """Travel without symmetry or triangle inequality."""
    return tuple(tuple(0.0 if i == j else 5.0 * random.randint(0, 6) for j in range(PLACES)) for i in range(PLACES))


def _service(random: Random, name: str):
    kinds = random.choice([(CARER, VOLUNTEER), (CARER, SOCIAL_WORKER, VOLUNTEER), (CARER,)])
    mixes = random.choice([(), (), ((CARER, CARER), (CARER, VOLUNTEER)), ((CARER, VOLUNTEER),)])
    return service(
        name,
        kinds,
        mixes=tuple(m for m in mixes if set(m) <= set(kinds)),
        required_qualifications=random.choice([(), (), ("nurse",)]),
        insurance_required=random.random() < 0.2,
        minors_allowed=random.random() < 0.8,
    )


def _person(random: Random, name: str, days: int):
    kind = random.choice([CARER, CARER, VOLUNTEER, SOCIAL_WORKER])
    paid = kind is not VOLUNTEER and random.random() < 0.7
    begin = 5 * random.randint(96, 140)
    return carer(
        name,
        kind,
        gender=random.choice(list(Gender)),
        languages=_some(random, "mn"),
        qualifications=random.choice([(), (Qualification("nurse"),), (Qualification("nurse", None, 0),)]),
        service_ids=random.choice([None, None, ("care",)]),
        organisation_id="o" if paid else None,
        needs_contract_line=paid,
        minor=random.random() < 0.1,
        insured_until_day=random.choice([None, None, 0, -1]),
        work_limits=random.choice([(), (), (WorkLimit(0, days - 1, random.choice([150, 250]), 3, 20, 1),)]),
        absences=(Absence(begin, begin + 30),) if random.random() < 0.25 else (),
        home_location_id="p0",
        radius_minutes=random.choice([None, None, 20]),
        max_new_households=random.choice([None, None, 1]),
        cost_per_minute_fen=random.choice([0, 20]),
        fair_capacity_minutes=random.choice([None, 0, 200]),
    )


def _shift(random: Random, person: Caregiver, day: int):
    start, length = 5 * random.randint(94, 110), 5 * random.randint(34, 60)
    breaks = ()
    # A break and an absence that overlap in part are counted twice by `recommend` (safe, not exact).
    if random.random() < 0.4 and not person.absences:
        early = day * DAY + start + 5 * random.randint(6, 16)
        breaks = (Break(early, early + 5 * random.randint(0, 8), 15),)
        if random.random() < 0.3:
            second = early + 5 * 12
            breaks += (Break(second, second + 10, 10),)
    ends = random.choice([("p0", "p0"), ("p0", None), (None, None), ("p1", "p2")])
    return shift(
        person.id, day, start, start + length, breaks=breaks, start_location_id=ends[0], end_location_id=ends[1]
    )


def _visit(random: Random, name: str, days: int):
    two = random.random() < 0.4
    start = random.randrange(days) * DAY + 5 * random.randint(92, 140)
    windows = [TimeWindow(start, start + 5 * random.randint(0, 40))]
    if random.random() < 0.3:
        start = windows[0].end_minutes + 5 * random.randint(5, 20)
        windows.append(TimeWindow(start, start + 5 * random.randint(0, 20)))
    slots = [
        Slot(
            service_minutes=random.choice([None, None, 20]),
            standing_caregiver_id=random.choice([None, "a"]),
        )
        for _ in range(2 if two else 1)
    ]
    place, low = random.randrange(PLACES), random.choice([0, 0, 10])
    return visit(
        name,
        place,
        random.choice([20, 30, 45]),
        windows=tuple(windows),
        service_id=random.choice(["care", "cook"]),
        person_id=random.choice([None, "p0", "p1"]),
        access_minutes=random.choice([0, 5]),
        max_tardiness_minutes=random.choice([0, 0, 15]),
        preferred_windows=random.choice([(), (TimeWindow(540, 560),)]),
        tier=random.randint(0, 2),
        mandatory=random.random() < 0.1,
        slots=tuple(slots),
        synchronisation=Synchronisation(low, low + random.choice([0, 20, 50]), random.random() < 0.5),
        gender_wish=random.choice([None, None, Wish(("female",)), Wish(("female", "male"), hard=True)]),
        language_wish=random.choice([None, None, Wish(("m",)), Wish(("m", "n"), hard=True)]),
        excluded_caregiver_ids=random.choice([(), (), ("b",)]),
        previous_caregiver_ids=random.choice([(), ("a",)]),
        preferred_caregiver_ids=random.choice([(), ("b",)]),
        fallback=random.choice([FallbackRule.NONE, FallbackRule.WANTED, FallbackRule.REQUIRED]),
        contract_line_ids=random.choice([("l", "m"), ("m", "l"), ("l",)]),
        line_rule=random.choice(list(LineRule)),
        charge_minutes=random.choice([None, None, 40]),
        charge_meals=random.choice([0, 1]),
        charged_once=random.random() < 0.5,
    )


def _lines(random: Random):
    units = (Unit.MINUTES, Unit.VISITS, Unit.MEALS)
    return (
        ContractLine("l", "o", ("care", "cook"), unit=random.choice(units), price_fen=50),
        ContractLine("m", "o", ("care",), 0, random.choice([0, 5]), random.choice(units), 30),
    )


def _budgets(random: Random, days: int):
    caps = {Unit.MINUTES: 90, Unit.VISITS: 2, Unit.MEALS: 2, Unit.FEN: 4000}
    found = []
    for i, line in enumerate(("l", "m", "l")):
        unit = random.choice(list(Unit))
        if random.random() < 0.6:
            found.append(Budget(f"b{i}", line, 0, days - 1, caps[unit] * random.choice([1, 2]), unit, used=1))
    return tuple(found)


def _running(random: Random, of: Instance) -> RunningPlan:
    rows = [
        RunningAssignment(v.id, slot, random.choice(of.caregivers).id, v.windows[0].start_minutes)
        for v in of.visits
        for slot in range(len(v.slots))
        if random.random() < 0.4
    ]
    return RunningPlan(tuple(rows), random.choice([0, 10]))
