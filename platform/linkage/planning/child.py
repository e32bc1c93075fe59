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
from pathlib import Path
from typing import Any

from matching.feasibility import check
from matching.instance_io import load_instance, plan_to_json
from matching.solve import Progress, solve
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


def run(folder: Path, seconds: float, seed: int) -> None:
    """Solve the folder's instance and leave the answer beside it."""
    instance = load_instance(folder / "instance.json")
    plan = solve(instance, MaxRuntime(seconds), seed=seed, on_progress=on_progress)
    say({"percent": 100, "phase": "checking"})
    violations = [str(violation) for violation in check(instance, plan)]
    say({"percent": 100, "phase": "explaining"})
    reasons = [{"visit_id": row.visit_id, "code": row.code, "proven": row.proven} for row in plan.unserved]
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
