"""The day beside the work (今天的上门): today's visits in order of time, and what became of one's requests."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import joinedload

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.households.models import Household
from linkage.needs.models import Need
from linkage.visits import queries, status
from linkage.visits.models import Assignment, Visit
from linkage.visits.status import Status

DAY = timedelta(days=1)


def with_household(wanted: Select[Visit]) -> Select[Visit]:
    """Load with the visits what their rows show."""
    return wanted.options(
        joinedload(Visit.person),
        joinedload(Visit.service),
        joinedload(Visit.household).selectinload(Household.tags),
    )


@dataclass(frozen=True)
class Day:
    """One day's visits: how many are in each state, and the rows around now, with who comes and how each stands."""

    counts: dict[str, int]
    before: list[Visit]
    after: list[Visit]
    more: int
    states: dict[uuid.UUID, Status]
    booked: dict[uuid.UUID, list[Assignment]]

    def start(self, visit: Visit) -> datetime:
        """When somebody comes; while nobody is booked, when somebody could come at the earliest."""
        booked = self.booked.get(visit.id)
        return min(one.starts_at for one in booked) if booked else visit.earliest_at

    def number(self, *states: str) -> int:
        """How many visits are in these states (in any, without states)."""
        return sum(number for state, number in self.counts.items() if not states or state in states)


MOST_ROWS = 10
OVER = (Status.DONE.value, Status.CONFIRMED.value, Status.UNMET.value)


def day_of(actor: Actor, now: datetime) -> Day:
    """Today's visits, cancelled ones left out. Rows: what has begun and is not over, and what comes next."""
    wanted = queries.visible(actor).where(Visit.day == local_date(now), Visit.cancelled_at.is_(None))
    of = status.reckoned(wanted, now).c
    start, ahead = func.coalesce(of.starts_at, of.earliest_at), of.state.not_in(OVER)
    shown = case((start > now, "after"), (ahead, "before"), else_="over")
    numbers = db.session.execute(select(of.state, shown, func.count()).group_by(of.state, shown)).all()
    begun = select(of.id).where(start <= now, ahead).order_by(start.desc(), of.id.desc()).limit(MOST_ROWS // 2)
    before = list(reversed(db.session.scalars(begun).all()))
    coming = select(of.id).where(start > now).order_by(start, of.id).limit(MOST_ROWS - len(before))
    after = db.session.scalars(coming).all()
    counts: dict[str, int] = defaultdict(int)
    for state, _part, number in numbers:
        counts[state] += number
    rows = {
        row.id: row for row in db.session.scalars(with_household(select(Visit).where(Visit.id.in_([*before, *after]))))
    }
    return Day(
        counts,
        [rows[one] for one in before],
        [rows[one] for one in after],
        sum(number for _state, part, number in numbers if part != "over") - len(rows),
        status.statuses(rows.values(), now),
        queries.active_of(rows),
    )


@dataclass(frozen=True)
class Outcome:
    """What became of a need that one has posted: its next visit and who comes."""

    need: Need
    visit: Visit
    booked: list[Assignment]
    state: Status


def outcomes(actor: Actor, now: datetime, most: int = 5) -> list[Outcome]:
    """The newest of one's own requests for whose next visit somebody is arranged or asked."""
    mine = (
        select(Need)
        .where(Need.posted_by == actor.user_id, Need.withdrawn_at.is_(None), Need.created_at > now - 14 * DAY)
        .order_by(Need.created_at.desc())
        .limit(40)
        .options(joinedload(Need.person), joinedload(Need.service))
    )
    needs = list(db.session.scalars(mine))
    following = _next_visits(actor, needs, now)
    states = status.statuses(following.values(), now)
    booked = queries.active_of([visit.id for visit in following.values()])
    found = [
        Outcome(need, visit, booked[visit.id], states[visit.id])
        for need in needs
        if (visit := following.get(need.id)) is not None
    ]
    return [one for one in found if one.state in (Status.BOOKED, Status.ACCEPTED, Status.ASKED)][:most]


def _next_visits(actor: Actor, needs: Sequence[Need], now: datetime) -> dict[uuid.UUID, Visit]:
    first = (
        select(Visit.need_id, func.min(Visit.latest_at).label("at"))
        .where(Visit.need_id.in_([need.id for need in needs]), Visit.latest_at > now, Visit.cancelled_at.is_(None))
        .group_by(Visit.need_id)
        .subquery()
    )
    rows = db.session.scalars(
        queries.visible(actor).join(first, and_(first.c.need_id == Visit.need_id, first.c.at == Visit.latest_at))
    )
    return {visit.need_id: visit for visit in rows}
