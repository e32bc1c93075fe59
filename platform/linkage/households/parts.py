"""What rooms above put onto the household's page: its next visit, the line of time, their buttons.

A room above says ``@part("main")`` over a function of (household, actor, now) that gives markup or "". Regions:
"actions" (beside the name), "main" (below the head card), "side" (above the tags).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from markupsafe import Markup

from linkage.core.permissions import Actor
from linkage.households.models import Household

Part = Callable[[Household, Actor, datetime], str]
REGIONS = ("actions", "main", "side")
_parts: dict[str, list[Part]] = defaultdict(list)


def part(region: str) -> Callable[[Part], Part]:
    """Decorator: the markup that a room above adds to `region` of the household's page."""
    if region not in REGIONS:
        raise ValueError(region)

    def register(render: Part) -> Part:
        if render not in _parts[region]:
            _parts[region].append(render)
        return render

    return register


def parts_of(region: str, household: Household, actor: Actor, now: datetime) -> Markup:
    """Everything registered for `region`, in order of registration."""
    return Markup("").join(Markup(render(household, actor, now)) for render in _parts[region])  # noqa: S704
