"""What surrounds sealed bids: the chain of receipts, the list published at the closing, released parts, contents."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.append_only import append_only
from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.procurement.models.bids import Bid, OpeningOfficer
from linkage.procurement.models.tender import Tender


class BidEntry(UuidKey, Created, Model):
    """One line of a tender's chain (投标登记): a bid was sealed, withdrawn or confirmed. Never changed.

    `text` is what is hashed and signed, exactly; `head` the chain after it; `receipt` what the bidder was given.
    """

    __tablename__ = "bid_entries"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    place: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    head: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[dict[str, Any]]
    bid: Mapped[Bid] = relationship()
    __table_args__ = (
        UniqueConstraint("tender_id", "place"),
        CheckConstraint("kind IN ('sealed', 'withdrawn', 'confirmed')", name="kind"),
    )


class Closing(UuidKey, Created, Model):
    """The list of commitments and the last head, as published and sent at the closing (开标前公示). Never changed.

    `paper`: {text, signature, key}.
    """

    __tablename__ = "bid_closings"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    paper: Mapped[dict[str, Any]]
    head: Mapped[str] = mapped_column(String(64))
    counted: Mapped[int]
    tender: Mapped[Tender] = relationship()
    __table_args__ = (UniqueConstraint("tender_id"),)


class PartRelease(UuidKey, Created, Model):
    """What an officer gave for one bid after the closing: two pieces of its key, or why not. Never changed.

    `pieces` {seat: hex} may be given and still be bad: then `fault` says so, and the opening does not use them.
    """

    __tablename__ = "part_releases"
    officer_id: Mapped[uuid.UUID] = ref("opening_officers.id")
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    pieces: Mapped[dict[str, Any]]
    fault: Mapped[str] = mapped_column(String(20), default="")
    officer: Mapped[OpeningOfficer] = relationship()
    bid: Mapped[Bid] = relationship()
    __table_args__ = (UniqueConstraint("officer_id", "bid_id"),)


class BidContent(UuidKey, Created, Model):
    """What two officers' parts opened: the payload as it was sealed (offer and attachments). Never changed."""

    __tablename__ = "bid_contents"
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    payload: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    statement: Mapped[str] = mapped_column(Text, default="")
    bid: Mapped[Bid] = relationship()
    __table_args__ = (UniqueConstraint("bid_id"),)


for _table in ("bid_entries", "bid_closings", "part_releases", "bid_contents"):
    append_only(_table)
