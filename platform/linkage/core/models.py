"""What the core itself stores: data keys, audit rows, the outbox, idempotency keys, jobs and rules."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from linkage.core.columns import Created, Dated, UuidKey
from linkage.core.extensions import Model


class DataKey(UuidKey, Created, Model):
    """One person's or household's encryption key, wrapped by the master key.

    Erasing (`erased_at`) overwrites `wrapped` with nothing: what was encrypted under it is gone for good.
    """

    __tablename__ = "data_keys"
    owner_kind: Mapped[str] = mapped_column(String(20))
    master_id: Mapped[str] = mapped_column(String(16), index=True)
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_at: Mapped[datetime | None]


class AuditRow(Model):
    """One thing that was done. Gapless numbers, chained hashes, no personal data in it."""

    __tablename__ = "audit_rows"
    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    actor_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(80), index=True)
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_audit_rows_subject", "subject_kind", "subject_id"),)


class AuditHead(Model):
    """The chain's head: one row, locked while the rows of a transaction are numbered."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class AccessRow(UuidKey, Model):
    """Who opened which sensitive page; written in its own transaction, since reading never writes."""

    __tablename__ = "access_rows"
    at: Mapped[datetime]
    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    endpoint: Mapped[str] = mapped_column(String(80))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(40), index=True)


class OutboxRow(UuidKey, Created, Model):
    """A message to deliver after the commit. `params` holds ids and times, never personal data."""

    __tablename__ = "outbox"
    person_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(60))
    params: Mapped[dict[str, Any]]
    delivered_at: Mapped[datetime | None] = mapped_column(index=True)


class IdempotencyKey(Created, Model):
    """A request that was carried out: repeated with the same key, it answers the same and changes nothing."""

    __tablename__ = "idempotency_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    endpoint: Mapped[str] = mapped_column(String(80))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("scope", "key"),)


class Job(UuidKey, Created, Model):
    """Long work. This row is the truth; the queue only wakes a worker (see `linkage.worker`)."""

    __tablename__ = "jobs"
    kind: Mapped[str] = mapped_column(String(40), index=True)
    params: Mapped[dict[str, Any]]
    requested_by: Mapped[uuid.UUID | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None] = mapped_column(index=True)
    progress: Mapped[dict[str, Any]]
    cancel_asked_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    failed_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any]]

    @property
    def status(self) -> str:
        """waiting → running → done | cancelled | failed, derived from the timestamps."""
        if self.done_at:
            return "done"
        if self.cancelled_at:
            return "cancelled"
        if self.failed_at:
            return "failed"
        return "running" if self.claimed_by else "waiting"


class PeriodicRun(Model):
    """When each periodic job last finished: after a day's outage each catches up from here."""

    __tablename__ = "periodic_runs"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    last_due: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Rule(UuidKey, Dated, Model):
    """A clock, threshold or formula parameter with the dates in which it holds (规则)."""

    __tablename__ = "rules"
    name: Mapped[str] = mapped_column(String(80), index=True)
    value: Mapped[Any] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(200))


class HolidayTable(UuidKey, Created, Model):
    """The days off and the days worked of one year, as its notice names them (放假调休); see `core.workdays`.

    `spans`: [name, first day, last day, "off" or "work"]. The highest `version` of a year holds; earlier ones stay.
    """

    __tablename__ = "holiday_tables"
    year: Mapped[int] = mapped_column(index=True)
    version: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    spans: Mapped[list[Any]]
    loaded_by: Mapped[uuid.UUID | None]
    __table_args__ = (UniqueConstraint("year", "version"),)


class Sequence(Model):
    """Human numbers without gaps that matter: N-2026-000123 and the like."""

    __tablename__ = "sequences"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int]


KeyRef = ForeignKey("data_keys.id")
