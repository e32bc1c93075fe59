"""What needs do when a person dies or leaves, a household withdraws its consent, or two records become one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, select, update

from linkage.core import outbox
from linkage.core.clock import local_date
from linkage.core.events import (
    ConsentWithdrawn,
    Event,
    HouseholdsMerged,
    MemberLeft,
    PeopleMerged,
    PersonDied,
    effect,
    note_moved,
)
from linkage.core.extensions import db
from linkage.households.models import Household
from linkage.needs import queries, telling
from linkage.needs.models import Need
from linkage.needs.operations import withdraw_need


@effect(PersonDied, "needs")
def withdraw_needs_of_the_dead(event: PersonDied) -> None:
    """What a dead person asked for is withdrawn."""
    for need in _standing(Need.person_id == event.person_id):
        _end(need, "died", event)


@effect(MemberLeft, "needs")
def withdraw_needs_of_who_left(event: MemberLeft) -> None:
    """Who lives elsewhere is not served here any more, from the day after the last one on."""
    here = and_(Need.household_id == event.household_id, Need.person_id == event.person_id)
    for need in _standing(here):
        _end(need, "moved", event, keep_until=event.last_day)


@effect(ConsentWithdrawn, "needs")
def withdraw_needs_without_consent(event: ConsentWithdrawn) -> None:
    """Without consent to services nothing is planned for the household any more."""
    if event.purpose == "service":
        for need in _standing(Need.household_id == event.household_id):
            _end(need, "died" if need.person.died_on else "consent", event)


@effect(PeopleMerged, "needs")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """What the lost record of a person asked for, or called about, is the kept one's."""
    rows = db.session.scalars(select(Need).where(Need.person_id == event.lost_id).order_by(Need.id)).all()
    for need in rows:
        need.person_id = event.kept_id
        need.row_version += 1
    note_moved(event.moved, rows)
    called = update(Need).where(Need.caller_person_id == event.lost_id).values(caller_person_id=event.kept_id)
    db.session.execute(called)
    db.session.flush()


@effect(HouseholdsMerged, "needs")
def take_over_from_a_double_household(event: HouseholdsMerged) -> None:
    """The lost record's needs are the kept one's; one that both had open becomes a repetition of the first."""
    kept = db.session.get_one(Household, event.kept_id)
    rows = db.session.scalars(
        select(Need).where(Need.household_id == event.lost_id).order_by(Need.created_at, Need.id)
    ).all()
    today = local_date(event.now)
    for need in rows:
        first = queries.first_open(kept.id, need.service_id, today)
        if first is not None and need.repeats_id is None and queries.is_open(need, today):
            need.repeats_id = first.id
        need.household_id, need.area_id = kept.id, kept.area_id
        need.row_version += 1
        db.session.flush()
    note_moved(event.moved, rows)


def _end(need: Need, reason: str, event: Event, keep_until: date | None = None) -> None:
    """Withdraw, and tell whoever posted it that it ended without their doing."""
    withdraw_need(need, reason, by=None, now=event.now, keep_until=keep_until)
    poster = telling.poster(need)
    if poster is not None:
        outbox.tell(poster, "needs.ended", now=event.now, need_id=need.id, number=need.number, reason=reason)


def _standing(where: ColumnElement[bool]) -> Sequence[Need]:
    return db.session.scalars(select(Need).where(where, Need.withdrawn_at.is_(None)).order_by(Need.id)).all()
