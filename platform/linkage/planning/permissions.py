"""Who sees a plan, who makes and publishes one."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from linkage.areas.models import Area
from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.planning.models import Plan, PlanUnserved
from linkage.visits.models import Visit

may_see = right(
    "planning.see",
    "see the plans of a planning area",
    community="inside",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_solve = right("planning.solve", "start and cancel a planning run", coordinator="area")
may_publish = right("planning.publish", "publish or discard a plan", coordinator="area")
may_fix = right("planning.fix", "make the change that would serve an unmet visit", community="area", coordinator="area")
may_see_weights = right("planning.weights", "see what planning weighs against what", administrator="installation")
see(Plan, may_see)
see(PlanUnserved, may_see)


@scope(Plan, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Plan.area_id, grant.area_path)


@scope(Plan, "inside")
def _around(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """Staff of a community see the plan of the street around it (and in it only their own community's visits)."""
    return Plan.area_id.in_(_parents(grant))


@scope(Area, "inside")
def _areas_around(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Area.id.in_(_parents(grant))


def _parents(grant: ActiveGrant) -> list[int]:
    """The grant's own area and all around it."""
    return [int(part) for part in grant.area_path.strip("/").split("/")] if grant.area_path else []


@scope(PlanUnserved, "area")
@scope(PlanUnserved, "inside")
def _of_visit(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return PlanUnserved.visit_id.in_(select(Visit.id).where(lies_under(Visit.area_id, grant.area_path)))
