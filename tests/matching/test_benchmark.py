"""HHCRSP files: read, solved with the benchmark's own objective, written as its validator wants them."""

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.__main__ import main
from matching.annealing import Annealing, plan_of, suits
from matching.benchmark import family_of
from matching.benchmark_io import benchmark_instance, benchmark_value, solution_json
from matching.errors import InvalidInstance
from matching.feasibility import check
from matching.lookup import Lookup
from matching.objective import ObjectiveWeights
from matching.plan import PlanStatus
from matching.search import Search
from matching.solve import solve
from matching.stop import MaxIterations, MaxRuntime
from tests.matching.builders import EIGHT, EVENING, carer, shift, visit, window
from tests.matching.builders import instance as street

some = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def made_up(seed: int, patients: int = 9) -> dict:
    """Patients on a square, a third of them with two services, at once or one after the other."""
    r = Random(seed)
    places = [(r.uniform(0, 60), r.uniform(0, 60)) for _ in range(patients + 1)]
    ways = [[round(((a - c) ** 2 + (b - d) ** 2) ** 0.5, 3) for c, d in places] for a, b in places]
    rows = []
    for i in range(patients):
        start = r.randrange(0, 400)
        names = r.sample(["s1", "s2", "s3"], k=2 if r.random() < 0.4 else 1)
        row = {"id": f"p{i + 1}", "time_window": [start, start + 60]}
        row["required_caregivers"] = [{"service": name, "duration": r.randint(5, 30)} for name in names]
        if len(names) == 2:
            low = r.choice([None, 0, 20])
            row["synchronization"] = (
                {"type": "simultaneous"} if low is None else {"type": "sequential", "distance": [low, low + 25]}
            )
        rows.append(row)
    people = [{"id": f"c{i}", "abilities": ["s1", "s2", "s3"][i % 2 : 2 + i % 2]} for i in range(4)]
    services = [{"id": name, "default_duration": 20} for name in ("s1", "s2", "s3")]
    return {"patients": rows, "caregivers": people, "services": services, "distances": ways}


def value_of(data: dict, solution: dict) -> float:
    """The benchmark's objective of a written solution, and every rule of its validator, in plain words."""
    number = {row["id"]: i + 1 for i, row in enumerate(data["patients"])}
    patients = {row["id"]: row for row in data["patients"]}
    able = {row["id"]: set(row["abilities"]) for row in data["caregivers"]}
    assert [row["caregiver_id"] for row in solution["routes"]] == list(able)
    ways, travel, late, starts = data["distances"], 0.0, [0.0], {}
    for route in solution["routes"]:
        place, free = 0, 0.0
        for stop in route["locations"]:
            row, there = patients[stop["patient"]], number[stop["patient"]]
            (minutes,) = [n["duration"] for n in row["required_caregivers"] if n["service"] == stop["service"]]
            assert stop["service"] in able[route["caregiver_id"]]
            assert stop["arrival_time"] >= max(free + ways[place][there], row["time_window"][0]) - 1e-6
            assert abs(stop["departure_time"] - stop["arrival_time"] - minutes) < 1e-6
            travel += ways[place][there]
            late.append(max(0.0, stop["arrival_time"] - row["time_window"][1]))
            starts[stop["patient"], stop["service"]] = stop["arrival_time"]
            place, free = there, stop["departure_time"]
        travel += ways[place][0]
    for row in data["patients"]:
        own = [starts[row["id"], need["service"]] for need in row["required_caregivers"]]
        low, high = row.get("synchronization", {}).get("distance", (0, 0))
        assert len(own) == 1 or low - 1e-6 <= own[1] - own[0] <= high + 1e-6
    return (travel + sum(late) + max(late)) / 3


@some
@given(st.integers(0, 10**6))
def test_a_written_solution_keeps_every_rule_and_is_worth_what_is_said(seed):
    data = made_up(seed)
    instance = benchmark_instance(data, "made up")
    plan = solve(instance, MaxIterations(5), seed)
    assert check(instance, plan) == []
    value = benchmark_value(plan.objective)
    if value is not None:  # a service that nobody can do leaves a patient unserved
        assert value_of(data, json.loads(solution_json(instance, plan))) == pytest.approx(value)


@some
@given(st.integers(0, 10**6))
def test_after_thousands_of_steps_the_chain_still_knows_what_its_plan_costs(seed):
    instance = benchmark_instance(made_up(seed, patients=14))
    search = Search(Lookup(instance), seed)
    for _ in search.construct():
        pass
    annealing = Annealing(search.problem, search.snapshot(), seed, 1)
    (chain,) = annealing.chains
    for temperature in (3000.0, 300.0, 10.0):
        chain.run(1000, temperature)
        cost, times = chain.cost.copy(), chain.times[: annealing.layout.slots, 0].copy()
        assert chain.load(chain.net[:, 0].copy())
        assert chain.cost[:3] == pytest.approx(cost[:3], abs=1e-6)
        assert chain.times[: annealing.layout.slots, 0] == pytest.approx(times, abs=1e-9)


def test_the_annealing_takes_benchmark_instances_and_no_others():
    assert suits(Search(Lookup(benchmark_instance(made_up(1))), 0).problem)


def test_the_same_budget_gives_the_same_solution_in_another_process(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "M1.json").write_text(json.dumps(made_up(3, patients=20)))
    written = []
    for name in ("one", "two"):
        command = ["bench", folder, "--iterations", "20", "--seed", "4", "--solutions", tmp_path / name]
        subprocess.run([sys.executable, "-m", "matching", *command], check=True, capture_output=True)
        written.append((tmp_path / name / "M1.json").read_bytes())
    assert written[0] == written[1]


