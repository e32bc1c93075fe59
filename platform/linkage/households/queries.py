"""Reading households. Every list starts with `listed`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union
from sqlalchemy.orm import joinedload, selectinload

from linkage.accounts.models import User
from linkage.areas.models import Area, Place
from linkage.areas.queries import in_estate, lies_under
from linkage.core.extensions import db
from linkage.core.models import AccessRow
from linkage.core.permissions import Actor, get_right, scoped
from linkage.core.privacy import warm_keys
from linkage.core.readings import KEY_LENGTH, folded
from linkage.households.models import Consent, Household, HouseholdMerge, Member, Residence, Tag
from linkage.households.shown import names_in_full
from linkage.people.models import Person, PersonKey
from linkage.people.queries import search


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


def withdrawn_at(household: Household, purpose: str, on: date) -> datetime | None:
    """When the household took back its consent to `purpose`; None where one holds, or none was taken back."""
    moments = [row.withdrawn_at for row in household.consents if row.purpose == purpose and row.withdrawn_at]
    closed = household.closed_on is not None and household.closed_on <= on
    return max(moments, default=None) if not closed and consent_for(household, purpose, on) is None else None


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


def addresses(household: Household) -> list[tuple[Residence, Place]]:
    """The same with the places, oldest first."""
    rows = db.session.execute(
        select(Residence, Place)
        .join(Place, Place.id == Residence.place_id)
        .where(Residence.household_id == household.id)
        .order_by(Residence.valid_from)
    )
    return [(residence, place) for residence, place in rows]


def listed(actor: Actor) -> Select[Household]:
    """The households that the actor may list and search."""
    return scoped(actor, "households.list", Household)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty: everything."""

    text: str = ""
    area_id: int | None = None
    tag: str = ""
    no_consent: bool = False
    approximate: bool = False
    closed: bool = False
    due: str = ""  # a kind of `households.due`, applied by the page


def found(actor: Actor, filters: Filters, on: date) -> Select[Household]:
    """The households of the list, by community and number."""
    rows = listed(actor).join(Household.place)
    if not filters.closed:
        rows = rows.where(is_open(on))
    if filters.text.strip():
        rows = rows.where(Household.id.in_(union(*_fitting(filters.text, masked=not names_in_full(actor)))))
    if filters.area_id is not None:
        area = db.session.get(Area, filters.area_id)
        rows = rows.where(lies_under(Household.area_id, area.path if area else ""))
    if filters.tag:
        rows = rows.where(exists().where(Tag.household_id == Household.id, Tag.tag == filters.tag, Tag.on(on)))
    if filters.no_consent:
        rows = rows.where(~has_consent("service", on))
    if filters.approximate:
        rows = rows.where(Place.position_source == "area")
    return rows


def was_number(text: str) -> ColumnElement[bool]:
    """SQL: a record with this number was merged into the household (or into one that was)."""
    first = select(HouseholdMerge.kept_id).where(HouseholdMerge.lost_number == text)
    second = select(HouseholdMerge.kept_id).where(HouseholdMerge.lost_id.in_(first))
    return or_(Household.id.in_(first), Household.id.in_(second))


def _fitting(text: str, *, masked: bool) -> Iterator[Select[uuid.UUID]]:
    """Ids of households by a member, by number, by estate or building (for who is shown addresses); each way is a
    look-up in an index."""
    yield search(select(Member.household_id).join(Person, Member.person_id == Person.id), text, masked=masked)
    yield select(Household.id).where(Household.number == text.strip())
    yield select(Household.id).where(was_number(text.strip()))
    if not masked:
        yield select(Household.id).where(Household.place_id.in_(in_estate(text)))


def named_exactly(text: str) -> ColumnElement[bool]:
    """SQL to order by: those with a member of exactly this name (or pinyin, or initials) first."""
    exact = select(Member.household_id).join(PersonKey, PersonKey.person_id == Member.person_id)
    return Household.id.in_(exact.where(PersonKey.key == folded(text)[:KEY_LENGTH], PersonKey.whole)).desc()


def _ordered(rows: Select[Household], sort: str) -> Select[Household]:
    """By community and number; or by the head's name as it is spoken; or the newest first. "-" turns it round."""
    key = sort.lstrip("-")
    if key == "name":
        head = (
            select(Person.name_keys)
            .join(Member, Member.person_id == Person.id)
            .where(Member.household_id == Household.id)
            .order_by(Member.position)
            .limit(1)
            .scalar_subquery()
        )
        columns: tuple[Any, ...] = (head,)
    elif key == "newest":
        columns = (Household.created_at,)
    else:
        columns = (Household.area_id, Household.number)
    return rows.order_by(*(column.desc() if sort.startswith("-") else column for column in columns), Household.id)


def whole(ids: Sequence[uuid.UUID]) -> Select[Household]:
    """These households with everything that a line of a list shows of them."""
    shown = (
        selectinload(Household.members).joinedload(Member.person),
        selectinload(Household.tags),
        selectinload(Household.consents),
        joinedload(Household.place),
        joinedload(Household.area),
    )
    return select(Household).where(Household.id.in_(ids)).options(*shown)


def page_of(rows: Select[Household], number: int, size: int, sort: str = "number") -> list[Household]:
    """One page of a list, with everything that its lines show, and the keys of its places loaded at once.

    What is sorted are ids alone: whole rows of a city's households would be carried through the sort.
    """
    ordered = _ordered(rows.options(), sort).with_only_columns(Household.id, maintain_column_froms=True)
    ids = list(db.session.scalars(ordered.limit(size).offset((number - 1) * size)))
    found = {household.id: household for household in db.session.scalars(whole(ids))}
    warm_keys({household.key_id for household in found.values()})
    return [found[household_id] for household_id in ids]


def count(rows: Select[Household]) -> int:
    return db.session.scalar(rows.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)) or 0


def communities(actor: Actor, right_name: str) -> list[Area]:
    """The communities and grids in which the actor has the right, by street and code."""
    scopes = get_right(right_name).scopes
    paths = [grant.area_path for grant in actor.grants if scopes.get(grant.role) == "area" and grant.area_path]
    if not paths:
        return []
    within = or_(*(Area.path.startswith(path, autoescape=True) for path in paths))
    return list(
        db.session.scalars(
            select(Area)
            .where(within, Area.level.in_(("community", "grid")), Area.closed_on.is_(None))
            .order_by(Area.code, Area.id)
            .options(joinedload(Area.parent))
        )
    )


@dataclass(frozen=True)
class Reading:
    """Somebody opened a sealed fact."""

    at: datetime
    name: str
    field: str
    purpose: str


def readings(household: Household, limit: int | None = None) -> tuple[list[Reading], int]:
    """Who opened sealed facts of the household or its members, newest first; and how often in all."""
    subjects = [str(household.id), *(str(member.person_id) for member in household.members)]
    rows = select(AccessRow).where(AccessRow.subject_id.in_(subjects), AccessRow.endpoint.startswith("reveal/"))
    total = db.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    named = (
        select(AccessRow, Person.name)
        .join(User, User.id == AccessRow.user_id)
        .join(Person, Person.id == User.person_id)
        .where(AccessRow.id.in_(rows.with_only_columns(AccessRow.id)))
        .order_by(AccessRow.at.desc())
        .limit(limit)
    )
    return [Reading(row.at, name, *_what_for(row.endpoint)) for row, name in db.session.execute(named)], total


def _what_for(endpoint: str) -> tuple[str, str]:
    _reveal, field, purpose = (*endpoint.split("/"), "", "")[:3]
    return field, purpose
