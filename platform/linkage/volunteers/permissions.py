"""Who sees volunteers and changes their record. A volunteer changes what is theirs to say: services, time, pauses."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.people.models import Person
from linkage.people.scopes import people_in
from linkage.volunteers.models import Volunteer

may_see = right(
    "volunteers.see",
    "see a volunteer's record",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    volunteer="self",
)
may_see_own = right("volunteers.own", "see one's own record as a volunteer", volunteer="self")
may_list = right(
    "volunteers.list",
    "list and search volunteers",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_register = right(
    "volunteers.register", "register a volunteer", community="area", coordinator="area", administrator="area"
)
may_change = right(
    "volunteers.change",
    "change a volunteer's person, insurance, consent and qualifications",
    community="area",
    coordinator="area",
    administrator="area",
)
may_offer = right(
    "volunteers.offer",
    "change services, radius, time, pauses of a volunteer",
    community="area",
    coordinator="area",
    administrator="area",
    volunteer="self",
)
may_reveal = right(
    "volunteers.reveal",
    "open a volunteer's telephone or ID number with a reason",
    community="registered",
    operator="registered",
    coordinator="registered",
    administrator="registered",
    volunteer="self",
)
see(Volunteer, may_see)


@scope(Volunteer, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Volunteer.area_id, grant.area_path)


@scope(Volunteer, "registered")
def _registered(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return and_(_in_area(actor, grant), ~Volunteer.linked)


@scope(Volunteer, "self")
def _oneself(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Volunteer.person_id == actor.person_id


def _registered_people(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Person.id.in_(select(Volunteer.person_id).where(_registered(actor, grant)))


@people_in("area", _registered_people)
def _people_in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Person.id.in_(select(Volunteer.person_id).where(_in_area(actor, grant)))
