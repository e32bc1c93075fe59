"""Pairs of people who may be one human being (疑似重复): by ID number, by name and birth date, by telephone.

A pair lies in somebody's scope when both homes do. Whoever looks decides: one household twice (see `merging`), or two
people, which is noted once and not asked again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, distinct, exists, func, or_, select
from sqlalchemy.orm import aliased

from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.households import queries
from linkage.households.models import Household, Member, NotTheSame
from linkage.people.models import Person

WAYS = ("id", "birth", "telephone")  # the surest first
MOST = 200
FEW = 2_000


@dataclass(frozen=True)
class Pair:
    """Two homes with somebody in each who may be the same. `way`: id, birth or telephone."""

    way: str
    first: Household
    second: Household
    first_person: Person
    second_person: Person


def pairs(actor: Actor, on: date) -> list[Pair]:
    """Every pair of homes in the actor's scope, the surest way first; each pair of homes once."""
    found: dict[tuple[uuid.UUID, uuid.UUID], tuple[str, uuid.UUID, uuid.UUID]] = {}
    for way in WAYS:
        alike = _alike(way)
        wanted = _pairs(actor, on, way, alike).limit(MOST) if alike else None
        for one, two, person, other in db.session.execute(wanted) if wanted is not None else ():
            found.setdefault((one, two), (way, person, other))
    homes, people = _load(found)
    return [
        Pair(way, homes[one], homes[two], people[person], people[other])
        for (one, two), (way, person, other) in found.items()
    ]


def count(actor: Actor, on: date) -> int:
    """How many pairs of homes wait for somebody to look at them."""
    return len(pairs(actor, on))


def _pairs(actor: Actor, on: date, way: str, alike: Sequence[uuid.UUID]):  # type: ignore[no-untyped-def]
    """Homes and people of the pairs found in one way; the smaller household id first."""
    one, two, mine, theirs = aliased(Person), aliased(Person), aliased(Member), aliased(Member)
    homes = queries.listed(actor).where(queries.is_open(on)).with_only_columns(Household.id).subquery()
    same = {
        "id": one.id == two.id,
        "birth": and_(one.id != two.id, one.name == two.name, one.birth_date == two.birth_date),
        "telephone": and_(one.id != two.id, one.telephone_exact == two.telephone_exact, _may_be_one(one, two)),
    }[way]
    return (
        select(mine.household_id, theirs.household_id, one.id, two.id)
        .join(mine, mine.person_id == one.id)
        .join(two, same)
        .join(theirs, theirs.person_id == two.id)
        .where(
            *([one.id.in_(alike), two.id.in_(alike)] if len(alike) <= FEW else []),
            mine.household_id < theirs.household_id,
            mine.household_id.in_(select(homes.c.id)),
            theirs.household_id.in_(select(homes.c.id)),
            *(_lives_there(member, on) for member in (mine, theirs)),
            *(person.merged_into_id.is_(None) for person in (one, two)),
            *(person.died_on.is_(None) for person in (one, two)),
            ~_told_apart(one, two),
            or_(one.id == two.id, ~_other_numbers(one, two)),
        )
        .order_by(mine.household_id, theirs.household_id, one.id)
    )


def _alike(way: str) -> Sequence[uuid.UUID]:
    """Whoever shares this with somebody (or stands in two homes), in anybody's scope: few, and found in an index."""
    if way == "id":
        return db.session.scalars(_shared(Member.person_id, of=Member.household_id)).all()
    columns = (Person.name, Person.birth_date) if way == "birth" else (Person.telephone_exact,)
    shared = _shared(*columns).subquery()
    same = and_(*(column == shared.c[column.key] for column in columns))
    return db.session.scalars(select(Person.id).join(shared, same)).all()


def _shared(*columns: Any, of: Any = None) -> Select[Any]:
    """The values that stand in more than one row (of as many homes, or people)."""
    many = func.count() if of is None else func.count(distinct(of))
    known = (column.is_not(None) for column in columns)
    return select(*columns).where(*known).group_by(*columns).having(many > 1)


def _lives_there(member: type[Member], on: date) -> ColumnElement[bool]:
    held = or_(member.valid_to.is_(None), member.valid_to >= on)
    return and_(member.relation != "contact", member.valid_from <= on, held)


