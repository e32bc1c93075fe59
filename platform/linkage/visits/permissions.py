"""Who sees visits, checks in and out, confirms. Also: what "assigned to me" and "covered by us" mean below.

*assigned*: somebody who is booked there, until two hours after the end (DOMAIN.md section 6); a volunteer who
is only asked does not see the visit. *covered*: an organisation one of whose people is booked there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from linkage.areas.queries import lies_under
from linkage.core.clock import local_date
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.core.rulesets import rule
from linkage.households.models import Household
from linkage.needs.models import Need
from linkage.visits.models import Assignment, HoursEntry, Visit

may_see = right(
    "visits.see",
    "see a visit",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    manager="covered",
    carer="assigned",
    volunteer="assigned",
    household="household",
)
may_see_own = right("visits.see_own", "see one's own commitments, coming and past", carer="self", volunteer="self")
may_see_hours = right("visits.hours", "see one's own service record", carer="self", volunteer="self")
may_attend = right("visits.attend", "check in and out, report that nobody opens", carer="self", volunteer="self")
may_attend_for = right(
    "visits.attend_for",
    "check in and out for somebody who calls, record a no-show",
    community="area",
    operator="area",
    coordinator="area",
)
may_correct = right("visits.correct", "correct recorded times, with a reason", community="area", coordinator="area")
may_confirm = right(
    "visits.confirm",
    "confirm a visit with the household and rate it",
    community="area",
    operator="area",
    household="household",
)
may_cancel = right(
    "visits.cancel",
    "cancel one visit",
    community="area",
    operator="area",
    coordinator="area",
    household="household",
)
may_release_for = right("visits.release", "let a booked person go from a visit", community="area", coordinator="area")
see(Visit, may_see)
see(Assignment, may_see_own)
see(HoursEntry, may_see_hours)


def _booked(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Assignment.released_at.is_(None), *conditions)


def _mine(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    after = timedelta(minutes=rule("visits.open_after_minutes", local_date(actor.at)))
    return Assignment.person_id == actor.person_id, Assignment.ends_at >= actor.at - after


def _ours(grant: ActiveGrant) -> ColumnElement[bool]:
    return Assignment.organisation_id == grant.organisation_id


@scope(Visit, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Visit.area_id, grant.area_path)


@scope(Visit, "household")
def _at_home(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Visit.household_id == grant.household_id


@scope(Visit, "assigned")
def _assigned_visit(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return _booked(Assignment.visit_id == Visit.id, *_mine(actor))


@scope(Visit, "covered")
def _covered_visit(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return _booked(Assignment.visit_id == Visit.id, _ours(grant))


@scope(Assignment, "self")
def _own_assignment(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Assignment.person_id == actor.person_id


@scope(HoursEntry, "self")
def _own_hours(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return HoursEntry.person_id == actor.person_id


def _below(model: type, link: Any) -> None:
    """Register what lies below a visit (its need, its household) as assigned and covered with it."""

    @scope(model, "assigned")
    def _assigned(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
        return link(select(Assignment.visit_id).where(Assignment.released_at.is_(None), *_mine(actor)))

    @scope(model, "covered")
    def _covered(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
        return link(select(Assignment.visit_id).where(Assignment.released_at.is_(None), _ours(grant)))


_below(Need, lambda visits: Need.id.in_(select(Visit.need_id).where(Visit.id.in_(visits)).distinct()))
_below(Household, lambda visits: Household.id.in_(select(Visit.household_id).where(Visit.id.in_(visits))))
