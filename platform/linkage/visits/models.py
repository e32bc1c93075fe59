"""Need → Visit → Slot → Assignment → Attendance, and the volunteer's ledger of hours."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted
from linkage.core.readings import by_bytes
from linkage.households.models import Household
from linkage.needs.models import Need
from linkage.people.models import Person
from linkage.services.models import Service

CAPACITIES = ("carer", "volunteer")  # as a paid carer for a contract line, or as a volunteer
FACES = (1, 2, 3)  # not good, all right, good (三张脸)
METHODS = ("code", "app", "call_desk", "staff")


class Visit(UuidKey, Created, Versioned, Model):
    """One occurrence of a need. `key` is stable: need number and the occurrence's date.

    `windows` are spans [[start, end], …] in which the *whole* visit must lie, minutes from local midnight of
    `day` (several days: minutes beyond 1,440). Address, door note and the like are a snapshot under the
    household's key, so that a later move does not rewrite the past.
    """

    __tablename__ = "visits"
    number: Mapped[str] = mapped_column(by_bytes(24), unique=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    need_id: Mapped[uuid.UUID] = ref("needs.id")
    household_id: Mapped[uuid.UUID] = ref("households.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    service_id: Mapped[uuid.UUID] = ref("services.id")
    place_id: Mapped[uuid.UUID] = ref("places.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    planning_area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    day: Mapped[date]
    windows: Mapped[list[Any]]
    preferred_start: Mapped[int | None]
    duration_minutes: Mapped[int]
    people: Mapped[int]
    priority: Mapped[int]
    wishes: Mapped[dict[str, Any]]
    earliest_at: Mapped[datetime]  # when its first window opens, and its last one closes
    latest_at: Mapped[datetime] = mapped_column(index=True)
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    address = Encrypted("address at the time of the visit")
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(30))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[uuid.UUID | None]
    rating: Mapped[int | None]
    closed_unmet_at: Mapped[datetime | None]  # its last window passed and nobody came
    need: Mapped[Need] = relationship()
    household: Mapped[Household] = relationship()
    person: Mapped[Person] = relationship()
    service: Mapped[Service] = relationship()
    slots: Mapped[list[Slot]] = relationship(back_populates="visit", order_by="Slot.position")
    __table_args__ = (
        Index("ix_visits_area_day", "planning_area_id", "day"),
        Index("ix_visits_of", "id", "need_id", "household_id"),  # what lies behind a visit
        Index(  # which households somebody was with in a month
            "ix_visits_household_confirmed",
            "household_id",
            "day",
            "cancelled_at",
            sqlite_where=text("confirmed_at IS NOT NULL"),
            postgresql_where=text("confirmed_at IS NOT NULL"),
        ),
        Index(  # the columns that lists and counts of a day or a week read
            "ix_visits_day_standing",
            "day",
            "area_id",
            "id",
            "earliest_at",
            "latest_at",
            "duration_minutes",
            "people",
            "cancelled_at",
            "confirmed_at",
            "closed_unmet_at",
        ),
        CheckConstraint("duration_minutes > 0 AND people IN (1, 2)", name="values"),
    )

    @property
    def places(self) -> list[Slot]:
        """The slots that count: an edit from two people to one leaves the second slot behind, with its history."""
        return self.slots[: self.people]


class Slot(UuidKey, Model):
    """One of the one or two people that a visit needs."""

    __tablename__ = "slots"
    visit_id: Mapped[uuid.UUID] = ref("visits.id")
    position: Mapped[int] = mapped_column(default=0)
    visit: Mapped[Visit] = relationship(back_populates="slots")
    assignments: Mapped[list[Assignment]] = relationship(back_populates="slot", order_by="Assignment.booked_at")
    __table_args__ = (UniqueConstraint("visit_id", "position"),)


class Assignment(UuidKey, Model):
    """Binds a person to a slot, for an organisation's contract line or as a volunteer.

    Made only by `visits.booking`. Active while `released_at` is None: at most one per slot, by a unique index.
    `busy_from`..`ends_at` includes the way there (`travel_minutes`) and is what must not overlap for one person.
    `told_late` counts the steps of lateness already told: 1 the person, 2 the area's staff, 3 missed.
    """

    __tablename__ = "assignments"
    slot_id: Mapped[uuid.UUID] = ref("slots.id")
    visit_id: Mapped[uuid.UUID] = ref("visits.id")
    person_id: Mapped[uuid.UUID] = ref("people.id")
    capacity: Mapped[str] = mapped_column(String(10))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    organisation_name: Mapped[str] = mapped_column(String(120), default="")
    line_id: Mapped[uuid.UUID | None] = ref("contract_lines.id", nullable=True)
    charge: Mapped[int] = mapped_column(default=0)  # quantity committed on the line, in its unit
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime] = mapped_column(index=True)
    travel_minutes: Mapped[int] = mapped_column(default=0)
    busy_from: Mapped[datetime]
    told_late: Mapped[int] = mapped_column(default=0)
    booked_at: Mapped[datetime]
    booked_by: Mapped[uuid.UUID | None]
    accepted_at: Mapped[datetime | None]  # the person said yes; such an assignment never moves unasked
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None] = mapped_column(String(30))
    slot: Mapped[Slot] = relationship(back_populates="assignments")
    visit: Mapped[Visit] = relationship()
    person: Mapped[Person] = relationship()
    attendance: Mapped[Attendance | None] = relationship(back_populates="assignment")
    __table_args__ = (
        Index(
            "uq_assignments_active_slot",
            "slot_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_assignments_person_time", "person_id", "starts_at"),
        Index(  # what an organisation covers
            "ix_assignments_covered",
            "organisation_id",
            "visit_id",
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        Index(  # all that the status of a visit asks of its assignments
            "ix_assignments_standing",
            "visit_id",
            "starts_at",
            "accepted_at",
            "id",
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
        CheckConstraint("ends_at > starts_at", name="span"),
    )


class Attendance(UuidKey, Model):
    """What happened: when the person came and went, how it is known, and the minutes given."""

    __tablename__ = "attendances"
    assignment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("assignments.id"), unique=True)
    checked_in_at: Mapped[datetime | None]
    check_in_method: Mapped[str | None] = mapped_column(String(10))
    check_in_by: Mapped[uuid.UUID | None]
    checked_out_at: Mapped[datetime | None]
    check_out_method: Mapped[str | None] = mapped_column(String(10))
    check_out_by: Mapped[uuid.UUID | None]
    no_show_at: Mapped[datetime | None]
    nobody_home_at: Mapped[datetime | None]
    minutes: Mapped[int | None]
    delivered: Mapped[int] = mapped_column(default=0)  # on the contract line, in its unit
    freed_at: Mapped[datetime | None]  # nobody came: what was committed was given back
    wrong_codes: Mapped[int] = mapped_column(default=0)
    row_version: Mapped[int] = mapped_column(default=1)
    assignment: Mapped[Assignment] = relationship(back_populates="attendance")
    __table_args__ = (
        Index(  # and of what became of them
            "ix_attendances_standing",
            "assignment_id",
            "checked_in_at",
            "checked_out_at",
            "no_show_at",
            "nobody_home_at",
        ),
    )


class AttendanceCorrection(UuidKey, Model):
    """What an attendance said before a correction, and why it was corrected (纠错: both stay visible)."""

    __tablename__ = "attendance_corrections"
    attendance_id: Mapped[uuid.UUID] = ref("attendances.id")
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    minutes: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(30))
    corrected_at: Mapped[datetime]
    corrected_by: Mapped[uuid.UUID | None]


class HoursEntry(UuidKey, Model):
    """A volunteer's service record (志愿服务记录, 民政部令67号): append-only; a correction keeps the original."""

    __tablename__ = "hours_entries"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    assignment_id: Mapped[uuid.UUID | None] = ref("assignments.id", nullable=True)
    minutes: Mapped[int]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[uuid.UUID | None]
    corrects_id: Mapped[uuid.UUID | None] = ref("hours_entries.id", nullable=True)
    reason: Mapped[str] = mapped_column(String(60), default="")