def _may_be_one(one: type[Person], two: type[Person]) -> ColumnElement[bool]:
    """A telephone alone says little: a family shares one. Sex and birth date must not speak against it."""
    return and_(
        or_(one.sex.is_(None), two.sex.is_(None), one.sex == two.sex),
        or_(one.birth_date.is_(None), two.birth_date.is_(None), one.birth_date == two.birth_date),
    )


def _other_numbers(one: type[Person], two: type[Person]) -> ColumnElement[bool]:
    """Two ID numbers are two human beings."""
    return and_(one.id_number_exact.is_not(None), two.id_number_exact.is_not(None))


def _told_apart(one: type[Person], two: type[Person]) -> ColumnElement[bool]:
    both = and_(NotTheSame.first_id == one.id, NotTheSame.second_id == two.id)
    turned = and_(NotTheSame.first_id == two.id, NotTheSame.second_id == one.id)
    return exists().where(or_(both, turned))


def _load(
    found: dict[tuple[uuid.UUID, uuid.UUID], tuple[str, uuid.UUID, uuid.UUID]],
) -> tuple[dict[uuid.UUID, Household], dict[uuid.UUID, Person]]:
    wanted = {home for pair in found for home in pair}
    named = {person for _way, *both in found.values() for person in both}
    homes = db.session.scalars(select(Household).where(Household.id.in_(wanted)))
    return {row.id: row for row in homes}, {row.id: row for row in _people(named)}


def _people(ids: Iterable[uuid.UUID]) -> list[Person]:
    return list(db.session.scalars(select(Person).where(Person.id.in_(list(ids)))))


def counterparts(kept: Household, lost: Household, on: date) -> list[tuple[Person, Person, str]]:
    """Who of the lost record is whom of the kept one: (kept, lost, way); the same person in both is left out.

    By name and birth date, else by name where a birth date or the ID number is missing on one side; each person once.
    """
    theirs = [member.person for member in lost.members if member.holds(on)]
    mine = [member.person for member in kept.members if member.holds(on)]
    taken: set[uuid.UUID] = {person.id for person in mine} & {person.id for person in theirs}
    matched = []
    for other in theirs:
        for person in mine:
            if person.id in taken or other.id in taken or not _fit(person, other):
                continue
            way = "birth" if person.name == other.name and person.birth_date == other.birth_date else "telephone"
            taken |= {person.id, other.id}
            matched.append((person, other, way))
    return matched


def _fit(one: Person, two: Person) -> bool:
    numbers = one.id_number_exact is not None and two.id_number_exact is not None
    births = None not in (one.birth_date, two.birth_date)
    if numbers or one.died_on != two.died_on or (births and one.birth_date != two.birth_date):
        return False
    if None not in (one.sex, two.sex) and one.sex != two.sex:
        return False
    telephones = one.telephone_exact is not None and one.telephone_exact == two.telephone_exact
    return one.name == two.name or telephones


def tell_apart(one: Household, two: Household, *, by: Actor, now: datetime) -> int:
    """These are different people: the pairs between the two homes are not shown again.  Raises Conflict for none."""
    found = _between(one, two)
    for first, second in found:
        low, high = sorted((first, second))
        db.session.add(NotTheSame(first_id=low, second_id=high, recorded_by=by.user_id, created_at=now))
    if not found:
        raise Conflict(_l("There is nobody to tell apart."))
    if any(first == second for first, second in found):
        raise InvalidInput(_l("The same person is registered in both; end one of the memberships or merge."))
    audit.record("households.tell_apart", one, by=by.user_id, now=now, other=two.id, pairs=len(found))
    return len(found)


def _between(one: Household, two: Household) -> list[tuple[uuid.UUID, uuid.UUID]]:
    known = {
        (row.first_id, row.second_id)
        for row in db.session.scalars(
            select(NotTheSame).where(
                NotTheSame.first_id.in_([member.person_id for member in one.members + two.members])
            )
        )
    }
    alike = [
        tuple(sorted((a.person_id, b.person_id)))
        for a in one.members
        for b in two.members
        if a.person_id == b.person_id or _fit(a.person, b.person)
    ]
    return [(low, high) for low, high in alike if (low, high) not in known]
