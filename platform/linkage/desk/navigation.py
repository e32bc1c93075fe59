"""What stands around every page: the rail per role, whose scope it is, search, the one thing to post. One table."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy import select

from linkage.accounts.models import Grant
from linkage.accounts.queries import own_place
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role, holds
from linkage.core.web import current_actor


class Entry(NamedTuple):
    """One place of the rail: endpoint, label, icon, the right it needs."""

    endpoint: str
    label: Any
    icon: str
    right: str | None = None


TODAY = Entry("desk.home", lazy_pgettext("rail", "Today"), "check2-square")
HOUSEHOLDS = Entry("households.listing", lazy_pgettext("rail", "Homes"), "house", "households.list")
NEEDS = Entry("needs.listing", lazy_pgettext("rail", "Needs"), "card-list", "needs.see")
VISITS = Entry("visits.listing", lazy_pgettext("rail", "Visits"), "calendar-check", "visits.see")
IMPORT = Entry("imports.home", lazy_pgettext("rail", "Import"), "file-earmark-spreadsheet", "imports.roster")
CALLS = Entry("calls.listing", lazy_pgettext("rail", "Calls"), "telephone", "calls.see")
MAP = Entry("desk.maps", lazy_pgettext("rail", "Map"), "geo-alt", "desk.map")
PINS = Entry("pins.unpinned", lazy_pgettext("rail", "Doors to pin"), "pin-map", "households.change")
PLAN = Entry("planning.home", lazy_pgettext("rail", "Plan"), "calendar3-week", "planning.see")
STAFF = Entry("carers.listing", lazy_pgettext("rail", "Staff"), "people", "organisations.see_carer")
ORGANISATIONS = Entry("organisations.listing", lazy_pgettext("rail", "Providers"), "building", "organisations.see")
VOLUNTEERS = Entry("volunteers.listing", lazy_pgettext("rail", "Helpers"), "person-hearts", "volunteers.see")
CONTRACTS = Entry("contracts.listing", lazy_pgettext("rail", "Contracts"), "file-earmark-text", "contracts.see")
TENDERS = Entry("procurement.listing", lazy_pgettext("rail", "Tenders"), "megaphone", "procurement.follow")
OPEN_TENDERS = Entry("tenders.listing", lazy_pgettext("rail", "Tenders"), "megaphone", "procurement.bid")
MY_VISITS = Entry("me.commitments", lazy_pgettext("rail", "Visits"), "calendar-check", "visits.see_own")
MY_HOURS = Entry("me.hours", lazy_pgettext("rail", "Hours"), "clock-history", "visits.see_own")
PEOPLE = Entry("users.listing", lazy_pgettext("rail", "People"), "person-gear", "accounts.see")
AREAS = Entry("areas.listing", lazy_pgettext("rail", "Areas"), "diagram-3", "areas.see")
SERVICES = Entry("services.listing", lazy_pgettext("rail", "Services"), "list-check", "services.see")
AUDIT = Entry("administration.audit_log", lazy_pgettext("rail", "Audit"), "journal-check", "administration.audit")
COVERAGE = Entry("coverage.listing", lazy_pgettext("rail", "Coverage"), "shield-check", "desk.coverage")
RULES = Entry("administration.rules", lazy_pgettext("rail", "Rules"), "sliders", "administration.rules")
RIGHTS = Entry("administration.rights_table", lazy_pgettext("rail", "Rights"), "shield-check", "administration.rights")
UPKEEP = Entry("upkeep.page", lazy_pgettext("rail", "Backup"), "archive", "upkeep.run")
DAYS = Entry("working_days.page", lazy_pgettext("rail", "Working days"), "calendar3", "upkeep.calendar")
WEIGHTS = Entry("weights.page", lazy_pgettext("rail", "Weights"), "sliders", "planning.weights")
REQUESTS = Entry("data_requests.listing", lazy_pgettext("rail", "Data"), "file-earmark-person", "upkeep.data_requests")

# The first role of this order that a person has decides the rail; the rarer entries come last.
RAIL: dict[Role, tuple[Entry, ...]] = {
    Role.COMMUNITY: (TODAY, HOUSEHOLDS, NEEDS, IMPORT, PLAN, VISITS, COVERAGE, VOLUNTEERS, CALLS, PEOPLE, MAP, PINS),
    Role.OPERATOR: (TODAY, HOUSEHOLDS, CALLS, NEEDS, VISITS, COVERAGE, MAP),
    Role.COORDINATOR: (TODAY, PLAN, NEEDS, STAFF, CONTRACTS, VISITS, VOLUNTEERS, COVERAGE, TENDERS, PEOPLE, MAP),
    Role.MANAGER: (TODAY, STAFF, VISITS, CONTRACTS, OPEN_TENDERS, PEOPLE),
    Role.CARER: (TODAY, MY_VISITS),
    Role.VOLUNTEER: (TODAY, MY_VISITS, MY_HOURS),
    Role.HOUSEHOLD: (TODAY,),
    Role.SUPERVISOR: (TODAY, VISITS, PLAN, CONTRACTS, TENDERS, COVERAGE, ORGANISATIONS, PEOPLE, MAP),
    Role.ADMINISTRATOR: (
        TODAY,
        PEOPLE,
        AREAS,
        SERVICES,
        AUDIT,
        RULES,
        RIGHTS,
        ORGANISATIONS,
        TENDERS,
        UPKEEP,
        REQUESTS,
        DAYS,
        WEIGHTS,
    ),
}
POSTERS = (Role.COMMUNITY, Role.OPERATOR)
SEARCHERS = (Role.COMMUNITY, Role.OPERATOR, Role.COORDINATOR, Role.SUPERVISOR, Role.MANAGER)
PHONE_HOMES = {Role.CARER: "me.today", Role.VOLUNTEER: "offers.today", Role.HOUSEHOLD: "home.page"}
SHOWN = 5  # so many stand in the rail; the rarer ones stand in the account's menu


def main_role(actor: Actor) -> Role | None:
    """The role whose pages are shown first: the first of this order that the person has."""
    return next((role for role in RAIL if actor.has(role)), None)


def exists(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def values() -> dict[str, Any]:
    """The context processor: what `base.html` reads besides what accounts says of the account itself."""
    actor = current_actor()
    if actor is None:
        return {}
    role = main_role(actor)
    rail = _rail(actor, role)
    found: dict[str, Any] = {"nav": rail[:SHOWN], **_scope(actor, role)}
    mine = {"label": _l("My account"), "url": url_for("accounts.account"), "icon": "person"}
    found["account_links"] = [*rail[SHOWN:], mine]
    if role in SEARCHERS and exists("desk.search"):
        found["search_url"] = url_for("desk.search")
    if role in POSTERS and exists("desk.post_need"):
        label = lazy_pgettext("rail", "Post")
        found["primary_action"] = {"url": url_for("desk.post_need"), "label": label, "icon": "plus-lg"}
    return found


def _rail(actor: Actor, role: Role | None) -> list[dict[str, Any]]:
    here = (request.endpoint or "").split(".")[0]
    items = [item for item in (RAIL[role] if role else (TODAY,)) if exists(item.endpoint) and _may(actor, item)]
    return [
        {
            "label": item.label,
            "icon": item.icon,
            "url": url_for(item.endpoint),
            "active": _is_here(item.endpoint, here, role),
        }
        for item in items
    ]


def _may(actor: Actor, item: Entry) -> bool:
    return item.right is None or holds(actor, item.right)


def _is_here(endpoint: str, here: str, role: Role | None) -> bool:
    first = request.endpoint == PHONE_HOMES.get(role) if role else False
    if endpoint in ("desk.home", "me.commitments", "me.hours"):
        return request.endpoint == endpoint or (first and endpoint == "desk.home")
    return endpoint.split(".")[0] == here


def _scope(actor: Actor, role: Role | None) -> dict[str, Any]:
    """The name of what one looks after, and what it lies in."""
    grant = next((grant for grant in actor.grants if grant.role == role), None)
    if grant is None:
        return {}
    if grant.area_id is not None:
        area = db.session.get(Area, grant.area_id)
        around = area.parent if area is not None else None
        return {"scope_label": area.name if area else "", "scope_note": around.name if around else ""}
    named = select(Grant.scope_name).where(Grant.user_id == actor.user_id, Grant.role == grant.role.value)
    return {"scope_label": own_place(grant.role, db.session.scalars(named.limit(1)).one_or_none() or "")}
