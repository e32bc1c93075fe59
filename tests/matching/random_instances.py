"""Small random instances that use the whole model at once, from a seed."""

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
    Location,
    Pin,
    ProviderKind,
    Qualification,
    Quota,
    RunningAssignment,
    RunningPlan,
    Service,
    Shift,
    Slot,
    Synchronisation,
    TimeWindow,
    TravelMode,
    Unit,
    Visit,
    Wish,
    WorkLimit,
)

DAY = 1440
KINDS = tuple(ProviderKind)
CARER, SOCIAL, VOLUNTEER = KINDS
PLACES = 5


def random_instance(seed: int, *, visits: int = 7, breaks: bool = True) -> Instance:
    """One or two days, up to `visits` visits, up to five people; most rules appear in most instances."""
    r = Random(seed)
    days = r.choice([1, 1, 2])
    people = tuple(_caregiver(r, i, days) for i in range(r.randint(2, 5)))
    homes = tuple(_household(r, i, people) for i in range(r.randint(1, 3)))
    lines = tuple(_line(r, i) for i in range(4))
    rows = tuple(_visit(r, i, days, people, homes) for i in range(r.randint(1, visits)))
    return Instance(
        horizon_days=days,
        locations=tuple(Location(f"p{i}") for i in range(PLACES)),
        travel_modes=(TravelMode("walk", _matrix(r)), TravelMode("bike", _matrix(r))),
        services=(
            Service("care", (CARER, VOLUNTEER), required_qualifications=("nursing",) if r.random() < 0.3 else ()),
            Service("bath", KINDS, ((CARER, CARER), (CARER, VOLUNTEER)), insurance_required=True),
            Service("meal", KINDS, minors_allowed=False),
        ),
        caregivers=people,
        shifts=tuple(s for c in people for s in _shifts(r, c, days, breaks)),
        households=homes,
        visits=rows,
        contract_lines=lines,
        budgets=tuple(_budget(r, i, lines, days) for i in range(r.randint(0, 4))),
        quotas=tuple(_quota(r, i, lines, days) for i in range(r.randint(0, 3))),
        excluded_pairs=(ExcludedPair("c0", "c1"),) if len(people) > 1 and r.random() < 0.3 else (),
        running_plan=_running(r, rows, people),
    )


def _matrix(r: Random) -> tuple[tuple[int, ...], ...]:
    """Any times: not symmetric, and detours may be shorter."""
    return tuple(tuple(0 if a == b else r.randint(1, 40) for b in range(PLACES)) for a in range(PLACES))


def _caregiver(r: Random, i: int, days: int) -> Caregiver:
    kind = r.choice((CARER, CARER, VOLUNTEER, SOCIAL))
    paid = kind is not VOLUNTEER
    limits = []
    if r.random() < 0.5:
        limits.append(WorkLimit(0, days - 1, r.randint(150, 600), r.choice([None, 2, 4]), r.randint(0, 60)))
    absences = ()
    if r.random() < 0.3:
        start = r.randint(480, 900)
        absences = (Absence(start, start + r.randint(10, 120)),)
    return Caregiver(
        id=f"c{i}",
        kind=kind,
        gender=r.choice([Gender.FEMALE, *Gender]),
        languages=tuple(r.sample(["mandarin", "minnan"], k=r.randint(0, 2))),
        qualifications=(Qualification("nursing", None, r.choice([None, 0])),) if r.random() < 0.7 else (),
        service_ids=None if r.random() < 0.7 else ("care", "bath"),
        organisation_id=r.choice(["org1", "org2"]) if paid else None,
        needs_contract_line=paid and r.random() < 0.8,
        minor=not paid and r.random() < 0.2,
        insured_until_day=r.choice([None, None, 0, -1]),
        work_limits=tuple(limits),
        absences=absences,
        home_location_id=f"p{r.randrange(PLACES)}",
        radius_minutes=r.choice([None, None, 25]),
        max_new_households=r.choice([None, None, 1]),
        cost_per_minute_fen=r.choice([0, 30]),
        fair_capacity_minutes=r.choice([None, 0, 300]),
    )


def _shifts(r: Random, person: Caregiver, days: int, breaks: bool) -> list[Shift]:
    rows = []
    for day in range(days):
        if r.random() < 0.1:
            continue
        start = day * DAY + r.choice([480, 500, 540])
        end = start + r.choice([180, 300, 540])
        rests = ()
        if breaks and r.random() < 0.4:
            early = start + r.randint(0, 90)
            rests = (Break(early, early + r.randint(0, 60), r.randint(10, 30)),)
        ends = [r.choice([None, person.home_location_id, f"p{r.randrange(PLACES)}"]) for _ in range(2)]
        rows.append(Shift(f"{person.id}d{day}", person.id, day, start, end, r.choice(["walk", "bike"]), *ends, rests))
    return rows


