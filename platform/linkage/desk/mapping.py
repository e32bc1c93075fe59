"""The map of a street or community: its homes by what becomes of this week's visits; the same as a list.

Exact positions only for who is shown addresses; the roles above see a home to about a hundred metres.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, select
from sqlalchemy.orm import contains_eager

from linkage.areas import queries as areas
from linkage.areas.models import Area, Outline, Place
from linkage.core.clock import local_date, week_start
from linkage.core.extensions import db
from linkage.core.paging import paginate
from linkage.core.permissions import Actor
from linkage.core.privacy import warm_keys
from linkage.core.web import go, request_now, require_actor
from linkage.desk import words
from linkage.desk.home import common
from linkage.desk.permissions import may_see_map
from linkage.desk.room import room
from linkage.households import queries as households
from linkage.households.models import Household, Member
from linkage.people.models import Person
from linkage.visits import queries as visits
from linkage.visits import status
from linkage.visits.models import Visit
from linkage.visits.status import Status

SHOWN_LEVELS = ("street", "community", "grid")
COARSE_DIGITS = 3  # about a hundred metres
UNMET, ASKED, PLANNED, SERVED, NONE = "unmet", "asked", "planned", "served", "none"
# In this order: the first that one of the week's visits is in.
STATES: dict[str, tuple[Status, ...]] = {
    UNMET: status.TROUBLE,
    ASKED: (Status.ASKED,),
    PLANNED: (Status.BOOKED, Status.ACCEPTED, Status.IN_SERVICE),
    SERVED: (Status.DONE, Status.CONFIRMED),
}
STATE_WORDS: dict[str, Any] = {
    UNMET: _l("Somebody is missing"),
    ASKED: _l("Volunteers are asked"),
    PLANNED: _l("Planned"),
    SERVED: _l("Served"),
    NONE: _l("No visit this week"),
}
LOOKS = {UNMET: "bad", ASKED: "warn", PLANNED: "info", SERVED: "ok", NONE: "quiet"}
ICONS = {
    UNMET: "person-x",
    ASKED: "question-circle",
    PLANNED: "calendar-check",
    SERVED: "check-circle-fill",
    NONE: "dash-circle",
}


@dataclass(frozen=True)
class Line:
    """One area below the shown one: its homes by state."""

    area: Area
    counts: Counter[str]


@room.get("/map", permission=may_see_map)
def maps() -> ResponseReturnValue:
    """One's own area, or what lies in it."""
    roots = areas.roots(require_actor())
    return go("desk.map_of", area_id=roots[0].id)


@room.get("/map/<int:area_id>", permission=may_see_map, subject=areas.get_area)
def map_of(area: Area) -> str:
    """A street or community with its homes; above a street: the streets to choose from."""
    actor, now = require_actor(), request_now()
    below = db.session.scalars(areas.children([area.id])).all()
    if area.level not in SHOWN_LEVELS:
        return render_template("desk/maps.html", area=area, below=below, **common(actor))
    found = states_of(actor, area, now)
    in_area: dict[int, Counter[str]] = defaultdict(Counter)
    for area_id, state in found.values():
        in_area[area_id][state] += 1
    lines = [Line(row, sum((in_area[one] for one in _inside(row)), Counter())) for row in below]
    page = paginate(_homes(actor, area, now).order_by(Household.area_id, Household.number))
    return render_template(
        "desk/map.html",
        area=area,
        around=areas.ancestors(area)[:-1],
        lines=[line for line in lines if line.counts],
        total=Counter(state for _area, state in found.values()),
        found=page,
        states={home_id: state for home_id, (_area, state) in found.items()},
        centre=areas.centre_of(area),
        state_words=STATE_WORDS,
        looks=LOOKS,
        icons=ICONS,
        **common(actor),
    )


def _inside(area: Area) -> list[int]:
    return list(db.session.scalars(areas.under(area.path)))


def states_of(actor: Actor, area: Area, now: datetime) -> dict[Any, tuple[int, str]]:
    """Household id → (its area, its state this week), for the open households of `area` in one's scope."""
    monday = week_start(local_date(now))
    rows = db.session.execute(
        visits.visible(actor)
        .where(
            Visit.day.between(monday, monday + timedelta(days=6)),
            areas.lies_under(Visit.area_id, area.path),
            Visit.cancelled_at.is_(None),
        )
        .with_only_columns(Visit.household_id, status.column(now))
    ).all()
    seen: dict[Any, set[str]] = defaultdict(set)
    for home_id, state in rows:
        seen[home_id].add(state)
    homes = db.session.execute(_homes(actor, area, now).with_only_columns(Household.id, Household.area_id)).all()
    return {home_id: (area_id, _state(seen.get(home_id, set()))) for home_id, area_id in homes}


def _state(seen: set[str]) -> str:
    return next((name for name, states in STATES.items() if seen.intersection(states)), NONE)


def _homes(actor: Actor, area: Area, now: datetime) -> Any:
    return (
        households.listed(actor)
        .join(Household.place)
        .where(households.is_open(local_date(now)), areas.lies_under(Household.area_id, area.path))
        .options(contains_eager(Household.place))
    )


@room.get("/map/<int:area_id>/homes", permission=may_see_map, subject=areas.get_area)
def homes(area: Area) -> ResponseReturnValue:
    """The dots of the map: position, state, and where each leads. Homes without a position are in the list only."""
    actor, now = require_actor(), request_now()
    if area.level not in SHOWN_LEVELS:
        return jsonify({"homes": [], "outlines": [], "words": {}})
    states, full = states_of(actor, area, now), words.full(actor)
    head = and_(Member.household_id == Household.id, Member.position == 0)
    rows = db.session.execute(
        _homes(actor, area, now)
        .where(Place.position_sealed.is_not(None))
        .outerjoin(Member, head)
        .outerjoin(Person, Person.id == Member.person_id)
        .with_only_columns(Place, Household.id, Household.number, Household.area_id, Person.name)
    ).all()
    warm_keys({place.key_id for place, *_rest in rows})
    dots = [
        {
            "at": _shown(place.position, exact=full),
            "state": states[home_id][1],
            "area": area_id,
            "name": f"{name or ''} {number}".strip() if full else number,
            "url": url_for("households.page", household_id=home_id),
        }
        for place, home_id, number, area_id, name in rows
        if place.position and home_id in states
    ]
    outlines = db.session.scalars(select(Outline).where(areas.lies_under(Outline.area_id, area.path)))
    return jsonify(
        {
            "homes": dots,
            "outlines": [{"area": row.area_id, "polygons": row.polygons} for row in outlines],
            "words": {state: str(text) for state, text in STATE_WORDS.items()},
        }
    )


def _shown(position: list[float], *, exact: bool) -> list[float]:
    return position if exact else [round(degrees, COARSE_DIGITS) for degrees in position]
