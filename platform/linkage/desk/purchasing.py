"""From what planning could not serve to a purchasing plan (采购需求): by service, street and month.

Counted are visits of the last eight weeks to which nobody came, and those of the next four that the plan in force
leaves without anyone. What they come to in these twelve weeks is carried on to a year.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.contracts.capacity import month_of, quantity_for
from linkage.core.clock import local_date
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.core.web import go, request_now, require_actor
from linkage.desk.room import room
from linkage.planning.queries import gaps_in_force
from linkage.procurement import permissions as procurement
from linkage.procurement.operations import Shortage, enter_plan
from linkage.services.models import Service
from linkage.visits import queries as visits
from linkage.visits.models import Visit
from linkage.visits.status import Status, reckoned

BACK, AHEAD = timedelta(days=56), timedelta(days=28)


@dataclass
class Gap:
    """What a service lacks in a street: visits, the needs behind them, quantities by month in the service's unit."""

    service: Service
    area: Area
    visits: int = 0
    needs: set[uuid.UUID] = field(default_factory=set)
    months: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def yearly(self) -> int:
        """The twelve weeks carried on to 365 days, half up."""
        days = (BACK + AHEAD).days
        return (2 * sum(self.months.values()) * 365 + days) // (2 * days)


def shortage(actor: Actor, now: datetime) -> list[Gap]:
    """What could not be served of the visits that the actor sees, the most first."""
    today = local_date(now)
    wanted = visits.visible(actor).where(Visit.day >= today - BACK, Visit.day < today + AHEAD)
    state = reckoned(wanted, now)
    rows = db.session.execute(
        select(Visit, state.c.state)
        .join(state, state.c.id == Visit.id)
        .where(state.c.state.in_([Status.UNMET.value, Status.MISSED.value, Status.OPEN.value]))
    ).all()
    ahead = {visit.id for visit, is_in in rows if is_in == Status.OPEN.value and visit.day >= today}
    left_out = gaps_in_force(ahead) if ahead else {}
    found: dict[tuple[uuid.UUID, int], Gap] = {}
    for visit, is_in in rows:
        if is_in == Status.OPEN.value and visit.id not in left_out:
            continue
        gap = found.setdefault((visit.service_id, visit.planning_area_id), _gap(visit))
        _count(gap, visit)
    return sorted(found.values(), key=lambda gap: (-gap.visits, gap.area.code, gap.service.position))


def _gap(visit: Visit) -> Gap:
    area = db.session.get(Area, visit.planning_area_id)
    assert area is not None
    return Gap(visit.service, area)


def _count(gap: Gap, visit: Visit) -> None:
    times = visit.people if gap.service.charge_each_person else 1
    gap.visits += 1
    gap.needs.add(visit.need_id)
    gap.months[month_of(visit.day)] += times * quantity_for(gap.service.unit, visit.duration_minutes)


def buyer_of(actor: Actor) -> Area | None:
    """The area for which the actor buys: that of the supervisor's grant, else of the coordinator's."""
    granted = [
        grant.area_id
        for role in (Role.SUPERVISOR, Role.COORDINATOR)
        for grant in actor.grants
        if grant.role == role and grant.area_id is not None
    ]
    return db.session.get(Area, granted[0]) if granted else None


def _span(today: date) -> tuple[date, date]:
    return today - BACK, today + AHEAD - timedelta(days=1)


@room.get("/purchasing", permission=procurement.may_prepare)
def purchasing() -> str:
    actor, now = require_actor(), request_now()
    gaps = shortage(actor, now)
    return render_template(
        "desk/purchasing.html",
        gaps=gaps,
        months=sorted({month for gap in gaps for month in gap.months}),
        span=_span(local_date(now)),
        buyer=buyer_of(actor),
        visits=sum(gap.visits for gap in gaps),
    )


@room.post("/purchasing", permission=procurement.may_prepare)
def purchase() -> Any:
    """Store the plan as it stands, and start a tender from it."""
    actor, now = require_actor(), request_now()
    gaps, buyer = shortage(actor, now), buyer_of(actor)
    if not gaps or buyer is None:
        raise Conflict(_("Nothing is missing now: there is nothing to buy."))
    first, last = _span(local_date(now))
    rows = [
        Shortage(gap.service.id, gap.area.id, len(gap.needs), gap.visits, gap.yearly, dict(gap.months)) for gap in gaps
    ]
    title = _("Services missing in %(area)s", area=buyer.name)
    plan = enter_plan(title, buyer, (month_of(first), month_of(last)), rows, by=actor, now=now)
    return go("procurement.new", plan=plan.id)
