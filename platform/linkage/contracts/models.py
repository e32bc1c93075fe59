"""Contracts, their lines, and the append-only capacity ledger (容量账).

The ledger is the truth; `LineMonth` and `PersonMonth` are its guarded sums: a conditional UPDATE of them decides
who gets the last minutes, and the check constraint holds at every read.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area
from linkage.core.append_only import append_only
from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.organisations.models import Organisation

# What an entry does to (reserved, committed, delivered), times its quantity.
EFFECTS = {
    "reserve": (1, 0, 0),
    "unreserve": (-1, 0, 0),
    "commit": (0, 1, 0),
    "uncommit": (0, -1, 0),
    "deliver": (0, -1, 1),
    "undeliver": (0, 1, -1),
}
ENTRY_KINDS = (*EFFECTS, "accept", "pay", "amend")


class Contract(UuidKey, Created, Versioned, Model):
    """A signed contract for purchased services (政府购买服务合同). Money in fen."""

    __tablename__ = "contracts"
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    number: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    buyer_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    signed_on: Mapped[date]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    value_fen: Mapped[int] = mapped_column(BigInteger)
    suspended_at: Mapped[datetime | None]
    terminated_at: Mapped[datetime | None]
    organisation: Mapped[Organisation] = relationship()
    buyer: Mapped[Area] = relationship()
    lines: Mapped[list[ContractLine]] = relationship(back_populates="contract", order_by="ContractLine.position")
    __table_args__ = (CheckConstraint("ends_on >= starts_on AND value_fen >= 0", name="dates"),)


class ContractLine(UuidKey, Created, Versioned, Model):
    """Organisation × services × areas × period with a cap per month in its unit (minutes, visits, meals).

    `eligible_tags`: only households with one of them (empty: all). `monthly_quota`: per person and month, in the
    unit (None: no limit). `rank`: lines are taken in this order where several fit. `price_fen` per unit (for
    minutes: per hour).
    """

    __tablename__ = "contract_lines"
    contract_id: Mapped[uuid.UUID] = ref("contracts.id")
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(80))
    unit: Mapped[str] = mapped_column(String(10), default="minutes")
    price_fen: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    monthly_cap: Mapped[int]
    eligible_tags: Mapped[list[str]]
    monthly_quota: Mapped[int | None]
    rank: Mapped[int] = mapped_column(default=0)
    contract: Mapped[Contract] = relationship(back_populates="lines")
    services: Mapped[list[LineService]] = relationship(cascade="all, delete-orphan")
    areas: Mapped[list[LineArea]] = relationship(cascade="all, delete-orphan")
    __table_args__ = (CheckConstraint("monthly_cap >= 0 AND price_fen >= 0 AND ends_on >= starts_on", name="amounts"),)


class LineService(UuidKey, Model):
    __tablename__ = "line_services"
    line_id: Mapped[uuid.UUID] = ref("contract_lines.id")
    service_id: Mapped[uuid.UUID] = ref("services.id")
    __table_args__ = (UniqueConstraint("line_id", "service_id"),)


class LineArea(UuidKey, Model):
    __tablename__ = "line_areas"
    line_id: Mapped[uuid.UUID] = ref("contract_lines.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    __table_args__ = (UniqueConstraint("line_id", "area_id"),)


class LineMonth(Model):
    """The guarded sums of one line in one month ("2026-11"), in the line's unit."""

    __tablename__ = "line_months"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    line_id: Mapped[uuid.UUID] = ref("contract_lines.id")
    month: Mapped[str] = mapped_column(String(7))
    cap: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    committed: Mapped[int] = mapped_column(default=0)
    delivered: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        UniqueConstraint("line_id", "month"),
        CheckConstraint("reserved >= 0 AND committed >= 0 AND delivered >= 0", name="nonnegative"),
        CheckConstraint("reserved + committed + delivered <= cap", name="within_cap"),
    )


class PersonMonth(Model):
    """What a person used of a line's monthly quota (reserved, committed and delivered together)."""

    __tablename__ = "person_months"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    line_id: Mapped[uuid.UUID] = ref("contract_lines.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    month: Mapped[str] = mapped_column(String(7))
    quota: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        UniqueConstraint("line_id", "person_id", "month"),
        CheckConstraint("used >= 0 AND (quota IS NULL OR used <= quota)", name="within_quota"),
    )


class LedgerEntry(Model):
    """One movement of capacity; never changed, never deleted. `quantity` > 0 in the line's unit.

    `id` rises from entry to entry, so that those of one moment keep their order.

    (`visit_id`, `slot_id`) name what it is for, without a foreign key: visits stand above contracts.
    """

    __tablename__ = "ledger_entries"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    line_id: Mapped[uuid.UUID] = ref("contract_lines.id")
    month: Mapped[str] = mapped_column(String(7))
    kind: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[int]
    person_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    visit_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    slot_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)  # snapshot of what its page shows, see SUMMARY
    at: Mapped[datetime]
    by: Mapped[uuid.UUID | None]
    __table_args__ = (
        Index("ix_ledger_line_month", "line_id", "month"),
        CheckConstraint("quantity > 0", name="positive"),
    )


append_only("ledger_entries")
# What a snapshot may hold; never a name: the entry outlives an erased person. An amendment: from, to.
SUMMARY = {"service", "day", "visit", "need", "start_minute", "minutes", "from", "to"}
