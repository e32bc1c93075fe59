"""What needs do when a person dies or a household withdraws its consent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from linkage.core.events import ConsentWithdrawn, PersonDied, effect
from linkage.core.extensions import db
from linkage.needs.models import Need
from linkage.needs.operations import withdraw_need


@effect(PersonDied, "needs")
def withdraw_needs_of_the_dead(event: PersonDied) -> None:
    """What a dead person asked for is withdrawn."""
    for need in _standing(Need.person_id == event.person_id):
        withdraw_need(need, "died", by=None, now=event.now)


@effect(ConsentWithdrawn, "needs")
def withdraw_needs_without_consent(event: ConsentWithdrawn) -> None:
    """Without consent to services nothing is planned for the household any more."""
    if event.purpose == "service":
        for need in _standing(Need.household_id == event.household_id):
            withdraw_need(need, "died" if need.person.died_on else "consent", by=None, now=event.now)


def _standing(where: ColumnElement[bool]) -> Sequence[Need]:
    return db.session.scalars(select(Need).where(where, Need.withdrawn_at.is_(None)).order_by(Need.id)).all()
