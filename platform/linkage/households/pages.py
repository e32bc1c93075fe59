"""The list of households and a household's page. Rooms above add to the page through `parts`."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from linkage.accounts.permissions import GRANT
from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from linkage.core.forms import Form
from linkage.core.paging import PER_PAGE, place
from linkage.core.permissions import Actor, Role, holds, may
from linkage.core.web import Room, request_now, require_actor
from linkage.households import assessing, assessment, due, merging, permissions, queries, words
from linkage.households.models import TAGS, Household
from linkage.households.parts import parts_of
from linkage.households.schemas import RevealSchema
from linkage.people.identity import mask_name, show_telephone
from linkage.people.operations import open_field

SHOWN_SECONDS = 600
# Sealed facts that may be opened: of the household itself, of its door, of a member.
HOUSEHOLD_FIELDS = ("health", "door_code", "password")
PERSON_FIELDS = ("telephone", "id_number")
room = Room("households", __name__, url_prefix="/households", template_folder="templates")


@room.get("/", permission=permissions.may_list)
def listing() -> str:
    actor, today = require_actor(), local_date(request_now())
    filters = filters_of_list()
    rows = queries.found(actor, filters, today)
    if filters.due:
        rows = rows.where(due.KINDS[filters.due](request_now()))
    total = queries.count(rows)
    number, pages, _skipped = place(total)
    missing = queries.Filters(area_id=filters.area_id, no_consent=True)
    unsure = queries.Filters(area_id=filters.area_id, approximate=True)
    return render_template(
        "households/listing.html",
        households=queries.page_of(rows, number, PER_PAGE, request.args.get("sort", "number")),
        total=total,
        page=number,
        pages=pages,
        filters=filters,
        without_consent=queries.count(queries.found(actor, missing, today)),
        approximate=queries.count(queries.found(actor, unsure, today)),
        communities=queries.communities(actor, permissions.may_list),
        **common(actor),
    )


def filters_of_list() -> queries.Filters:
    """What the address bar narrows the list to."""
    tag = request.args.get("tag", "")
    return queries.Filters(
        text=request.args.get("q", "")[:60],
        area_id=request.args.get("area", None, int),
        tag=tag if tag in TAGS else "",
        no_consent=bool(request.args.get("no_consent")),
        approximate=bool(request.args.get("approximate")),
        closed=bool(request.args.get("closed")),
        due=asked if (asked := request.args.get("due", "")) in due.KINDS else "",
    )


def common(actor: Actor) -> dict[str, Any]:
    """What every template of the room reads."""
    return {
        "today": local_date(request_now()),
        "words": words,
        "queries": queries,
        "full_names": permissions.names_in_full(actor),
        "can_register": holds(actor, permissions.may_register),
    }


@room.app_template_global("area_options")
def area_options(areas: list[Area]) -> list[tuple[int, str]]:
    """Communities to choose from; with their street where there are many."""
    many = len({area.parent_id for area in areas}) > 1
    return [(area.id, f"{area.parent.name} · {area.name}" if many and area.parent else area.name) for area in areas]


@room.app_template_filter("sealed_value")
def sealed_value(value: str | None, key: str) -> str:
    """An opened fact as people write it."""
    return show_telephone(value) if value and key.startswith("telephone") else value or ""


@room.get("/<uuid:household_id>", permission=permissions.may_see, subject=queries.get_household)
def page(household: Household) -> Any:
    """The household; a record that was merged leads to the one that it became part of."""
    kept = merging.end_of_chain(household)
    return _page(household) if kept is household else redirect(url_for("households.page", household_id=kept.id))


def _page(household: Household, opened: dict[str, Any] | None = None) -> str:
    actor, now = require_actor(), request_now()
    today = local_date(now)
    readings, times = queries.readings(household, 5)
    rights = {
        name: may(actor, right_name, household)
        for name, right_name in (
            ("change", permissions.may_change),
            ("tag", permissions.may_tag),
            ("consent", permissions.may_consent),
            ("reveal", permissions.may_reveal),
            ("readers", permissions.may_see_readers),
            ("account", GRANT[Role.HOUSEHOLD]),
            ("assess", permissions.may_assess),
            ("scores", permissions.may_see_scores),
            ("check", permissions.may_check),
            ("papers", permissions.may_ask_papers),
        )
    }
    return render_template(
        "households/page.html",
        household=household,
        head=queries.head_of(household, local_date(now)),
        opened=opened or {},
        can=rights,
        readings=readings,
        times=times,
        unservable=queries.unservable_reason(household, today),
        withdrawn_at=queries.withdrawn_at(household, "service", today),
        assessed=assessing.latest(household, today),
        parts=assessment.PARTS,
        missing=due.paper_note(household, today),
        taper=due.taper_of(household, today),
        named_of=lambda person_id: _named_of(household, person_id, actor),
        part=lambda region: parts_of(region, household, actor, now),
        **common(actor),
    )


def _named_of(household: Household, person_id: uuid.UUID | None, actor: Actor) -> str:
    """Whose tag it is, where it is one person's (单人保) and more than one lives there."""
    people = {member.person_id: member.person.name for member in household.members}
    if person_id is None or person_id not in people or len(people) < 2:
        return ""
    return people[person_id] if permissions.names_in_full(actor) else mask_name(people[person_id])


@room.get("/<uuid:household_id>/readers", permission=permissions.may_see_readers, subject=queries.get_household)
def readers(household: Household) -> str:
    """Everybody who opened a sealed fact of this household."""
    actor = require_actor()
    found, times = queries.readings(household, 500)
    return render_template(
        "households/readers.html",
        household=household,
        head=queries.head_of(household, local_date(request_now())),
        readings=found,
        times=times,
        **common(actor),
    )


@room.post("/<uuid:household_id>/reveal", permission=permissions.may_reveal, subject=queries.get_household)
def reveal(household: Household) -> Response:
    """Show one sealed fact for ten minutes; who, when and why is written down."""
    form = Form(RevealSchema(), request.form)
    sent = form.demand()
    if sent["purpose"] not in words.REVEAL_WORDS:
        raise InvalidInput("", field="purpose")
    subject, field = _sealed(household, sent["field"])
    if field == "health" and queries.consent_for(household, "health", local_date(request_now())) is None:
        raise Conflict(_("The household has not agreed that its health facts are used."))
    value = open_field(subject, field, purpose=sent["purpose"], by=require_actor(), now=request_now())
    answer = make_response(_page(household, {sent["field"]: value}))
    answer.headers["Refresh"] = f"{SHOWN_SECONDS}; url={url_for('households.page', household_id=household.id)}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _sealed(household: Household, key: str) -> tuple[Any, str]:
    """The row and field that a key names: "health", or "telephone.<member id>"."""
    field, _dot, member_id = key.partition(".")
    if field in HOUSEHOLD_FIELDS and not member_id:
        return household, field
    today = local_date(request_now())
    for member in household.members:
        if field in PERSON_FIELDS and member_id == str(member.id) and member.holds(today):
            if member.linked:
                raise NotAllowed(_("This person was registered elsewhere: what is known of them is opened there."))
            return member.person, field
    raise NotFound("")


def get_member(household: Household, member_id: uuid.UUID) -> Any:
    """The member of this household; NotFound for another's, and for who has left it."""
    today = local_date(request_now())
    for member in household.members:
        if member.id == member_id and member.holds(today):
            return member
    raise NotFound("")
