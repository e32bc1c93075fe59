"""What stands around every page: the rail per role, whose scope it is, search, inbox, account. One table."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from linkage.accounts.models import Grant, InboxMessage
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role, holds
from linkage.core.web import current_actor, role_name

# (endpoint, label, icon, right needed or None), at most five a role; the rarer ones stand under "More" on a phone.
TODAY = ("desk.home", _l("Today"), "check2-square", None)
HOUSEHOLDS = ("households.listing", _l("Homes"), "house", "households.list")
NEEDS = ("needs.listing", _l("Needs"), "card-list", "needs.see")
VISITS = ("visits.listing", _l("Visits"), "calendar-check", "visits.see")
IMPORT = ("imports.home", _l("Import"), "file-earmark-spreadsheet", "imports.roster")
PLAN = ("planning.home", _l("Plan"), "calendar3-week", "planning.see")
STAFF = ("organisations.listing", _l("Staff"), "people", "organisations.see")
VOLUNTEERS = ("volunteers.listing", _l("Helpers"), "person-hearts", "volunteers.see")
CONTRACTS = ("contracts.listing", _l("Contracts"), "file-earmark-text", "contracts.see")
PEOPLE = ("people_admin.users", _l("People"), "person-gear", "accounts.see")
AREAS = ("areas.tree", _l("Areas"), "diagram-3", "areas.see")
SERVICES = ("services.listing", _l("Services"), "list-check", "services.see")
AUDIT = ("administration.audit", _l("Audit"), "journal-check", "audit.see")

RAIL: dict[Role, tuple[Any, ...]] = {
    Role.COMMUNITY: (TODAY, HOUSEHOLDS, NEEDS, IMPORT, PLAN, VISITS, VOLUNTEERS),
    Role.OPERATOR: (TODAY, HOUSEHOLDS, NEEDS, VISITS),
    Role.COORDINATOR: (TODAY, PLAN, NEEDS, VOLUNTEERS, CONTRACTS, VISITS, HOUSEHOLDS, STAFF),
    Role.MANAGER: (TODAY, STAFF, VISITS, CONTRACTS),
    Role.CARER: (TODAY,),
    Role.VOLUNTEER: (TODAY,),
    Role.HOUSEHOLD: (TODAY,),
    Role.SUPERVISOR: (TODAY, VISITS, PLAN, CONTRACTS, STAFF, HOUSEHOLDS),
    Role.ADMINISTRATOR: (TODAY, PEOPLE, AREAS, SERVICES, AUDIT),
}
POSTERS = (Role.COMMUNITY, Role.OPERATOR)


def main_role(actor: Actor) -> Role | None:
    """The role whose pages are shown first: the first of this order that the person has."""
    return next((role for role in RAIL if actor.has(role)), None)


def values() -> dict[str, Any]:
    """The context processor: what `base.html` reads."""
    actor = current_actor()
    if actor is None:
        return {}
    role = main_role(actor)
    found: dict[str, Any] = {
        "nav": _rail(actor, role),
        "role_label": role_name(role) if role else "",
        "inbox_url": url_for("accounts.inbox"),
        "unread": _unread(actor),
        "sign_out_url": url_for("accounts.sign_out"),
        "account_links": [{"label": _l("My account"), "url": url_for("accounts.account"), "icon": "person"}],
        **_scope(actor, role),
    }
    if role in (Role.COMMUNITY, Role.OPERATOR, Role.COORDINATOR, Role.SUPERVISOR, Role.MANAGER, Role.ADMINISTRATOR):
        found["search_url"] = url_for("desk.search")
    if role in POSTERS:
        found["primary_action"] = {"url": url_for("desk.post_need"), "label": _l("Post"), "icon": "plus-lg"}
    return found


def _rail(actor: Actor, role: Role | None) -> list[dict[str, Any]]:
    items = [item for item in RAIL.get(role, (TODAY,)) if item[3] is None or holds(actor, item[3])]  # type: ignore[arg-type]
    here = (request.endpoint or "").split(".")[0]
    return [
        {"label": label, "icon": icon, "url": url_for(endpoint), "active": _is_here(endpoint, here)}
        for endpoint, label, icon, _ in items
        if endpoint in current_app.view_functions
    ]


def _is_here(endpoint: str, here: str) -> bool:
    if endpoint.startswith("desk."):
        return request.endpoint == endpoint
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
    return {"scope_label": db.session.scalars(named.limit(1)).one_or_none() or ""}


def _unread(actor: Actor) -> int:
    unread = select(func.count()).where(InboxMessage.person_id == actor.person_id, InboxMessage.read_at.is_(None))
    return db.session.scalar(unread) or 0
