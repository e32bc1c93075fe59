"""Who prepares, decides, bids. A tender lies where it is bought; what is published is open to every organisation."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.procurement.models import PurchasePlan, Tender

may_see = right(
    "procurement.see",
    "see a tender: the own area's from the draft on, as an organisation once it is published",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="published",
)
may_follow = right(
    "procurement.follow",
    "follow a tender of the own area from the draft to the contract",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_prepare = right(
    "procurement.prepare",
    "draft and publish a tender, answer questions, clarify, cancel, suspend",
    coordinator="area",
    supervisor="area",
)
may_decide = right(
    "procurement.decide",
    "award lots, answer challenges, decide complaints",
    supervisor="area",
)
may_bid = right("procurement.bid", "ask about a published tender and bid on it", manager="published")
may_plan = right(
    "procurement.plan", "see a purchasing plan", coordinator="area", supervisor="area", administrator="area"
)
see(Tender, may_see)
see(PurchasePlan, may_plan)


@scope(Tender, "area")
def _bought_here(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Tender.buyer_area_id, grant.area_path)


@scope(Tender, "published")
def _published(_actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Tender.published_at.is_not(None)


@scope(PurchasePlan, "area")
def _planned_here(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(PurchasePlan.buyer_area_id, grant.area_path)
