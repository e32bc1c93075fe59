"""Once a minute: the list of commitments is published as soon as a deadline has passed."""

from __future__ import annotations

from datetime import datetime

from linkage.core import outside
from linkage.core.extensions import db
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.procurement import bidding, sealed_queries
from linkage.procurement.models import Tender


@periodic("procurement.close_bidding")
def close_bidding(now: datetime) -> None:
    """One short transaction a tender; a suspended one is closed when it goes on."""
    for tender_id in sealed_queries.past_their_deadline(now):
        unit_of_work(lambda tender_id=tender_id: _close(db.session.get_one(Tender, tender_id), now))  # type: ignore[misc]


def _close(tender: Tender, now: datetime) -> None:
    bidding.close_bidding(tender, now=now, key=outside.signing_key())
