"""What must be done today, urgent first (今天要办): composed from the visits and households of one's scope."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.households import queries as households
from linkage.households.models import Consent, Household
from linkage.needs.models import Need
from linkage.visits import queries, status
from linkage.visits.models import Assignment, Visit
from linkage.visits.status import Status

DAY = timedelta(days=1)
NOT_LEFT_AFTER = timedelta(minutes=30)  # so long after the planned end a missing check-out is worth a question
NOW, CONFIRM, SOON = "now", "confirm", "soon"
MOST_ROWS = 60
CONSENT_DAYS = 30


@dataclass(frozen=True)
class Item:
    """One thing to do about a visit. `kind`: late, missed, nobody, half, gone_by, asked, no_check_out, confirm."""

    visit: Visit
    kind: str
    state: Status
    booked: Sequence[Assignment]
    deadline: datetime | None = None

    @property
    def starts_at(self) -> datetime | None:
        return self.booked[0].starts_at if self.booked else None


@dataclass(frozen=True)
class Work:
    """The day's work: groups of items, consents that end, and how many places are only approximate."""

    now: list[Item]
    confirm: list[Item]
    soon: list[Item]
    consents: list[Consent]
    approximate: int
    without_consent: int

    @property
    def count(self) -> int:
        notes = bool(self.approximate) + bool(self.without_consent)
        return len(self.now) + len(self.confirm) + len(self.soon) + len(self.consents) + notes


def work_of(actor: Actor, now: datetime) -> Work:
    """Everything that waits for the actor, urgent first."""
    groups: dict[str, list[Item]] = {NOW: [], CONFIRM: [], SOON: []}
    for item, group in _items(actor, now):
        groups[group].append(item)
    return Work(
        sorted(groups[NOW], key=lambda item: item.deadline or now),
        sorted(groups[CONFIRM], key=lambda item: item.starts_at or now),
        sorted(groups[SOON], key=lambda item: item.deadline or now),
        ending_consents(actor, now),
        _count(actor, now, households.Filters(approximate=True)),
        _count(actor, now, households.Filters(no_consent=True)),
    )


def _items(actor: Actor, now: datetime) -> Iterable[tuple[Item, str]]:
    visits = _troubled(actor, now)
    states, booked = status.statuses(visits, now), queries.active_of([visit.id for visit in visits])
    for visit in visits:
        found = _item(visit, states[visit.id], booked[visit.id], now)
        if found is not None:
            yield found


def _troubled(actor: Actor, now: datetime) -> list[Visit]:
    """Visits that ask for somebody's hand: from a week ago until the day after tomorrow."""
    today = local_date(now)
    wanted = (*status.TROUBLE, Status.DONE, Status.IN_SERVICE, Status.ASKED)
    return list(
        db.session.scalars(
            with_household(queries.visible(actor))
            .where(
                Visit.latest_at >= at_minutes(today - 7 * DAY, 0),
                Visit.latest_at < at_minutes(today + 3 * DAY, 0),
                Visit.cancelled_at.is_(None),
                status.column(now).in_([one.value for one in wanted]),
            )
            .order_by(Visit.latest_at)
            .limit(500)
        )
    )


def with_household(wanted: Select[Visit]) -> Select[Visit]:
    """Load with the visits what their rows show."""
    return wanted.options(
        joinedload(Visit.person),
        joinedload(Visit.service),
        joinedload(Visit.household).selectinload(Household.tags),
    )


def _item(visit: Visit, state: Status, booked: Sequence[Assignment], now: datetime) -> tuple[Item, str] | None:
    today = local_date(now)
    last_start = visit.latest_at - timedelta(minutes=visit.duration_minutes)
    if state is Status.LATE:
        missed = timedelta(minutes=rule("visits.missed_minutes", today))
        return Item(visit, "late", state, booked, booked[0].starts_at + missed), NOW
    if state in (Status.MISSED, Status.UNMET):
        if local_date(visit.latest_at) < today - DAY:
            return None
        kind = "missed" if state is Status.MISSED else "gone_by"
        return Item(visit, kind, state, booked, visit.latest_at), NOW
    if state in (Status.OPEN, Status.HALF):
        kind = "nobody" if state is Status.OPEN else "half"
        urgent = local_date(last_start) <= today + DAY
        return Item(visit, kind, state, booked, last_start), NOW if urgent else SOON
    if state is Status.ASKED:
        near = last_start - now < DAY
        return (Item(visit, "asked", state, booked, last_start), SOON) if near else None
    if state is Status.IN_SERVICE:
        late = all(one.ends_at + NOT_LEFT_AFTER < now for one in booked)
        return (Item(visit, "no_check_out", state, booked), CONFIRM) if late else None
    return Item(visit, "confirm", state, booked), CONFIRM


def ending_consents(actor: Actor, now: datetime) -> list[Consent]:
    """Consents to services that end within 30 days and are not followed by a later one, soonest first."""
    today = local_date(now)
    later = select(Consent.household_id).where(
        Consent.purpose == "service",
        Consent.withdrawn_at.is_(None),
        or_(Consent.expires_on.is_(None), Consent.expires_on > today + CONSENT_DAYS * DAY),
    )
    return list(
        db.session.scalars(
            select(Consent)
            .where(
                Consent.household_id.in_(households.listed(actor).with_only_columns(Household.id)),
                Consent.purpose == "service",
                Consent.withdrawn_at.is_(None),
                Consent.expires_on.between(today, today + CONSENT_DAYS * DAY),
                Consent.household_id.not_in(later),
            )
            .order_by(Consent.expires_on, Consent.id)
            .limit(MOST_ROWS)
        )
    )


def households_of(consents: Iterable[Consent]) -> dict[uuid.UUID, Household]:
    """Household by id, with the members that a row shows."""
    ids = [consent.household_id for consent in consents]
    rows = db.session.scalars(
        select(Household)
        .where(Household.id.in_(ids))
        .options(selectinload(Household.members), selectinload(Household.tags))
    )
    return {row.id: row for row in rows}


def _count(actor: Actor, now: datetime, filters: households.Filters) -> int:
    return households.count(households.found(actor, filters, local_date(now)))


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
