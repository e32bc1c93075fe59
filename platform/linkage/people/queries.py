"""Reading people: who may be seen, search by name, pinyin and numbers, and possible duplicates."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, select, union

from linkage.core import veil
from linkage.core.extensions import db
from linkage.core.privacy import warm_keys
from linkage.core.readings import KEY_LENGTH, begins_with, folded
from linkage.people.identity import normalise_id_number
from linkage.people.models import Person, PersonKey, WorkException, WorkPattern

S = TypeVar("S", bound=Select[Any])
LAST_FOUR = re.compile(r"\d{3}[\dXx]")
DIGITS = re.compile(r"\+?[\d\s-]{5,20}[Xx]?")


def get_person(person_id: uuid.UUID) -> Person | None:
    return db.session.get(Person, person_id)


def matches(text: str, *, masked: bool = False) -> ColumnElement[bool]:
    """SQL on Person: `text` is the beginning of the name, of a part of it, of its pinyin or initials; a whole
    telephone or ID number, or its last four or more figures.

    `masked`: for who is shown 陈** only. Then a name confirms no more than that: its first character, with or
    without stars behind it, or the first letter.

    Every way is a look-up in an index. Numbers are compared by blind index; they stand nowhere in clear.
    """
    typed = " ".join(unicodedata.normalize("NFKC", text).split())
    ways = [*(_by_mask(typed) if masked or veil.is_drawn() else _by_name(typed)), *_by_number(typed)]
    return Person.id.in_(union(*ways)) if ways else false()


def _by_name(typed: str) -> Iterator[Select[Any]]:
    key = folded(typed)[:KEY_LENGTH]
    if key:
        first_letter = (PersonKey.whole,) if len(key) == 1 and key.isascii() else ()  # of the surname: there are many
        yield select(PersonKey.person_id).where(begins_with(PersonKey.key, key), *first_letter)


def _by_mask(typed: str) -> Iterator[Select[Any]]:
    first = folded(typed).rstrip("*")
    if len(first) == 1:
        yield select(PersonKey.person_id).where(begins_with(PersonKey.key, first), PersonKey.whole)


def _by_number(typed: str) -> Iterator[Select[Any]]:
    if LAST_FOUR.fullmatch(typed):
        yield select(Person.id).where(Person.telephone_last4 == Person.telephone.last4_index("people", typed))
        yield select(Person.id).where(Person.id_number_last4 == Person.id_number.last4_index("people", typed.upper()))
    elif DIGITS.fullmatch(typed):
        yield select(Person.id).where(Person.telephone_exact == Person.telephone.exact_index("people", typed))
        yield select(Person.id).where(Person.id_number_exact == Person.id_number.exact_index("people", typed))
        yield select(Person.id).where(Person.id.in_(_ending_with(normalise_id_number(typed))))


def _ending_with(figures: str) -> list[uuid.UUID]:
    """The people whose telephone or ID number ends with more than four figures: the last four by their index (a few
    of 50,000 people share them), the others by opening those."""
    last = figures[-4:]
    telephone = Person.telephone_last4 == Person.telephone.last4_index("people", last)
    number = Person.id_number_last4 == Person.id_number.last4_index("people", last)
    near = db.session.scalars(
        select(Person).where(Person.id.in_(union(select(Person.id).where(telephone), select(Person.id).where(number))))
    ).all()
    warm_keys({person.key_id for person in near})
    return [
        person.id
        for person in near
        if any(value and value.endswith(figures) for value in (person.telephone, person.id_number))
    ]


def search(rows: S, text: str, *, masked: bool = False) -> S:
    """Narrow `rows` (a select that has Person in it, begun with a room's `visible`) to those that fit `text`.

    An empty text narrows nothing; `masked`: see `matches`.
    """
    if not text.strip():
        return rows
    return rows.where(Person.erased_at.is_(None), Person.merged_into_id.is_(None), matches(text, masked=masked))


def find_by_id_number(number: str) -> Person | None:
    """The one person with this resident ID number; None where there is none."""
    index = Person.id_number.exact_index("people", number)
    return db.session.scalars(select(Person).where(Person.id_number_exact == index)).one_or_none()


def find_by_telephone(number: str) -> Sequence[Person]:
    """The people with this telephone (a family may share one)."""
    index = Person.telephone.exact_index("people", number)
    return db.session.scalars(
        select(Person).where(Person.telephone_exact == index, Person.merged_into_id.is_(None)).order_by(Person.id)
    ).all()


def possible_duplicates(name: str, birth_date: date | None, *, but: uuid.UUID | None = None) -> Sequence[Person]:
    """People of the same name and birth date, who may be the same human being; none without a birth date."""
    if birth_date is None:
        return []
    same = and_(Person.name == name, Person.birth_date == birth_date, Person.erased_at.is_(None))
    same = and_(same, Person.merged_into_id.is_(None))
    found = select(Person).where(same).order_by(Person.created_at)
    return db.session.scalars(found if but is None else found.where(Person.id != but)).all()


def week_pattern(
    person_id: uuid.UUID, kind: str, on: date, *, organisation_id: uuid.UUID | None = None
) -> Sequence[WorkPattern]:
    """The rows of a person's week that hold on `on`, by weekday and time."""
    return db.session.scalars(
        select(WorkPattern)
        .where(
            WorkPattern.person_id == person_id,
            WorkPattern.kind == kind,
            WorkPattern.organisation_id == organisation_id,
            WorkPattern.on(on),
        )
        .order_by(WorkPattern.weekday, WorkPattern.start_minute)
    ).all()


def next_pattern_day(
    person_id: uuid.UUID, kind: str, after: date, *, organisation_id: uuid.UUID | None = None
) -> date | None:
    """The day from which another week is stored that does not hold yet; None where there is none."""
    return db.session.scalar(
        select(WorkPattern.valid_from)
        .where(
            WorkPattern.person_id == person_id,
            WorkPattern.kind == kind,
            WorkPattern.organisation_id == organisation_id,
            WorkPattern.valid_from > after,
        )
        .order_by(WorkPattern.valid_from)
        .limit(1)
    )


def exceptions_from(person_id: uuid.UUID, day: date) -> Sequence[WorkException]:
    """A person's absences and extra stretches that end on `day` or later and were not cancelled."""
    return db.session.scalars(
        select(WorkException)
        .where(
            WorkException.person_id == person_id, WorkException.last_day >= day, WorkException.cancelled_at.is_(None)
        )
        .order_by(WorkException.first_day, WorkException.start_minute)
    ).all()


def get_exception(exception_id: uuid.UUID) -> WorkException | None:
    return db.session.get(WorkException, exception_id)
