"""Last week, carried out: planned by the engine, published, answered, attended, confirmed; and what is open today."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select

from linkage.accounts.models import User
from linkage.accounts.queries import actor_of
from linkage.core.clock import current_clock, local_date
from linkage.core.errors import DomainError
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work
from linkage.demo import accounts
from linkage.demo.households import Home
from linkage.demo.inventing import Inventor
from linkage.demo.setting import OWN, STREET, Story
from linkage.needs.operations import NeedRequest, post_need
from linkage.offers.models import Offer
from linkage.offers.operations import Candidate, accept_offer, decline_offer, open_round
from linkage.offers.periodic import expire_and_ask_next
from linkage.offers.queries import unanswered
from linkage.planning import publishing
from linkage.planning.child import reasons_for
from linkage.planning.horizon import Horizon
from linkage.planning.models import Plan
from linkage.planning.snapshot import take
from linkage.planning.storing import store
from linkage.services.queries import by_code
from linkage.visits import attendance, status
from linkage.visits.models import Assignment, Visit
from linkage.worker import Runner
from matching.feasibility import check
from matching.instance_io import plan_to_json
from matching.solve import solve
from matching.stop import MaxIterations

ITERATIONS = 1500
HOUR = timedelta(hours=1)
DECLINING = 9  # every ninth question is declined
NO_SHOW_IN, NOBODY_HOME_IN = "盈翠社区", OWN


def plan_and_publish(first: date, last: date, *, at: datetime) -> Plan:
    """Plan the street's first..last with an iteration budget (repeatable), store it, publish it."""
    current_clock().move_to(at)
    street = accounts.area_of(STREET)
    snapshot = take(street, Horizon(first, last, at))
    db.session.rollback()
    solved = solve(snapshot.instance, MaxIterations(ITERATIONS), seed=0)
    violations = check(snapshot.instance, solved)
    if violations:
        raise RuntimeError(f"the demo's plan is refused by the checker: {violations[0]}")
    reasons = reasons_for(snapshot.instance, solved, seconds=10)
    answer: dict[str, Any] = {"plan": json.loads(plan_to_json(solved)), "violations": [], "reasons": reasons}

    def write() -> Job:
        plan = store(street.id, snapshot, answer, job_id=None, seconds=0, curve=[], now=at)
        by = accounts.actor("coordinator", at)
        plan.requested_by = by.user_id
        return publishing.request_publish(plan, by=by, now=at)

    job_id = unit_of_work(write).id
    Runner(current_app._get_current_object()).work()  # type: ignore[attr-defined]
    db.session.rollback()
    db.session.expire_all()
    job = db.session.get_one(Job, job_id)
    if job.status != "done":
        raise RuntimeError(f"publishing the demo's plan failed: {job.failure}")
    return db.session.scalars(select(Plan).where(Plan.published_at.is_not(None)).order_by(Plan.number.desc())).first()  # type: ignore[return-value]


def answer_offers(*, asked_at: datetime, until: datetime) -> None:
    """The volunteers answer within the evening; some decline, and those who are asked next accept."""
    unit_of_work(lambda: _answer(asked_at + HOUR, may_decline=True))
    for hours in range(2, int((until - asked_at) / HOUR) + 1, 2):
        moment = asked_at + hours * HOUR
        current_clock().move_to(moment)
        expire_and_ask_next(moment)
        unit_of_work(lambda moment=moment: _answer(moment, may_decline=False))  # type: ignore[misc]


def _answer(moment: datetime, *, may_decline: bool) -> None:
    offers = db.session.scalars(select(Offer).where(unanswered()).order_by(Offer.starts_at, Offer.id)).all()
    for number, offer in enumerate(offers):
        at = moment + timedelta(seconds=47 * number)
        try:
            if may_decline and number % DECLINING == DECLINING - 1:
                decline_offer(offer, by=_own(offer.person_id, at), now=at)
            else:
                accept_offer(offer, by=_own(offer.person_id, at), now=at)
        except DomainError:
            continue  # meanwhile taken, or it no longer fits their day: as in life


def _own(person_id: Any, now: datetime) -> Actor | None:
    """The person's own account, if there is one."""
    user = db.session.scalars(select(User).where(User.person_id == person_id)).first()
    return actor_of(user, now) if user else None


@dataclass(frozen=True)
class _Deed:
    at: datetime
    order: int
    do: Callable[[datetime], None]


def carry_out(story: Story, inventor: Inventor) -> None:
    """Everything that was booked and has begun by now: check-ins, check-outs, a no-show, a door that stayed shut."""
    rows = db.session.scalars(
        select(Assignment)
        .where(Assignment.released_at.is_(None), Assignment.starts_at < story.now)
        .order_by(Assignment.starts_at, Assignment.id)
    ).all()
    absent, shut = _exceptions(rows)
    deeds: list[_Deed] = []
    for row in rows:
        if row is absent:
            deeds.append(_Deed(row.starts_at + HOUR, len(deeds), _no_show(row)))
        elif row is shut:
            deeds.append(_Deed(row.starts_at + timedelta(minutes=6), len(deeds), _nobody_home(row)))
        else:
            deeds += _attended(row, inventor, len(deeds))
    deeds += _confirmations(rows, story, inventor, len(deeds))
    _carry_out_by_day(deed for deed in deeds if deed.at <= story.now)


