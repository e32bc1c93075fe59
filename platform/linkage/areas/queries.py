"""Reading the area tree. Scope is a prefix of the path of ids, never of the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Actor, scoped


def under(path: str) -> Select[int]:
    """Select the ids of the area with `path` and of everything below it."""
    return select(Area.id).where(Area.path.startswith(path, autoescape=True))


def lies_under(column: InstrumentedAttribute[int], path: str) -> ColumnElement[bool]:
    """SQL: the row's area lies in the subtree of `path` (nothing lies under an empty path)."""
    return column.in_(under(path)) if path else column.in_([])


def get_area(area_id: int) -> Area | None:
    return db.session.get(Area, area_id)


def ancestors(area: Area) -> list[Area]:
    """From the root down to `area` itself."""
    ids = [int(part) for part in area.path.strip("/").split("/")]
    found = {row.id: row for row in db.session.scalars(select(Area).where(Area.id.in_(ids)))}
    return [found[area_id] for area_id in ids]


def planning_area_of(area: Area) -> Area | None:
    """The nearest planning area (a street by default) at or above `area`; None above all of them."""
    return next((row for row in reversed(ancestors(area)) if row.is_planning_area), None)


def is_under(area: Area, path: str) -> bool:
    return bool(path) and area.path.startswith(path)


def children(area_ids: Iterable[int]) -> Select[Area]:
    return select(Area).where(Area.parent_id.in_(list(area_ids)), Area.closed_on.is_(None)).order_by(Area.code, Area.id)


def areas_where(actor: Actor, right_name: str, levels: Sequence[str]) -> Sequence[Area]:
    """The areas of these levels in which the actor has the right, in the order of their codes."""
    wanted = scoped(actor, right_name, Area).where(Area.level.in_(levels), Area.closed_on.is_(None))
    return db.session.scalars(wanted.order_by(Area.code, Area.id)).all()


def planning_areas() -> Sequence[Area]:
    """Every area that is planned as one (by default each street)."""
    wanted = select(Area).where(Area.is_planning_area, Area.closed_on.is_(None))
    return db.session.scalars(wanted.order_by(Area.code, Area.id)).all()
