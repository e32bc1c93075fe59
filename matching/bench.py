"""How long people wait for an answer: recommend, explain and repair on a made-up day, measured.

Everything is from a seed; times are wall time in milliseconds.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from matching.events import absent, cancelled, running_plan_of, urgent
from matching.explain import Explainer
from matching.generate import generate_street
from matching.instance import Instance, TimeWindow, Visit
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.recommend import coverage, recommend
from matching.repair import repair
from matching.solve import solve
from matching.stop import MaxIterations

OPENS_MINUTES, CLOSES_MINUTES = 480, 1080
Figures = dict[str, Any]


def run_bench(what: str, *, visits: int, events: int, seed: int, iterations: int) -> Figures:
    """Make a day of so many visits, plan it, and measure `events` answers of the kind `what`."""
    instance = generate_street(seed, visits_per_day=visits, days=1)
    plan = solve(instance, MaxIterations(iterations), seed)
    figures = BENCHES[what](instance, plan, Random(seed), events)
    return {"visits": len(instance.visits), "unserved": len(plan.unserved), "seed": seed} | figures


def _recommend(instance: Instance, plan: Plan, random: Random, events: int) -> Figures:
    """A new visit like one of the day, at any time of the day: rows, and the strip of the day."""
    state = PlanState(instance, plan)
    rows, strip, found = [], [], 0
    for visit in _new_visits(instance, random, events):
        candidates, milliseconds = _timed(partial(recommend, state, visit))
        rows.append(milliseconds)
        found += bool(candidates)
        strip.append(_timed(partial(coverage, state, visit))[1])
    return _figures("rows", rows) | _figures("strip", strip) | {"with_rows": found}


def _explain(instance: Instance, plan: Plan, random: Random, events: int) -> Figures:
    """A new visit that can start only at one moment, where the plan cannot take it as it stands."""
    explainer = Explainer(instance, plan)
    times: list[float] = []
    proven = fixed = 0
    for visit in _new_visits(instance, random, 10 * events):
        at = TimeWindow(visit.windows[0].start_minutes, visit.windows[0].start_minutes)
        found, milliseconds = _timed(partial(explainer.explain, replace(visit, windows=(at,))))
        if not found.candidates and len(times) < events:
            times.append(milliseconds)
            proven += found.proven
            fixed += bool(found.fixes)
    return _figures("explain", times) | {"proven": proven, "with_fix": fixed}


def _repair(instance: Instance, plan: Plan, random: Random, events: int) -> Figures:
    """A cancellation, an ill carer or an urgent visit, in turn, each against the same plan."""
    now = replace(instance, running_plan=running_plan_of(plan, tolerance_minutes=5))
    new = _new_visits(instance, random, events)
    busy = [(r.caregiver_id, s.start_minutes) for r in plan.routes for s in r.stops]
    times, moved = [], []
    for number in range(events):
        visit = next(new)
        if number % 3 == 0:
            changed = cancelled(now, random.choice(plan.routes).stops[0].visit_id)
        elif number % 3 == 1:
            who, start = random.choice(busy)
            changed = absent(now, who, start, start + 120)
        else:
            start = visit.windows[0].start_minutes
            changed = urgent(now, replace(visit, tier=0, windows=(TimeWindow(start, start + 60),)))
        done, milliseconds = _timed(partial(repair, changed, plan))
        times.append(milliseconds)
        moved.append(len(done.moved))
    return _figures("repair", times) | {"moved_median": statistics.median(moved), "moved_most": max(moved)}


BENCHES: dict[str, Callable[[Instance, Plan, Random, int], Figures]] = {
    "recommend": _recommend,
    "explain": _explain,
    "repair": _repair,
}


def _new_visits(instance: Instance, random: Random, count: int) -> Iterator[Visit]:
    """Visits like those of the day, for the same households, that may start at any time from a random one."""
    for number in range(count):
        model = random.choice(instance.visits)
        start = random.randrange(OPENS_MINUTES, CLOSES_MINUTES - 60, 5)
        yield replace(model, id=f"new{number}", windows=(TimeWindow(start, CLOSES_MINUTES),), preferred_windows=())


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = work()
    return found, (time.perf_counter() - begin) * 1000


def _figures(name: str, times: list[float]) -> Figures:
    ordered = sorted(times) or [0.0]
    return {
        f"{name}_median_ms": round(statistics.median(ordered), 1),
        f"{name}_p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        f"{name}_count": len(times),
    }
