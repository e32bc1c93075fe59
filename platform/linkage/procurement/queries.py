"""Reading tenders."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select

from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.needs import telling
from linkage.organisations.models import Organisation
from linkage.procurement.models import (
    Bid,
    Clarification,
    Lot,
    OpeningOfficer,
    PurchasePlan,
    Question,
    Tender,
    TenderDocument,
)
from linkage.procurement.states import state_sql


def published() -> Select[Tender]:
    """The tenders that everybody may see."""
    return select(Tender).where(Tender.published_at.is_not(None))


def find(wanted: Select[Tender], now: datetime, *, state: str = "", text: str = "") -> Select[Tender]:
    """Those in a state, and with this in title or number."""
    if state:
        wanted = wanted.where(state_sql(now) == state)
    if text.strip():
        typed = text.strip()
        wanted = wanted.where(
            or_(Tender.title.contains(typed, autoescape=True), Tender.number.contains(typed, autoescape=True))
        )
    return wanted


def counts_by_state(wanted: Select[Tender], now: datetime) -> dict[str, int]:
    inside = wanted.order_by(None).with_only_columns(Tender.id)
    state = state_sql(now)
    counted = select(state, func.count()).where(Tender.id.in_(inside)).group_by(state)
    return {row[0]: row[1] for row in db.session.execute(counted)}


def lock(tender: Tender) -> None:
    """Read the tender's row again and hold it to the end of the transaction: one step of a tender at a time."""
    db.session.refresh(tender, with_for_update=True)


def get_tender(tender_id: uuid.UUID) -> Tender | None:
    return db.session.get(Tender, tender_id)


def get_published(tender_id: uuid.UUID) -> Tender | None:
    """The tender, if it is published."""
    tender = db.session.get(Tender, tender_id)
    return tender if tender is not None and tender.published_at is not None else None


def get_plan(plan_id: uuid.UUID) -> PurchasePlan | None:
    return db.session.get(PurchasePlan, plan_id)


def lot_of(tender: Tender, lot_id: uuid.UUID) -> Lot | None:
    return next((lot for lot in tender.lots if lot.id == lot_id), None)


def question_of(tender: Tender, question_id: uuid.UUID) -> Question | None:
    return next((row for row in tender.questions if row.id == question_id), None)


def document_of(tender: Tender, document_id: uuid.UUID) -> TenderDocument | None:
    return next((row for row in tender.documents if row.id == document_id), None)


def price_weight(tender: Tender) -> int:
    """How much the price counts, in hundredths of a point; 0 while no such criterion is set."""
    return sum(row.weight for row in tender.criteria if row.kind == "price")


def officers_of(tender_id: uuid.UUID) -> Sequence[OpeningOfficer]:
    """The opening officers who are in office, by their number."""
    wanted = select(OpeningOfficer).where(OpeningOfficer.tender_id == tender_id, OpeningOfficer.replaced_at.is_(None))
    return db.session.scalars(wanted.order_by(OpeningOfficer.position)).all()


def live_bids(tender_id: uuid.UUID) -> Sequence[Bid]:
    """The last version of each bidder who has not withdrawn, in the order of their places."""
    return db.session.scalars(live(tender_id)).all()


def live(tender_id: uuid.UUID) -> Select[Bid]:
    """Each bidder's last version that was not withdrawn, by place."""
    wanted = select(Bid).where(Bid.tender_id == tender_id, Bid.superseded_at.is_(None), Bid.withdrawn_at.is_(None))
    return wanted.order_by(Bid.place)


def last_clarification(tender_id: uuid.UUID) -> int:
    wanted = select(func.max(Clarification.number)).where(Clarification.tender_id == tender_id)
    return db.session.scalar(wanted) or 0


def managers_of(organisation_ids: Sequence[uuid.UUID], on: date) -> list[uuid.UUID]:
    """The people who manage these organisations on a day: whom to tell."""
    return sorted({person for one in organisation_ids for person in telling.managers(one, on)})


def those_concerned(tender: Tender) -> list[uuid.UUID]:
    """Organisations that have a live bid or have asked: who is told what changes."""
    asked = {row.organisation_id for row in tender.questions}
    return sorted(asked | {bid.organisation_id for bid in live_bids(tender.id)})


def organisation_of(actor: Actor) -> Organisation | None:
    """The organisation that a manager acts for (the first, where there are several)."""
    managed = [grant.organisation_id for grant in actor.grants if grant.role == Role.MANAGER and grant.organisation_id]
    return db.session.get(Organisation, managed[0]) if managed else None
