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
from sqlalchemy import select, update

from linkage.core import audit, clock, jobs
from linkage.core.errors import Conflict, DomainError
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor
from linkage.core.transactions import failpoint, savepoint, unit_of_work
from linkage.offers import operations as offers
from linkage.planning import diff
from linkage.planning.models import Plan, PlanSkipped, PlanStop
from linkage.visits import booking
from linkage.visits.models import Slot

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
        Plan.published_at > plan.solved_from,
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
    plan = db.session.get_one(Plan, plan_id)
    now = clock.now()
    found = [c for c in diff.changes(plan, now=now) if c.visit.day == day and c.kind != "keep"]
    counts: Counter[str] = Counter()
    booking.lock_people({person for change in found for person in change.told})
    free = [change for change in found if _let_go(plan, change, now)]
    for change in free:
        settled = change.stop is None or _settle(plan, change.slot, change.stop, now)
        counts[change.kind if settled else "skipped"] += 1
    counts["skipped"] += len(found) - len(free)
    failpoint("publishing.inside_day")
    audit.record("planning.apply", plan, by=plan.published_by, now=now, day=day, **counts)
    return counts


def _let_go(plan: Plan, change: diff.Change, now: datetime) -> bool:
    """Release what stands in the slot and is about to change; False (and noted) where it may not be."""
    held = change.held
    if held is None:
        return True
    if held.accepted_at is not None or held.capacity == "volunteer":
        _skip(plan, change.slot, "accepted")
        return False
    if held.starts_at <= now:
        _skip(plan, change.slot, "begun")
        return False
    booking.release(held, "replanned", by=None, now=now, tell=change.kind in ("drop", "replace"))
    return True


def _settle(plan: Plan, slot: Slot, stop: PlanStop, now: datetime) -> bool:
    """Book the paid carer, or ask the volunteer; False (and noted) where a guard refuses."""
    if stop.starts_at <= now:
        _skip(plan, slot, "past")
        return False
    try:
        with savepoint():
            if stop.capacity == "volunteer":
                offers.ask_for(stop, plan_id=plan.id, by=None, now=now)
            else:
                booking.book(
                    slot,
                    stop.person_id,
                    capacity="carer",
                    starts_at=stop.starts_at,
                    line_id=stop.line_id,
                    charge=stop.charge,
                    by=None,
                    now=now,
                )
    except DomainError as error:
        _skip(plan, slot, getattr(error, "reason", None) or error.code)
        return False
    return True


def _skip(plan: Plan, slot: Slot, reason: str) -> None:
    known = select(PlanSkipped.id).where(PlanSkipped.plan_id == plan.id, PlanSkipped.slot_id == slot.id)
    if db.session.execute(known).first() is None:
        db.session.add(PlanSkipped(plan_id=plan.id, slot_id=slot.id, reason=reason[:40]))
