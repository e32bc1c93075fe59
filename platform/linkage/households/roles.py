"""Which accounts a household's people may have: told to the accounts room (see `accounts.scopes`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from linkage.accounts.scopes import Target, place_of, suggestions_of
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.households.models import Household, Member


@place_of("household")
def household_place(household_id: uuid.UUID) -> Target | None:
    row = db.session.execute(
        select(Household, Area).join(Area, Area.id == Household.area_id).where(Household.id == household_id)
    ).first()
    return None if row is None else _target(*row)


@suggestions_of("households")
def memberships(person_id: uuid.UUID, on: date) -> Sequence[tuple[Role, Target]]:
    """Who lives there, or is told as family, may look at the household's own page."""
    rows = db.session.execute(
        select(Household, Area)
        .join(Area, Area.id == Household.area_id)
        .join(Member, Member.household_id == Household.id)
        .where(Member.person_id == person_id, Member.on(on), Household.closed_on.is_(None))
    )
    return [(Role.HOUSEHOLD, _target(household, area)) for household, area in rows]


def _target(household: Household, area: Area) -> Target:
    return Target("household", household.id, f"{area.name} {household.number}", area.path)
