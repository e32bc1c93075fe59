"""The area tree: browse it, add below, rename, set the centre, move, close (区域管理)."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from linkage.areas import operations, permissions, queries, recoding, words
from linkage.areas.models import LEVELS, Area
from linkage.areas.schemas import AreaSchema, MoveSchema, NewAreaSchema, RecodeSchema, shown_position
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, DomainError
from linkage.core.extensions import db
from linkage.core.formats import format_long_date
from linkage.core.forms import Form
from linkage.core.permissions import holds, may
from linkage.core.web import Room, go, request_now, require_actor

room = Room("areas", __name__, url_prefix="/areas", template_folder="templates")


@room.get("/", permission=permissions.may_see)
def listing() -> ResponseReturnValue:
    """Where browsing begins: with one own area, at that area's page."""
    roots = queries.roots(require_actor())
    if len(roots) == 1:
        return go("areas.page", area_id=roots[0].id)
    return render_template(
        "areas/listing.html", areas=roots, below=queries.counts_below([area.id for area in roots]), words=words
    )


@room.get("/<int:area_id>", permission=permissions.may_see, subject=queries.get_area)
def page(area: Area) -> str:
    return _page(area)


def _page(area: Area, **forms: Form) -> str:
    actor = require_actor()
    around = queries.ancestors(area)
    children = db.session.scalars(queries.children([area.id])).all()
    levels = LEVELS[LEVELS.index(area.level) + 1 :]
    edit = Form(
        None,
        None,
        {
            "name": area.name,
            "code": area.code,
            "centre": shown_position(area.lat, area.lon),
            "is_planning_area": area.is_planning_area,
            "row_version": area.row_version,
        },
    )
    return render_template(
        "areas/page.html",
        area=area,
        around=[row for row in around[:-1] if may(actor, permissions.may_see, row)],
        children=children,
        below=queries.counts_below([row.id for row in children]),
        codes=queries.codes_of(area.id),
        planned_in=queries.planning_area_of(area),
        may_change=holds(actor, permissions.may_change) and may(actor, permissions.may_change, area),
        parents=_parents(area),
        recode=forms.get("recode", Form(None, None, {"code": area.code, "name": area.name, "parent": area.parent_id})),
        today=local_date(request_now()),
        edit=forms.get("edit", edit),
        add=forms.get("add", Form(None, None, {"level": levels[0] if levels else ""})),
        move=forms.get("move", Form(None, None, {"parent": area.parent_id})),
        levels=[(level, words.LEVEL_WORDS[level]) for level in levels],
        words=words,
    )


def _parents(area: Area) -> list[tuple[int, str]]:
    """Where the area could lie: areas of the level of its parent that the actor may change."""
    if area.parent_id is None:
        return []
    parent = queries.get_area(area.parent_id)
    assert parent is not None
    return [(row.id, row.name) for row in queries.areas_where(require_actor(), permissions.may_change, [parent.level])]


@room.post("/<int:area_id>", permission=permissions.may_change, subject=queries.get_area)
def change(area: Area) -> ResponseReturnValue:
    form = Form(AreaSchema(), request.form)
    try:
        data = form.demand()
        operations.change_area(
            area,
            name=data["name"],
            code=data["code"],
            centre=data.get("centre"),
            is_planning_area=data["is_planning_area"],
            row_version=data["row_version"],
            by=require_actor(),
            now=request_now(),
        )
    except DomainError as error:
        return _again(area.id, "edit", form, error)
    flash(_("The area is saved."), "ok")
    return go("areas.page", area_id=area.id)


def _again(area_id: int, name: str, form: Form, error: DomainError) -> ResponseReturnValue:
    """The page once more, with what was typed and what is wrong with it."""
    if form.valid:
        form.add(error)
    db.session.rollback()
    area = queries.get_area(area_id)
    assert area is not None
    return _page(area, **{name: form}), 422


@room.post("/<int:area_id>/areas", permission=permissions.may_change, subject=queries.get_area)
def add(area: Area) -> ResponseReturnValue:
    form = Form(NewAreaSchema(), request.form)
    try:
        data: dict[str, Any] = form.demand()
        made = operations.add_area(
            area, data["level"], data["name"], code=data.get("code"), by=require_actor(), now=request_now()
        )
    except DomainError as error:
        return _again(area.id, "add", form, error)
    flash(_("%(name)s is added.", name=made.name), "ok")
    return go("areas.page", area_id=area.id)


