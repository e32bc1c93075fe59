"""Needs (需求): what a household asks for, once or repeatedly."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted
from linkage.core.readings import by_bytes
from linkage.households.models import Household
from linkage.people.models import Person
from linkage.services.models import Service

CHANNELS = ("hotline", "counter", "visit", "neighbour", "family", "online", "import")
# Tier 1 is served first: vital (不能断), important (优先), ordinary (一般).
PRIORITIES = (1, 2, 3)
PRIORITY_REASONS = ("severe_disability", "living_alone", "recent_fall", "medical", "basic_need", "wish", "staff")


class Need(UuidKey, Created, Versioned, Model):
    """A request for one service.

    `starts_on` is the first day; `recurrence` is an iCalendar RRULE (RFC 5545) without DTSTART, None for once;
    `ends_on` the last day (None: as the rule says). `window_start`..`window_end` is the span in which the whole
    visit must lie, minutes from local midnight; `preferred_start` the wished start. A one-off may lie on any of
    `flexible_days` days from `starts_on` (1: that day only). Wishes: {"gender": "F", "gender_hard": true,
    "language": "minnan", "language_hard": false}. `repeats_id`: the first need that this one repeats.
    """

    __tablename__ = "needs"
    number: Mapped[str] = mapped_column(by_bytes(20), unique=True)
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    service_id: Mapped[uuid.UUID] = ref("services.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    starts_on: Mapped[date] = mapped_column(index=True)
    ends_on: Mapped[date | None]
    recurrence: Mapped[str | None] = mapped_column(String(200))
    flexible_days: Mapped[int] = mapped_column(default=1)
    window_start: Mapped[int]
    window_end: Mapped[int]
    preferred_start: Mapped[int | None]
    duration_minutes: Mapped[int]
    people: Mapped[int] = mapped_column(default=1)
    wishes: Mapped[dict[str, Any]]
    priority: Mapped[int] = mapped_column(default=3)
    priority_reason: Mapped[str] = mapped_column(String(30), default="wish")
    channel: Mapped[str] = mapped_column(String(12), default="counter")
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted("what was said about the need")
    caller_person_id: Mapped[uuid.UUID | None] = ref("people.id", nullable=True)
    posted_by: Mapped[uuid.UUID | None] = mapped_column(index=True)
    repeats_id: Mapped[uuid.UUID | None] = ref("needs.id", nullable=True)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(String(30))
    visits_until: Mapped[date | None]  # visits exist up to this day
    household: Mapped[Household] = relationship()
    person: Mapped[Person] = relationship(foreign_keys="Need.person_id")
    service: Mapped[Service] = relationship()
    __table_args__ = (
        CheckConstraint("window_start >= 0 AND window_end - window_start >= duration_minutes", name="window"),
        CheckConstraint("duration_minutes > 0 AND people IN (1, 2) AND priority IN (1, 2, 3)", name="values"),
    )
