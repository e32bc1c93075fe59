"""The weights of planning (权重) as rules with dates: one per term of the objective, in points per its unit.

100 points are a minute of travel as long as that weight stands at its default; a plan is weighed as its first day's
values say. What is told to nobody for too little is a rule in minutes (`planning.told_travel_minutes`).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.rulesets import declare, rule
from matching.objective import ObjectiveWeights

MOST_POINTS = 100_000
TOLD = "told_per_person"
PREFIX, SUFFIX = "planning.weight_", "_points"
SOURCE = "ENGINE.md: 100 points are a minute of travel, one point is a fen"
# term → (what it counts, per what)
MEANINGS: dict[str, tuple[Any, Any]] = {
    "tardiness_per_minute": (_l("A visit begins after its wished hours"), _l("minute, all visits together")),
    "max_tardiness_per_minute": (_l("The latest visit of the plan"), _l("minute of the latest one")),
    "outside_preferred_per_minute": (_l("A visit lies beside its preferred hours"), _l("minute")),
    "new_face": (_l("Somebody comes whom the household does not know"), _l("new person in a household")),
    "not_previous": (_l("Somebody else comes than the last times"), _l("visit")),
    "wish_missed": (_l("A wish of the household is not met (woman or man, language)"), _l("wish")),
    "not_preferred": (_l("Somebody else comes than the household prefers"), _l("visit")),
    "standing_broken": (_l("A standing assignment is given to somebody else"), _l("visit")),
    "unfairness_per_minute": (_l("Work is shared unevenly"), _l("minute above an even share")),
    "cost_per_fen": (_l("Paid service"), _l("fen")),
    "travel_per_minute": (_l("Travel"), _l("minute on the road")),
}


def name_of(term: str) -> str:
    return f"{PREFIX}{term}{SUFFIX}"


for _field in fields(ObjectiveWeights):
    if _field.name != TOLD:
        # Without a price of travel nothing could be exchanged for it.
        low = 1 if _field.name == "travel_per_minute" else 0
        declare(name_of(_field.name), _field.default, SOURCE, bounds=(low, MOST_POINTS))


def weights_on(day: date) -> ObjectiveWeights:
    """The weights of a plan that begins on `day`."""
    values = {term: int(rule(name_of(term), day)) for term in MEANINGS}
    told = values["travel_per_minute"] * int(rule("planning.told_travel_minutes", day))
    return ObjectiveWeights(**values, told_per_person=told)


def minutes_of_travel(points: int, travel: int) -> float:
    """For how many minutes of travel one unit of a term is exchanged."""
    return points / travel
