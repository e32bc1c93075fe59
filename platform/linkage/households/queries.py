"""Reading households. Every list starts with `visible` or `listed`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.households.models import Consent, Household, Member, Residence, Tag
from linkage.people.models import Person


def visible(actor: Actor) -> Select[Household]:
    """The households that the actor may see."""
    return visible_rows(actor, Household)


def get_household(household_id: uuid.UUID) -> Household | None:
    return db.session.get(Household, household_id)


def served_members(household: Household, on: date) -> list[Member]:
    """Those who live there on `on` and can be served: alive, and no mere contacts; the head first."""
    return [
        member
        for member in household.members
        if member.holds(on) and member.relation != "contact" and not _dead(member.person, on)
    ]


def contacts(household: Household, on: date) -> list[Member]:
    """Family who live elsewhere and are told (家属)."""
    return [member for member in household.members if member.holds(on) and member.relation == "contact"]


def head_of(household: Household, on: date) -> Member:
    """Whose household it is: the first who lives there, else whoever stood first."""
    living = served_members(household, on)
    return (living or household.members)[0]


def _dead(person: Person, on: date) -> bool:
    return person.died_on is not None and person.died_on <= on


def consent_for(household: Household, purpose: str, on: date) -> Consent | None:
    """The consent to `purpose` that holds on `on` and lasts longest; None where there is none."""
    valid = [row for row in household.consents if row.purpose == purpose and row.holds(on)]
    return max(valid, key=lambda row: row.expires_on or date.max, default=None)


def unservable_reason(household: Household, on: date, purpose: str = "service") -> str | None:
    """Why the household may not be served on `on`: "closed", "nobody" (alive there) or "consent"; None: it may."""
    if household.closed_on is not None and household.closed_on <= on:
        return "closed"
    if not served_members(household, on):
        return "nobody"
    return None if consent_for(household, purpose, on) else "consent"


def may_be_served(household: Household, on: date, purpose: str = "service") -> bool:
    """The household is open, somebody lives there, and its consent to `purpose` holds on `on`."""
    return unservable_reason(household, on, purpose) is None


def has_consent(purpose: str, on: date) -> ColumnElement[bool]:
    """SQL: the household's consent to `purpose` holds on `on` (the same as `consent_for`)."""
    return exists().where(
        Consent.household_id == Household.id,
        Consent.purpose == purpose,
        Consent.withdrawn_at.is_(None),
        Consent.given_on <= on,
        or_(Consent.expires_on.is_(None), Consent.expires_on >= on),
    )


def is_open(on: date) -> ColumnElement[bool]:
    """SQL: not closed on `on`."""
    return or_(Household.closed_on.is_(None), Household.closed_on > on)


def tags_on(household: Household, on: date, person_id: uuid.UUID | None = None) -> list[Tag]:
    """The tags that hold on `on`: of the household as a whole, and of one person if `person_id` is given."""
    return [
        tag for tag in household.tags if tag.holds(on) and (person_id is None or tag.person_id in (None, person_id))
    ]


def tag_codes(household: Household, on: date) -> set[str]:
    return {tag.tag for tag in tags_on(household, on)}


def living_in(household_ids: Iterable[uuid.UUID]) -> Select[Member]:
    return select(Member).where(Member.household_id.in_(list(household_ids)))


def home_of(person_id: uuid.UUID, on: date) -> Household | None:
    """The open household in which the person is served on `on`; None where there is none."""
    return db.session.scalars(
        select(Household)
        .join(Member)
        .where(Member.person_id == person_id, Member.relation != "contact", Member.on(on), is_open(on))
        .limit(1)
    ).one_or_none()


def by_number(area_id: int, number: str) -> Household | None:
    """The household with this number in its community; None where there is none."""
    return db.session.scalars(
        select(Household).where(and_(Household.area_id == area_id, Household.number == number))
    ).one_or_none()


def residences(household: Household) -> list[Residence]:
    """Where the household was served, oldest first."""
    return list(
        db.session.scalars(
            select(Residence).where(Residence.household_id == household.id).order_by(Residence.valid_from)
        )
    )
