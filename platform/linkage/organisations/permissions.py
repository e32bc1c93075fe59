"""Who sees organisations and their carers. A manager acts on the own organisation; a carer sees the own record."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, or_, select

from linkage.accounts.models import Grant, User
from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, Condition, right, scope, see
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import Person
from linkage.people.scopes import people_in

may_see = right(
    "organisations.see",
    "see an organisation",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
    carer="organisation",
)
may_register = right(
    "organisations.register",
    "register an organisation",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_change = right(
    "organisations.change",
    "change an organisation's data and rating",
    manager="organisation",
    supervisor="area",
    administrator="area",
)
may_close = right("organisations.close", "close an organisation for good", supervisor="area", administrator="area")
may_see_carers = right(
    "organisations.see_carer",
    "see a carer's record, week and qualifications",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
    carer="self",
)
may_employ = right(
    "organisations.employ",
    "add carers, change their employment and qualifications",
    manager="organisation",
    administrator="area",
)
may_plan_week = right(
    "organisations.week",
    "set a carer's shifts and the exceptions from them",
    manager="organisation",
    administrator="area",
)
may_report_absence = right(
    "organisations.absence",
    "report that a carer is away",
    manager="organisation",
    coordinator="area",
    administrator="area",
    carer="self",
)
may_reveal = right(
    "organisations.reveal",
    "open a carer's telephone or ID number with a reason",
    coordinator="registered",
    administrator="registered",
    manager="registered",
    carer="self",
)
see(Organisation, may_see)
see(Carer, may_see_carers)

_here: list[Condition] = []


def organisations_here(condition: Condition) -> Condition:
    """Decorator for the rooms above: these organisations, too, lie in the area of a grant (they serve there)."""
    if condition not in _here:
        _here.append(condition)
    return condition


@scope(Organisation, "area")
def _in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return or_(lies_under(Organisation.area_id, grant.area_path), *(part(actor, grant) for part in _here))


@scope(Organisation, "organisation")
def _own(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Organisation.id == grant.organisation_id


@scope(Carer, "area")
def _carers_in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Carer.organisation_id.in_(select(Organisation.id).where(_in_area(actor, grant)))


@scope(Carer, "organisation")
def _own_carers(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Carer.organisation_id == grant.organisation_id


@scope(Carer, "registered")
def _registered_carers(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return and_(~Carer.linked, (_own_carers if grant.organisation_id else _carers_in_area)(actor, grant))


@scope(Carer, "self")
def _oneself(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Carer.person_id == actor.person_id


def _people(kind: str, of: Callable[[Actor, ActiveGrant], ColumnElement[bool]]) -> None:
    def _registered(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
        return Person.id.in_(select(Carer.person_id).where(of(actor, grant), ~Carer.linked))

    @people_in(kind, _registered)
    def _carers(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
        return Person.id.in_(select(Carer.person_id).where(of(actor, grant)))


_people("area", _carers_in_area)
_people("organisation", _own_carers)


def _with_a_role_there(grant: ActiveGrant, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    there = select(Organisation.id).where(lies_under(Organisation.area_id, grant.area_path))
    held = select(User.person_id).join(Grant, Grant.user_id == User.id).where(Grant.organisation_id.in_(there), *more)
    return Person.id.in_(held)


def _entered_with_a_role(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _with_a_role_there(grant, ~Grant.linked)


@people_in("area", _entered_with_a_role)
def _managers_there(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """Whoever has or had a role in an organisation of the area: a manager stands in no register of their own."""
    return _with_a_role_there(grant)
