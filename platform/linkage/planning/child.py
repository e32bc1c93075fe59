"""The child process that solves: ``python -m linkage.planning.child FOLDER --seconds N --seed N``.

Reads FOLDER/instance.json, solves, has the independent checker look at the plan, explains what is unserved, and
writes FOLDER/answer.json; progress goes to standard output, one JSON object a line. It knows no database and no
Flask, holds no transaction, and dies with its parent: stopping it is killing it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from linkage.planning.standing import stand
from matching.changes import Fix
from matching.explain import Explainer, Explanation
from matching.feasibility import check
from matching.instance import Instance
from matching.instance_io import load_instance, plan_to_json
from matching.obstacles import Obstacle
from matching.plan import Plan, Unserved, UnservedCode
from matching.repair import repair
from matching.solve import Progress, solve
from matching.staffing import ONE_MORE
from matching.stop import MaxRuntime

PR_SET_PDEATHSIG = 1  # prctl(2): the signal a child gets when its parent dies


def die_with_parent() -> None:
    """On Linux, be killed when the worker is (elsewhere the worker's own limits end the child)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def say(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def on_progress(progress: Progress) -> None:
    say({"percent": round(100 * progress.fraction), "unserved": progress.unserved, "total": round(progress.total)})


def reasons_for(instance: Instance, plan: Plan, *, seconds: float) -> list[dict[str, Any]]:
    """Why each unserved visit is not served; what time does not allow keeps the search's own short code.

    The most vital visits are explained first.
    """
    ends = time.monotonic() + seconds
    explainer, visits = Explainer(instance, plan), {visit.id: visit for visit in instance.visits}
    found = []
    for row in sorted(plan.unserved, key=lambda row: visits[row.visit_id].tier):
        if time.monotonic() < ends:
            found.append(as_json(explainer.explain(visits[row.visit_id], max_fixes=1)))
        else:
            found.append({"visit_id": row.visit_id, "code": row.code.value, "proven": row.proven})
    return found


def as_json(why: Explanation) -> dict[str, Any]:
    """An explanation as plain values (surrogate ids and minutes as in the instance)."""
    code = "room_after_all" if why.candidates else why.deciding.value if why.deciding else "nobody_eligible"
    return {
        "visit_id": why.visit_id,
        "code": code,
        "proven": why.proven,
        "counts": [[counted.value, number] for counted, number in why.counts],
        "people": [
            {"caregiver_id": person.caregiver_id, "slot": person.slot, **_plain(person.obstacles[0])}
            for person in why.people
        ],
        "fix": plain_fix(why.fix) if why.fix else None,
    }


def _plain(obstacle: Obstacle) -> dict[str, Any]:
    return {"code": obstacle.code.value, **dict(obstacle.parameters)}


def plain_fix(fix: Fix) -> dict[str, Any]:
    """A change as plain values: what, how much, who would come, and its price. (Somebody still to be found has no
    id and is left out.)"""
    places = fix.candidate.places
    return {
        "code": fix.code.value,
        "size": fix.size,
        **dict(fix.parameters),
        "starts_at_minutes": places[0].start_minutes,
        "people": [place.caregiver_id for place in places if not place.caregiver_id.startswith(ONE_MORE)],
        "price": asdict(fix.price),
    }


def repaired(folder: Path, instance: Instance) -> Plan:
    """The plan in force around which as little as possible changes: what lost its person, and what cannot wait, is
    placed first, even if a visit or two move for it; what waited before is placed where nobody moves."""
    _, standing, _ = stand(load_instance(folder / "standing.json"))
    first = set(json.loads((folder / "first.json").read_text()))
    kept = {stop.visit_id for route in standing.routes for stop in route.stops}
    waits = (v for v in instance.visits if v.id not in kept and v.id not in first)
    rows = tuple(Unserved(visit.id, UnservedCode.NO_ROOM) for visit in waits)
    return repair(instance, replace(standing, unserved=rows)).plan


def run(folder: Path, seconds: float, seed: int) -> None:
    """Solve (or repair, if what stands is in the folder) the folder's instance and leave the answer beside it."""
    instance = load_instance(folder / "instance.json")
    if (folder / "standing.json").exists():
        plan = repaired(folder, instance)
    else:
        plan = solve(instance, MaxRuntime(seconds), seed=seed, on_progress=on_progress)
    say({"percent": 100, "phase": "checking"})
    violations = [str(violation) for violation in check(instance, plan)]
    say({"percent": 100, "phase": "explaining"})
    reasons = [] if violations else reasons_for(instance, plan, seconds=max(10.0, seconds))
    answer = {"plan": json.loads(plan_to_json(plan)), "violations": violations, "reasons": reasons}
    (folder / "answer.json").write_text(json.dumps(answer))


def main() -> None:
    die_with_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    run(given.folder, given.seconds, given.seed)


if __name__ == "__main__":
    main()
