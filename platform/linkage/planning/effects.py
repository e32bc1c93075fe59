"""What planning does for the rooms below: it ranks who is asked next about a slot, and tells of what cannot wait."""

from __future__ import annotations

from collections.abc import Sequence

from linkage.areas.models import Area
from linkage.core import clock
from linkage.core.events import NeedPosted, effect
from linkage.core.extensions import db
from linkage.needs import telling
from linkage.needs.models import Need
from linkage.offers.models import OfferRound
from linkage.offers.operations import Candidate
from linkage.offers.periodic import rank_with
from linkage.planning.recommendation import candidates_limit, draft_of, volunteers_for
from linkage.planning.urgent import tell_if_urgent


@rank_with
def rank_the_next(row: OfferRound) -> Sequence[Candidate]:
    """Volunteers who could come at the asked time, best first, without those who were asked already."""
    visit = row.slot.visit
    asked = {offer.person_id for offer in row.offers}
    now = clock.now()
    area = db.session.get_one(Area, visit.planning_area_id)
    found = volunteers_for(draft_of(visit, row.starts_at), area, now=now)
    return [one for one in found if one.person_id not in asked][: candidates_limit(now)]


@effect(NeedPosted, "planning")
def tell_of_urgent_wishes(event: NeedPosted) -> None:
    """What a household asks for by itself has nobody yet; if it cannot wait, the coordinator hears at once.

    (Staff who post a need see at once who could come, and choose: `desk.posting` tells when they chose nobody.)
    """
    need = db.session.get_one(Need, event.need_id)
    if telling.poster(need) in telling.family(need.household_id, clock.local_date(event.now)):
        tell_if_urgent(need, by=event.by, now=event.now)
