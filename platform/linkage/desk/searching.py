"""The search of the page's head: households, people and numbers within one's scope, each by its room's rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.formats import format_date
from linkage.core.permissions import Actor, holds
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

NUMBER = re.compile(r"[A-Z]\d{4,}[\d-]*", re.IGNORECASE)
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
    if not text:
        return []
    groups = [*_people(actor, text, today, most), *_numbers(actor, text, most)]
    return [group for group in groups if group.hits]


def _people(actor: Actor, text: str, today: date, most: int) -> list[Group]:
    groups = []
    if holds(actor, "households.list"):
        rows = households.page_of(households.found(actor, households.Filters(text=text), today), 1, most)
        homes = [
            Hit(
                url_for("households.page", household_id=row.id),
                words.shown_name(households.head_of(row, today).person, actor),
                f"{words.about(row, households.head_of(row, today).person, today)} · {row.area.name} {row.number}",
            )
            for row in rows
        ]
        groups.append(Group(_("Households"), "house", homes, url_for("households.listing", q=text)))
    if holds(actor, "organisations.see_carer"):
        staff = db.session.scalars(organisations.find_carers(actor, today, text=text).limit(most)).all()
        carers = [
            Hit(url_for("carers.page", carer_id=one.id), one.person.name, one.organisation.short_name) for one in staff
        ]
        groups.append(Group(_("Carers"), "people", carers, url_for("carers.listing", q=text)))
    if holds(actor, "volunteers.list"):
        helpers = db.session.scalars(volunteers.find(actor, today, text=text).limit(most)).all()
        people = [Hit(url_for("volunteers.page", volunteer_id=one.id), one.person.name, one.number) for one in helpers]
        groups.append(Group(_("Volunteers"), "person-hearts", people, url_for("volunteers.listing", q=text)))
    return groups


def _numbers(actor: Actor, text: str, most: int) -> list[Group]:
    """Needs and visits by the beginning of their number."""
    if not NUMBER.fullmatch(text):
        return []
    number = text.upper()
    asked = db.session.scalars(
        needs.visible(actor)
        .where(Need.number.startswith(number, autoescape=True))
        .options(joinedload(Need.person), joinedload(Need.service))
        .order_by(Need.number)
        .limit(most)
    )
    planned = db.session.scalars(
        visits.visible(actor)
        .where(Visit.number.startswith(number, autoescape=True), Visit.number != number)
        .options(joinedload(Visit.person), joinedload(Visit.service))
        .order_by(Visit.day, Visit.number)
        .limit(most)
    )
    return [
        Group(_("Needs"), "card-list", [_need(actor, need) for need in asked]),
        Group(_("Visits"), "calendar-check", [_visit(actor, visit) for visit in planned]),
    ]


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
