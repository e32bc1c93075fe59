"""Households (家庭), their members, tags (困难类别) and consent by purpose."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area, Place
from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted
from linkage.people.models import Person

TAGS = (
    "destitute",
    "minimum_living",
    "minimum_margin",
    "rigid_expense",
    "severe_disability",
    "aged_80",
    "living_alone",
    "disabled_elder",
    "semi_disabled_elder",
    "orphan",
    "child_in_need",
    "lost_only_child",
    "homeless",
)
RELATIONS = ("self", "spouse", "child", "parent", "grandchild", "other", "contact")
CARE_LEVELS = ("mild", "moderate", "severe", "total")
SOURCES = ("counter", "visit", "hotline", "neighbour", "import")
METHODS = ("signed", "spoken", "guardian")
# Purposes of consent: to keep the record and plan services; to use health facts; to hand facts to volunteers.
PURPOSES = ("service", "health", "volunteers")
CONSENT_TEXT_VERSION = "2026-11"


class Household(UuidKey, Created, Versioned, Model):
    """`number` is unique in its community (`area_id`: community or grid). Sensitive facts are sealed under its key.

    `door_code`: four digits inside the door, typed at check-in (户码). `password`: the word a visitor says (口令).
    `registered_address`: where the household is registered (户籍地), when it is not where it is served.
    `care_level`: '', mild, moderate, severe or total (GB/T 42195), as last assessed.
    """

    __tablename__ = "households"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    number: Mapped[str] = mapped_column(String(30))
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    place_id: Mapped[uuid.UUID] = ref("places.id")
    care_level: Mapped[str] = mapped_column(String(10), default="")
    health_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    hazard_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    door_code_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    password_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    registered_address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    health = Encrypted("health")
    hazard = Encrypted("what to mind in the home")
    door_code = Encrypted("check-in code inside the door")
    password = Encrypted("password a visitor says")
    registered_address = Encrypted("registered residence")
    source: Mapped[str] = mapped_column(String(20), default="counter")
    closed_on: Mapped[date | None]
    area: Mapped[Area] = relationship()
    place: Mapped[Place] = relationship()
    members: Mapped[list[Member]] = relationship(back_populates="household", order_by="Member.position")
    tags: Mapped[list[Tag]] = relationship(order_by="Tag.valid_from")
    consents: Mapped[list[Consent]] = relationship(order_by="Consent.given_on")
    __table_args__ = (UniqueConstraint("area_id", "number"),)


class Member(UuidKey, Dated, Model):
    """A person of a household. `relation`: self, spouse, child, parent, grandchild, other, contact.

    A "contact" (a daughter in another town) lives elsewhere: is told, never served.
    """

    __tablename__ = "members"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    relation: Mapped[str] = mapped_column(String(12), default="self")
    position: Mapped[int] = mapped_column(default=0)
    household: Mapped[Household] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()


class Tag(UuidKey, Created, Dated, Model):
    """Why a household, or one person of it, is entitled to help; with dates and a source."""

    __tablename__ = "tags"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID | None] = ref("people.id", nullable=True)
    tag: Mapped[str] = mapped_column(String(24), index=True)
    source: Mapped[str] = mapped_column(String(60), default="")


class Consent(UuidKey, Created, Model):
    """Consent of a household to one purpose, with the version of the text that was read to them."""

    __tablename__ = "consents"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    purpose: Mapped[str] = mapped_column(String(20))
    given_on: Mapped[date]
    expires_on: Mapped[date | None]
    text_version: Mapped[str] = mapped_column(String(20))
    method: Mapped[str] = mapped_column(String(10))  # signed | spoken | guardian
    recorded_by: Mapped[uuid.UUID | None]
    withdrawn_at: Mapped[datetime | None]

    def holds(self, day: date) -> bool:
        """The consent is valid on `day`."""
        open_ended = self.expires_on is None or day <= self.expires_on
        return self.withdrawn_at is None and self.given_on <= day and open_ended


class Residence(UuidKey, Dated, Model):
    """Where the household was served, and when (服务地). The row that is open names `Household.place_id`."""

    __tablename__ = "residences"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    place_id: Mapped[uuid.UUID] = ref("places.id")
