"""Publishing applies a plan's changes, re-checks every guard, and stores what was skipped and why.

A job, in one short transaction per day of the plan: whatever a crash leaves is taken up again, and a slot that
was applied already differs in nothing from the plan and is kept. First everything is let go that moves, then
everything is booked, so that two people can exchange their visits.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from linkage.contracts.models import ContractLine
from linkage.core import audit, clock, jobs, outbox
from linkage.core.errors import Conflict, DomainError
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor
from linkage.core.transactions import failpoint, savepoint, unit_of_work
from linkage.needs import telling
from linkage.offers import operations as offers
from linkage.offers import queries as offer_queries
from linkage.organisations.models import Carer
from linkage.people.models import Person
from linkage.planning import diff
from linkage.planning.models import Plan, PlanSkipped, PlanStop
from linkage.visits import booking
from linkage.visits import operations as visits
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, Slot, Visit

KIND = "planning.publish"


def request_publish(plan: Plan, *, by: Actor, now: datetime) -> Job:
    """draft → published; its changes are applied by the job that this queues.

    Raises
    ------
    Conflict
        it is no draft any more, or a newer plan of these days was published since it was made.
    """
    newer = select(Plan.id).where(
        Plan.area_id == plan.area_id,
        Plan.published_at.is_not(None),
        or_(Plan.published_at > plan.solved_from, Plan.number > plan.number),
        Plan.first_day <= plan.last_day,
        Plan.last_day >= plan.first_day,
    )
    if db.session.execute(newer).first() is not None:
        message = _("Another plan was published since this one was made.")
        raise Conflict(message, remedy=_("Run the plan again and publish that one."))
    done = db.session.execute(
        update(Plan)
        .where(Plan.id == plan.id, Plan.published_at.is_(None), Plan.discarded_at.is_(None))
        .values(published_at=now, published_by=by.user_id)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_("This plan is no longer a draft."))
    audit.record("planning.publish", plan, by=by.user_id, now=now, number=plan.number)
    return jobs.enqueue(KIND, {"plan_id": str(plan.id)}, by=by.user_id, now=now)


@jobs.handler(KIND)
def apply_plan(job_id: uuid.UUID) -> dict[str, Any]:
    """Apply a published plan day by day; returns the counts of what was done."""
    plan_id = uuid.UUID(db.session.get_one(Job, job_id).params["plan_id"])
    days = _days(plan_id)
    db.session.rollback()
    counts: dict[str, int] = {}
    for number, day in enumerate(days):
        for kind, count in unit_of_work(lambda day=day: _apply_day(plan_id, day)).items():  # type: ignore[misc]
            counts[kind] = counts.get(kind, 0) + count
        failpoint("publishing.between_days")
        jobs.report(job_id, {"percent": round(100 * (number + 1) / len(days)), "phase": "publishing"})
    return counts


def _days(plan_id: uuid.UUID) -> list[date]:
    plan = db.session.get_one(Plan, plan_id)
    found = diff.changes(plan, now=clock.now())
    return sorted({change.visit.day for change in found if change.kind != "keep"})


def _apply_day(plan_id: uuid.UUID, day: date) -> dict[str, int]:
    """One day's changes in one transaction.

    Each change is tried alone, so that one that a guard refuses leaves what stood before; what only fails because
    people exchange visits is tried again together.
    """
    plan = db.session.get_one(Plan, plan_id)
    now = clock.now()
    found = [c for c in diff.changes(plan, now=now) if c.visit.day == day and c.kind != "keep"]
    _lock_people({person for change in found for person in change.told})
    counts: Counter[str] = Counter()
    waiting: list[diff.Change] = []
    for change in found:
        reason = _apply([change], plan, now)
        if reason == "overlap":
            waiting.append(change)
        else:
            _count(counts, plan, change, reason)
    for group in _exchanges(waiting):
        reason = _apply(group, plan, now)
        for change in group:
            _count(counts, plan, change, reason)
    failpoint("publishing.inside_day")
    audit.record("planning.apply", plan, by=plan.published_by, now=now, day=day, **counts)
    return dict(counts)


def _lock_people(ids: set[uuid.UUID]) -> None:
    """In the order of their ids, before anything else is locked: two publications never wait for each other."""
    ordered = sorted(ids, key=str)
    for start in range(0, len(ordered), 500):
        part = select(Person.id).where(Person.id.in_(ordered[start : start + 500]))
        db.session.execute(part.order_by(Person.id).with_for_update()).all()


def _count(counts: Counter[str], plan: Plan, change: diff.Change, reason: str | None) -> None:
    counts[change.kind if reason is None else "skipped"] += 1
    if reason is not None:
        _skip(plan, change.slot, reason)


def _apply(changes: list[diff.Change], plan: Plan, now: datetime) -> str | None:
    """Carry the changes out together, or none of them; None, or the reason why not."""
    try:
        with savepoint():
            for change in changes:
                _let_go(change, now)
            for change in changes:
                if change.stop is not None:
                    _settle(plan, change, change.stop, now)
    except DomainError as error:
        return str(getattr(error, "reason", None) or error.code)
    return None


def _let_go(change: diff.Change, now: datetime) -> None:
    """Release what stands in the slot. Raises Refused where it was accepted or has begun."""
    held = change.held
    if held is None:
        return
    if held.accepted_at is not None or held.capacity == "volunteer":
        raise Refused("accepted")
    if held.starts_at <= now:
        raise Refused("begun")
    if change.kind == "move":
        booking.release(held, "replanned", by=None, now=now)  # told once, with the new time
        return
    visits.let_go(held, "replanned", by=None, now=now)
    if change.kind == "drop":
        visits.tell_staff(change.visit, "visits.dropped", now=now, assignment=held)


def _settle(plan: Plan, change: diff.Change, stop: PlanStop, now: datetime) -> None:
    """Book the paid carer and say so, or ask the volunteer."""
    if stop.starts_at <= now:
        raise Refused("passed")
    if stop.capacity == "volunteer":
        _ask(plan, change.slot, stop, now)
        return
    booked = booking.book(
        change.slot,
        stop.person_id,
        capacity="carer",
        starts_at=stop.starts_at,
        ends_at=stop.ends_at,
        organisation_id=organisation_of(stop),
        line_id=stop.line_id,
        charge=stop.charge,
        travel_minutes=stop.travel_minutes,
        by=None,
        now=now,
    )
    told = "visits.moved" if change.kind == "move" else "visits.booked"
    outbox.tell(stop.person_id, told, now=now, **visits.facts(change.visit, booked))
    _tell_home(change, booked, now)


def _tell_home(change: diff.Change, booked: Assignment, now: datetime) -> None:
    """The household, who called and who asked hear of another person or hour than they expect, and, of a need that
    nobody has come for yet, that somebody comes."""
    if change.home_told:
        kind = "visits.other_time" if change.kind == "move" else "visits.somebody_else"
    elif _is_first(booked):
        kind = "visits.somebody_comes"
    else:
        return
    telling.tell_interested(change.visit.need, kind, now=now, **visits.facts(change.visit, booked))


def _is_first(booked: Assignment) -> bool:
    """Nobody was booked for any visit of this need before."""
    need_id = booked.visit.need_id
    others = select(Assignment.id).join(Visit, Visit.id == Assignment.visit_id)
    return db.session.execute(others.where(Visit.need_id == need_id, Assignment.id != booked.id)).first() is None


def _ask(plan: Plan, slot: Slot, stop: PlanStop, now: datetime) -> None:
    """Turn the plan's proposal into a question; the fallback behind it holds reserved minutes."""
    open_now = offer_queries.open_round(slot.id)
    if open_now is not None:
        offers.withdraw_round(open_now, by=None, now=now)
    planned = offers.Candidate(stop.person_id, stop.starts_at, stop.ends_at, stop.travel_minutes)
    fallback = None
    if stop.fallback_person_id and stop.fallback_line_id and stop.fallback_starts_at:
        fallback = offers.Fallback(
            stop.fallback_person_id,
            stop.fallback_line_id,
            stop.fallback_starts_at,
            stop.fallback_charge,
            stop.fallback_travel_minutes,
        )
    offers.open_round(slot, [planned], fallback=fallback, plan_id=plan.id, by=None, now=now)


