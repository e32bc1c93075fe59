"""Which accounts an organisation's people may have: told to the accounts room (see `accounts.scopes`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from linkage.accounts.scopes import Target, place_of, places_of, suggestions_of
from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role, visible_rows
from linkage.organisations.models import Carer, Organisation


@places_of("organisation")
def organisations_of(actor: Actor) -> Sequence[Target]:
    """The open organisations that the actor may see."""
    rows = db.session.execute(
        visible_rows(actor, Organisation)
        .join(Area, Area.id == Organisation.area_id)
        .add_columns(Area)
        .where(Organisation.closed_on.is_(None))
        .order_by(Organisation.name, Organisation.id)
    )
    return [_target(organisation, area) for organisation, area in rows]


@place_of("organisation")
def organisation_place(organisation_id: uuid.UUID) -> Target | None:
    row = db.session.execute(
        select(Organisation, Area).join(Area, Area.id == Organisation.area_id).where(Organisation.id == organisation_id)
    ).first()
    return None if row is None else _target(*row)


@suggestions_of("organisations")
def employments(person_id: uuid.UUID, on: date) -> Sequence[tuple[Role, Target]]:
    """Whoever is employed on the day may have a carer's account there."""
    rows = db.session.execute(
        select(Organisation, Area)
        .join(Area, Area.id == Organisation.area_id)
        .join(Carer, Carer.organisation_id == Organisation.id)
        .where(Carer.person_id == person_id, Carer.on(on))
    )
    return [(Role.CARER, _target(organisation, area)) for organisation, area in rows]


def _target(organisation: Organisation, area: Area) -> Target:
    return Target("organisation", organisation.id, organisation.short_name, area.path)
