"""Volunteers (志愿者): what they offer, how far they go, and until when they are insured."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area, Place
from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.people.models import Person


class Volunteer(UuidKey, Created, Versioned, Model):
    """`number` is public; the ID number is never shown. `radius_metres`: how far from home they go.

    A minor takes part only with `guardian_consent_on`. Paused from `paused_from` to `paused_to`.
    """

    __tablename__ = "volunteers"
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), unique=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    home_place_id: Mapped[uuid.UUID | None] = ref("places.id", nullable=True)
    radius_metres: Mapped[int] = mapped_column(default=2000)
    weekly_minutes: Mapped[int] = mapped_column(default=480)
    travel_mode: Mapped[str] = mapped_column(String(8), default="walk")
    insured_to: Mapped[date | None] = mapped_column(index=True)
    guardian_consent_on: Mapped[date | None]
    joined_on: Mapped[date]
    paused_from: Mapped[date | None]
    paused_to: Mapped[date | None]
    left_at: Mapped[datetime | None]
    linked: Mapped[bool] = mapped_column(default=False)  # registered elsewhere: see people.scopes.is_strange
    person: Mapped[Person] = relationship()
    area: Mapped[Area] = relationship()
    home: Mapped[Place | None] = relationship()
    services: Mapped[list[VolunteerService]] = relationship(cascade="all, delete-orphan")


class VolunteerService(UuidKey, Model):
    """A service that a volunteer offers."""

    __tablename__ = "volunteer_services"
    volunteer_id: Mapped[uuid.UUID] = ref("volunteers.id")
    service_id: Mapped[uuid.UUID] = ref("services.id")
    __table_args__ = (UniqueConstraint("volunteer_id", "service_id"),)