def organisation_of(stop: PlanStop) -> uuid.UUID | None:
    """The organisation for which a carer comes: the line's, else the employer of that day."""
    if stop.line_id is not None:
        return db.session.get_one(ContractLine, stop.line_id).organisation_id
    day = clock.local_date(stop.starts_at)
    employed = select(Carer.organisation_id).where(Carer.person_id == stop.person_id, Carer.on(day))
    return db.session.scalars(employed.limit(1)).one_or_none()


def _exchanges(changes: list[diff.Change]) -> list[list[diff.Change]]:
    """Groups of changes that share people, directly or through others: what must happen together."""
    groups: list[tuple[set[uuid.UUID], list[diff.Change]]] = []
    for change in changes:
        people, members = set(change.told), [change]
        apart = []
        for others, group in groups:
            if others & people:
                people |= others
                members = group + members
            else:
                apart.append((others, group))
        groups = [*apart, (people, members)]
    return [members for _, members in groups]


def _skip(plan: Plan, slot: Slot, reason: str) -> None:
    known = select(PlanSkipped.id).where(PlanSkipped.plan_id == plan.id, PlanSkipped.slot_id == slot.id)
    if db.session.execute(known).first() is None:
        db.session.add(PlanSkipped(plan_id=plan.id, slot_id=slot.id, reason=reason[:40]))
