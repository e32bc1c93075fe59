"""Reading calls: of a household, to return, and outcomes that nobody has told yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from linkage.accounts.models import User
from linkage.calls.models import Call, OutcomeTold
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role, scoped
from linkage.households.models import Household, Member
from linkage.needs import queries as needs
from linkage.needs.models import Need
from linkage.people.models import Person
from linkage.visits import queries as visits
from linkage.visits import status
from linkage.visits.models import Visit
from linkage.visits.status import Status

ASKED_BY_SOMEBODY = ("hotline", "counter", "neighbour", "family")
LOOKED_BACK = timedelta(days=14)
REPEATED_WITHIN = timedelta(days=30)
MOST = 200


def visible(actor: Actor) -> Select[Call]:
    """The calls that `actor` may see: where every list begins."""
    homes = scoped(actor, "calls.see", Household).with_only_columns(Household.id)
    return (
        select(Call)
        .where(Call.household_id.in_(homes))
        .options(joinedload(Call.household).selectinload(Household.members).joinedload(Member.person))
    )


def newest(actor: Actor) -> Select[Call]:
    return visible(actor).order_by(Call.created_at.desc(), Call.id)


def to_return(actor: Actor) -> Select[Call]:
    """Calls that somebody promised to return, the most urgent first."""
    waiting = visible(actor).where(Call.call_back_at.is_not(None), Call.called_back_at.is_(None))
    return waiting.options(selectinload(Call.need)).order_by(Call.call_back_at, Call.id)


def of_household(household: Household, limit: int = 30) -> list[Call]:
    """The household's calls, newest first."""
    rows = select(Call).where(Call.household_id == household.id).order_by(Call.created_at.desc(), Call.id)
    return list(db.session.scalars(rows.limit(limit)))


def earlier(household_id: uuid.UUID, need_id: uuid.UUID | None, about: str, now: datetime) -> Call | None:
    """The last call of the last 30 days about the same need, else about the same kind of thing."""
    same = or_(Call.need_id == need_id, Call.about == about) if need_id else Call.about == about
    return db.session.scalars(
        select(Call)
        .where(Call.household_id == household_id, Call.created_at > now - REPEATED_WITHIN, same)
        .order_by((Call.need_id == need_id).desc() if need_id else Call.created_at.desc(), Call.created_at.desc())
        .limit(1)
    ).one_or_none()


def times_called(call: Call) -> int:
    """How often the same was called about, with this call."""
    times, seen, row = 1, {call.id}, call
    while row.earlier_id is not None and row.earlier_id not in seen:
        seen.add(row.earlier_id)
        before = db.session.get(Call, row.earlier_id)
        if before is None:
            break
        times, row = times + 1, before
    return times


def open_needs(household: Household, actor: Actor) -> list[Need]:
    """What a caller may be speaking of."""
    rows = needs.visible(actor).where(Need.household_id == household.id, Need.withdrawn_at.is_(None))
    return list(db.session.scalars(rows.options(joinedload(Need.service)).order_by(Need.created_at.desc()).limit(20)))


@dataclass(frozen=True)
class Outcome:
    """What became of a request, which whoever asked has not been told."""

    need: Need
    visit: Visit
    outcome: str


def outcomes(actor: Actor, now: datetime, household_id: uuid.UUID | None = None) -> list[Outcome]:
    """Requests that somebody made by telephone, at the counter or for a neighbour, arranged or failed, untold."""
    asked = needs.visible(actor).where(
        Need.withdrawn_at.is_(None), Need.created_at > now - LOOKED_BACK, Need.channel.in_(ASKED_BY_SOMEBODY)
    )
    if household_id is not None:
        asked = asked.where(Need.household_id == household_id)
    elif not actor.has(Role.OPERATOR):
        asked = asked.where(Need.posted_by == actor.user_id)
    rows = list(
        db.session.scalars(
            asked.options(joinedload(Need.person), joinedload(Need.service)).order_by(Need.created_at).limit(MOST)
        )
    )
    following = _deciding_visits(actor, [row.id for row in rows], now)
    states = status.statuses(following.values(), now)
    told = _told(row.id for row in rows)
    found = [
        Outcome(need, following[need.id], outcome)
        for need in rows
        if need.id in following and (outcome := _outcome(states[following[need.id].id])) is not None
    ]
    return [one for one in found if (one.need.id, one.outcome) not in told]


def _outcome(state: Status) -> str | None:
    if state in (Status.BOOKED, Status.ACCEPTED):
        return "arranged"
    return "nobody" if state in (Status.UNMET, Status.MISSED) else None


def _deciding_visits(actor: Actor, need_ids: list[uuid.UUID], now: datetime) -> dict[uuid.UUID, Visit]:
    """Need → its first visit that is not over, else its last one."""
    rows = db.session.scalars(
        visits.visible(actor)
        .where(Visit.need_id.in_(need_ids), Visit.cancelled_at.is_(None), Visit.latest_at > now - LOOKED_BACK)
        .order_by(Visit.latest_at.desc())
    )
    found: dict[uuid.UUID, Visit] = {}
    for visit in rows:
        if visit.latest_at > now or visit.need_id not in found:
            found[visit.need_id] = visit
    return found


def _told(need_ids: Iterable[uuid.UUID]) -> set[tuple[uuid.UUID, str]]:
    rows = db.session.execute(
        select(OutcomeTold.need_id, OutcomeTold.outcome).where(OutcomeTold.need_id.in_(list(need_ids)))
    )
    return {(need_id, outcome) for need_id, outcome in rows}


def told_of(household: Household) -> list[tuple[OutcomeTold, Need]]:
    """What was told about the household's requests, newest first."""
    rows = db.session.execute(
        select(OutcomeTold, Need)
        .join(Need, Need.id == OutcomeTold.need_id)
        .where(Need.household_id == household.id)
        .options(joinedload(Need.service))
        .order_by(OutcomeTold.told_at.desc())
        .limit(20)
    ).all()
    return [(told, need) for told, need in rows]


def names_of_users(user_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """User id → the person's name."""
    rows = select(User.id, Person.name).join(Person, Person.id == User.person_id).where(User.id.in_(list(user_ids)))
    return {row[0]: row[1] for row in db.session.execute(rows)}


def number_today(actor: Actor, since: datetime) -> int:
    """How many calls were recorded since."""
    rows = visible(actor).where(Call.created_at >= since).with_only_columns(Call.id).subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0