def _household(r: Random, i: int, people: tuple[Caregiver, ...]) -> Household:
    known = tuple(c.id for c in people if r.random() < 0.4)
    return Household(f"h{i}", known, r.choice([None, None, 1, 2]))


def _line(r: Random, i: int) -> ContractLine:
    services = tuple(r.sample(["care", "bath", "meal"], k=r.randint(2, 3)))
    return ContractLine(
        f"n{i}", f"org{1 + i % 2}", services, unit=r.choice([Unit.MINUTES, Unit.VISITS]), price_fen=r.randint(0, 90)
    )


def _budget(r: Random, i: int, lines: tuple[ContractLine, ...], days: int) -> Budget:
    unit = r.choice(list(Unit))
    cap = {Unit.MINUTES: 250, Unit.VISITS: 3, Unit.MEALS: 2, Unit.FEN: 9000}[unit]
    return Budget(f"b{i}", r.choice(lines).id, 0, days - 1, r.randint(0, cap), unit, r.choice([0, 0, 1]))


def _quota(r: Random, i: int, lines: tuple[ContractLine, ...], days: int) -> Quota:
    line = r.choice([None, r.choice(lines).id])
    return Quota(f"q{i}", f"h{r.randint(0, 2)}a", 0, days - 1, r.randint(30, 200), line, Unit.MINUTES)


def _visit(r: Random, i: int, days: int, people: tuple[Caregiver, ...], homes: tuple[Household, ...]) -> Visit:
    home = r.randrange(len(homes))
    service = r.choice(["care", "bath", "meal"])
    two = r.random() < 0.4
    windows = []
    for day in range(days):
        if day == 0 or r.random() < 0.4:
            start = day * DAY + r.choice([480, 510, 600, 660])
            windows.append(TimeWindow(start, start + r.choice([0, 30, 120, 240, 240])))
    low = r.choice([0, 0, 15])
    names = [c.id for c in people]
    return Visit(
        id=f"v{i}",
        household_id=f"h{home}",
        location_id=f"p{home}",
        service_id=service,
        person_id=f"h{home}a",
        windows=tuple(windows),
        service_minutes=r.choice([20, 45, 60]),
        access_minutes=r.choice([0, 5]),
        max_tardiness_minutes=r.choice([0, 0, 30]),
        preferred_windows=(TimeWindow(windows[0].start_minutes + 15, windows[0].start_minutes + 40),)
        if r.random() < 0.4
        else (),
        tier=r.randint(0, 2),
        mandatory=r.random() < 0.1,
        slots=(_slot(r, names, windows[0]), _slot(r, names, None)) if two else (_slot(r, names, windows[0]),),
        synchronisation=Synchronisation(low, low + r.choice([0, 0, 20, 90]), r.random() < 0.5),
        gender_wish=Wish(("female",), r.random() < 0.4) if r.random() < 0.2 else None,
        language_wish=Wish(("minnan",), r.random() < 0.4) if r.random() < 0.2 else None,
        excluded_caregiver_ids=(r.choice(names),) if r.random() < 0.1 else (),
        previous_caregiver_ids=(r.choice(names),) if r.random() < 0.3 else (),
        preferred_caregiver_ids=(r.choice(names),) if r.random() < 0.3 else (),
        fallback=r.choice(list(FallbackRule)),
        contract_line_ids=tuple(r.sample(["n0", "n1", "n2", "n3"], k=r.randint(3, 4))),
        line_rule=r.choice(list(LineRule)),
        charge_minutes=r.choice([None, None, 30]),
        charge_meals=r.choice([0, 1]),
        charged_once=r.random() < 0.5,
    )


def _slot(r: Random, names: list[str], window: TimeWindow | None) -> Slot:
    pin = None
    if window is not None and r.random() < 0.12:
        start = window.start_minutes + r.choice([0, 10, 25])
        pin = Pin(r.choice([None, r.choice(names)]), r.choice([None, start]))
    return Slot(
        service_minutes=r.choice([None, None, 30]),
        standing_caregiver_id=r.choice([None, None, r.choice(names)]),
        pin=pin,
    )


def _running(r: Random, visits: tuple[Visit, ...], people: tuple[Caregiver, ...]) -> RunningPlan:
    if r.random() < 0.5:
        return RunningPlan()
    rows = [
        RunningAssignment(v.id, k, r.choice(people).id, v.windows[0].start_minutes + r.choice([0, 10, 20]))
        for v in visits
        for k in range(len(v.slots))
        if r.random() < 0.6
    ]
    return RunningPlan(tuple(rows), r.choice([0, 5]))
