"""Reading the area tree. Scope is a prefix of the path of ids, never of the code."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from linkage.areas.models import Area, AreaCode, Estate, EstateKey, Place
from linkage.core.extensions import db
from linkage.core.permissions import Actor, scoped, visible_rows
from linkage.core.readings import KEY_LENGTH, begins_with, folded


def under(path: str) -> Select[int]:
    """Select the ids of the area with `path` and of everything below it."""
    return select(Area.id).where(Area.path.startswith(path, autoescape=True))


def lies_under(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], path: str
) -> ColumnElement[bool]:
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


def visible(actor: Actor) -> Select[Area]:
    """The areas that the actor may see: their own and all below it."""
    return visible_rows(actor, Area)


def roots(actor: Actor) -> Sequence[Area]:
    """The topmost areas that the actor may see, where browsing begins."""
    seen = db.session.scalars(visible(actor).where(Area.closed_on.is_(None)).order_by(Area.code, Area.id)).all()
    ids = {area.id for area in seen}
    return [area for area in seen if area.parent_id not in ids]


def counts_below(area_ids: Iterable[int]) -> dict[int, int]:
    """How many open areas lie directly below each."""
    rows = db.session.execute(
        select(Area.parent_id, func.count())
        .where(Area.parent_id.in_(list(area_ids)), Area.closed_on.is_(None))
        .group_by(Area.parent_id)
    )
    return {parent_id: count for parent_id, count in rows if parent_id is not None}


def codes_of(area_id: int) -> Sequence[AreaCode]:
    """The published codes of an area with their dates, the newest first."""
    return db.session.scalars(
        select(AreaCode).where(AreaCode.area_id == area_id).order_by(AreaCode.valid_from.desc())
    ).all()


def by_code(code: str, on: date) -> Area | None:
    """The area that had this published code on `on`; None where none had."""
    return db.session.scalars(
        select(Area).join(AreaCode, AreaCode.area_id == Area.id).where(AreaCode.code == code, AreaCode.on(on)).limit(1)
    ).one_or_none()


def by_any_code(code: str) -> Area | None:
    """The open area that has this code, else the one that had it last."""
    rows = (
        select(Area)
        .join(AreaCode, AreaCode.area_id == Area.id)
        .where(AreaCode.code == code, Area.closed_on.is_(None))
        .order_by(AreaCode.valid_to.is_not(None), AreaCode.valid_from.desc())
    )
    now = db.session.scalars(select(Area).where(Area.code == code, Area.closed_on.is_(None)).limit(1)).first()
    return now or db.session.scalars(rows.limit(1)).first()


def by_words(areas: Iterable[Area], endings: Sequence[str]) -> dict[str, Area]:
    """What a file may call these areas: by name, with and without its `endings`, by code, and as they were called
    before. A word that two have means the first.
    """
    before = _earlier_words()
    found: dict[str, Area] = {}
    for area in areas:
        short = area.name
        for ending in endings:
            short = short.removesuffix(ending)
        for word in (area.name, short, area.code, *before.get(area.id, ())):
            found.setdefault(word, area)
    return found


def _earlier_words() -> dict[int, list[str]]:
    """Codes and names that open areas had before and that no area has today: files still use them."""
    taken = set(db.session.scalars(select(Area.code).where(Area.closed_on.is_(None))))
    taken |= set(db.session.scalars(select(Area.name).where(Area.closed_on.is_(None))))
    rows = db.session.execute(
        select(AreaCode.area_id, AreaCode.code, AreaCode.name)
        .where(AreaCode.valid_to.is_not(None))
        .order_by(AreaCode.valid_from)
    )
    found: dict[int, list[str]] = {}
    for area_id, code, name in rows:
        found.setdefault(area_id, []).extend(word for word in (code, name) if word and word not in taken)
    return found


def find_estate(area_id: int, name: str) -> Estate | None:
    return db.session.scalars(
        select(Estate).where(Estate.area_id == area_id, Estate.name == name).limit(1)
    ).one_or_none()


def approximate_places(area_id: int, estate_id: uuid.UUID) -> Sequence[Place]:
    """The places of an estate whose position nobody has shown yet."""
    return db.session.scalars(
        select(Place)
        .where(Place.area_id == area_id, Place.estate_id == estate_id, Place.position_source == "area")
        .order_by(Place.id)
    ).all()


def places_without_estate(after: uuid.UUID | None, limit: int) -> Sequence[Place]:
    """Places that are in no estate (yet), in the order of their ids, from the one behind `after` on."""
    wanted = select(Place).where(Place.estate_id.is_(None), Place.address_sealed.is_not(None))
    if after is not None:
        wanted = wanted.where(Place.id > after)
    return db.session.scalars(wanted.order_by(Place.id).limit(limit)).all()


def estates_named(text: str, area_ids: Select[int], most: int = 8) -> list[Estate]:
    """Estates and buildings of these areas that begin with `text` (name or pinyin), the shortest names first."""
    key = folded(text)[:KEY_LENGTH]
    if not key:
        return []
    found = select(EstateKey.estate_id).where(begins_with(EstateKey.key, key))
    wanted = select(Estate).where(Estate.id.in_(found), Estate.area_id.in_(area_ids))
    return list(
        db.session.scalars(
            wanted.options(joinedload(Estate.area)).order_by(func.length(Estate.name), Estate.name).limit(most)
        )
    )


MOST_ESTATES = 3_000


def pinned_estates(area: Area) -> Select[Estate]:
    """The estates and buildings below `area` whose position is known."""
    wanted = select(Estate).where(lies_under(Estate.area_id, area.path), Estate.pins > 0)
    return wanted.order_by(Estate.name, Estate.id).limit(MOST_ESTATES)


def in_estate(text: str) -> Select[uuid.UUID]:
    """Select the ids of the places that lie in an estate or building of this name (or its beginning)."""
    key = folded(text)[:KEY_LENGTH]
    return (
        select(Place.id)
        .join(EstateKey, EstateKey.estate_id == Place.estate_id)
        .where(begins_with(EstateKey.key, key) if key else false())
    )


def centre_of(area: Area) -> tuple[float, float] | None:
    """The centre of the area, or of the nearest one around it that has one."""
    for row in reversed(ancestors(area)):
        if row.lat is not None and row.lon is not None:
            return row.lat, row.lon
    return None
