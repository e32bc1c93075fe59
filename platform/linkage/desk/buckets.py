"""No household missed (不漏一户): every household of an area is in exactly one bucket of a month.

The first that applies, in this order:

===========  ================================================================================================
served       a visit of the month was done, or staff met somebody there
planned      somebody is booked for a visit of the month that is still to come, or is there now
waiting      a visit of the month has trouble (its worst state is the reason), or a need has no visit yet
declined     } the last thing noted in the month, when staff looked in and met nobody or were sent away
referred     }
not_reached  } ... and so it stays where nothing was noted at all: then it is *missing* from the certificate
===========  ================================================================================================

Between the notes and the last line: by rule nobody had to look in during the month (the next look-in lies after today),
so the household is planned. Once in SQL (`code`), once in Python (`derive`); a test shows that they agree and that
each household has one bucket.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from linkage.areas.models import Area
from linkage.areas.queries import lies_under
from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor, scoped
from linkage.households.models import REACHED, HomeCheck, Household
from linkage.needs.models import Need
from linkage.needs.queries import may_be_open
from linkage.visits import status
from linkage.visits.models import Visit
from linkage.visits.status import Status

SERVED, PLANNED, WAITING = "served", "planned", "waiting"
DECLINED, REFERRED, NOT_REACHED = "declined", "referred", "not_reached"
BUCKETS = (SERVED, PLANNED, WAITING, DECLINED, REFERRED, NOT_REACHED)
MET = (Status.DONE, Status.CONFIRMED)
COMING = (Status.IN_SERVICE, Status.ACCEPTED, Status.BOOKED)
# Why somebody waits, the worst first; "need" has no visit yet.
REASONS = (Status.MISSED, Status.UNMET, Status.LATE, Status.HALF, Status.OPEN, Status.ASKED)
NEED, BY_RULE, NOTHING = "need", "by_rule", "nothing"


@dataclass(frozen=True)
class Month:
    """A calendar month, both days included."""

    first: date
    last: date

    @classmethod
    def of(cls, text: str | None, today: date) -> Month:
        """ "2026-11"; today's month where it cannot be read or lies ahead."""
        try:
            first = min(date.fromisoformat(f"{text}-01"), today.replace(day=1))
        except ValueError:
            first = today.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @property
    def text(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class Facts:
    """What the bucket of one household follows from.

    Attributes
    ----------
    states : states of the visits of the month that were not cancelled
    reached : staff met somebody there in the month
    noted : what was last noted in the month where nobody was met; None: nothing
    open_need : a need that is open has no visit in the month
    due_later : the next look-in by rule lies after today
    """

    states: frozenset[Status] = frozenset()
    reached: bool = False
    noted: str | None = None
    open_need: bool = False
    due_later: bool = False


def derive(facts: Facts) -> tuple[str, str]:
    """(bucket, reason) in Python; `code` says the same in SQL."""
    if facts.reached or facts.states & set(MET):
        return SERVED, ""
    if facts.states & set(COMING):
        return PLANNED, ""
    worst = next((state.value for state in REASONS if state in facts.states), None)
    if worst is not None or facts.open_need:
        return WAITING, worst or NEED
    if facts.noted is not None:
        return facts.noted, ""
    return (PLANNED, BY_RULE) if facts.due_later else (NOT_REACHED, NOTHING)


# The rank of a visit's state: the least of a household's visits decides. Another state (cancelled) has none.
RANKS = {
    **dict.fromkeys(MET, SERVED),
    **dict.fromkeys(COMING, PLANNED),
    **{state: f"{WAITING}/{state.value}" for state in REASONS},
}
CODES = list(dict.fromkeys(RANKS.values()))


def _rank(month: Month, now: datetime) -> ColumnElement[int]:
    """The least rank among the visits of the month, as a place in CODES; NULL where there is none."""
    places = {state.value: CODES.index(code) for state, code in RANKS.items()}
    return (
        select(func.min(case(places, value=status.column(now))))
        .where(
            Visit.household_id == Household.id,
            Visit.day.between(month.first, month.last),
            Visit.cancelled_at.is_(None),
        )
        .correlate(Household)
        .scalar_subquery()
    )


def _confirmed(month: Month) -> ColumnElement[bool]:
    """A visit of the month was confirmed: of most households, and found in an index."""
    return exists().where(
        Visit.household_id == Household.id,
        Visit.day.between(month.first, month.last),
        Visit.confirmed_at.is_not(None),
        Visit.cancelled_at.is_(None),
    )


def _reached(month: Month) -> ColumnElement[bool]:
    return exists().where(
        HomeCheck.household_id == Household.id,
        HomeCheck.day.between(month.first, month.last),
        HomeCheck.outcome.in_(REACHED),
    )


def _noted(month: Month) -> ColumnElement[str]:
    """The last note of the month that is not a meeting, by day and moment."""
    return (
        select(HomeCheck.outcome)
        .where(
            HomeCheck.household_id == Household.id,
            HomeCheck.day.between(month.first, month.last),
            HomeCheck.outcome.not_in(REACHED),
        )
        .order_by(HomeCheck.day.desc(), HomeCheck.created_at.desc(), HomeCheck.id)
        .limit(1)
        .correlate(Household)
        .scalar_subquery()
    )


def _open_need(month: Month) -> ColumnElement[bool]:
    """A need begun by the end of the month is open, and none of its visits lies in the month."""
    other = aliased(Visit)
    visited = exists().where(
        other.need_id == Need.id, other.day.between(month.first, month.last), other.cancelled_at.is_(None)
    )
    return exists().where(
        Need.household_id == Household.id, may_be_open(month.first), Need.starts_on <= month.last, ~visited
    )


def _due_later(now: datetime) -> ColumnElement[bool]:
    return and_(Household.check_due_at.is_not(None), Household.check_due_at > at_minutes(local_date(now), 1440))


def code(month: Month, now: datetime) -> ColumnElement[str]:
    """Bucket and reason of a household as one SQL expression: "served", "waiting/missed", "planned/by_rule" …

    Nested, so that each question is asked once and only where those before it left it open.
    """
    by_rule = case((_due_later(now), f"{PLANNED}/{BY_RULE}"), else_=f"{NOT_REACHED}/{NOTHING}")
    notes = {name: name for name in (DECLINED, REFERRED, NOT_REACHED)}
    by_note = case(notes, value=_noted(month), else_=by_rule)
    by_need = case((_open_need(month), f"{WAITING}/{NEED}"), else_=by_note)
    by_visits = case(dict(enumerate(CODES)), value=_rank(month, now), else_=by_need)
    return case((or_(_reached(month), _confirmed(month)), SERVED), else_=by_visits)


def in_bucket(month: Month, now: datetime, name: str) -> ColumnElement[bool]:
    """SQL: the household is in this bucket."""
    return func.substr(code(month, now) + "/", 1, len(name) + 1) == f"{name}/"


def on_record(month: Month) -> ColumnElement[bool]:
    """The households that count in a month: registered by its end, not closed during it, no double."""
    return and_(
        Household.created_at < at_minutes(month.last, 1440),
        or_(Household.closed_on.is_(None), Household.closed_on > month.last),
        Household.merged_into_id.is_(None),
    )


def rows(actor: Actor, month: Month, area: Area | None = None) -> Select[Household]:
    """The households of the actor's scope that count in the month."""
    wanted = scoped(actor, "desk.coverage", Household).where(on_record(month))
    return wanted if area is None else wanted.where(lies_under(Household.area_id, area.path))


@dataclass(frozen=True)
class Entry:
    """One household's place in the month."""

    household_id: uuid.UUID
    area_id: int
    bucket: str
    reason: str


def tally(wanted: Select[Any], month: Month, now: datetime) -> list[tuple[int, str, str, int]]:
    """Area, bucket, reason, and how many households of `wanted` have them."""
    place = code(month, now).label("code")
    counted = wanted.with_only_columns(Household.area_id, place).subquery()
    rows = select(counted.c.area_id, counted.c.code, func.count()).group_by(counted.c.area_id, counted.c.code)
    return [(area_id, *_parts(text), number) for area_id, text, number in db.session.execute(rows)]


def _parts(text: str) -> tuple[str, str]:
    bucket, _slash, reason = text.partition("/")
    return bucket, reason


def entries(wanted: Select[Any], month: Month, now: datetime) -> list[Entry]:
    """The place of each household of `wanted`, by id."""
    columns = wanted.with_only_columns(Household.id, Household.area_id, code(month, now)).order_by(Household.id)
    return [Entry(row[0], row[1], *_parts(row[2])) for row in db.session.execute(columns)]


def facts_of(household: Household, month: Month, now: datetime) -> Facts:
    """The facts of one household, read row by row: the twin that a test holds against the SQL."""
    inside = Visit.day.between(month.first, month.last)
    visits = db.session.scalars(select(Visit).where(Visit.household_id == household.id, inside)).all()
    standing = [visit for visit in visits if visit.cancelled_at is None]
    found = db.session.scalars(
        select(HomeCheck)
        .where(HomeCheck.household_id == household.id, HomeCheck.day.between(month.first, month.last))
        .order_by(HomeCheck.day.desc(), HomeCheck.created_at.desc(), HomeCheck.id)
    ).all()
    notes = [row.outcome for row in found if row.outcome not in REACHED]
    asked = select(Need).where(
        Need.household_id == household.id, may_be_open(month.first), Need.starts_on <= month.last
    )
    visited = {visit.need_id for visit in standing}
    tonight = at_minutes(local_date(now), 1440)
    return Facts(
        states=frozenset(status.statuses(standing, now).values()),
        reached=len(notes) < len(found),
        noted=notes[0] if notes else None,
        open_need=any(need.id not in visited for need in db.session.scalars(asked)),
        due_later=household.check_due_at is not None and household.check_due_at > tonight,
    )
