"""An urgent need: the coordinator of the street hears of it at once, because the next plan comes too late."""

from __future__ import annotations

import uuid
from datetime import datetime

from linkage.areas.models import Area
from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.needs import telling
from linkage.needs.models import Need
from linkage.planning.repairing import urgent_of
from linkage.visits.models import Visit
from linkage.visits.operations import facts


def tell_if_urgent(need: Need, *, by: uuid.UUID | None, now: datetime) -> list[Visit]:
    """Tell the coordinators of the street if visits of `need` have nobody and cannot wait; these visits.

    Called when the need is posted and whoever was chosen for it is booked or asked. `by`: the account that did it.
    """
    db.session.flush()
    visits = urgent_of(need.id, now)
    if not visits:
        return []
    first = visits[0]
    area = db.session.get_one(Area, first.planning_area_id)
    people = telling.staff(area, [Role.COORDINATOR], local_date(now)) - {telling.poster(need)}
    for person_id in sorted(people):
        outbox.tell(person_id, "planning.urgent", now=now, area_id=area.id, **facts(first))
    audit.record("planning.urgent", first, by=by, now=now, told=len(people))
    return visits
