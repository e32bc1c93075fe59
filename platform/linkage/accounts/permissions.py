"""Who sees accounts, and who grants which role where.

One right per role that can be granted; its scope says where: "area" means inside an area of one's own grant,
"organisation" one's own organisation. Nobody grants what is not written here.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import aliased

from linkage.accounts.models import Grant, User
from linkage.accounts.scopes import KIND_OF_ROLE, Target, place_of, places_of
from linkage.areas.models import Area
from linkage.areas.queries import lies_under
from linkage.core.extensions import db
from linkage.core.permissions import (
    ActiveGrant,
    Actor,
    Role,
    condition,
    get_right,
    right,
    scope,
    see,
)
from linkage.people import permissions as people
from linkage.people.models import Person
from linkage.people.scopes import people_in, registered_in

may_see = right(
    "accounts.see",
    "list accounts, see their roles and whether they are used",
    community="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
)
may_manage = right(
    "accounts.manage",
    "hand out a new link, end sessions, disable (only where one could grant every role the account has)",
    community="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
)
may_create = right(
    "accounts.create",
    "give a person an account (with a role that one may grant)",
    community="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
)
may_create_staff = right(
    "accounts.create_staff",
    "give somebody who is in no register yet an account as staff",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_reveal = right(
    "accounts.reveal",
    "open the telephone of an account's person with a reason",
    community="registered",
    coordinator="registered",
    administrator="registered",
    manager="registered",
)
may_view_as = right(
    "accounts.view_as",
    "look at the pages as another account, read only and with masked values (only where one could grant its roles)",
    administrator="area",
)
GRANT: dict[Role, str] = {
    Role.COMMUNITY: right(
        "accounts.grant_community",
        "make somebody community staff",
        coordinator="area",
        supervisor="area",
        administrator="area",
    ),
    Role.OPERATOR: right("accounts.grant_operator", "make somebody call-desk operator", administrator="area"),
    Role.COORDINATOR: right(
        "accounts.grant_coordinator", "make somebody coordinator", supervisor="area", administrator="area"
    ),
    Role.MANAGER: right("accounts.grant_manager", "make somebody manager of an organisation", administrator="area"),
    Role.CARER: right("accounts.grant_carer", "give a carer an account", manager="organisation", administrator="area"),
    Role.VOLUNTEER: right(
        "accounts.grant_volunteer", "give a volunteer an account", community="area", administrator="area"
    ),
    Role.HOUSEHOLD: right(
        "accounts.grant_household", "give a household an account", community="area", administrator="area"
    ),
    Role.SUPERVISOR: right("accounts.grant_supervisor", "make somebody supervisor", administrator="area"),
    Role.ADMINISTRATOR: right("accounts.grant_administrator", "make somebody administrator", administrator="area"),
}
may_read_rights = right("administration.rights", "read who may do what", administrator="all")
may_read_audit = right("administration.audit", "search the audit log", administrator="installation")
may_set_rules = right("administration.rules", "set clocks and thresholds from a date on", administrator="installation")
see(User, may_see)


def may_grant(actor: Actor, role: Role, target: Target) -> bool:
    """The actor may give `role` in the place `target`."""
    scopes = get_right(GRANT[role]).scopes
    return KIND_OF_ROLE[role] == target.kind and any(
        _covers(grant, scopes.get(grant.role), target) for grant in actor.grants
    )


def _covers(grant: ActiveGrant, kind: str | None, target: Target) -> bool:
    if kind == "area":
        return bool(grant.area_path) and target.area_path.startswith(grant.area_path)
    return kind == "organisation" and target.kind == "organisation" and target.id == grant.organisation_id


def grantable_roles(actor: Actor) -> list[Role]:
    """The roles that the actor may grant somewhere."""
    return [role for role, name in GRANT.items() if any(grant.role in get_right(name).scopes for grant in actor.grants)]


@scope(User, "area")
def _in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _person(_people_of(actor, grant))


@scope(User, "organisation")
def _in_organisation(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _person(_people_of(actor, grant))


@scope(User, "registered")
def _registered(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _person(registered_in(actor, grant))


def _person(where: ColumnElement[bool]) -> ColumnElement[bool]:
    """The account's person is one of these; asked of people who have an account, since most have none."""
    anybody = aliased(User)
    return User.person_id.in_(select(Person.id).where(Person.id.in_(select(anybody.person_id)), where))


def _people_of(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """The people who lie in the scope of this one grant, as every room says it."""
    return condition(Actor(actor.user_id, actor.person_id, (grant,), actor.at), people.may_see, Person)


def _with_a_grant(where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(User.person_id == Person.id, Grant.user_id == User.id, where)


def _entered_in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _with_a_grant(and_(lies_under(Grant.area_id, grant.area_path), ~Grant.linked))


@people_in("area", _entered_in_area)
def _staff_of_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """Whoever has or had a role in the area or below it."""
    return _with_a_grant(lies_under(Grant.area_id, grant.area_path))


def _entered_in_organisation(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _with_a_grant(and_(Grant.organisation_id == grant.organisation_id, ~Grant.linked))


@people_in("organisation", _entered_in_organisation)
def _managers_of(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """The organisation's own managers and carers with an account."""
    return _with_a_grant(Grant.organisation_id == grant.organisation_id)


@places_of("area")
def areas_of(actor: Actor) -> list[Target]:
    """The areas inside the actor's own, from the top."""
    paths = {grant.area_path for grant in actor.grants if grant.area_path}
    rows = {
        area.id: area
        for path in sorted(paths)
        for area in db.session.scalars(select(Area).where(lies_under(Area.id, path), Area.closed_on.is_(None)))
    }
    return [area_target(area) for area in sorted(rows.values(), key=lambda area: (area.code, area.id))]


def area_target(area: Area) -> Target:
    return Target("area", area.id, area.name, area.path)


@place_of("area")
def area_place(area_id: int) -> Target | None:
    area = db.session.get(Area, area_id)
    return None if area is None else area_target(area)
