"""Who sees households and changes them. Carers, volunteers and organisations: `visits` says what is theirs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from linkage.areas.queries import lies_under
from linkage.core.clock import local_date
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.households.models import Household, Member
from linkage.households.shown import names_in_full as names_in_full
from linkage.people.models import Person
from linkage.people.scopes import people_in

may_see = right(
    "households.see",
    "see a household (names masked above the community)",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    manager="covered",
    carer="assigned",
    volunteer="assigned",
    household="household",
)
may_list = right(
    "households.list",
    "list and search households",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
)
may_register = right("households.register", "register a household", community="area", operator="area")
may_change = right(
    "households.change", "change a household, its members and its address", community="area", operator="area"
)
may_tag = right("households.tag", "give a household a tag, or end one", community="area")
may_consent = right(
    "households.consent",
    "record a household's consent, or its withdrawal",
    community="area",
    operator="area",
    household="household",
)
may_reveal = right(
    "households.reveal",
    "open a masked field of a household with a reason",
    community="area",
    operator="area",
    household="household",
)
may_see_readers = right(
    "households.readers", "see who looked at a household's facts", community="area", household="household"
)
may_assess = right("households.assess", "record an ability assessment", community="area")
may_see_scores = right(
    "households.scores", "see the scores of an ability assessment", community="area", household="household"
)
may_check = right("households.check", "record that staff looked in", community="area", operator="area")
may_ask_papers = right("households.papers", "list missing papers and their dates", community="area", operator="area")
may_merge = right(
    "households.merge", "compare records that may be one household, and merge them", community="area", operator="area"
)
see(Household, may_see)


@scope(Household, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Household.area_id, grant.area_path)


@scope(Household, "household")
def _own(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Household.id == grant.household_id


def _registered_members(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    homes = select(Household.id).where(lies_under(Household.area_id, grant.area_path))
    here = (Member.household_id.in_(homes), Member.not_over(local_date(actor.at)), ~Member.linked)
    return Person.id.in_(select(Member.person_id).where(*here))


@people_in("area", _registered_members)
def _members_in_area(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    homes = select(Household.id).where(lies_under(Household.area_id, grant.area_path))
    return Person.id.in_(
        select(Member.person_id).where(Member.household_id.in_(homes), Member.not_over(local_date(actor.at)))
    )
