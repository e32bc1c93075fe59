"""Sealed bids and who opens them. Nothing here can be read before the opening: `envelope` is ciphertext."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.procurement.models.tender import Lot, Tender

OFFICERS = 3


class OpeningOfficer(UuidKey, Created, Model):
    """One of three people any two of whom open the bids (开标人). `position` 1 to 3.

    The key is made in the officer's browser: only its public half (`recipient`, an age recipient) comes here.
    `drilled_at`: the officer has opened the drill's message with it (`drill`: the message, an age file in base64;
    `drill_sha256`: of what it holds). A replaced officer's row stays.
    """

    __tablename__ = "opening_officers"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    position: Mapped[int]
    recipient: Mapped[str] = mapped_column(Text, default="")
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    key_made_at: Mapped[datetime | None]
    drill: Mapped[str] = mapped_column(Text, default="")
    drill_sha256: Mapped[str] = mapped_column(String(64), default="")
    drilled_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
    tender: Mapped[Tender] = relationship()
    person: Mapped[Person] = relationship()
    __table_args__ = (
        CheckConstraint("position BETWEEN 1 AND 3", name="position"),
        Index(
            "uq_opening_officers_seat",
            "tender_id",
            "position",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )


class Bid(UuidKey, Created, Model):
    """One sealed version of an organisation's bid (投标文件); `created_at` is when the server took it.

    `place`: its number in the tender's chain of receipts (`BidEntry`); `commitment`: SHA-256 of `manifest` as sent.
    `envelope`: the ciphertext. The three officers' parts are `parts` (age files in base64).

    A version is superseded by the next or withdrawn; after a clarification that touches bids it needs reconfirming
    (`reconfirm_asked_at` later than `created_at` and than `reconfirmed_at`), else it takes no part. After the opening
    it is `opened_at`, or `void_at` with `void_reason`; `capacity_minutes` and `most_lots` are what the bidder declared.
    """

    __tablename__ = "bids"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    version: Mapped[int]
    place: Mapped[int]
    sealed_by: Mapped[uuid.UUID | None]
    manifest: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    envelope: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    parts: Mapped[list[str]] = mapped_column(deferred=True)
    commitment: Mapped[str] = mapped_column(String(64))
    superseded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    reconfirm_asked_at: Mapped[datetime | None]
    reconfirmed_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    void_at: Mapped[datetime | None]
    void_reason: Mapped[str] = mapped_column(String(40), default="")
    qualified: Mapped[bool | None]
    disqualified_reason: Mapped[str] = mapped_column(Text, default="")
    capacity_minutes: Mapped[int | None] = mapped_column(BigInteger)
    most_lots: Mapped[int | None]
    tender: Mapped[Tender] = relationship()
    organisation: Mapped[Organisation] = relationship()
    lots: Mapped[list[BidLot]] = relationship(back_populates="bid", order_by="BidLot.offer")
    __table_args__ = (
        UniqueConstraint("tender_id", "organisation_id", "version"),
        UniqueConstraint("tender_id", "place"),
        CheckConstraint("version > 0 AND place > 0", name="counted"),
        Index(
            "uq_bids_live",
            "tender_id",
            "organisation_id",
            unique=True,
            sqlite_where=text("superseded_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    @property
    def needs_reconfirming(self) -> bool:
        """A clarification touched it after it was sealed, and the bidder has not said since that it stands."""
        asked = self.reconfirm_asked_at
        return asked is not None and (self.reconfirmed_at is None or self.reconfirmed_at < asked)

    @property
    def takes_part(self) -> bool:
        """It is the one that counts at the opening."""
        return self.superseded_at is None and self.withdrawn_at is None and not self.needs_reconfirming


class BidLot(UuidKey, Model):
    """What an opened bid asks for a lot. Rows with the same `offer` number stand together: all of them or none
    (组合报价); a single offer has one row. Written at the opening, judged in the evaluation.
    """

    __tablename__ = "bid_lots"
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    lot_id: Mapped[uuid.UUID] = ref("lots.id")
    offer: Mapped[int]
    price_fen: Mapped[int] = mapped_column(BigInteger)
    conforming: Mapped[bool | None]
    fault: Mapped[str] = mapped_column(Text, default="")  # why it does not conform
    bid: Mapped[Bid] = relationship(back_populates="lots")
    lot: Mapped[Lot] = relationship()
    __table_args__ = (
        UniqueConstraint("bid_id", "offer", "lot_id"),
        CheckConstraint("price_fen > 0 AND offer > 0", name="amounts"),
    )
