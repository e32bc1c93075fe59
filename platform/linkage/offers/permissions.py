"""Who sees and answers offers."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.offers.models import Offer
from linkage.visits.models import Slot, Visit

may_see = right(
    "offers.see",
    "see an offer (a volunteer: only what is known before acceptance)",
    community="area",
    coordinator="area",
    operator="area",
    volunteer="self",
)
may_answer = right("offers.answer", "accept or decline an offer", volunteer="self")
see(Offer, may_see)


@scope(Offer, "self")
def _mine(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Offer.person_id == actor.person_id


@scope(Offer, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    here = lies_under(Visit.area_id, grant.area_path)
    return exists().where(Slot.id == Offer.slot_id, Visit.id == Slot.visit_id, here)
