"""Where a door is: pin it on the map, by coordinates, or where its estate lies; and the doors nobody has pinned yet."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func
from sqlalchemy.orm import contains_eager

from linkage.areas.coordinates import SYSTEMS, WGS84, to_wgs84
from linkage.areas.models import Area, Place
from linkage.areas.queries import centre_of
from linkage.areas.schemas import PinSchema, shown_position
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, StaleVersion
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.paging import paginate
from linkage.core.permissions import scoped
from linkage.core.privacy import warm_keys
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households import operations, permissions, queries
from linkage.households.models import Household
from linkage.households.pages import common

room = Room("pins", __name__, url_prefix="/households", template_folder="templates")
NEAR, FAR = 17, 14  # how close the map is at first: at a known door or estate, at an area's centre


@room.get("/unpinned", permission=permissions.may_change)
def unpinned() -> str:
    """Doors whose position is only the area's, by community; each with its next action."""
    actor, today = require_actor(), local_date(request_now())
    waiting = (
        scoped(actor, permissions.may_change, Household)
        .join(Household.place)
        .join(Household.area)
        .where(queries.is_open(today), Place.position_source == "area")
    )
    counted = db.session.execute(
        waiting.with_only_columns(Area.id, Area.name, func.count()).group_by(Area.id, Area.name).order_by(Area.code)
    ).all()
    area_id = request.args.get("area", 0, type=int)
    rows = waiting.where(Area.id == area_id) if area_id else waiting
    found = paginate(
        rows.options(contains_eager(Household.place), contains_eager(Household.area)).order_by(
            Area.code, Household.number
        )
    )
    warm_keys({row.key_id for row in found.rows})
    return render_template("households/unpinned.html", found=found, counted=counted, shown=area_id, **common(actor))


@room.get("/<uuid:household_id>/pin", permission=permissions.may_change, subject=queries.get_household)
def pin(household: Household) -> str:
    place = household.place
    initial = {
        "position": shown_position(*place.position) if place.position and place.position_source == "pin" else "",
        "system": WGS84,
        "row_version": household.row_version,
    }
    return _page(household, Form(initial=initial))


@room.post("/<uuid:household_id>/pin", permission=permissions.may_change, subject=queries.get_household)
def save_pin(household: Household) -> Any:
    """Coordinates are turned into WGS-84 here, once."""
    form = Form(PinSchema(), request.form)
    if form.valid:
        try:
            if form.data["row_version"] != household.row_version:
                raise StaleVersion(_("Somebody else changed this household in the meantime."))
            typed_lat, typed_lon = form.data["position"]
            lat, lon = to_wgs84(typed_lat, typed_lon, form.data["system"])
            operations.pin_household(household, (round(lat, 6), round(lon, 6)), by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The door is pinned. Doors of the same building that nobody has pinned lie there, too."), "ok")
            return go("households.page", household_id=household.id)
    return _page(household, form), 422


def _page(household: Household, form: Form) -> str:
    actor, place = require_actor(), household.place
    estate = place.estate.position if place.estate else None
    centre = place.position or estate or centre_of(household.area)
    return render_template(
        "households/pin.html",
        household=household,
        head=queries.head_of(household, local_date(request_now())),
        form=form,
        systems=list(SYSTEMS.items()),
        centre=centre,
        zoom=NEAR if place.position or estate else FAR,
        pinned=place.position if place.position_source in ("pin", "visit") else None,
        **common(actor),
    )
