"""How long people wait for an answer: recommend, explain and repair on a made-up day, measured.

Everything is from a seed; times are processor time in milliseconds, so that other work on the machine does not
count.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from matching.events import absent, cancelled, longer, running_plan_of, urgent
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
    """A cancellation, an illness, a no-show, an urgent and a longer visit, in turn, each against the same plan."""
    now = replace(instance, running_plan=running_plan_of(plan, tolerance_minutes=5))
    new = _new_visits(instance, random, events)
    times: dict[str, list[float]] = {kind: [] for kind in EVENTS}
    others: dict[str, list[int]] = {kind: [] for kind in EVENTS}
    dropped = 0
    for number in range(events):
        kind = EVENTS[number % len(EVENTS)]
        changed = _happened(kind, now, plan, random, next(new))
        done, milliseconds = _timed(partial(repair, changed, plan))
        times[kind].append(milliseconds)
        others[kind].append(len(done.others_moved))
        dropped += len(done.dropped)
    figures = _figures("repair", [t for rows in times.values() for t in rows])
    for kind in EVENTS:
        figures |= _figures(f"repair_{kind}", times[kind])
        figures[f"repair_{kind}_others_moved_most"] = max(others[kind], default=0)
    moved = [n for rows in others.values() for n in rows]
    return figures | {
        "others_moved_median": statistics.median(moved),
        "others_moved_most": max(moved),
        "events_with_more_than_3_moved": sum(n > 3 for n in moved),
        "dropped": dropped,
    }


EVENTS = ("cancelled", "ill", "no_show", "urgent", "longer")


def _happened(kind: str, now: Instance, plan: Plan, random: Random, visit: Visit) -> Instance:
    route = random.choice(plan.routes)
    stop = random.choice(route.stops)
    if kind == "cancelled":
        return cancelled(now, stop.visit_id)
    if kind == "ill":  # for the whole shift
        return absent(now, route.caregiver_id, route.departure_minutes - 1, route.return_minutes + 1)
    if kind == "no_show":  # nobody came to this one, and she is not to be reached for two hours
        return absent(now, route.caregiver_id, stop.start_minutes, stop.start_minutes + 120)
    if kind == "longer":
        return longer(now, stop.visit_id, 30)
    start = visit.windows[0].start_minutes
    return urgent(now, replace(visit, tier=0, windows=(TimeWindow(start, start + 60),)))


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
    """What the work gives, and its processor time (on a quiet machine: what people wait) in milliseconds."""
    begin = time.process_time()
    found = work()
    return found, (time.process_time() - begin) * 1000


def _figures(name: str, times: list[float]) -> Figures:
    ordered = sorted(times) or [0.0]
    return {
        f"{name}_median_ms": round(statistics.median(ordered), 1),
        f"{name}_p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        f"{name}_count": len(times),
    }
