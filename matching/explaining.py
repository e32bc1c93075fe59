"""`python -m matching explain`: a plan as a whole, visit by visit, and the table of changes that serve."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matching.assignments import explain_assignment
from matching.codec import encode
from matching.errors import InvalidPlan
from matching.explain import Explainer, Explanation
from matching.fix_table import fix_table
from matching.instance_io import load_instance, load_plan
from matching.plan_state import PlanState
from matching.report import report


def add_command(command: Callable[[str, Callable, str], argparse.ArgumentParser]) -> None:
    """Add `explain` to the commands."""
    help = "say why visits are not served and what would serve them, why who comes where, and how good a plan is"
    one = command("explain", _run, help)
    one.add_argument("instance", type=Path, nargs="?")
    one.add_argument("plan", type=Path, nargs="?")
    one.add_argument("--visit", help="of this visit only: why it is unserved, or why these people come")
    one.add_argument("--fixes", type=int, default=3, help="kinds of change to look for per visit")
    one.add_argument("--json", type=Path, help="write all of it here")
    one.add_argument("--table", type=int, help="explain so many random unserved visits of made-up streets instead")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--visits-per-day", type=int, default=150, help="of the streets of --table")


def _run(options: argparse.Namespace) -> int:
    if options.table is not None:
        table = fix_table(options.table, options.seed, visits_per_day=options.visits_per_day)
        print("\n".join(table.rows()))
        return 1 if table.failed or table.open else 0
    if options.instance is None or options.plan is None:
        print("refused: give an instance and a plan, or --table N", file=sys.stderr)
        return 2
    explainer = Explainer(load_instance(options.instance), load_plan(options.plan))
    if options.visit is not None:
        found = _of_visit(explainer, options.visit, options.fixes)
    else:
        found = {
            "plan": encode(report(explainer.state.instance, explainer.state.plan, state=explainer.state)),
            "unserved": [
                as_json(explainer.explain(explainer.state.lookup.visits[row.visit_id], max_fixes=options.fixes))
                for row in explainer.state.plan.unserved
            ],
        }
    text = json.dumps(found, ensure_ascii=False, indent=1)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0


def _of_visit(explainer: Explainer, name: str, fixes: int) -> dict[str, Any]:
    state: PlanState = explainer.state
    visit = state.lookup.visits.get(name)
    if visit is None:
        raise InvalidPlan("--visit", f"{name!r} is not in the instance", "give the id of a visit")
    come = sorted(state.at_visit.get(name, ()), key=lambda row: row.slot)
    found: dict[str, Any] = {"assignments": [encode(explain_assignment(state, name, row.slot)) for row in come]}
    if len(come) < len(visit.slots):
        found["unserved"] = as_json(explainer.explain(visit, max_fixes=fixes))
    return found


def as_json(why: Explanation) -> dict[str, Any]:
    """An explanation as plain values; what a change makes of instance and plan is left out."""
    found: dict[str, Any] = {
        "visit_id": why.visit_id,
        "served_by_room_as_it_stands": bool(why.candidates),
        "verdict": "proven" if why.proven else "search-limited",
        "no_single_change": why.no_single_change,
        "deciding": why.deciding,
        "counts": [list(row) for row in why.counts],
        "people": [encode(person) for person in why.people],
        "candidates": [encode(row) for row in why.candidates],
        "fixes": [],
    }
    for fix in why.fixes:
        row = {"code": fix.code, "size": fix.size, **dict(fix.parameters), "price": encode(fix.price)}
        found["fixes"].append(row | {"candidate": encode(fix.candidate)})
    return found
