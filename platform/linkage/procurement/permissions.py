"""Who prepares, decides, bids. A tender lies where it is bought; what is published is open to every organisation."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.procurement.models import Bid, BidEntry, OpeningOfficer, PurchasePlan, Tender

may_see = right(
    "procurement.see",
    "see a tender: the own area's from the draft on, as an organisation once it is published",
    coordinator="concerned",
    supervisor="concerned",
    administrator="area",
    manager="published",
    community="officer",
    operator="officer",
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
may_open = right(
    "procurement.open",
    "make a key, and open the bids together with another officer",
    coordinator="officer",
    supervisor="officer",
    community="officer",
    operator="officer",
)
may_keep = right("procurement.receipt", "keep the receipts of the own bids", manager="organisation")
may_read = right(
    "procurement.read_bid",
    "read a bid once it is opened",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
)
may_plan = right(
    "procurement.plan", "see a purchasing plan", coordinator="area", supervisor="area", administrator="area"
)
see(Tender, may_see)
see(PurchasePlan, may_plan)
see(BidEntry, may_keep)
see(Bid, may_read)


@scope(Tender, "area")
def _bought_here(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Tender.buyer_area_id, grant.area_path)


@scope(Tender, "published")
def _published(_actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Tender.published_at.is_not(None)


@scope(Tender, "officer")
def _opened_by_me(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    seats = select(OpeningOfficer.tender_id)
    own = OpeningOfficer.person_id == actor.person_id
    return Tender.id.in_(seats.where(own, OpeningOfficer.replaced_at.is_(None)))


@scope(Tender, "concerned")
def _bought_here_or_opened_by_me(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return or_(_bought_here(actor, grant), _opened_by_me(actor, grant))


@scope(PurchasePlan, "area")
def _planned_here(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(PurchasePlan.buyer_area_id, grant.area_path)


@scope(Bid, "area")
def _handed_in_here(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Bid.tender_id.in_(select(Tender.id).where(_bought_here(actor, grant)))


@scope(Bid, "organisation")
def _own_bid(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Bid.organisation_id == grant.organisation_id


@scope(BidEntry, "organisation")
def _own_entry(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return BidEntry.bid_id.in_(select(Bid.id).where(_own_bid(actor, grant)))
