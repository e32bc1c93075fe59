"""Households (家庭), their members, tags (困难类别) and consent by purpose."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
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
# How often staff look in (走访频次): high risk (高风险), key (重点), general (一般).
VISIT_CLASSES = ("high", "key", "general")
ASSESSMENT_REASONS = ("first", "regular", "immediate", "review")
# What came of a look-in (走访): three in which somebody was met, three in which not, which need a reason.
REACHED = ("well", "worse", "needs_help")
NOT_REACHED = ("declined", "referred", "not_reached")
CHECK_OUTCOMES = REACHED + NOT_REACHED
CHECK_WAYS = ("visit", "telephone")
CHECK_REASONS = {
    "declined": ("not_needed", "family_cares", "other_help", "distrust", "other"),
    "referred": ("hospital", "care_home", "other_community", "department", "other"),
    "not_reached": ("nobody_home", "no_answer", "moved_away", "wrong_address", "other"),
}
PAPER_KINDS = ("id_card", "residence_booklet", "disability", "income", "medical", "guardianship", "other")


class Household(UuidKey, Created, Versioned, Model):
    """`number` is unique in its community (`area_id`: community or grid). Sensitive facts are sealed under its key.

    `door_code`: four digits inside the door, typed at check-in (户码). `password`: the word a visitor says (口令).
    `registered_address`: where the household is registered (户籍地), when it is not where it is served.
    `usual_address`: where they usually live (常住地), when it is neither; `place` is where they are served (服务地).
    `care_level`: '', mild, moderate, severe or total (GB/T 42195), as last assessed.
    `visit_class` and `check_due_at`: how often staff look in, and when next (see `households.rhythm`).
    `merged_into_id`: this record was found to be another's double; its number still leads there.
    """

    __tablename__ = "households"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    number: Mapped[str] = mapped_column(String(30), index=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    place_id: Mapped[uuid.UUID] = ref("places.id")
    care_level: Mapped[str] = mapped_column(String(10), default="")
    health_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    hazard_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    door_code_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    password_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    registered_address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    usual_address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    health = Encrypted("health")
    hazard = Encrypted("what to mind in the home")
    door_code = Encrypted("check-in code inside the door")
    password = Encrypted("password a visitor says")
    registered_address = Encrypted("registered residence")
    usual_address = Encrypted("usual residence")
    source: Mapped[str] = mapped_column(String(20), default="counter")
    closed_on: Mapped[date | None]
    visit_class: Mapped[str | None] = mapped_column(String(8))
    check_due_at: Mapped[datetime | None] = mapped_column(index=True)
    merged_into_id: Mapped[uuid.UUID | None] = ref("households.id", nullable=True)
    area: Mapped[Area] = relationship()
    place: Mapped[Place] = relationship()
    members: Mapped[list[Member]] = relationship(back_populates="household", order_by="Member.position")
    tags: Mapped[list[Tag]] = relationship(order_by="Tag.valid_from")
    consents: Mapped[list[Consent]] = relationship(order_by="Consent.given_on")
    __table_args__ = (UniqueConstraint("area_id", "number"),)


class Member(UuidKey, Dated, Model):
    """A person of a household. `relation`: self, spouse, child, parent, grandchild, other, contact.

    A "contact" (a daughter in another town) lives elsewhere: is told, never served. `assess_due_on`: when their
    abilities are to be assessed again (复评).
    """

    __tablename__ = "members"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    relation: Mapped[str] = mapped_column(String(12), default="self")
    position: Mapped[int] = mapped_column(default=0)
    assess_due_on: Mapped[date | None] = mapped_column(index=True)
    linked: Mapped[bool] = mapped_column(default=False)  # registered elsewhere: see people.scopes.is_strange
    household: Mapped[Household] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()
    __table_args__ = (
        Index("ix_members_person_household", "person_id", "household_id"),
        Index("ix_members_household_order", "household_id", "position", "person_id"),
    )


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
    __table_args__ = (
        Index("ix_consents_standing", "household_id", "purpose", "withdrawn_at", "given_on", "expires_on"),
    )

    def holds(self, day: date) -> bool:
        """The consent is valid on `day`."""
        open_ended = self.expires_on is None or day <= self.expires_on
        return self.withdrawn_at is None and self.given_on <= day and open_ended


class Residence(UuidKey, Dated, Model):
    """Where the household was served, and when (服务地). The row that is open names `Household.place_id`."""

    __tablename__ = "residences"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    place_id: Mapped[uuid.UUID] = ref("places.id")


class Assessment(UuidKey, Created, Model):
    """An ability assessment (能力评估, GB/T 42195-2022) of a person; never changed: a later one takes its place.

    `facts`: {"scores": {item: points}, "parts": [four sums], "total", "coma", "dementia", "disorder",
    "events": {kind: number}}; sealed under the person's key, since it is about their health. `level`: intact, mild,
    moderate, severe, total, as the server computed it.
    """

    __tablename__ = "assessments"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    reason: Mapped[str] = mapped_column(String(10))
    assessed_on: Mapped[date] = mapped_column(index=True)
    due_on: Mapped[date]
    level: Mapped[str] = mapped_column(String(10))
    facts_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts = Encrypted("ability assessment: scores, diagnoses, risk events", json=True)
    recorded_by: Mapped[uuid.UUID | None]
    person: Mapped[Person] = relationship()


class HomeCheck(UuidKey, Created, Model):
    """Somebody of the staff looked in (走访) or tried to: what came of it, and why where nobody was met."""

    __tablename__ = "home_checks"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    household_id: Mapped[uuid.UUID] = ref("households.id")
    day: Mapped[date] = mapped_column(index=True)
    way: Mapped[str] = mapped_column(String(10), default="visit")
    outcome: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20), default="")
    minutes: Mapped[int | None]
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted("what was seen when staff looked in")
    recorded_by: Mapped[uuid.UUID | None]


class Paper(UuidKey, Created, Model):
    """A paper that is still missing (容缺材料) of a household that is served already (绿色通道)."""

    __tablename__ = "missing_papers"
    household_id: Mapped[uuid.UUID] = ref("households.id")
    kind: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date] = mapped_column(index=True)
    first_due_on: Mapped[date]
    received_on: Mapped[date | None]
    dropped_on: Mapped[date | None]  # turned out not to be needed
    recorded_by: Mapped[uuid.UUID | None]

    @property
    def is_open(self) -> bool:
        return self.received_on is None and self.dropped_on is None


class HouseholdMerge(UuidKey, Created, Model):
    """Two records were one household: what was moved from the lost record to the kept one (查重合并).

    `moved`: {table: [ids]} of the rows that came over; `people`: [[kept person, lost person], …]; `found_by`: id,
    birth, telephone or staff. The lost record stays, closed, with its addresses and consents.
    """

    __tablename__ = "household_merges"
    kept_id: Mapped[uuid.UUID] = ref("households.id")
    lost_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("households.id"), unique=True)
    found_by: Mapped[str] = mapped_column(String(12))
    kept_number: Mapped[str] = mapped_column(String(30))
    lost_number: Mapped[str] = mapped_column(String(30))
    lost_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    moved: Mapped[dict[str, Any]]
    people: Mapped[list[Any]]
    recorded_by: Mapped[uuid.UUID | None]


class NotTheSame(UuidKey, Created, Model):
    """Two people who look alike and are not the same: asked once, not again. `first_id` < `second_id`."""

    __tablename__ = "not_the_same"
    first_id: Mapped[uuid.UUID] = ref("people.id")
    second_id: Mapped[uuid.UUID] = ref("people.id")
    recorded_by: Mapped[uuid.UUID | None]
    __table_args__ = (UniqueConstraint("first_id", "second_id"), CheckConstraint("first_id < second_id", name="order"))
