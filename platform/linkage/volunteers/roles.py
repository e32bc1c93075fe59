"""Which account a volunteer may have: told to the accounts room (see `accounts.scopes`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from linkage.accounts.scopes import Target, place_of, suggestions_of
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.volunteers.models import Volunteer


@place_of("self")
def home_of(person_id: uuid.UUID) -> Target | None:
    """A volunteer's account holds for oneself; it lies where the volunteer is registered."""
    row = db.session.execute(
        select(Volunteer.number, Area.path)
        .join(Area, Area.id == Volunteer.area_id)
        .where(Volunteer.person_id == person_id)
    ).first()
    return None if row is None else Target("self", None, row.number, row.path)


@suggestions_of("volunteers")
def as_volunteer(person_id: uuid.UUID, on: date) -> Sequence[tuple[Role, Target]]:
    registered = select(Volunteer.id).where(
        Volunteer.person_id == person_id, Volunteer.left_at.is_(None), Volunteer.joined_on <= on
    )
    target = home_of(person_id)
    return [(Role.VOLUNTEER, target)] if target is not None and db.session.scalar(registered) is not None else []