@room.post("/<int:area_id>/move", permission=permissions.may_change, subject=queries.get_area)
def move(area: Area) -> ResponseReturnValue:
    form = Form(MoveSchema(), request.form)
    allowed = {number for number, _name in _parents(area)}
    try:
        parent_id = form.demand()["parent"]
        parent = queries.get_area(parent_id) if parent_id in allowed else None
        if parent is None:
            form.errors["parent"] = [_("Choose one of the offered areas.")]
            form.demand()
        elif parent.id != area.parent_id:
            operations.move_area(area, parent, by=require_actor(), now=request_now())
            flash(_("%(name)s lies in %(parent)s from today on.", name=area.name, parent=parent.name), "ok")
    except DomainError as error:
        return _again(area.id, "move", form, error)
    return go("areas.page", area_id=area.id)


@room.get("/find", permission=permissions.may_see)
def find() -> ResponseReturnValue:
    """The area that has a code, or had it."""
    area = queries.by_any_code("".join(request.args.get("code", "").split())[:20])
    if area is None or not may(require_actor(), permissions.may_see, area):
        flash(_("No area of yours has or had this code."), "warn")
        return go("areas.listing")
    return go("areas.page", area_id=area.id)


@room.post("/<int:area_id>/recode", permission=permissions.may_change, subject=queries.get_area)
def recode(area: Area) -> ResponseReturnValue:
    """A new code, name or parent from a day on."""
    form = Form(RecodeSchema(), request.form)
    allowed = {number for number, _name in _parents(area)}
    try:
        data = form.demand()
        parent = queries.get_area(data["parent"]) if data.get("parent") in allowed else None
        change = recoding.Change(data["code"], data["valid_from"], data.get("name"), parent)
        row = recoding.announce(area, change, by=require_actor(), now=request_now())
    except DomainError as error:
        return _again(area.id, "recode", form, error)
    flash(_("%(code)s holds from %(day)s on.", code=row.code, day=format_long_date(row.valid_from)), "ok")
    return go("areas.page", area_id=area.id)


@room.post("/<int:area_id>/recode/withdraw", permission=permissions.may_change, subject=queries.get_area)
def withdraw(area: Area) -> ResponseReturnValue:
    """A change that waits for its day is taken back."""
    rows = recoding.waiting(area.id, local_date(request_now()))
    if not rows:
        raise Conflict(_("No change of this area waits for its day."))
    recoding.withdraw(rows[0], by=require_actor(), now=request_now())
    flash(_("The change is taken back."), "ok")
    return go("areas.page", area_id=area.id)


@room.post("/<int:area_id>/close", permission=permissions.may_change, subject=queries.get_area)
def close(area: Area) -> ResponseReturnValue:
    operations.close_area(area, by=require_actor(), now=request_now())
    flash(_("%(name)s is closed.", name=area.name), "ok")
    return go("areas.page", area_id=area.parent_id) if area.parent_id else go("areas.listing")


@room.get("/<int:area_id>/estates", permission=permissions.may_see, subject=queries.get_area)
def estates(area: Area) -> ResponseReturnValue:
    """For maps: where the estates and buildings of the area lie, as far as pins have shown it."""
    rows = db.session.scalars(queries.pinned_estates(area)).all()
    return jsonify([{"name": row.name, "at": [row.lat, row.lon]} for row in rows])


@room.post("/estates/find", permission=permissions.may_see, own_transactions=True)
def find_estates() -> str:
    """While an address is typed: the estates and buildings that it may begin with. By POST: an address is personal."""
    area = queries.get_area(request.form.get("area_id", 0, type=int))
    mine = queries.visible(require_actor()).with_only_columns(Area.id)
    if area is not None:
        mine = mine.where(queries.lies_under(Area.id, area.path))
    return render_template(
        "areas/_estates.html", found=queries.estates_named(request.form.get("address", "")[:60], mine)
    )
