"""The search of the page's head: people, homes, numbers, organisations and areas within one's scope.

Each kind by its room's rule. Every look-up is one in an index: search keys of names and estates (`core.readings`),
blind indexes of numbers, the beginning of a need's or visit's number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from linkage.areas import queries as areas
from linkage.areas.models import Area
from linkage.areas.words import LEVEL_WORDS
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.formats import format_date
from linkage.core.permissions import Actor, holds
from linkage.core.readings import begins_with, folded, title_keys
from linkage.core.web import SIGNED_IN, request_now, require_actor
from linkage.desk import words
from linkage.desk.room import room
from linkage.desk.values import common
from linkage.households import queries as households
from linkage.needs import queries as needs
from linkage.needs.models import Need
from linkage.organisations import queries as organisations
from linkage.services.words import named
from linkage.visits import queries as visits
from linkage.visits.models import Visit
from linkage.volunteers import queries as volunteers

NUMBER = re.compile(r"[A-Z]\d{8}[\d-]*", re.IGNORECASE)  # with its day at least: fewer figures fit too many
MOST, MOST_SUGGESTED = 20, 5


@dataclass(frozen=True)
class Hit:
    """One thing found: where it leads, its name, and a line about it."""

    url: str
    name: str
    note: str


@dataclass(frozen=True)
class Group:
    """Hits of one kind; `more` leads to the room's own list."""

    title: str
    icon: str
    hits: list[Hit]
    more: str = ""


def found(actor: Actor, text: str, today: date, most: int) -> list[Group]:
    """Everything that fits `text` in the actor's scope, kind by kind; empty kinds are left out."""
    if not folded(text):
        return []
    if NUMBER.fullmatch(text):
        groups = [_needs(actor, text.upper(), most), _visits(actor, text.upper(), most)]
    else:
        groups = [*_homes(actor, text, today, most), *_helpers(actor, text, today, most)]
    return [group for group in groups if group.hits]


def _homes(actor: Actor, text: str, today: date, most: int) -> Iterator[Group]:
    """Households by member, number or door; buildings; areas."""
    if holds(actor, "households.list"):
        rows = households.found(actor, households.Filters(text=text), today).order_by(households.named_exactly(text))
        hits = []
        for row in households.page_of(rows, 1, most):
            person = households.head_of(row, today).person
            note = f"{words.about(row, person, today)} · {row.area.name} {row.number}"
            hits.append(Hit(url_for("households.page", household_id=row.id), words.shown_name(person, actor), note))
        yield Group(_("Households"), "house", hits, url_for("households.listing", q=text))
        if words.full(actor):
            mine = areas.visible(actor).with_only_columns(Area.id)
            yield Group(
                _("Estates and buildings"),
                "buildings",
                [
                    Hit(url_for("households.listing", q=row.name), row.name, row.area.name)
                    for row in areas.estates_named(text, mine, most)
                ],
            )
    if holds(actor, "areas.see"):
        yield Group(_("Areas"), "diagram-3", [_area(row) for row in _areas(actor, folded(text))[:most]])


@lru_cache(maxsize=2000)
def _keys(name: str) -> frozenset[str]:
    return frozenset(title_keys(name))


def _areas(actor: Actor, key: str) -> list[Any]:
    """A city has some hundred areas: their names' keys are kept in memory."""
    rows = db.session.execute(
        areas.visible(actor)
        .with_only_columns(Area.id, Area.name, Area.level)
        .where(Area.closed_on.is_(None))
        .order_by(Area.code)
    )
    return [row for row in rows if any(one.startswith(key) for one in _keys(row.name))]


def _area(row: Any) -> Hit:
    return Hit(url_for("areas.page", area_id=row.id), row.name, str(LEVEL_WORDS[row.level]))


def _helpers(actor: Actor, text: str, today: date, most: int) -> Iterator[Group]:
    """Carers, volunteers and organisations."""
    if holds(actor, "organisations.see_carer"):
        staff = db.session.scalars(organisations.find_carers(actor, today, text=text).limit(most)).all()
        carers = [
            Hit(url_for("carers.page", carer_id=one.id), one.person.name, one.organisation.short_name) for one in staff
        ]
        yield Group(_("Carers"), "people", carers, url_for("carers.listing", q=text))
    if holds(actor, "volunteers.list"):
        helpers = db.session.scalars(volunteers.find(actor, today, text=text).limit(most)).all()
        people = [Hit(url_for("volunteers.page", volunteer_id=one.id), one.person.name, one.number) for one in helpers]
        yield Group(_("Volunteers"), "person-hearts", people, url_for("volunteers.listing", q=text))
    if holds(actor, "organisations.see"):
        rows = db.session.scalars(organisations.find_organisations(actor, text).limit(most)).all()
        known = [Hit(url_for("organisations.page", organisation_id=row.id), row.name, row.short_name) for row in rows]
        yield Group(_("Organisations"), "building", known, url_for("organisations.listing", q=text))


def _needs(actor: Actor, number: str, most: int) -> Group:
    """Needs by the beginning of their number."""
    if not holds(actor, "needs.see"):
        return Group("", "", [])
    rows = db.session.scalars(
        needs.visible(actor)
        .where(Need.id.in_(select(Need.id).where(begins_with(Need.number, number))))
        .options(joinedload(Need.person), joinedload(Need.service))
        .order_by(Need.number)
        .limit(most)
    )
    return Group(_("Needs"), "card-list", [_need(actor, need) for need in rows])


def _visits(actor: Actor, number: str, most: int) -> Group:
    """Visits by the beginning of their number (a need's number, and the day)."""
    if not holds(actor, "visits.see"):
        return Group("", "", [])
    rows = db.session.scalars(
        visits.visible(actor)
        .where(Visit.id.in_(select(Visit.id).where(begins_with(Visit.number, number))))
        .options(joinedload(Visit.person), joinedload(Visit.service))
        .order_by(Visit.number)
        .limit(most)
    )
    return Group(_("Visits"), "calendar-check", [_visit(actor, visit) for visit in rows])


def _need(actor: Actor, need: Need) -> Hit:
    note = f"{words.shown_name(need.person, actor)} · {named(need.service)}"
    return Hit(url_for("needs.page", need_id=need.id), need.number, note)


def _visit(actor: Actor, visit: Visit) -> Hit:
    note = f"{words.shown_name(visit.person, actor)} · {named(visit.service)} · {format_date(visit.day)}"
    return Hit(url_for("visits.page", visit_id=visit.id), visit.number, note)


@room.get("/search", permission=SIGNED_IN)
def search() -> str:
    """The hits as a page, or as suggestions under the box while typing."""
    actor, today = require_actor(), local_date(request_now())
    text = " ".join(request.args.get("q", "").split())[:60]
    suggesting = request.headers.get("HX-Request") is not None
    groups: list[Group] = found(actor, text, today, MOST_SUGGESTED if suggesting else MOST)
    values: dict[str, Any] = {"groups": groups, "text": text, **common(actor)}
    return render_template("desk/_suggestions.html" if suggesting else "desk/search.html", **values)
