"""Award (定标), challenges and complaints (质疑、投诉), supplements of the contract that follows."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.contracts.models import Contract
from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.organisations.models import Organisation
from linkage.procurement.models.bids import Bid
from linkage.procurement.models.tender import Lot, Tender


class Award(UuidKey, Created, Model):
    """A lot given to a bid, by a person. pending until the result notice, then active; unsuccessful or cancelled.

    `rank` of the bid on its lot; `reason`: demanded where the ranking's order (or the declared rule's result) is left.
    One lot has at most one award that is not cancelled: a unique index decides.
    """

    __tablename__ = "awards"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    lot_id: Mapped[uuid.UUID] = ref("lots.id")
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    price_fen: Mapped[int] = mapped_column(BigInteger)
    score: Mapped[int]
    rank: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[uuid.UUID | None]
    active_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    contract_id: Mapped[uuid.UUID | None] = ref("contracts.id", nullable=True)
    signed_at: Mapped[datetime | None]
    contract_published_at: Mapped[datetime | None]
    lot: Mapped[Lot] = relationship()
    bid: Mapped[Bid] = relationship()
    organisation: Mapped[Organisation] = relationship()
    contract: Mapped[Contract | None] = relationship()
    __table_args__ = (
        CheckConstraint("price_fen > 0 AND score >= 0 AND rank > 0", name="amounts"),
        Index(
            "uq_awards_one_per_lot",
            "lot_id",
            unique=True,
            sqlite_where=text("cancelled_at IS NULL"),
            postgresql_where=text("cancelled_at IS NULL"),
        ),
    )


class Challenge(UuidKey, Created, Model):
    """A bidder's challenge (质疑) and the complaint (投诉) that may follow; `lot_id` None: about the whole tender.

    `may_change`: it may change the result, so signing waits until it is answered and the time to complain is over,
    or the complaint is decided.
    """

    __tablename__ = "challenges"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    lot_id: Mapped[uuid.UUID | None] = ref("lots.id", nullable=True)
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    subject: Mapped[str] = mapped_column(String(20))  # documents | procedure | result
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[uuid.UUID | None]
    may_change: Mapped[bool] = mapped_column(default=True)
    admitted_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    complaint: Mapped[str] = mapped_column(Text, default="")
    complained_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    upheld: Mapped[bool | None]
    tender: Mapped[Tender] = relationship()
    lot: Mapped[Lot | None] = relationship()
    organisation: Mapped[Organisation] = relationship()


class Supplement(UuidKey, Created, Model):
    """A signed supplement of a contract (补充合同); all of them together at most 10 % of its value."""

    __tablename__ = "supplements"
    contract_id: Mapped[uuid.UUID] = ref("contracts.id")
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    signed_on: Mapped[date]
    by: Mapped[uuid.UUID | None]
    __table_args__ = (CheckConstraint("amount_fen > 0", name="positive"),)
