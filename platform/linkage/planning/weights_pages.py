"""What planning weighs against what (权重): each term with its unit, and what it is exchanged for."""

from __future__ import annotations

from typing import Any

from flask import render_template

from linkage.core import rulesets
from linkage.core.clock import local_date
from linkage.core.web import Room, request_now
from linkage.planning import permissions, weights

room = Room("weights", __name__, url_prefix="/administration/weights", template_folder="templates")


@room.get("/", permission=permissions.may_see_weights)
def page() -> str:
    """Each weight with the value that holds today and the next one; a value is changed on its rule's page."""
    today = local_date(request_now())
    histories = rulesets.histories()
    travel = int(rulesets.rule(weights.name_of("travel_per_minute"), today))
    return render_template(
        "planning/weights.html",
        rows=[_row(term, histories, today, travel) for term in weights.MEANINGS],
        travel=travel,
        told=rulesets.rule("planning.told_travel_minutes", today),
    )


def _row(term: str, histories: dict[str, Any], today: Any, travel: int) -> dict[str, Any]:
    name = weights.name_of(term)
    rows = histories.get(name, [])
    value = int(rulesets.rule(name, today))
    return {
        "name": name,
        "meaning": weights.MEANINGS[term][0],
        "unit": weights.MEANINGS[term][1],
        "value": value,
        "minutes": f"{weights.minutes_of_travel(value, travel):g}",
        "default": rulesets.DEFAULTS[name][0],
        "bounds": rulesets.BOUNDS[name],
        "later": next((row for row in reversed(rows) if row.valid_from > today), None),
        "since": next((row.valid_from for row in rows if row.holds(today) and row.valid_from.year > 2000), None),
    }
