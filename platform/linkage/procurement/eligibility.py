"""Which organisations may bid (投标资格): registered, not closed, rated as the tender demands, not excluded."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.organisations.models import Exclusion, Organisation
from linkage.procurement.models import Tender


def why_not(tender: Tender, organisation: Organisation) -> list[Any]:
    """Every reason why the organisation may not bid, as sentences; judged for the day of the deadline."""
    day = local_date(tender.deadline_at)
    reasons = []
    if organisation.closed_on is not None and organisation.closed_on <= day:
        reasons.append(_l("The organisation is closed."))
    if tender.least_rating and not _is_rated(organisation, tender.least_rating, day):
        reasons.append(_l("The tender demands a rating of %(rating)s that holds on the day of the deadline.",
                          rating=tender.least_rating))  # fmt: skip
    if is_excluded(organisation, day):
        reasons.append(_l("The organisation is excluded from public purchasing on the day of the deadline."))
    return reasons


def _is_rated(organisation: Organisation, least: str, day: date) -> bool:
    """Ratings are 1A to 5A and hold for five years."""
    holds = organisation.rating_valid_to is None or organisation.rating_valid_to >= day
    return holds and organisation.rating[:1] >= least[:1]


def is_excluded(organisation: Organisation, day: date) -> bool:
    """An exclusion holds on `day` and was not lifted."""
    wanted = select(Exclusion.id).where(
        Exclusion.organisation_id == organisation.id, Exclusion.lifted_at.is_(None), Exclusion.on(day)
    )
    return db.session.scalars(wanted.limit(1)).first() is not None
