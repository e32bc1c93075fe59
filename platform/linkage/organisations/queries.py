"""Reading organisations and carers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager

from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import Person
from linkage.people.queries import search
from linkage.services.models import HeldQualification, Qualification
from linkage.services.queries import WARN_DAYS, held_by, named_codes, paper_state

URGENCY = ("expired", "expiring", "future", "valid")


def visible(actor: Actor) -> Select[Organisation]:
    """The organisations that the actor may see, by name."""
    return visible_rows(actor, Organisation).order_by(Organisation.name_keys, Organisation.id)


def visible_carers(actor: Actor) -> Select[Carer]:
    """The carers whom the actor may see, with person and organisation."""
    return (
        visible_rows(actor, Carer)
        .join(Carer.person)
        .join(Carer.organisation)
        .options(contains_eager(Carer.person), contains_eager(Carer.organisation))
    )


def get_organisation(organisation_id: uuid.UUID) -> Organisation | None:
    return db.session.get(Organisation, organisation_id)


def get_carer(carer_id: uuid.UUID) -> Carer | None:
    return db.session.get(Carer, carer_id)


def by_uscc(code: str) -> Organisation | None:
    return db.session.scalars(select(Organisation).where(Organisation.uscc == code)).one_or_none()


def find_organisations(actor: Actor, text: str) -> Select[Organisation]:
    """Those whose name, pinyin or credit code fits."""
    typed = text.strip()
    wanted = visible(actor)
    if not typed:
        return wanted
    return wanted.where(
        or_(
            Organisation.name.contains(typed, autoescape=True),
            Organisation.short_name.contains(typed, autoescape=True),
            Organisation.name_keys.contains("|" + typed.replace(" ", "").lower(), autoescape=True),
            Organisation.uscc.startswith(typed.upper(), autoescape=True),
        )
    )


def find_carers(
    actor: Actor,
    today: date,
    *,
    text: str = "",
    organisation_id: uuid.UUID | None = None,
    kind: str = "",
    state: str = "working",
    expiring_days: int | None = None,
) -> Select[Carer]:
    """Carers by name, pinyin or number; `state`: working (today or later), left, all.

    `expiring_days`: only those who hold something that ended already or ends within so many days.
    """
    wanted = search(visible_carers(actor), text)
    if organisation_id is not None:
        wanted = wanted.where(Carer.organisation_id == organisation_id)
    if kind:
        wanted = wanted.where(Carer.kind == kind)
    if state == "working":
        wanted = wanted.where(or_(Carer.valid_to.is_(None), Carer.valid_to >= today))
    elif state == "left":
        wanted = wanted.where(Carer.valid_to < today)
    if expiring_days is not None:
        ends = ending(today, expiring_days)
        wanted = wanted.where(Carer.person_id.in_(select(HeldQualification.person_id).where(ends)))
    return wanted


def ending(today: date, days: int):  # type: ignore[no-untyped-def]
    """SQL: a qualification that ends in -90..`days` days, of which the person holds no later one."""
    later = HeldQualification.__table__.alias("later")
    replaced = select(later.c.id).where(
        later.c.person_id == HeldQualification.person_id,
        later.c.code == HeldQualification.code,
        or_(later.c.valid_to.is_(None), later.c.valid_to > HeldQualification.valid_to),
    )
    return and_(
        HeldQualification.valid_to.between(today - timedelta(days=WARN_DAYS[0]), today + timedelta(days=days)),
        ~replaced.exists(),
    )


def expiring_counts(actor: Actor, today: date) -> dict[int, int]:
    """How many carers hold something that has ended or ends within 90, 60, 30 and 7 days."""
    return {days: count(find_carers(actor, today, expiring_days=days)) for days in WARN_DAYS}


def count(wanted: Select[Carer] | Select[Organisation]) -> int:
    return db.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0


def carers_of(organisation_id: uuid.UUID) -> Sequence[Carer]:
    return db.session.scalars(select(Carer).where(Carer.organisation_id == organisation_id)).all()


def carer_numbers(organisation_ids: Sequence[uuid.UUID], today: date) -> dict[uuid.UUID, int]:
    """How many work for each organisation today."""
    counted = (
        select(Carer.organisation_id, func.count())
        .where(Carer.organisation_id.in_(organisation_ids), Carer.on(today))
        .group_by(Carer.organisation_id)
    )
    return {row[0]: row[1] for row in db.session.execute(counted)}


def employments(person_id: uuid.UUID, organisation_id: uuid.UUID, first: date, last: date | None) -> Sequence[Carer]:
    """The person's employments with the organisation that touch first..last."""
    return db.session.scalars(
        select(Carer).where(
            Carer.person_id == person_id,
            Carer.organisation_id == organisation_id,
            Carer.within(first, last or date.max),
        )
    ).all()


def employments_of(person_id: uuid.UUID) -> Sequence[Carer]:
    return db.session.scalars(select(Carer).where(Carer.person_id == person_id).order_by(Carer.valid_from)).all()


def active_carer(person_id: uuid.UUID, day: date) -> Carer | None:
    """The employment that holds on `day` (the latest begun, where a person works for two)."""
    return db.session.scalars(
        select(Carer).where(Carer.person_id == person_id, Carer.on(day)).order_by(Carer.valid_from.desc()).limit(1)
    ).one_or_none()


def organisation_choices(actor: Actor) -> Sequence[Organisation]:
    """For a filter: every organisation that the actor may see."""
    return db.session.scalars(visible(actor)).all()


@dataclass(frozen=True)
class Papers:
    """How a person's qualifications stand today: the valid ones, and the most urgent state of all."""

    valid: list[Qualification]
    state: str
    left: int | None


def papers_of(person_ids: Sequence[uuid.UUID], today: date) -> dict[uuid.UUID, Papers]:
    """For the list of carers: what each holds today, and what runs out first."""
    found = {}
    for person_id, rows in held_by(person_ids).items():
        valid = named_codes(dict.fromkeys(row.code for row in rows if row.holds(today)))
        last = {row.code: row for row in reversed(rows)}.values()  # the latest to end of each code
        states = [paper_state(row.valid_from, row.valid_to, today) for row in last]
        urgent = min(states, key=lambda one: (URGENCY.index(one[0]), one[1] or 0), default=("valid", None))
        found[person_id] = Papers(valid, *urgent)
    return found


def with_papers(wanted: Select[Carer], today: date) -> list[tuple[Carer, Papers]]:
    """Every carer of a select with their papers, by name."""
    carers = db.session.scalars(wanted.order_by(Person.name_keys, Carer.id)).all()
    papers = papers_of([carer.person_id for carer in carers], today)
    return [(carer, papers[carer.person_id]) for carer in carers]
