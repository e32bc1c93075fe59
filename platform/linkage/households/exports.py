"""The list of households, and of who lives in them, as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, select
from sqlalchemy.orm import joinedload

from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, key_ids, register
from linkage.core.extensions import db
from linkage.core.permissions import Actor, condition
from linkage.core.privacy import warm_keys
from linkage.households import permissions, queries, words
from linkage.households.models import Household, Member
from linkage.households.pages import filters_of_list
from linkage.people.identity import mask_id_number, mask_name, mask_telephone, show_telephone
from linkage.people.models import Person


def _rows(actor: Actor, now: datetime) -> Select[Any]:
    return _homes(actor, now).order_by(Household.area_id, Household.number)


def _homes(actor: Actor, now: datetime) -> Select[Any]:
    return queries.found(actor, filters_of_list(), local_date(now))


def _members(actor: Actor, now: datetime) -> Select[Any]:
    homes = _homes(actor, now).with_only_columns(Household.id)
    inside = select(Member).where(Member.household_id.in_(homes), Member.on(local_date(now)))
    return inside.order_by(Member.household_id, Member.position)


def _of_openable_homes(actor: Actor) -> Any:
    homes = select(Household.id).where(condition(actor, permissions.may_reveal, Household))
    return and_(Member.household_id.in_(homes), ~Member.linked)


def _load(rows: Sequence[Household], _scene: Scene) -> None:
    ids = [row.id for row in rows]
    loaded = db.session.scalars(queries.whole(ids).execution_options(populate_existing=True)).all()
    warm_keys({row.key_id for row in loaded} | key_ids(member.person for row in loaded for member in row.members))


def _load_members(rows: Sequence[Member], _scene: Scene) -> None:
    homes = {row.household_id for row in rows}
    people = db.session.scalars(select(Person).where(Person.id.in_({row.person_id for row in rows}))).all()
    known = db.session.scalars(
        select(Household).where(Household.id.in_(homes)).options(joinedload(Household.area))
    ).all()
    warm_keys(key_ids(people) | {row.key_id for row in known})


def shown_name(name: str, actor: Actor) -> str:
    """A name in full for who works with the household itself, else 张**."""
    return name if permissions.names_in_full(actor) else mask_name(name)


def _head(row: Household, scene: Scene) -> Person:
    return queries.head_of(row, local_date(scene.now)).person


def _telephone_of_head(row: Household, scene: Scene) -> str:
    """In clear, except of somebody whom others registered."""
    head = queries.head_of(row, local_date(scene.now))
    return mask_telephone(head.person.telephone) if head.linked else telephone(head.person)


def _tags(row: Household, scene: Scene) -> list[str]:
    return [str(words.TAG_WORDS[tag.tag]) for tag in queries.tags_on(row, local_date(scene.now))]


def _consents(row: Household, scene: Scene) -> list[str]:
    day = local_date(scene.now)
    held = {consent.purpose for consent in row.consents if consent.holds(day)}
    return [str(word) for purpose, word in words.PURPOSE_WORDS.items() if purpose in held]


def telephone(person: Person) -> str:
    return show_telephone(person.telephone) if person.telephone else ""


HOUSEHOLDS = register(
    Export(
        name="households",
        title=_l("Households"),
        right=permissions.may_list,
        model=Household,
        rows=_rows,
        load=_load,
        personal_right=permissions.may_reveal,
        columns=(
            Column(_l("Community"), lambda row, _scene: row.area.name),
            Column(_l("Household number"), lambda row, _scene: row.number),
            Column(_l("Head"), lambda row, scene: _head(row, scene).name,
                   lambda row, scene: shown_name(_head(row, scene).name, scene.actor)),
            Column(_l("People"), lambda row, scene: len(queries.served_members(row, local_date(scene.now))), width=8),
            Column(_l("Telephone"), _telephone_of_head,
                   lambda row, scene: mask_telephone(_head(row, scene).telephone)),
            Column(_l("Address"), lambda row, _scene: row.place.address, lambda _row, _scene: "", width=28),
            Column(_l("Tags"), _tags, width=24),
            Column(_l("Care level"), lambda row, _scene: words.CARE_WORDS[row.care_level] if row.care_level else ""),
            Column(_l("Consent to"), _consents, width=20),
            Column(_l("Position approximate"), lambda row, _scene: row.place.is_approximate, width=10),
            Column(_l("Closed on"), lambda row, _scene: row.closed_on),
        ),
    )
)  # fmt: skip
PEOPLE = register(
    Export(
        name="people",
        title=_l("People of households"),
        right=permissions.may_list,
        model=Member,
        rows=_members,
        load=_load_members,
        personal_right=permissions.may_reveal,
        personal_of=_of_openable_homes,
        columns=(
            Column(_l("Community"), lambda row, _scene: row.household.area.name),
            Column(_l("Household number"), lambda row, _scene: row.household.number),
            Column(_l("Name"), lambda row, _scene: row.person.name,
                   lambda row, scene: shown_name(row.person.name, scene.actor)),
            Column(_l("Relation"), lambda row, _scene: words.RELATION_WORDS[row.relation]),
            Column(_l("Sex"), lambda row, _scene: words.SEX_WORDS.get(row.person.sex or "", "")),
            Column(_l("Birth date"), lambda row, _scene: row.person.birth_date,
                   lambda row, _scene: row.person.birth_date.year if row.person.birth_date else None),
            Column(_l("ID number"), lambda row, _scene: row.person.id_number,
                   lambda row, _scene: mask_id_number(row.person.id_number), width=22),
            Column(_l("Telephone"), lambda row, _scene: telephone(row.person),
                   lambda row, _scene: mask_telephone(row.person.telephone)),
            Column(_l("Lives there since"), lambda row, _scene: row.valid_from),
        ),
    )
)  # fmt: skip
