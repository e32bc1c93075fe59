"""Areas (区域), places (地点) and the estates that grow from earlier pins."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Float, ForeignKey, Index, LargeBinary, String, event, insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted
from linkage.core.readings import Key, title_keys

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
    """The published code of an area (6, 6, 9 or 12 digits), its name then (None: as today), and when both held."""

    __tablename__ = "area_codes"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    code: Mapped[str] = mapped_column(String(20), index=True)
    name: Mapped[str | None] = mapped_column(String(80))


class AreaParent(UuidKey, Dated, Model):
    """Whose child an area was, and when."""

    __tablename__ = "area_parents"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)


class Outline(UuidKey, Created, Model):
    """The outline of an area as GeoJSON has a MultiPolygon, [lon, lat] in WGS-84 degrees (see `areas.outlines`)."""

    __tablename__ = "outlines"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), unique=True)
    polygons: Mapped[list[Any]]


class Estate(UuidKey, Created, Model):
    """A housing estate or building (小区/楼栋) of a community whose position earlier pins have shown.

    Not personal: it stands for many doors. `pins` counts the positions that it is the mean of; with none of them it
    is known by name only (`position` is None, and `lat`, `lon` say nothing).
    """

    __tablename__ = "estates"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    lat: Mapped[float] = mapped_column(Float, default=0.0)
    lon: Mapped[float] = mapped_column(Float, default=0.0)
    pins: Mapped[int] = mapped_column(default=0)
    area: Mapped[Area] = relationship()
    __table_args__ = (Index("ix_estates_area_id_name", "area_id", "name"),)

    @property
    def position(self) -> tuple[float, float] | None:
        """WGS-84 degrees, to about ten metres; None until somebody has pinned a door of it."""
        return (self.lat, self.lon) if self.pins else None


class EstateKey(Model):
    """What somebody may begin to type to find an estate or a building; the rows are written with it."""

    __tablename__ = "estate_keys"
    key: Mapped[str] = mapped_column(Key, primary_key=True)
    estate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("estates.id"), primary_key=True, index=True)
    __table_args__ = {"sqlite_with_rowid": False}


def estate_key_rows(estate_id: uuid.UUID, name: str) -> list[dict[str, Any]]:
    """The rows of `EstateKey` for a name."""
    return [{"key": key, "estate_id": estate_id} for key in title_keys(name)]


@event.listens_for(Estate, "after_insert")
def _write_keys(_mapper: Any, connection: Connection, estate: Estate) -> None:
    if rows := estate_key_rows(estate.id, estate.name):
        connection.execute(insert(EstateKey), rows)


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
