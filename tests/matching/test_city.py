"""A city of few streets: divided, solved apart, offered across borders, merged, and judged as one plan."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from matching import city_solve
from matching.city import City, Street, city_from_json, city_to_json, validate_city
from matching.city_allocation import allocate, split
from matching.city_generate import generate_city
from matching.city_solve import PartLost, solve_city
from matching.errors import InvalidInstance
from matching.feasibility import check
from matching.instance import Budget, ContractLine, Pin, Slot
from matching.instance_io import plan_to_json
from matching.lookup import Lookup
from tests.matching.builders import carer, instance, visit, window


@pytest.fixture(scope="module")
def three():
    return generate_city(2, streets=3, visits=90, caregivers=24)


def test_the_merged_plan_is_accepted_and_two_runs_are_the_same_bytes(three):
    first = solve_city(three, iterations=20, executor=ThreadPoolExecutor(1))
    again = solve_city(three, iterations=20, executor=ThreadPoolExecutor(3))
    assert check(three.instance, first.plan) == []
    assert plan_to_json(first.plan) == plan_to_json(again.plan)
    assert sum(row.served for row in first.streets) == 90 - len(first.plan.unserved)


def test_a_city_is_read_back_as_it_was_written(three):
    assert city_from_json(city_to_json(three)) == three


def two_streets(**more):
    """Street A (h1, at p1) and street B (h4, at p4), half an hour apart on the line of places."""
    return instance(
        [visit("v", 1, windows=(window(540, 600),)), visit("w", 4, windows=(window(540, 600),))],
        [carer("a"), carer("b")],
        **more,
    )


def test_shared_people_go_where_they_are_needed():
    of = two_streets()
    city = City(of, (Street("A", ("h1",), ("a", "b")), Street("B", ("h4",), ("b", "a"))))
    assert sorted(allocate(city, Lookup(of)).street_of.values()) == [0, 1]
    result = solve_city(city, iterations=5, executor=ThreadPoolExecutor(1))
    assert (result.plan.unserved, check(of, result.plan)) == ((), [])


def test_who_has_agreed_to_a_visit_works_in_its_street():
    of = two_streets()
    pinned = replace(of.visits[1], slots=(Slot(pin=Pin("a")),))
    of = replace(of, visits=(of.visits[0], pinned))
    city = City(of, (Street("A", ("h1",), ("a", "b")), Street("B", ("h4",), ("a",))))
    assert allocate(city, Lookup(of)).street_of["a"] == 1


def test_a_visit_is_served_across_the_border_by_who_has_time_left():
    of = instance(
        [visit("v", 1, windows=(window(540, 600),)), visit("w", 4, windows=(window(800, 900),))], [carer("a")]
    )
    city = City(of, (Street("A", ("h1",), ("a",)), Street("B", ("h4",), ("a",))))
    result = solve_city(city, iterations=5, executor=ThreadPoolExecutor(1))
    assert (result.re_offered, result.plan.unserved, check(of, result.plan)) == (1, (), [])


def test_what_one_street_leaves_of_a_budget_pays_in_another():
    paid = [carer(n, organisation_id="o", needs_contract_line=True) for n in "ab"]
    lines = (ContractLine("l", "o", ("care",)),)
    of = instance(
        [visit("v", 1, contract_line_ids=("l",)), visit("w", 4, contract_line_ids=("l",))],
        paid,
        contract_lines=lines,
        budgets=(Budget("k", "l", 0, 0, 120),),
    )
    # A's visits ask for more than its one person could do alone, so the halves of the budget are too small.
    city = City(of, (Street("A", ("h1",), ("a",)), Street("B", ("h4",), ("b",))))
    shares = [rows[0].cap for rows in allocate(city, Lookup(of)).budgets]
    assert sum(shares) == 120
    result = solve_city(city, iterations=5, executor=ThreadPoolExecutor(1))
    assert (result.plan.unserved, check(of, result.plan)) == ((), [])


def test_a_total_is_split_into_whole_parts_that_sum_to_it():
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(3, [0, 0]) == [2, 1]


@pytest.mark.parametrize(
    "streets, path",
    [
        ((Street("A", ("h1",), ("a",)),), "visits[1].household_id"),
        ((Street("A", ("h1", "h4")), Street("B", ("h4",))), "streets[1].household_ids[0]"),
        ((Street("A", ("h1", "h9")),), "streets[0].household_ids[1]"),
        ((Street("A", ("h1",)), Street("A", ("h4",))), "streets[1].id"),
    ],
)
def test_a_city_that_contradicts_itself_is_refused_by_the_name_of_the_field(streets, path):
    with pytest.raises(InvalidInstance) as refused:
        validate_city(City(two_streets(), streets))
    assert refused.value.path == path


def dies_once(part, iterations, seconds, seed):
    """A part whose first worker is killed in the middle of it (a file says that it was)."""
    mark = Path(os.environ["MATCHING_TEST_MARK"])
    if part.name.endswith("s1") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return solve_part(part, iterations, seconds, seed)


def always_dies(part, iterations, seconds, seed):
    os.kill(os.getpid(), signal.SIGKILL)


solve_part = city_solve.solve_part


def test_a_part_whose_worker_is_killed_is_solved_again(three, tmp_path, monkeypatch):
    monkeypatch.setenv("MATCHING_TEST_MARK", str(tmp_path / "killed"))
    monkeypatch.setattr(city_solve, "solve_part", dies_once)
    result = solve_city(three, iterations=5, workers=1)
    assert (tmp_path / "killed").exists()
    assert check(three.instance, result.plan) == []


@pytest.mark.soak
def test_a_part_whose_worker_always_dies_is_given_up(three, monkeypatch):
    monkeypatch.setattr(city_solve, "solve_part", always_dies)
    with pytest.raises(PartLost):
        solve_city(three, iterations=5, workers=1)


@pytest.mark.soak
def test_on_a_cluster_of_two_a_killed_workers_part_is_solved_again_and_the_plan_is_the_same(three):
    distributed = pytest.importorskip("distributed")
    alone = solve_city(three, iterations=20, executor=ThreadPoolExecutor(1))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = []

        def kill_one(street, done, count):
            if not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        together = solve_city(three, iterations=20, executor=client.get_executor(), on_part=kill_one)
    assert killed
    assert plan_to_json(together.plan) == plan_to_json(alone.plan)
