"""The search against brute force: all ways to plan a tiny day, judged by the checker."""

from itertools import permutations, product
from random import Random

import pytest

from matching.feasibility import check
from matching.instance import Instance
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import carer, instance, pair, plan, shift, stop, visit, window


def tiny(seed: int) -> Instance:
    """Two people, three or four visits, one of them perhaps of two people; times in steps of ten."""
    r = Random(seed)
    people = [carer("a", cost_per_minute_fen=r.choice([0, 60])), carer("b")]
    rows = []
    for i in range(r.choice([3, 4])):
        make = pair if i == 0 and r.random() < 0.6 else visit
        start = r.choice([480, 500, 540])
        rows.append(
            make(
                f"v{i}",
                r.randint(1, 4),
                r.choice([20, 40]),
                windows=(window(start, start + r.choice([30, 60, 120])),),
                tier=r.choice([0, 1]),
                previous_caregiver_ids=("b",) if r.random() < 0.5 else (),
            )
        )
    return instance(rows, people, [shift("a", end=660), shift("b", start=490, end=700)])


def every_plan(of: Instance):
    """All assignments of visits to people in all orders, each as early as it can be."""
    ways = [[None, ("a",), ("b",)] if len(v.slots) == 1 else [None, ("a", "b"), ("b", "a")] for v in of.visits]
    for choice in product(*ways):
        slots = {"a": [], "b": []}
        for row, way in zip(of.visits, choice, strict=True):
            for k, who in enumerate(way or ()):
                slots[who].append((row, k))
        for one in permutations(slots["a"]):
            for two in permutations(slots["b"]):
                starts = earliest(of, {"a-0": one, "b-0": two})
                if starts is not None:
                    yield plan(
                        of, {h: [stop(v.id, starts[v.id], k) for v, k in rows] for h, rows in starts_of(one, two)}
                    )


def starts_of(one, two):
    return [(h, rows) for h, rows in (("a-0", one), ("b-0", two)) if rows]


def earliest(of: Instance, routes: dict) -> dict[str, float] | None:
    """Earliest starts of all visits, two people together; None if a window is missed or they wait in a ring."""
    starts = {v.id: v.windows[0].start_minutes for v in of.visits}
    shifts = {s.id: s for s in of.shifts}
    for _ in range(8):
        before = dict(starts)
        for h, rows in routes.items():
            clock, place = shifts[h].start_minutes, 0
            for v, _ in rows:
                there = int(v.location_id[1:])
                starts[v.id] = max(starts[v.id], clock + 10 * abs(there - place))
                clock, place = starts[v.id] + v.service_minutes, there
        if starts == before:
            placed = {v.id for rows in routes.values() for v, _ in rows}
            late = [v for v in of.visits if v.id in placed and starts[v.id] > v.windows[0].end_minutes]
            return None if late else starts
    return None


@pytest.mark.parametrize("seed", range(12))
def test_the_search_finds_what_brute_force_finds(seed):
    of = tiny(seed)
    best = min(made.objective.key for made in every_plan(of) if not check(of, made))
    found = solve(of, MaxIterations(300), seed)
    assert check(of, found) == []
    assert found.objective.key == best