def _carry_out_by_day(deeds: Iterable[_Deed]) -> None:
    ordered = sorted(deeds, key=lambda deed: (deed.at, deed.order))
    days = sorted({local_date(deed.at) for deed in ordered})
    for day in days:
        todays = [deed for deed in ordered if local_date(deed.at) == day]
        unit_of_work(lambda todays=todays: [deed.do(deed.at) for deed in todays])  # type: ignore[misc]


def _exceptions(rows: Iterable[Assignment]) -> tuple[Assignment | None, Assignment | None]:
    """A volunteer who did not come, and a carer before a closed door, both late in the week."""
    late = [row for row in rows if local_date(row.starts_at).weekday() >= 3 and row.visit.people == 1]
    absent = [row for row in late if row.capacity == "volunteer" and row.visit.household.area.name == NO_SHOW_IN]
    shut = [row for row in late if row.capacity == "carer" and row.visit.household.area.name == NOBODY_HOME_IN]
    return (absent[0] if absent else None), (shut[0] if shut else None)


def _attended(row: Assignment, inventor: Inventor, order: int) -> list[_Deed]:
    draw = inventor.random.randrange
    came = row.starts_at + timedelta(minutes=draw(-4, 7))
    went = row.ends_at + timedelta(minutes=draw(-5, 6))
    went = max(went, came + timedelta(minutes=8))

    def check_in(at: datetime) -> None:
        own = _own(row.person_id, at)
        if own is None:
            attendance.check_in(row, method="call_desk", by=accounts.actor("operator", at), now=at)
        else:
            attendance.check_in_by_code(row, row.visit.household.door_code or "", by=own, now=at)

    def check_out(at: datetime) -> None:
        own = _own(row.person_id, at)
        method = "call_desk" if own is None else "code"
        attendance.check_out(row, method=method, by=own or accounts.actor("operator", at), now=at)

    return [_Deed(came, order, check_in), _Deed(went, order + 1, check_out)]


def _no_show(row: Assignment) -> Callable[[datetime], None]:
    return lambda at: attendance.record_no_show(row, by=accounts.actor("clerk2", at), now=at)


def _nobody_home(row: Assignment) -> Callable[[datetime], None]:
    def report(at: datetime) -> None:
        by = _own(row.person_id, at) or accounts.actor("operator", at)
        attendance.report_nobody_home(row, by=by, now=at)

    return report


def _confirmations(rows: Iterable[Assignment], story: Story, inventor: Inventor, order: int) -> list[_Deed]:
    """The next morning the staff asks the household; the last days, and some of Friday, are still to do."""
    deeds: list[_Deed] = []
    seen: set[Any] = set()
    for row in rows:
        day = local_date(row.ends_at)
        own = row.visit.household.area.name == OWN
        recent = day >= story.monday - timedelta(days=2) or (own and day == story.monday - timedelta(days=3))
        if row.visit_id in seen or recent:
            continue
        seen.add(row.visit_id)
        asked = story.at((day - story.monday).days + 1, 9 * 60 + len(deeds) % 100)
        rating = inventor.random.choices((3, 2, 1), (86, 11, 3))[0]
        deeds.append(_Deed(asked, order + len(deeds), _confirm(row.visit, rating)))
    return deeds


def _confirm(visit: Visit, rating: int) -> Callable[[datetime], None]:
    def ask(at: datetime) -> None:
        if status.status_of(visit, at) is status.Status.DONE:
            name = {OWN: "clerk", "盈翠社区": "clerk2", "松柏社区": "clerk3"}.get(visit.household.area.name, "operator")
            attendance.confirm_with_household(visit, rating, by=accounts.actor(name, at), now=at)

    return ask


def ask_for_today(homes: list[Home], story: Story) -> None:
    """A call of this morning: company for this afternoon. Three volunteers are asked at once; none has answered."""
    now = story.now - timedelta(minutes=15)
    starts = story.at((story.today - story.monday).days, 13 * 60)
    if starts - now < 4 * HOUR:
        return
    home = homes[13].household
    operator = accounts.actor("operator", now)
    service = by_code("company")
    assert service is not None
    request = NeedRequest(
        home.members[0].person_id, story.today, 13 * 60, 18 * 60, 60, preferred_start=13 * 60, channel="hotline",
        note="今天下午有点想找人说说话",
    )  # fmt: skip
    need = post_need(home, service, request, by=operator, now=now)
    visit = db.session.scalars(select(Visit).where(Visit.need_id == need.id)).one()
    names = ("volunteer", "volunteer02", "volunteer16")
    people = [accounts.actor(name, now).person_id for name in names]
    candidates = [Candidate(person_id, starts, starts + HOUR, 10) for person_id in people]
    open_round(visit.slots[0], candidates, by=accounts.actor("coordinator", now), now=now)
