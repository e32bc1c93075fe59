"""One human being is one Person; member, volunteer, carer and account are roles that point to it.

A person's working time (shifts of a carer, availability of a volunteer) stands here too, since "in two places
at once" is a question about the person.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    delete,
    event,
    insert,
    inspect,
)
from sqlalchemy.orm import Mapped, mapped_column

from linkage.core import veil
from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted, plain_personal
from linkage.core.readings import Key, person_keys
from linkage.people.identity import normalise_id_number, normalise_telephone

SEXES = ("F", "M")
LANGUAGES = ("mandarin", "minnan", "hakka", "cantonese", "english", "sign")


class Person(UuidKey, Created, Versioned, Model):
    """A human being. `name_keys` holds the readings of the name, for sorting; `PersonKey` what finds it."""

    __tablename__ = "people"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    name: Mapped[str] = mapped_column(veil.Name(80))
    name_keys: Mapped[str] = mapped_column(String(400), default="")
    birth_date: Mapped[date | None] = mapped_column(veil.BirthDate(), index=True)
    sex: Mapped[str | None] = mapped_column(String(1))
    languages: Mapped[list[str]]
    telephone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    telephone_exact: Mapped[str | None] = mapped_column(String(32), index=True)
    telephone_last4: Mapped[str | None] = mapped_column(String(32), index=True)
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_exact: Mapped[str | None] = mapped_column(String(32), unique=True)
    id_number_last4: Mapped[str | None] = mapped_column(String(32), index=True)
    died_on: Mapped[date | None]
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[uuid.UUID | None] = ref("people.id", nullable=True)  # the same human being as that one
    # Raised by every booking: the row is locked first, then the overlap is tested (SAFETY.md).
    booking_version: Mapped[int] = mapped_column(default=0)
    telephone = Encrypted("telephone", exact=True, last4=True, normalise=normalise_telephone)
    id_number = Encrypted("resident ID number", exact=True, last4=True, normalise=normalise_id_number)

    __table_args__ = (
        Index("ix_people_name_birth", "name", "birth_date"),
        Index("ix_people_spoken", "id", "name_keys"),  # lists in the order of spoken names
    )

    def age_on(self, day: date) -> int | None:
        """Completed years on `day`; None when the birth date is unknown."""
        born = self.birth_date
        return None if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


plain_personal("people", "name", "name")
plain_personal("people", "name_keys", "search keys of the name")
plain_personal("people", "birth_date", "birth date")


class PersonKey(Model):
    """What somebody may begin to type to find a person (`core.readings`). `whole`: from the name's first character.

    The rows follow the person's name by themselves, whoever changes it; an erased person has none.
    """

    __tablename__ = "person_keys"
    key: Mapped[str] = mapped_column(Key, primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    whole: Mapped[bool]
    __table_args__ = {"sqlite_with_rowid": False}


plain_personal("person_keys", "key", "search keys of the name")


def key_rows(person_id: uuid.UUID, name: str) -> list[dict[str, Any]]:
    """The rows of `PersonKey` for a name."""
    return [{"key": key, "person_id": person_id, "whole": whole} for key, whole in person_keys(name).items()]


@event.listens_for(Person, "after_insert")
def _write_keys(_mapper: Any, connection: Connection, person: Person) -> None:
    if rows := key_rows(person.id, person.name):
        connection.execute(insert(PersonKey), rows)


@event.listens_for(Person, "after_update")
def _renew_keys(mapper: Any, connection: Connection, person: Person) -> None:
    if inspect(person).attrs.name.history.has_changes():
        connection.execute(delete(PersonKey).where(PersonKey.person_id == person.id))
        _write_keys(mapper, connection, person)


class WorkPattern(UuidKey, Dated, Model):
    """Every `weekday` (0 Monday) from `start_minute` to `end_minute` (minutes from local midnight; > 1440 past it).

    `kind`: "shift" of a carer for an organisation, or "available" as a volunteer. `area_id` is the planning area
    in which the day is deployed. A break of `break_minutes` begins at or after `break_from`.
    """

    __tablename__ = "work_patterns"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    kind: Mapped[str] = mapped_column(String(10))
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    weekday: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    break_from: Mapped[int | None]
    break_minutes: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("start_minute >= 0 AND end_minute > start_minute AND end_minute <= 2160", name="span"),
    )


class WorkException(UuidKey, Created, Model):
    """A day unlike the pattern: "absent" takes minutes away, "extra" adds a stretch (both within first..last).

    `start_minute`/`end_minute` None: the whole day (only for "absent").
    """

    __tablename__ = "work_exceptions"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    kind: Mapped[str] = mapped_column(String(10))
    first_day: Mapped[date] = mapped_column(index=True)
    last_day: Mapped[date] = mapped_column(index=True)
    start_minute: Mapped[int | None]
    end_minute: Mapped[int | None]
    work_kind: Mapped[str | None] = mapped_column(String(10))
    organisation_id: Mapped[uuid.UUID | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"))
    reason: Mapped[str] = mapped_column(String(20), default="other")
    created_by: Mapped[uuid.UUID | None]
    cancelled_at: Mapped[datetime | None]
