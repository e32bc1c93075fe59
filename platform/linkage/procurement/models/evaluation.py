"""Evaluation (评审): the pool of experts, the recorded draw of a panel, score sheets, low-price reviews, the report."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area
from linkage.core.columns import Created, Dated, UuidKey, ref
from linkage.core.extensions import Model
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.procurement.models.bids import Bid
from linkage.procurement.models.tender import Criterion, Lot, Tender

SEATS = ("expert", "buyer")  # 评审专家 · 采购人代表


class Expert(UuidKey, Created, Dated, Model):
    """Somebody of the pool (评审专家库). `organisation_id`: whom they work for, a reason for recusal there."""

    __tablename__ = "experts"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    organisation_id: Mapped[uuid.UUID | None] = ref("organisations.id", nullable=True)
    seat: Mapped[str] = mapped_column(String(10), default="expert")
    fields: Mapped[list[str]] = mapped_column(default=list)
    person: Mapped[Person] = relationship()
    area: Mapped[Area] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class Recusal(UuidKey, Created, Model):
    """An expert who may not judge a tender (回避), and why; before or after the draw."""

    __tablename__ = "recusals"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    expert_id: Mapped[uuid.UUID] = ref("experts.id")
    reason: Mapped[str] = mapped_column(String(20))  # employer | declared | absent
    by: Mapped[uuid.UUID | None]
    expert: Mapped[Expert] = relationship()
    __table_args__ = (UniqueConstraint("tender_id", "expert_id"),)


class PanelDraw(UuidKey, Created, Model):
    """A draw that anyone can recompute: what was published first (`register_hash`, sizes, rule, the name of a public
    number to come), then the number and the result.
    """

    __tablename__ = "panel_draws"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    number: Mapped[int]
    register: Mapped[list[str]]  # sorted tokens of who may be drawn: "expert:<id>", "buyer:<id>"
    register_hash: Mapped[str] = mapped_column(String(64))
    experts: Mapped[int]
    buyers: Mapped[int]
    public_number_name: Mapped[str] = mapped_column(String(120))
    public_number: Mapped[str] = mapped_column(String(80), default="")
    drawn_at: Mapped[datetime | None]
    drawn: Mapped[list[str]] = mapped_column(default=list)
    __table_args__ = (
        UniqueConstraint("tender_id", "number"),
        CheckConstraint("experts >= 0 AND buyers >= 0 AND experts + buyers > 0", name="seats"),
    )


class PanelMember(UuidKey, Created, Model):
    """A member of a tender's panel (评审小组成员); one who left keeps the row."""

    __tablename__ = "panel_members"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    draw_id: Mapped[uuid.UUID] = ref("panel_draws.id")
    expert_id: Mapped[uuid.UUID] = ref("experts.id")
    position: Mapped[int]
    submitted_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    expert: Mapped[Expert] = relationship()
    tender: Mapped[Tender] = relationship()
    __table_args__ = (UniqueConstraint("tender_id", "expert_id"),)


class ScoreSheet(UuidKey, Created, Model):
    """An expert's points (hundredths, at most the criterion's weight) for one criterion of a bid on a lot.

    An outlier (`flagged_at`) is confirmed or revised in writing (`remark`) before the report; `points_before` keeps
    what was first given.
    """

    __tablename__ = "score_sheets"
    member_id: Mapped[uuid.UUID] = ref("panel_members.id")
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    lot_id: Mapped[uuid.UUID] = ref("lots.id")
    criterion_id: Mapped[uuid.UUID] = ref("criteria.id")
    points: Mapped[int]
    flagged_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    points_before: Mapped[int | None]
    remark: Mapped[str] = mapped_column(Text, default="")
    member: Mapped[PanelMember] = relationship()
    criterion: Mapped[Criterion] = relationship()
    __table_args__ = (
        UniqueConstraint("member_id", "bid_id", "lot_id", "criterion_id"),
        CheckConstraint("points >= 0", name="points"),
    )


class LowPriceReview(UuidKey, Created, Model):
    """A price that is abnormally low (异常低价): the bidder explains, the panel decides with its reason.

    `clauses`: 1 under half of the mean, 2 under half of the next-lowest, 3 under 45 % of the ceiling.
    """

    __tablename__ = "low_price_reviews"
    bid_id: Mapped[uuid.UUID] = ref("bids.id")
    lot_id: Mapped[uuid.UUID] = ref("lots.id")
    clauses: Mapped[list[Any]]
    explanation: Mapped[str] = mapped_column(Text, default="")
    explained_at: Mapped[datetime | None]
    accepted: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    bid: Mapped[Bid] = relationship()
    lot: Mapped[Lot] = relationship()
    __table_args__ = (UniqueConstraint("bid_id", "lot_id"),)


class EvaluationReport(UuidKey, Created, Model):
    """The panel's report (评审报告): all inputs as `matching.awarding` reads them, every rule's outcome, and the
    SHA-256 of both, so that it can be computed again.
    """

    __tablename__ = "evaluation_reports"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    number: Mapped[int]
    inputs: Mapped[dict[str, Any]]
    outcomes: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (UniqueConstraint("tender_id", "number"),)
