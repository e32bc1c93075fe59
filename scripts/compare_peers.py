"""This engine beside VROOM and PyVRP on a problem that all three know, in one go.

The reduced problem: a day of visits with hard windows, each asking for one of three skills; caregivers with
one or two of them, each from an own start to an own end, in fixed hours; a visit left out costs PRIZE. There
are no two-person visits, budgets or known faces, because the peers have none. Everyone gets the same wall
time and two threads (PyVRP uses one); every plan is rebuilt as a `Plan` and judged by our checker, and the
objective is the checker's: travel minutes + PRIZE per visit left out.

    python scripts/compare_peers.py --sizes 50,200,1000 --seconds 5,10,60

The peers are for measuring only (`pip install .[bench]`); nothing of the product imports them.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
import pyvrp
import pyvrp.stop
import vroom

from matching.benchmark import peak_mib
from matching.feasibility import check, evaluate
from matching.instance import (
    Caregiver,
    Household,
    Instance,
    Location,
    ProviderKind,
    Qualification,
    Service,
    Shift,
    TimeWindow,
    TravelMode,
    Visit,
)
from matching.lookup import Lookup
from matching.objective import ObjectiveVector, ObjectiveWeights
from matching.plan import Plan, Route, Stop, Unserved, UnservedCode
from matching.solve import solve
from matching.stop import MaxRuntime
from matching.warm import warm_up_annealing

SKILLS = ("care", "meal", "clean")
OPENS, CLOSES = 480, 1020
PRIZE = 500  # minutes
FAR = 100_000  # minutes to a visit that the person has no skill for
Sequences = dict[str, list[str]]


def reduced_problem(size: int, seed: int) -> Instance:
    """A made-up day of so many visits, with a caregiver for every eleven of them."""
    r = Random(seed)
    people = max(3, round(size / 11))
    side = 12 * size**0.35
    points = [(r.uniform(0, side), r.uniform(0, side)) for _ in range(size + people)]
    places = np.array(points)
    ways = np.ceil(1.3 * np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2)))
    skills = [r.sample(SKILLS, k=r.choice([1, 2, 2])) for _ in range(people)]
    zero = dict.fromkeys((f.name for f in fields(ObjectiveWeights)), 0)
    return Instance(
        horizon_days=1,
        name=f"reduced {size}",
        locations=tuple(Location(f"p{i}") for i in range(size + people)),
        travel_modes=(TravelMode("way", tuple(map(tuple, ways.tolist()))),),
        services=tuple(Service(s, (ProviderKind.CARER,), required_qualifications=(s,)) for s in SKILLS),
        caregivers=tuple(
            Caregiver(f"c{i}", ProviderKind.CARER, qualifications=tuple(map(Qualification, skills[i])))
            for i in range(people)
        ),
        shifts=tuple(
            Shift(f"c{i}", f"c{i}", 0, OPENS, CLOSES, "way", f"p{size + i}", f"p{size + i}") for i in range(people)
        ),
        households=tuple(Household(f"h{i}") for i in range(size)),
        visits=tuple(_visit(r, i) for i in range(size)),
        weights=ObjectiveWeights(**(zero | {"travel_per_minute": 100})),
    )


def _visit(r: Random, i: int) -> Visit:
    start = r.randrange(OPENS, CLOSES - 150, 15)
    window = TimeWindow(start, start + r.choice([60, 90, 120]))
    return Visit(f"v{i}", f"h{i}", f"p{i}", r.choice(SKILLS), (window,), r.choice([20, 30, 30, 45]))


def ours(instance: Instance, seconds: float, seed: int) -> Sequences:
    plan = solve(instance, MaxRuntime(seconds), seed, chains=2)
    return {route.shift_id: [stop.visit_id for stop in route.stops] for route in plan.routes}


def by_vroom(instance: Instance, seconds: float, seed: int) -> Sequences:
    look = Lookup(instance)
    problem = vroom.Input()
    problem.set_durations_matrix("car", (look.travel[0] * 60).astype(np.uint32))
    for i, shift in enumerate(instance.shifts):
        held = look.caregivers[shift.caregiver_id].qualifications
        problem.add_vehicle(
            vroom.Vehicle(
                i + 1,
                start=look.location_index[shift.start_location_id or ""],
                end=look.location_index[shift.end_location_id or ""],
                skills={SKILLS.index(q.id) for q in held},
                time_window=vroom.TimeWindow(int(shift.start_minutes * 60), int(shift.end_minutes * 60)),
            )
        )
    for i, visit in enumerate(instance.visits):
        (window,) = visit.windows
        problem.add_job(
            vroom.Job(
                i + 1,
                look.location_index[visit.location_id],
                default_service=int(visit.service_minutes * 60),
                skills={SKILLS.index(visit.service_id)},
                time_windows=[vroom.TimeWindow(int(window.start_minutes * 60), int(window.end_minutes * 60))],
            )
        )
    found = problem.solve(exploration_level=5, nb_threads=2, timeout=timedelta(seconds=seconds)).routes
    rows: Sequences = {shift.id: [] for shift in instance.shifts}
    for row in found[found["type"] == "job"].itertuples():
        rows[instance.shifts[row.vehicle_id - 1].id].append(instance.visits[row.id - 1].id)
    return rows


def by_pyvrp(instance: Instance, seconds: float, seed: int) -> Sequences:
    look = Lookup(instance)
    size = len(instance.locations)
    kinds = sorted({tuple(sorted(q.id for q in c.qualifications)) for c in instance.caregivers})
    distances = []
    for kind in kinds:
        matrix = look.travel[0].astype(np.int64)
        cannot = [look.location_index[v.location_id] for v in instance.visits if v.service_id not in kind]
        matrix[:, cannot] = matrix[cannot, :] = FAR
        np.fill_diagonal(matrix, 0)
        distances.append(matrix)
    depots = [pyvrp.Depot(look.location_index[s.start_location_id or ""]) for s in instance.shifts]
    types = [
        pyvrp.VehicleType(
            start_depot=i,
            end_depot=i,
            tw_early=int(s.start_minutes),
            tw_late=int(s.end_minutes),
            profile=kinds.index(tuple(sorted(q.id for q in look.caregivers[s.caregiver_id].qualifications))),
        )
        for i, s in enumerate(instance.shifts)
    ]
    clients = [
        pyvrp.Client(
            look.location_index[v.location_id],
            service_duration=int(v.service_minutes),
            tw_early=int(v.windows[0].start_minutes),
            tw_late=int(v.windows[0].end_minutes),
            prize=PRIZE,
            required=False,
        )
        for v in instance.visits
    ]
    places = [pyvrp.Location(0, 0) for _ in range(size)]
    data = pyvrp.ProblemData(places, clients, depots, types, distances, distances)
    best = pyvrp.solve(data, pyvrp.stop.MaxRuntime(seconds), seed=seed, display=False, collect_stats=False).best
    rows: Sequences = {}
    for route in best.routes():
        visits = [instance.visits[step.idx].id for step in route if step.is_client()]
        rows[instance.shifts[route.vehicle_type()].id] = visits
    return rows


SOLVERS: dict[str, Callable[[Instance, float, int], Sequences]] = {
    "matching": ours,
    "VROOM": by_vroom,
    "PyVRP": by_pyvrp,
}


def plan_of(instance: Instance, sequences: Sequences) -> Plan:
    """The plan that visits these places in this order, each as early as it can be."""
    look = Lookup(instance)
    routes = tuple(
        _route(look, shift, [look.visits[name] for name in sequences[shift.id]])
        for shift in instance.shifts
        if sequences.get(shift.id)
    )
    served = {stop.visit_id for route in routes for stop in route.stops}
    left = tuple(Unserved(v.id, UnservedCode.NO_ROOM) for v in instance.visits if v.id not in served)
    plan = Plan(routes=routes, unserved=left)
    return replace(plan, objective=ObjectiveVector(**evaluate(instance, plan)))  # type: ignore[arg-type]


def _route(look: Lookup, shift: Shift, visits: list[Visit]) -> Route:
    free, place, travel, stops = shift.start_minutes, shift.start_location_id, 0.0, []
    for visit in visits:
        way = look.travel_minutes(shift.mode_id, place, visit.location_id)
        start = max(free + way, visit.windows[0].start_minutes)
        stops.append(Stop(visit.id, 0, free + way, start, start + visit.service_minutes))
        free, place, travel = start + visit.service_minutes, visit.location_id, travel + way
    home = look.travel_minutes(shift.mode_id, place, shift.end_location_id)
    work = travel + home + sum(v.service_minutes for v in visits)
    return Route(
        shift_id=shift.id,
        caregiver_id=shift.caregiver_id,
        departure_minutes=shift.start_minutes,
        return_minutes=free + home,
        travel_minutes=travel + home,
        work_minutes=work,
        stops=tuple(stops),
    )


def measure(solver: str, size: int, seconds: float, seed: int) -> dict:
    """One solver on one problem, in a process of its own."""
    instance = reduced_problem(size, seed)
    if solver == "matching":
        warm_up_annealing()
    begin = time.monotonic()
    sequences = SOLVERS[solver](instance, seconds, seed)
    taken = time.monotonic() - begin
    plan = plan_of(instance, sequences)
    problems = check(instance, plan)
    value = plan.objective.travel_minutes + PRIZE * plan.objective.unserved
    return {
        "n": size,
        "solver": solver,
        "objective": value,
        "unserved": plan.objective.unserved,
        "seconds": round(taken, 1),
        "memory_mib": round(peak_mib()),
        "refused": [str(problem) for problem in problems[:3]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="50,200,1000")
    parser.add_argument("--seconds", default="5,10,60", help="per size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print(f"{'n':>5} {'solver':9} {'objective':>10} {'unserved':>8} {'s':>6} {'MiB':>6}")
    for size, seconds in zip(options.sizes.split(","), options.seconds.split(","), strict=True):
        for solver in SOLVERS:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                row = pool.submit(measure, solver, int(size), float(seconds), options.seed).result()
            rows.append(row)
            print(
                f"{row['n']:>5} {solver:9} {row['objective']:>10.0f} {row['unserved']:>8}"
                f" {row['seconds']:>6} {row['memory_mib']:>6} {'; '.join(row['refused'])}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(row["refused"] for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
