"""The day beside the work (今天的上门): today's visits in order of time, and what became of one's requests."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, select
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
    """The visits of one day in order of time, with who comes and how each stands."""

    visits: list[Visit]
    states: dict[uuid.UUID, Status]
    booked: dict[uuid.UUID, list[Assignment]]

    def start(self, visit: Visit) -> datetime:
        """When somebody comes; while nobody is booked, when somebody could come at the earliest."""
        booked = self.booked.get(visit.id)
        return booked[0].starts_at if booked else visit.earliest_at

    def number(self, *states: Status) -> int:
        return sum(state in states for state in self.states.values())


def day_of(actor: Actor, now: datetime) -> Day:
    """Today's visits, cancelled ones left out."""
    rows = list(
        db.session.scalars(
            with_household(queries.visible(actor))
            .where(Visit.day == local_date(now), Visit.cancelled_at.is_(None))
            .limit(2000)
        )
    )
    day = Day([], status.statuses(rows, now), queries.active_of([row.id for row in rows]))
    day.visits.extend(sorted(rows, key=lambda visit: (day.start(visit), visit.number)))
    return day


def around_now(day: Day, now: datetime, most: int = 10) -> tuple[list[Visit], list[Visit], int]:
    """The rows of the side list: what has begun and is not over, what comes next, and how many are left out."""
    over = (Status.DONE, Status.CONFIRMED, Status.UNMET)
    begun = [visit for visit in day.visits if day.start(visit) <= now and day.states[visit.id] not in over]
    ahead = [visit for visit in day.visits if day.start(visit) > now]
    before = begun[-most // 2 :]
    after = ahead[: most - len(before)]
    return before, after, len(begun) + len(ahead) - len(before) - len(after)


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
