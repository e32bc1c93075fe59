"""Areas (区域), places (地点) and the estates that grow from earlier pins."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import Float, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted

LEVELS = ("city", "district", "street", "community", "grid")
# Where a position comes from, best first (DESIGN.md, Place).
POSITION_SOURCES = ("pin", "visit", "estate", "area")


class Area(Versioned, Model):
    """One node of the area tree. Scope is tested on `path`, the ids from the root: ``/1/4/37/``.

    `code` and `parent_id` are today's; their history stands in AreaCode and AreaParent. `lat`, `lon` (WGS-84
    degrees) are an approximate centre. A planning area (by default each street) is planned as one.
    """

    __tablename__ = "areas"
    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(String(12), index=True)
    name: Mapped[str] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(20), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"), index=True)
    path: Mapped[str] = mapped_column(String(120), index=True)
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    is_planning_area: Mapped[bool] = mapped_column(default=False)
    closed_on: Mapped[date | None]
    parent: Mapped[Area | None] = relationship(remote_side="Area.id")


class AreaCode(UuidKey, Dated, Model):
    """The published code of an area (6, 6, 9 or 12 digits) and when it held."""

    __tablename__ = "area_codes"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    code: Mapped[str] = mapped_column(String(20), index=True)


class AreaParent(UuidKey, Dated, Model):
    """Whose child an area was, and when."""

    __tablename__ = "area_parents"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)


class Estate(UuidKey, Created, Model):
    """A housing estate or building (小区/楼栋) of a community whose position earlier pins have shown.

    Not personal: it stands for many doors. `pins` counts the positions that it is the mean of.
    """

    __tablename__ = "estates"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    lat: Mapped[float] = mapped_column(Float)
    lon: Mapped[float] = mapped_column(Float)
    pins: Mapped[int] = mapped_column(default=1)


class Place(UuidKey, Created, Versioned, Model):
    """A door: address, position with its source, door note, all encrypted under its owner's key.

    `position` is [lat, lon] in WGS-84 degrees; None with `position_source` "area" means: the centre of the
    area, approximate. `access_minutes` covers parking, stairs and the door.
    """

    __tablename__ = "places"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    estate_id: Mapped[uuid.UUID | None] = ref("estates.id", nullable=True)
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    position_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    door_note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    position_source: Mapped[str] = mapped_column(String(10), default="area")
    positioned_at: Mapped[datetime | None]
    access_minutes: Mapped[int] = mapped_column(default=3)
    address = Encrypted("door-level address")
    position = Encrypted("position of a home", json=True)
    door_note = Encrypted("door note")
    area: Mapped[Area] = relationship()
    estate: Mapped[Estate | None] = relationship()

    @property
    def is_approximate(self) -> bool:
        return self.position_source == "area"
