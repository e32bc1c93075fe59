"""Offers (邀约): a proposal becomes a question to a volunteer; the first acceptance wins."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.people.models import Person
from linkage.visits.models import Slot


class OfferRound(UuidKey, Created, Model):
    """All questions about one slot: whom to ask next, and the paid carer kept in reserve behind it.

    `candidates` are ranked (`operations.Candidate` as JSON); a fallback holds reserved capacity on
    `fallback_line_id`. Nobody is asked any more after `fallback_at`. Open until `closed_at`; `outcome`: accepted,
    fallback, nobody, withdrawn.
    """

    __tablename__ = "offer_rounds"
    slot_id: Mapped[uuid.UUID] = ref("slots.id")
    plan_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    candidates: Mapped[list[Any]]
    fallback_person_id: Mapped[uuid.UUID | None] = ref("people.id", nullable=True)
    fallback_line_id: Mapped[uuid.UUID | None] = ref("contract_lines.id", nullable=True)
    fallback_starts_at: Mapped[datetime | None]
    fallback_charge: Mapped[int] = mapped_column(default=0)
    fallback_travel_minutes: Mapped[int] = mapped_column(default=0)
    fallback_at: Mapped[datetime | None]  # when asking ends; the carer is told then
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(12))
    slot: Mapped[Slot] = relationship()
    offers: Mapped[list[Offer]] = relationship(back_populates="round", order_by="Offer.asked_at")
    __table_args__ = (
        Index(
            "uq_offer_rounds_open_slot",
            "slot_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


class Offer(UuidKey, Model):
    """One question to one volunteer. Unanswered is "asked", never "served"."""

    __tablename__ = "offers"
    round_id: Mapped[uuid.UUID] = ref("offer_rounds.id")
    slot_id: Mapped[uuid.UUID] = ref("slots.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reasons: Mapped[list[Any]]
    asked_at: Mapped[datetime]
    answer_by: Mapped[datetime] = mapped_column(index=True)
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    round: Mapped[OfferRound] = relationship(back_populates="offers")
    slot: Mapped[Slot] = relationship()
    person: Mapped[Person] = relationship()
    __table_args__ = (
        UniqueConstraint("round_id", "person_id"),
        Index(
            "uq_offers_accepted_slot",
            "slot_id",
            unique=True,
            sqlite_where=text("accepted_at IS NOT NULL AND withdrawn_at IS NULL"),
            postgresql_where=text("accepted_at IS NOT NULL AND withdrawn_at IS NULL"),
        ),
    )