def test_the_bench_names_a_broken_file_and_solves_the_rest(tmp_path, capsys):
    (tmp_path / "A1.json.gz").write_bytes(gzip.compress(json.dumps(made_up(5)).encode()))
    (tmp_path / "A2.json").write_text('{"patients": [')
    (tmp_path / "best.csv").write_text("instance,best_published\nA1,100\n")
    options = ["--best", str(tmp_path / "best.csv"), "--iterations", "5", "--json", str(tmp_path / "rows.out")]
    assert main(["bench", str(tmp_path), *options]) == 1
    first, second = json.loads((tmp_path / "rows.out").read_text())
    assert list(first) == ["instance", "value", "best", "gap_percent", "seconds", "memory_mib", "seed"]
    assert first["value"] > 0 and first["best"] == 100 and first["memory_mib"] > 20
    assert (second["instance"], second["value"]) == ("A2", None)
    shown = capsys.readouterr().out
    assert "A2" in shown and "is not JSON" in shown and "mean gap A" in shown


@pytest.mark.parametrize(
    ("place", "wrong", "field"),
    [
        (["distances"], None, "distances"),
        (["distances", 0], [1], "distances[0]"),
        (["distances", 0, 1], "far", "distances[0][1]"),
        (["distances", 1, 0], float("nan"), "distances[1][0]"),
        (["patients"], "all", "patients"),
        (["patients", 0], None, "patients[0].id"),
        (["patients", 0, "time_window"], [90, 30], "patients[0].time_window"),
        (["patients", 0, "required_caregivers"], [], "patients[0].required_caregivers"),
        (["patients", 0, "required_caregivers", 0, "service"], "magic", "patients[0].required_caregivers[0].service"),
        (["patients", 0, "required_caregivers", 0, "duration"], -1, "patients[0].required_caregivers[0].duration"),
        (["patients", 0, "synchronization"], {"type": "later"}, "patients[0].synchronization.type"),
        (["services", 0], {}, "services[0].id"),
        (["caregivers", 0, "abilities"], "all", "caregivers[0].abilities"),
        ([], [1], "(file)"),
    ],
)
def test_a_bad_file_is_refused_by_the_name_of_its_field_with_a_remedy(place, wrong, field):
    data = made_up(1)
    *way, last = ["whole", *place]
    whole = at = {"whole": data}
    for key in way:
        at = at[key]
    at[last] = wrong
    with pytest.raises(InvalidInstance) as refusal:
        benchmark_instance(whole["whole"])
    assert refusal.value.path == field
    assert refusal.value.remedy


def test_families_are_names_without_their_numbers():
    assert [family_of(name) for name in ("A1", "HCSRP_10_1", "toy")] == ["A", "HCSRP_10", "toy"]


@pytest.mark.parametrize("seed", [2, 5])
def test_a_few_patients_with_fractional_ways_are_proven_optimal(seed):
    instance = benchmark_instance(made_up(seed, patients=4))
    exact = solve(instance, MaxRuntime(60), seed)
    assert check(instance, exact) == []
    if benchmark_value(exact.objective) is not None:
        assert exact.status is PlanStatus.COMPLETE
        assert exact.objective.total <= solve(instance, MaxIterations(100), seed).objective.total + 1e-6


def test_the_gap_over_time_becomes_a_picture(tmp_path):
    (tmp_path / "M1.json").write_text(json.dumps(made_up(3)))
    (tmp_path / "best.csv").write_text("instance,best_published\nM1,100\n")
    options = ["--best", str(tmp_path / "best.csv"), "--instances", "M1", "--seconds", "0.5", "--seeds", "1"]
    assert main(["picture", str(tmp_path), *options, "--out", str(tmp_path / "gaps.svg")]) == 0
    drawn = ElementTree.parse(tmp_path / "gaps.svg").getroot()
    assert drawn.tag.endswith("svg") and "M1" in [text.text for text in drawn.iter() if text.tag.endswith("text")]


@some
@given(st.integers(0, 10**6))
def test_hard_windows_and_hours_hold_after_ends_of_routes_were_exchanged(seed):
    r = Random(seed)
    visits = []
    for i in range(14):
        start = r.randrange(EIGHT, EVENING - 120, 10)
        visits.append(visit(f"v{i}", r.randint(1, 5), r.choice([20, 40]), windows=(window(start, start + 60),)))
    people = [carer(name) for name in "abcd"]
    ends = {"a": "p1", "b": "p5", "c": "p3", "d": "p0"}
    shifts = [shift(name, start=EIGHT + 10 * i, end=800, end_location_id=ends[name]) for i, name in enumerate("abcd")]
    of = replace(
        street(visits, people, shifts), weights=replace(ObjectiveWeights(), new_face=0, unfairness_per_minute=0)
    )
    search = Search(Lookup(of), seed)
    assert suits(search.problem)
    for _ in search.construct():
        pass
    annealing = Annealing(search.problem, search.snapshot(), seed, 1)
    (chain,) = annealing.chains
    for temperature in (50_000.0, 3000.0, 100.0):
        chain.run(2000, temperature)
        assert search.load(plan_of(annealing.layout, chain))
        assert search.snapshot().points == pytest.approx(chain.found[0])
    assert check(of, solve(of, MaxIterations(10), seed)) == []
