"""Every minute: questions run out, the next are asked, the paid carer takes over. Each round in its own transaction."""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog
from sqlalchemy import or_, select

from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.offers import operations
from linkage.offers.models import Offer, OfferRound
from linkage.offers.operations import Rank
from linkage.offers.queries import unanswered
from linkage.visits.models import Assignment

log = structlog.get_logger("linkage.offers")
_rank: list[Rank] = []


def rank_with(rank: Rank) -> Rank:
    """Decorator for the room above: who is to be asked next is ranked anew by this (it knows the published plan)."""
    _rank[:] = [rank]
    return rank


@periodic("offers.expire")
def expire_due(now: datetime) -> None:
    """Every minute: `expire_and_ask_next`, ranked by whoever registered with `rank_with`."""
    expire_and_ask_next(now, _rank[0] if _rank else None)


def expire_and_ask_next(now: datetime, rank: Rank | None = None) -> None:
    """Do what is due for every open round; one that fails stops no other."""
    for round_id in _due(now):
        try:
            what = unit_of_work(lambda found=round_id: operations.expire(_round(found), now=now, rank=rank))  # type: ignore[misc]
            if what == "fallback":
                _fall_back(round_id, now)
        except Exception:
            db.session.rollback()
            log.exception("offer round failed", round=str(round_id))


def _due(now: datetime) -> list[uuid.UUID]:
    """Open rounds with a question that ran out, nobody asked any more, past the time to decide, or settled."""
    asked = select(Offer.round_id).where(unanswered(), Offer.answer_by > now)
    found = db.session.scalars(
        select(OfferRound.id)
        .where(
            OfferRound.closed_at.is_(None),
            or_(
                OfferRound.id.not_in(asked),
                OfferRound.fallback_at <= now,
                OfferRound.slot_id.in_(select(Assignment.slot_id).where(Assignment.released_at.is_(None))),
                OfferRound.id.in_(select(Offer.round_id).where(unanswered(), Offer.answer_by <= now)),
            ),
        )
        .order_by(OfferRound.id)
    ).all()
    db.session.rollback()
    return list(found)


def _round(round_id: uuid.UUID) -> OfferRound:
    row = db.session.get(OfferRound, round_id)
    assert row is not None
    return row


def _fall_back(round_id: uuid.UUID, now: datetime) -> None:
    try:
        unit_of_work(lambda: operations.fall_back(_round(round_id), now=now))
    except Conflict:  # she is ill, elsewhere, or the contract has ended
        unit_of_work(lambda: operations.give_up(_round(round_id), now=now))
