"""Plans (计划): immutable versions that point to slots and change nothing until they are published."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.visits.models import Slot, Visit


class Plan(UuidKey, Created, Model):
    """A solved and checked plan of one planning area over first_day..last_day.

    `instance` is the compressed instance (surrogate ids and travel times, no positions), kept until `expires_at`
    so that a bad night can be replayed. `summary`: counts for the line of truth; `objective`: the vector by term.
    """

    __tablename__ = "plans"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    number: Mapped[int]
    first_day: Mapped[date] = mapped_column(index=True)
    last_day: Mapped[date]
    job_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    requested_by: Mapped[uuid.UUID | None]
    solved_from: Mapped[datetime]  # the moment of the snapshot
    seconds: Mapped[float] = mapped_column(default=0)
    seed: Mapped[int] = mapped_column(default=0)
    cause: Mapped[str | None] = mapped_column(String(20))  # "repair": around what stands, as few moved as can be
    summary: Mapped[dict[str, Any]]
    objective: Mapped[dict[str, Any]]
    curve: Mapped[list[Any]]
    instance: Mapped[bytes | None] = mapped_column(LargeBinary)
    surrogates: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime]
    published_at: Mapped[datetime | None] = mapped_column(index=True)
    published_by: Mapped[uuid.UUID | None]
    discarded_at: Mapped[datetime | None]
    stops: Mapped[list[PlanStop]] = relationship(back_populates="plan", cascade="all, delete-orphan")
    unserved: Mapped[list[PlanUnserved]] = relationship(back_populates="plan", cascade="all, delete-orphan")
    skipped: Mapped[list[PlanSkipped]] = relationship(cascade="all, delete-orphan")
    __table_args__ = (UniqueConstraint("area_id", "number"),)

    @property
    def status(self) -> str:
        """draft → published | discarded."""
        if self.published_at:
            return "published"
        return "discarded" if self.discarded_at else "draft"


class PlanStop(UuidKey, Model):
    """A slot placed with a person at a time. `held`: it already stood (booked, accepted or asked) and is kept."""

    __tablename__ = "plan_stops"
    plan_id: Mapped[uuid.UUID] = ref("plans.id")
    slot_id: Mapped[uuid.UUID] = ref("slots.id")
    visit_id: Mapped[uuid.UUID] = ref("visits.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    capacity: Mapped[str] = mapped_column(String(10))
    line_id: Mapped[uuid.UUID | None] = ref("contract_lines.id", nullable=True)
    charge: Mapped[int] = mapped_column(default=0)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    travel_minutes: Mapped[int] = mapped_column(default=0)
    late_minutes: Mapped[int] = mapped_column(default=0)
    held: Mapped[bool] = mapped_column(default=False)
    fallback_person_id: Mapped[uuid.UUID | None] = ref("people.id", nullable=True)
    fallback_line_id: Mapped[uuid.UUID | None] = ref("contract_lines.id", nullable=True)
    fallback_starts_at: Mapped[datetime | None]
    fallback_charge: Mapped[int] = mapped_column(default=0)
    fallback_travel_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    plan: Mapped[Plan] = relationship(back_populates="stops")
    slot: Mapped[Slot] = relationship()
    visit: Mapped[Visit] = relationship()
    __table_args__ = (UniqueConstraint("plan_id", "slot_id"),)


class PlanUnserved(UuidKey, Model):
    """A visit (or a half of it) that nobody can serve in this plan, with its reason and smallest fix.

    `reason`: {"code", "people": {reason code: count}, …}; `proven`: certain, not only search-limited; `fix`: the
    smallest change, verified by solving again with it (None where none is certain).
    """

    __tablename__ = "plan_unserved"
    plan_id: Mapped[uuid.UUID] = ref("plans.id")
    visit_id: Mapped[uuid.UUID] = ref("visits.id")
    half: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[dict[str, Any]]
    proven: Mapped[bool] = mapped_column(default=False)
    fix: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    applied_at: Mapped[datetime | None]
    plan: Mapped[Plan] = relationship(back_populates="unserved")
    visit: Mapped[Visit] = relationship()
    __table_args__ = (UniqueConstraint("plan_id", "visit_id"),)


class PlanSkipped(UuidKey, Model):
    """What publishing did not apply, and why (the world had moved on since the snapshot)."""

    __tablename__ = "plan_skipped"
    plan_id: Mapped[uuid.UUID] = ref("plans.id")
    slot_id: Mapped[uuid.UUID] = ref("slots.id")
    reason: Mapped[str] = mapped_column(String(40))


class PlanningLock(Model):
    """One run per planning area at a time."""

    __tablename__ = "planning_locks"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True, autoincrement=False)
    job_id: Mapped[uuid.UUID | None]
    taken_at: Mapped[datetime | None]
