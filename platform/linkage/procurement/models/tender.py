"""A tender until its deadline: plan, lots, criteria, documents, questions, clarifications; and its published releases.

Money is integer fen, weights and scores are integer hundredths of a point, service time is integer minutes.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area
from linkage.core.append_only import append_only
from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.organisations.models import Organisation
from linkage.services.models import Service

METHODS = ("open", "consultation", "framework")  # 公开招标 · 竞争性磋商 · 框架协议
RULES = ("by_rank", "by_rank_limited", "optimised")  # A, B, C: matching.awarding.Rule
CRITERION_KINDS = ("price", "quality")
POINTS = 10_000  # all weights together: 100 points in hundredths


class PurchasePlan(UuidKey, Created, Model):
    """What planning found missing (采购需求): a snapshot that the desk handed over; tenders start from it."""

    __tablename__ = "purchase_plans"
    title: Mapped[str] = mapped_column(String(120))
    buyer_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    first_month: Mapped[str] = mapped_column(String(7))
    last_month: Mapped[str] = mapped_column(String(7))
    buyer: Mapped[Area] = relationship()
    lines: Mapped[list[PurchasePlanLine]] = relationship(order_by="PurchasePlanLine.position")


class PurchasePlanLine(UuidKey, Model):
    """A service missing in an area: how many needs and visits nobody could serve in the plan's months, and the
    quantity a year they would take, in the service's unit (minutes, visits, meals).
    """

    __tablename__ = "purchase_plan_lines"
    plan_id: Mapped[uuid.UUID] = ref("purchase_plans.id")
    position: Mapped[int]
    service_id: Mapped[uuid.UUID] = ref("services.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    needs: Mapped[int]
    visits: Mapped[int]
    yearly_quantity: Mapped[int]
    months: Mapped[dict[str, Any]] = mapped_column(default=dict)  # "2026-11" → quantity unmet
    service: Mapped[Service] = relationship()
    area: Mapped[Area] = relationship()
    __table_args__ = (UniqueConstraint("plan_id", "service_id", "area_id"),)


class Tender(UuidKey, Created, Versioned, Model):
    """A purchase (采购项目). Its state is derived from the timestamps: `procurement.states`.

    `rule`: A by_rank, B by_rank_limited (`most_lots` for one organisation), C optimised (with `most_share_permille`,
    `least_suppliers`, `budget_fen`). `least_quality`: points without price (hundredths) below which a bid on a lot
    does not conform. `ties`: what decides equal score and price: "draw", recorded at publication. `frozen` and
    `criteria_hash`: the canonical text of terms, lots and criteria and its SHA-256, written at publication.
    `chain_head`, `chain_length`: the head of the receipts' chain; its row is locked by whoever seals a bid.
    """

    __tablename__ = "tenders"
    number: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(Text, default="")
    buyer_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    plan_id: Mapped[uuid.UUID | None] = ref("purchase_plans.id", nullable=True)
    method: Mapped[str] = mapped_column(String(15))
    rule: Mapped[str] = mapped_column(String(20), default="by_rank")
    most_lots: Mapped[int | None]
    most_share_permille: Mapped[int | None]
    least_suppliers: Mapped[int] = mapped_column(default=0)
    budget_fen: Mapped[int] = mapped_column(BigInteger)
    least_quality: Mapped[int] = mapped_column(default=0)
    least_rating: Mapped[str] = mapped_column(String(2), default="")
    bid_bond_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    performance_bond_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    ties: Mapped[str] = mapped_column(String(20), default="draw")
    standstill: Mapped[bool] = mapped_column(default=True)
    contract_starts_on: Mapped[date]
    contract_ends_on: Mapped[date]
    deadline_at: Mapped[datetime] = mapped_column(index=True)
    frozen: Mapped[str] = mapped_column(Text, default="")
    criteria_hash: Mapped[str] = mapped_column(String(64), default="")
    published_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    evaluated_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]
    ending_reason: Mapped[str] = mapped_column(Text, default="")  # why withdrawn, cancelled or suspended
    chain_head: Mapped[str] = mapped_column(String(64), default="")
    chain_length: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[uuid.UUID | None]
    buyer: Mapped[Area] = relationship()
    plan: Mapped[PurchasePlan | None] = relationship()
    lots: Mapped[list[Lot]] = relationship(back_populates="tender", order_by="Lot.position")
    criteria: Mapped[list[Criterion]] = relationship(order_by="Criterion.position")
    documents: Mapped[list[TenderDocument]] = relationship(order_by="TenderDocument.created_at")
    questions: Mapped[list[Question]] = relationship(order_by="Question.created_at")
    clarifications: Mapped[list[Clarification]] = relationship(order_by="Clarification.number")
    __table_args__ = (
        CheckConstraint("contract_ends_on >= contract_starts_on", name="dates"),
        CheckConstraint("budget_fen >= 0 AND bid_bond_fen >= 0 AND performance_bond_fen >= 0", name="amounts"),
    )


class Lot(UuidKey, Created, Model):
    """A lot (包): one service in one area over the contract's time. `quantity` in the service's unit (minutes, visits,
    meals) for the whole contract; `ceiling_fen` for all of it; `eligible_tags` and `monthly_quota` go into the
    contract's line.
    """

    __tablename__ = "lots"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    service_id: Mapped[uuid.UUID] = ref("services.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    ceiling_fen: Mapped[int] = mapped_column(BigInteger)
    eligible_tags: Mapped[list[str]] = mapped_column(default=list)
    monthly_quota: Mapped[int | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(String(20), default="")  # too_few | none_suitable
    cancelled_at: Mapped[datetime | None]
    tender: Mapped[Tender] = relationship(back_populates="lots")
    service: Mapped[Service] = relationship()
    area: Mapped[Area] = relationship()
    __table_args__ = (
        UniqueConstraint("tender_id", "position"),
        CheckConstraint("quantity > 0 AND ceiling_fen > 0", name="amounts"),
    )


class Criterion(UuidKey, Model):
    """What is scored, and how much it counts: `weight` in hundredths of a point, all together 10,000; one is the
    price, computed by formula, the others are given by the experts.
    """

    __tablename__ = "criteria"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(80))
    standard: Mapped[str] = mapped_column(Text, default="")  # 评分标准
    weight: Mapped[int]
    __table_args__ = (
        UniqueConstraint("tender_id", "position"),
        CheckConstraint("weight > 0 AND weight <= 10000", name="weight"),
    )


class TenderDocument(UuidKey, Created, Model):
    """A file that everybody may download once the tender is published."""

    __tablename__ = "tender_documents"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Question(UuidKey, Created, Model):
    """A bidder's question (询问). The answer is published to all; who asked is not."""

    __tablename__ = "tender_questions"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    asked_by: Mapped[uuid.UUID | None]
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[uuid.UUID | None]
    organisation: Mapped[Organisation] = relationship()
    tender: Mapped[Tender] = relationship(back_populates="questions")


class Clarification(UuidKey, Created, Model):
    """A published correction (澄清、更正公告). Where it touches bids and comes late, the deadline moves; bids that
    were sealed before need to be reconfirmed.
    """

    __tablename__ = "clarifications"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    touches_bids: Mapped[bool]
    deadline_before: Mapped[datetime]
    deadline_after: Mapped[datetime]
    by: Mapped[uuid.UUID | None]
    __table_args__ = (UniqueConstraint("tender_id", "number"),)


class Release(UuidKey, Created, Model):
    """An OCDS 1.1 release, one per transition, as it was published; never changed, never deleted."""

    __tablename__ = "releases"
    tender_id: Mapped[uuid.UUID] = ref("tenders.id")
    number: Mapped[int]
    tags: Mapped[list[str]]
    body: Mapped[dict[str, Any]]
    __table_args__ = (UniqueConstraint("tender_id", "number"),)


append_only("releases")
