"""The area tree, and the positions of places: loading, changing, pinning."""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from linkage.areas import queries
from linkage.areas.models import LEVELS, POSITION_SOURCES, Area, AreaCode, AreaParent, Estate, Place
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.privacy import warm_keys

XIAMEN = Path(__file__).resolve().parents[1] / "data" / "xiamen_areas.csv"
# Up to 香莲里27号 the address names a building of many doors; a house number without a room is one home and stays out.
BUILDING = re.compile(r"^(?P<estate>.+?\d+\s*(?:号楼|号|栋|幢|座))(?=.*\d)")
ESTATE = re.compile(r"^(?P<estate>.+?(?:里|小区|花园|公寓|新村|苑|城|社))")


@dataclass(frozen=True)
class AreaRow:
    """One line of a table of areas: parents stand above their children and are named by their code."""

    code: str
    level: str
    name: str
    parent: str
    lat: float | None = None
    lon: float | None = None


def read_tree(path: Path) -> list[AreaRow]:
    """Read a CSV with the columns code, level, name, parent, lat, lon.  Raises InvalidInput with the line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    rows = []
    for number, line in enumerate(lines, 2):
        try:
            lat, lon = (float(line[name]) if line.get(name) else None for name in ("lat", "lon"))
            rows.append(AreaRow(line["code"], line["level"], line["name"], line["parent"], lat, lon))
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidInput(_l("Line %(number)d of the area table is not understood.", number=number)) from error
    return rows


def load_tree(rows: Iterable[AreaRow], *, since: date, now: datetime) -> int:
    """Add the areas whose codes are not known yet; return how many. Known ones stay as they are.

    Parameters
    ----------
    since : from which day codes and parents are recorded

    Raises
    ------
    InvalidInput
        an unknown level, or a parent that stands neither above it nor in the tree.
    """
    known = {area.code: area for area in db.session.scalars(select(Area).where(Area.closed_on.is_(None)))}
    added = 0
    for level in LEVELS:
        for row in (row for row in rows if row.level == level and row.code not in known):
            known[row.code] = _add(row, known.get(row.parent), since)
            added += 1
    strange = next((row for row in rows if row.level not in LEVELS), None)
    if strange is not None:
        raise InvalidInput(_l("%(level)s is no level of an area.", level=strange.level))
    if added:
        audit.record("areas.load", ("areas", "tree"), by=None, now=now, added=added)
    return added


def _add(row: AreaRow, parent: Area | None, since: date) -> Area:
    if parent is None and row.parent:
        raise InvalidInput(_l("%(name)s lies in an area that is not known.", name=row.name))
    area = Area(
        level=row.level,
        name=row.name,
        code=row.code,
        parent_id=parent.id if parent else None,
        path="",
        lat=row.lat,
        lon=row.lon,
        is_planning_area=row.level == "street",
    )
    db.session.add(area)
    db.session.flush()
    area.path = f"{parent.path if parent else '/'}{area.id}/"
    db.session.add(AreaCode(area_id=area.id, code=row.code, valid_from=since, valid_to=None))
    if parent is not None:
        db.session.add(AreaParent(area_id=area.id, parent_id=parent.id, valid_from=since, valid_to=None))
    return area


def add_area(
    parent: Area, level: str, name: str, *, code: str | None = None, by: Actor, now: datetime, since: date | None = None
) -> Area:
    """Add an area one or more levels below `parent`. Without a code it gets its parent's and a number of its own.

    Raises InvalidInput.
    """
    if level not in LEVELS or LEVELS.index(level) <= LEVELS.index(parent.level):
        raise InvalidInput(_l("Choose a level below the area's own."), field="level")
    if parent.closed_on is not None:
        raise Conflict(_l("This area is closed."))
    code = code or _next_code(parent, level)
    _must_be_free(code, None)
    area = _add(AreaRow(code, level, _clean(name), parent.code), parent, since or local_date(now))
    audit.record("areas.add", area, by=by.user_id, now=now, level=level, code=code)
    return area


def _next_code(parent: Area, level: str) -> str:
    width = {"district": 2, "street": 3, "community": 3, "grid": 3}[level]
    taken = set(db.session.scalars(select(Area.code).where(Area.parent_id == parent.id)))
    number = 1
    while f"{parent.code}{number:0{width}d}" in taken:
        number += 1
    return f"{parent.code}{number:0{width}d}"


def _must_be_free(code: str, area: Area | None) -> None:
    other = db.session.scalars(select(Area).where(Area.code == code, Area.closed_on.is_(None)).limit(1)).first()
    if other is not None and other is not area:
        raise InvalidInput(_l("%(name)s has this code.", name=other.name), field="code")


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise InvalidInput(_l("Please fill in the name."), field="name")
    return name


def change_area(
    area: Area,
    *,
    name: str,
    code: str,
    centre: tuple[float, float] | None,
    is_planning_area: bool,
    row_version: int,
    by: Actor,
    now: datetime,
) -> list[str]:
    """Rename, give another code from today on, set the centre, plan it as one or not; return what changed.

    Raises StaleVersion, InvalidInput.
    """
    if area.row_version != row_version:
        raise StaleVersion(
            _l("Somebody else changed this area in the meantime."),
            remedy=_l("Open it again: what is there now may be what you wanted."),
        )
    changed = []
    if code != area.code:
        _must_be_free(code, area)
        changed.append("code")
    if is_planning_area and not area.is_planning_area:
        _must_not_nest(area)
    if changed:
        _recode(area, code, local_date(now))
    lat, lon = centre or (None, None)
    for field, value in (("name", _clean(name)), ("lat", lat), ("lon", lon), ("is_planning_area", is_planning_area)):
        if getattr(area, field) != value:
            setattr(area, field, value)
            changed.append(field)
    if changed:
        area.row_version += 1
        audit.record("areas.change", area, by=by.user_id, now=now, fields=changed)
    return changed


def _recode(area: Area, code: str, today: date) -> None:
    later = select(AreaCode.id).where(AreaCode.area_id == area.id, AreaCode.valid_from > today)
    if db.session.scalar(later.limit(1)) is not None:
        raise InvalidInput(_l("A change of this area waits for its day: take that one back first."), field="code")
    for row in db.session.scalars(select(AreaCode).where(AreaCode.area_id == area.id, AreaCode.valid_to.is_(None))):
        row.valid_to = max(row.valid_from, today - timedelta(days=1))
    db.session.add(AreaCode(area_id=area.id, code=code, valid_from=today, valid_to=None))
    area.code = code


def _must_not_nest(area: Area) -> None:
    around = [row for row in queries.ancestors(area)[:-1] if row.is_planning_area]
    inside = db.session.scalars(
        select(Area).where(queries.lies_under(Area.id, area.path), Area.id != area.id, Area.is_planning_area).limit(1)
    ).first()
    other = around[0] if around else inside
    if other is not None:
        raise InvalidInput(
            _l("%(name)s is planned as one already, and one area is not planned twice.", name=other.name),
            field="is_planning_area",
        )


def move_area(area: Area, parent: Area, *, by: Actor, now: datetime) -> None:
    """From today on `area`, with all below it, lies in `parent`. Scopes follow at once, since they read the path.

    Raises InvalidInput.
    """
    if parent.path.startswith(area.path) or LEVELS.index(parent.level) >= LEVELS.index(area.level):
        raise InvalidInput(_l("An area can only lie in one of a higher level."), field="parent_id")
    today = local_date(now)
    for row in db.session.scalars(
        select(AreaParent).where(AreaParent.area_id == area.id, AreaParent.valid_to.is_(None))
    ):
        row.valid_to = max(row.valid_from, today - timedelta(days=1))
    db.session.add(AreaParent(area_id=area.id, parent_id=parent.id, valid_from=today, valid_to=None))
    lay_under(area, parent)
    area.row_version += 1
    audit.record("areas.move", area, by=by.user_id, now=now, parent_id=parent.id)


def lay_under(area: Area, parent: Area) -> None:
    """The area and all below it follow their new parent: the paths, which scopes read. The caller writes the audit."""
    old, new = area.path, f"{parent.path}{area.id}/"
    db.session.execute(
        update(Area)
        .where(Area.path.startswith(old, autoescape=True))
        .values(path=new + func.substr(Area.path, len(old) + 1)),
        execution_options={"synchronize_session": "fetch"},
    )
    area.parent_id = parent.id


def close_area(area: Area, *, by: Actor, now: datetime) -> None:
    """The area no longer exists from today on; its rows stay readable.  Raises Conflict while areas lie below it."""
    if db.session.scalars(queries.children([area.id]).limit(1)).first() is not None:
        raise Conflict(_l("Areas lie below it: move or close them first."))
    area.closed_on = local_date(now)
    area.row_version += 1
    audit.record("areas.close", area, by=by.user_id, now=now)


# --- places -----------------------------------------------------------------------------------------------------


def new_place(
    *,
    key_id: object,
    area_id: int,
    address: str,
    door_note: str | None = None,
    position: Sequence[float] | None = None,
    source: str = "pin",
    access_minutes: int = 3,
    now: datetime,
) -> Place:
    """A door with the best position that is known: the given one, else its estate's, else none (approximate).

    The caller's operation writes the audit row: a place belongs to a household or a volunteer.
    """
    place = Place(key_id=key_id, area_id=area_id, access_minutes=access_minutes, created_at=now)
    place.address, place.door_note = address, door_note
    place.position_source = "area"
    db.session.add(place)
    db.session.flush()
    join_estate(place, now=now)
    if position is not None:
        set_position(place, position, source=source, now=now)
    return place


def set_position(place: Place, position: Sequence[float], *, source: str, now: datetime) -> bool:
    """Give the place a position unless it has a better one already; return whether it was taken.

    A pin, or a position confirmed at a visit, also teaches where its estate lies: other approximate places of
    the same estate move there.
    """
    rank = POSITION_SOURCES.index
    if place.position is not None and rank(source) > rank(place.position_source):
        return False
    taught = place.position_source in TEACHING and place.estate_id is not None
    place.position = [round(position[0], 6), round(position[1], 6)]
    place.position_source, place.positioned_at = source, now
    place.row_version = (place.row_version or 0) + 1
    if source in TEACHING and not taught:
        _teach_estate(place, now)
    return True


TEACHING = ("pin", "visit")
# About 10 m: an estate's list is kept in clear, and its first pin is one household's door.
ESTATE_DIGITS = 4


def estate_name(address: str | None) -> str | None:
    """The building of many doors, else the estate, that an address begins with; None if it names neither."""
    text = "".join((address or "").split())
    found = BUILDING.match(text) or ESTATE.match(text)
    return found["estate"] if found else None


def join_estate(place: Place, *, now: datetime) -> Estate | None:
    """Note in which estate or building the place lies, by its address; an approximate one gets the position that
    earlier pins have shown. None where the address names neither.
    """
    name = estate_name(place.address)
    if name is None:
        place.estate_id = None
        return None
    estate = queries.find_estate(place.area_id, name[:120])
    if estate is None:
        estate = Estate(area_id=place.area_id, name=name[:120], created_at=now, lat=0.0, lon=0.0, pins=0)
        db.session.add(estate)
        db.session.flush()
    place.estate_id = estate.id
    if estate.position is not None:
        set_position(place, estate.position, source="estate", now=now)
    return estate


def _teach_estate(place: Place, now: datetime) -> None:
    """The estate's position is the mean of its pins, kept to ten metres; who waited there gets it."""
    estate = db.session.get(Estate, place.estate_id) if place.estate_id else join_estate(place, now=now)
    if estate is None:
        return
    lat, lon = (round(degrees, ESTATE_DIGITS) for degrees in place.position)
    estate.lat = (estate.lat * estate.pins + lat) / (estate.pins + 1)
    estate.lon = (estate.lon * estate.pins + lon) / (estate.pins + 1)
    estate.pins += 1
    db.session.flush()
    waiting = [row for row in queries.approximate_places(place.area_id, estate.id) if row is not place]
    warm_keys({row.key_id for row in waiting})
    for row in waiting:
        set_position(row, (estate.lat, estate.lon), source="estate", now=now)


def name_estates(after: uuid.UUID | None, *, now: datetime, limit: int = 200) -> uuid.UUID | None:
    """Places whose address was never read for its estate learn where they lie; the last one read, None after all."""
    rows = queries.places_without_estate(after, limit)
    warm_keys({row.key_id for row in rows})
    found = 0
    for row in rows:
        found += join_estate(row, now=now) is not None
        if row.estate_id is not None and row.position_source in TEACHING:
            _teach_estate(row, now)
    if found:
        audit.record("areas.name_estates", ("places", "estates"), by=None, now=now, places=found)
    return rows[-1].id if len(rows) == limit else None
