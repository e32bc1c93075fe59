"""HHCRSP benchmark files: read into an `Instance`, and plans written in the benchmark's own format.

The format is that of `iolab-uniud/hhcrsp`: patients with a window and one or two required services, done
by two different caregivers at the same time or within a distance; caregivers with abilities; one office
where everybody begins and ends; a matrix of distances in minutes, the office first.

The objective is (travel + total tardiness + maximum tardiness) / 3: the model's own terms with equal
weights and all others at zero. Nothing is rounded; the matrix may be fractional.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from matching.benchmark_checks import check_benchmark
from matching.errors import InvalidInstance
from matching.fields import MAX_MINUTES
from matching.instance import (
    Caregiver,
    Household,
    Instance,
    Location,
    ProviderKind,
    Qualification,
    Service,
    Shift,
    Slot,
    Synchronisation,
    TimeWindow,
    TravelMode,
    Visit,
)
from matching.objective import ObjectiveVector, ObjectiveWeights
from matching.plan import Plan
from matching.validation import DEFAULT_LIMITS, Limits, check_sizes, validate

POINTS = 100  # per minute of travel, of tardiness and of the largest tardiness
OFFICE = "office"
SUFFIXES = (".json", ".json.gz")


def benchmark_files(folder: Path) -> list[Path]:
    """The instance files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES))


def name_of(path: Path) -> str:
    """The instance's name: the file's, without its suffixes."""
    return path.name.removesuffix(".gz").removesuffix(".json")


def load_benchmark(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> Instance:
    """Read one file. Raises `InvalidInstance`, naming the field, and OSError."""
    path = Path(path)
    raw = path.read_bytes()
    try:
        data = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (ValueError, EOFError, OSError, RecursionError) as problem:
        raise InvalidInstance("(file)", f"is not JSON: {problem}") from None
    return benchmark_instance(data, name_of(path), limits)


def benchmark_instance(data: Any, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Instance:
    """The instance that parsed JSON describes. Raises `InvalidInstance`, naming the field."""
    check_benchmark(data)
    try:
        patients, people = list(data["patients"]), list(data["caregivers"])
        check_sizes({"visits": len(patients), "caregivers": len(people), "shifts": len(people)}, limits)
        made = _instance(data, patients, people, name)
    except KeyError as missing:
        raise InvalidInstance(str(missing.args[0]), "is missing") from None
    except (TypeError, IndexError, AttributeError, ValueError) as problem:
        raise InvalidInstance("(file)", f"is not an HHCRSP instance: {problem}") from None
    validate(made, limits)
    return made


def _instance(data: Any, patients: list[Any], people: list[Any], name: str) -> Instance:
    ways = tuple(tuple(float(minutes) for minutes in row) for row in data["distances"])
    latest = _latest(patients, ways)
    return Instance(
        name=name,
        horizon_days=1,
        locations=(Location(OFFICE), *(Location(row["id"]) for row in patients)),
        travel_modes=(TravelMode("way", ways),),
        services=tuple(
            Service(row["id"], (ProviderKind.CARER,), required_qualifications=(row["id"],)) for row in data["services"]
        ),
        caregivers=tuple(
            Caregiver(
                row["id"],
                ProviderKind.CARER,
                qualifications=tuple(Qualification(ability) for ability in row["abilities"]),
            )
            for row in people
        ),
        shifts=tuple(_shift(row, latest) for row in people),
        households=tuple(Household(row["id"]) for row in patients),
        visits=tuple(_visit(row, data, latest) for row in patients),
        weights=_weights(),
    )


def _weights() -> ObjectiveWeights:
    zero = dict.fromkeys(ObjectiveWeights.__dataclass_fields__, 0)
    equal = dict.fromkeys(("travel_per_minute", "tardiness_per_minute", "max_tardiness_per_minute"), POINTS)
    return ObjectiveWeights(**(zero | equal))


def _latest(patients: list[Any], ways: tuple[tuple[float, ...], ...]) -> float:
    """A time by which everyone is back in every plan that wastes none: nothing is limited but by price."""
    longest = max((max(row, default=0.0) for row in ways), default=0.0)
    close = max((float(row["time_window"][1]) for row in patients), default=0.0)
    work = sum(float(need.get("duration", 0)) + 2 * longest for row in patients for need in row["required_caregivers"])
    apart = sum(float(row.get("synchronization", {}).get("distance", (0, 0))[1]) for row in patients)
    return float(min(MAX_MINUTES, int(close + work + apart + longest) + 1))


def _shift(row: Any, latest: float) -> Shift:
    start, end = row.get("working_shift", (0, latest))
    return Shift(row["id"], row["id"], 0, float(start), float(end), "way", OFFICE, OFFICE)


def _visit(row: Any, data: Any, latest: float) -> Visit:
    needs = row["required_caregivers"]
    usual = {service["id"]: service.get("default_duration") for service in data["services"]}
    slots = tuple(
        Slot(service_id=need["service"], service_minutes=float(need.get("duration", usual[need["service"]])))
        for need in needs
    )
    opens, closes = row["time_window"]
    rule = row.get("synchronization") or {}
    low, high = rule.get("distance", (0, 0)) if rule.get("type") == "sequential" else (0, 0)
    return Visit(
        id=row["id"],
        household_id=row["id"],
        location_id=row["id"],
        service_id=needs[0]["service"],
        windows=(TimeWindow(float(opens), float(closes)),),
        service_minutes=slots[0].service_minutes or 1.0,
        max_tardiness_minutes=max(0.0, latest - float(closes)),
        mandatory=True,
        slots=slots,
        synchronisation=Synchronisation(float(low), float(high)),
    )


def benchmark_value(objective: ObjectiveVector) -> float | None:
    """(travel + total tardiness + maximum tardiness) / 3, or None if someone is not served."""
    if objective.unserved:
        return None
    return (objective.travel_minutes + objective.tardiness_minutes + objective.max_tardiness_minutes) / 3


def solution_json(instance: Instance, plan: Plan) -> str:
    """The plan in the benchmark's format: a route for every caregiver, also for those who stay at home.

    `arrival_time` is the start of service there, `departure_time` its end.
    """
    visits = {row.id: row for row in instance.visits}
    routes: dict[str, list[dict[str, Any]]] = {row.id: [] for row in instance.caregivers}
    for route in plan.routes:
        routes[route.caregiver_id] += [
            {
                "patient": stop.visit_id,
                "service": visits[stop.visit_id].slots[stop.slot].service_id,
                "arrival_time": stop.start_minutes,
                "departure_time": stop.end_minutes,
            }
            for stop in route.stops
        ]
    starts: dict[str, float] = {}
    for route in plan.routes:
        for stop in route.stops:
            starts[stop.visit_id] = min(stop.start_minutes, starts.get(stop.visit_id, stop.start_minutes))
    order = sorted(starts, key=lambda visit: (starts[visit], visit))
    rows = [{"caregiver_id": name, "locations": stops} for name, stops in routes.items()]
    return json.dumps({"global_ordering": order, "routes": rows}, ensure_ascii=False, indent=1) + "\n"
