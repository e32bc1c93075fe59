"""Social organisations (社会组织) and their carers and social workers."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area
from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.people.models import Person


class Organisation(UuidKey, Created, Versioned, Model):
    """`uscc`: unified social credit code (统一社会信用代码, GB 32100). `rating`: "5A" … "1A" or ''."""

    __tablename__ = "organisations"
    name: Mapped[str] = mapped_column(String(120))
    short_name: Mapped[str] = mapped_column(String(40))
    name_keys: Mapped[str] = mapped_column(String(400), default="")
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    rating: Mapped[str] = mapped_column(String(2), default="")
    rating_valid_to: Mapped[date | None]
    telephone: Mapped[str] = mapped_column(String(30), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    closed_on: Mapped[date | None]
    area: Mapped[Area] = relationship()


class Carer(UuidKey, Created, Versioned, Dated, Model):
    """A person employed by an organisation (dates of employment). `kind`: carer (护理员) or social_worker (社工).

    `weekly_minutes` caps the minutes of service and travel in a week. `home_place_id`: where the day starts and
    ends; None: at the organisation. `travel_mode`: walk, bike, ebike, bus, car. `linked`: somebody else registered
    the person, so telephone and ID number are not this organisation's to open.
    """

    __tablename__ = "carers"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    kind: Mapped[str] = mapped_column(String(15), default="carer")
    weekly_minutes: Mapped[int] = mapped_column(default=2400)
    travel_mode: Mapped[str] = mapped_column(String(8), default="ebike")
    linked: Mapped[bool] = mapped_column(default=False)
    home_place_id: Mapped[uuid.UUID | None] = ref("places.id", nullable=True)
    person: Mapped[Person] = relationship()
    organisation: Mapped[Organisation] = relationship()


class Exclusion(UuidKey, Created, Dated, Model):
    """An organisation that may not bid from `valid_from` to `valid_to` (禁止参加政府采购), and who said so."""

    __tablename__ = "organisation_exclusions"
    organisation_id: Mapped[uuid.UUID] = ref("organisations.id")
    source: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(200))
    by: Mapped[uuid.UUID | None]
    lifted_at: Mapped[datetime | None]
