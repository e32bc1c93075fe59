"""What households do when something happens below or beside them."""

from __future__ import annotations

from sqlalchemy import select

from linkage.core import audit
from linkage.core.events import PersonDied, effect
from linkage.core.extensions import db
from linkage.households import operations, queries, rhythm
from linkage.households.models import Household, Member


@effect(PersonDied, "households")
def end_memberships_of_the_dead(event: PersonDied) -> None:
    """Memberships and personal tags end on the day of death; a household where nobody lives any more is closed."""
    memberships = db.session.scalars(
        select(Member).where(Member.person_id == event.person_id, Member.on(event.on)).order_by(Member.id)
    ).all()
    for member in memberships:
        household = member.household
        member.valid_to = max(member.valid_from, event.on)
        _end_tags(household, event)
        rhythm.follow_people(household, event.person_id, on=event.on, now=event.now)
        audit.record("households.end_membership", household, by=event.by, now=event.now, reason="died")
        if member.relation != "contact" and not queries.served_members(household, event.on):
            operations.close_household(household, by=event.by, now=event.now, on=event.on, reason="died")


def _end_tags(household: Household, event: PersonDied) -> None:
    for tag in household.tags:
        if tag.person_id == event.person_id and (tag.valid_to is None or tag.valid_to > event.on):
            tag.valid_to = max(tag.valid_from, event.on)
