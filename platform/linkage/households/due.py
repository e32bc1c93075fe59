"""What falls due in households: papers, assessments, look-ins, tags and support that end. Each a condition in SQL.

One condition serves the number on a today page (`count`), the rows of the list that it leads to (`Filters.due`) and the
notes of one household (`notes`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.households import queries
from linkage.households.models import Household, Member, Paper, Tag
from linkage.people.models import Person

DAY = timedelta(days=1)
MINUTES_PER_DAY = 1440
PAPERS_AHEAD, ASSESSMENTS_AHEAD, TAPER_AHEAD = 7 * DAY, 30 * DAY, 30 * DAY


def open_papers() -> ColumnElement[bool]:
    """SQL over Paper: neither come nor dropped."""
    return and_(Paper.received_on.is_(None), Paper.dropped_on.is_(None))


def papers(now: datetime) -> ColumnElement[bool]:
    """A missing paper is overdue or due within a week."""
    until = local_date(now) + PAPERS_AHEAD
    return exists().where(Paper.household_id == Household.id, open_papers(), Paper.due_on <= until)


def assessments(now: datetime) -> ColumnElement[bool]:
    """Somebody who lives there is to be assessed again within 30 days, or was to be."""
    today = local_date(now)
    return exists().where(
        Member.household_id == Household.id,
        Member.person_id == Person.id,
        Member.relation != "contact",
        Member.on(today),
        Member.assess_due_on <= today + ASSESSMENTS_AHEAD,
        Person.died_on.is_(None),
    )


def checks(now: datetime) -> ColumnElement[bool]:
    """Staff are to look in by the end of today."""
    return Household.check_due_at <= at_minutes(local_date(now), MINUTES_PER_DAY)


def tags_within(days: int) -> Callable[[datetime], ColumnElement[bool]]:
    """A tag that holds ends within so many days, and no later one follows."""

    def ends(now: datetime) -> ColumnElement[bool]:
        today = local_date(now)
        later = Tag.__table__.alias()
        follows = exists().where(
            later.c.household_id == Tag.household_id,
            later.c.tag == Tag.tag,
            or_(later.c.valid_to.is_(None), later.c.valid_to > today + days * DAY),
        )
        return exists().where(
            Tag.household_id == Household.id, Tag.on(today), Tag.valid_to <= today + days * DAY, ~follows
        )

    return ends


def taper(now: datetime) -> ColumnElement[bool]:
    """Nothing entitles the household any more, and the support that goes on after that ends within 30 days."""
    today = local_date(now)
    days = rule("households.taper_days", today)
    last = select(func.max(Tag.valid_to)).where(Tag.household_id == Household.id).correlate(Household).scalar_subquery()
    held = exists().where(Tag.household_id == Household.id, Tag.on(today))
    return and_(~held, last.between(today - days * DAY, today - days * DAY + TAPER_AHEAD))


KINDS: dict[str, Callable[[datetime], ColumnElement[bool]]] = {
    "checks": checks,
    "papers": papers,
    "assessments": assessments,
    "tags7": tags_within(7),
    "tags30": tags_within(30),
    "tags60": tags_within(60),
    "tags90": tags_within(90),
    "taper": taper,
}


def count(actor: Actor, kind: str, now: datetime) -> int:
    """How many open households of the actor's scope have this due: the number that leads to `?due=<kind>`."""
    wanted = queries.listed(actor).where(queries.is_open(local_date(now)), KINDS[kind](now))
    return queries.count(wanted)


@dataclass(frozen=True)
class Taper:
    """Eligibility ended on `ended`; support goes on until `until` (消退期)."""

    ended: date
    until: date


def taper_of(household: Household, today: date) -> Taper | None:
    """The household's taper on `today`; None while a tag holds, where there never was one, or when it is over."""
    if not household.tags or queries.tags_on(household, today):
        return None
    ended = max(tag.valid_to for tag in household.tags if tag.valid_to is not None) if _all_ended(household) else None
    if ended is None or ended > today:
        return None
    until = ended + timedelta(days=rule("households.taper_days", today))
    return Taper(ended, until) if today <= until else None


def _all_ended(household: Household) -> bool:
    return all(tag.valid_to is not None for tag in household.tags)


def entitling_codes(household: Household, on: date, person_id: object = None) -> set[str]:
    """The tags that entitle on `on`, those whose taper runs included: of the household and, if given, of one person."""
    days = timedelta(days=rule("households.taper_days", on))
    return {
        tag.tag
        for tag in household.tags
        if tag.valid_from <= on
        and (tag.valid_to is None or on <= tag.valid_to + days)
        and (person_id is None or tag.person_id in (None, person_id))
    }


@dataclass(frozen=True)
class PaperNote:
    """How the head card tells of missing papers: how many, and days until the first is due (negative: overdue)."""

    number: int
    days: int


def paper_note(household: Household, today: date) -> PaperNote | None:
    rows = db.session.scalars(
        select(Paper.due_on).where(Paper.household_id == household.id, open_papers()).order_by(Paper.due_on)
    ).all()
    return PaperNote(len(rows), (rows[0] - today).days) if rows else None
