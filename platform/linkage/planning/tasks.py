"""What planning asks of the coordinator; and why a visit has nobody, in words, for the tasks that the visits show."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.areas.models import Area
from linkage.core.clock import week_start
from linkage.core.permissions import Role
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, from_list, task
from linkage.planning import repairing
from linkage.planning.queries import gaps_in_force, planning_areas
from linkage.planning.reasons import reason_text
from linkage.planning.wording import whose_place
from linkage.visits.models import Visit
from linkage.visits.tasks import reasons_by

AHEAD = timedelta(days=6)


@reasons_by
def reasons(visit_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """What the published plan says of each of these visits."""
    return {visit_id: reason_text(gap.reason) for visit_id, gap in gaps_in_force(visit_ids).items()}


class Broken(NamedTuple):
    """A street and the visits of its running week that need somebody else."""

    area: Area
    visits: list[Visit]


@task(
    "planning.repair",
    _l("Plans to repair"),
    urgency=Urgency.NOW,
    icon="bandaid-fill",
    roles=(Role.COORDINATOR,),
)
def repairs(reader: Reader) -> Found:
    """Streets in which somebody was lost, or something urgent came in: the one whose visit is first, first."""
    last = week_start(reader.today) + AHEAD
    found = [
        Broken(area, repairing.to_repair(area.id, reader.today, last, reader.now))
        for area in planning_areas(reader.actor)
    ]
    broken = sorted((one for one in found if one.visits), key=lambda one: one.visits[0].earliest_at)
    return from_list(broken, _rows)


def _rows(broken: Sequence[Broken]) -> Iterable[Row]:
    for area, visits in broken:
        first = visits[0]
        yield Row(
            who=area.name,
            what=ngettext("%(num)d visit needs somebody", "%(num)d visits need somebody", len(visits)),
            why=whose_place(repairing.losses([visit.id for visit in visits]).values()) or _("It cannot wait."),
            look=("visit", "unstaffed"),
            deadline=first.latest_at - timedelta(minutes=first.duration_minutes),
            action=Action(_("Repair the plan"), url_for("planning.week", area_id=area.id), "bandaid"),
            url=url_for("planning.week", area_id=area.id),
        )
