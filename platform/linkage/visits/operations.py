"""Cancel a visit, let a person go, give a booking back; and who hears of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.areas.models import Area
from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.events import VisitCancelled, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.needs import telling
from linkage.needs.models import Need
from linkage.visits import booking, generation, queries
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, Slot, Visit
from linkage.visits.notices import CANCELLED

AREA_STAFF = (Role.COMMUNITY, Role.COORDINATOR)


def cancel_visit(visit: Visit, reason: str, *, by: Actor | None, now: datetime, tell_asker: bool = True) -> None:
    """Ahead → cancelled: whoever was booked is let go and told; open questions are withdrawn (VisitCancelled).

    Raises Refused: cancelled (already), begun (somebody has checked in).
    """
    if reason not in CANCELLED:
        raise InvalidInput(_l("Please choose a reason."), field="reason")
    if visit.cancelled_at is not None:
        raise Refused("cancelled")
    booked = queries.active_of([visit.id])[visit.id]
    if any(one.attendance is not None and one.attendance.checked_in_at is not None for one in booked):
        raise Refused("begun")
    visit.cancelled_at, visit.cancel_reason = now, reason
    visit.row_version += 1
    db.session.flush()
    for assignment in booked:
        let_go(assignment, "visit_cancelled", by=by, now=now)
    audit.record("visits.cancel", visit, by=by and by.user_id, now=now, reason=reason)
    if tell_asker:
        telling.tell_interested(
            visit.need, "visits.cancelled", now=now, but=by and by.person_id, reason=reason, **facts(visit)
        )
    announce(VisitCancelled(by=by and by.user_id, now=now, visit_id=visit.id, reason=reason))


def let_go(assignment: Assignment, reason: str, *, by: Actor | None, now: datetime) -> None:
    """Release a booking and tell the person, unless it was their own doing."""
    booking.release(assignment, reason, by=by, now=now)
    if by is None or by.person_id != assignment.person_id:
        outbox.tell(
            assignment.person_id, "visits.released", now=now, reason=reason, **facts(assignment.visit, assignment)
        )


def give_back(assignment: Assignment, *, by: Actor | None, now: datetime, reason: str = "withdrew") -> None:
    """The person cannot come after all: the slot is free again, and those who must find somebody hear of it at once.

    Nothing is held against a volunteer for it.
    """
    let_go(assignment, reason, by=by, now=now)
    tell_staff(assignment.visit, "visits.dropped", now=now, but=by and by.person_id, assignment=assignment)


def tell_staff(
    visit: Visit,
    kind: str,
    *,
    now: datetime,
    but: uuid.UUID | None = None,
    assignment: Assignment | None = None,
    roles: tuple[Role, ...] = AREA_STAFF,
) -> None:
    """Queue one message each for the poster and the nearest staff of the visit's area."""
    area = db.session.get(Area, visit.area_id)
    assert area is not None
    today = local_date(now)
    people = {telling.poster(visit.need)}
    for role in roles:
        people |= telling.staff(area, [role], today)
    for person_id in sorted(person for person in people if person not in (None, but)):
        outbox.tell(person_id, kind, now=now, **facts(visit, assignment))


def facts(visit: Visit, assignment: Assignment | None = None) -> dict[str, Any]:
    """What a message about a visit carries: ids, number and times."""
    at = assignment or _booked(visit)
    return {
        "visit_id": visit.id,
        "number": visit.number,
        "starts_at": at.starts_at if at else visit.earliest_at,
        "ends_at": at.ends_at if at else visit.latest_at,
        "assignment_id": at.id if at else None,
    }


def _booked(visit: Visit) -> Assignment | None:
    found = queries.active_of([visit.id])[visit.id]
    return found[0] if found else None


def follow(need: Need, *, by: Actor | None, now: datetime) -> None:
    """Let the coming visits follow an edited need; those that somebody has accepted stay as they are."""
    stay = {visit.id for visit in queries.accepted_ahead(need, now)}
    days = set(generation.due_days(need, now))
    for visit in queries.ahead(need.id, now):
        if visit.id in stay:
            continue
        if visit.day not in days:
            if visit.cancelled_at is None:
                cancel_visit(visit, "need_changed", by=by, now=now, tell_asker=False)
        elif visit.cancelled_at is None or visit.cancel_reason == "need_changed":
            _follow_one(visit, need, by=by, now=now)
    generation.make_visits(need, now=now)


def _follow_one(visit: Visit, need: Need, *, by: Actor | None, now: datetime) -> None:
    """One visit takes over the need; a booking that no longer fits is released, and the plan looks again."""
    before = (visit.windows, visit.duration_minutes, visit.people, visit.person_id, visit.wishes)
    visit.cancelled_at = visit.cancel_reason = None
    generation.follow_need(visit, need)
    visit.row_version += 1
    if before != (visit.windows, visit.duration_minutes, visit.people, visit.person_id, visit.wishes):
        for assignment in queries.active_of([visit.id])[visit.id]:
            let_go(assignment, "need_changed", by=by, now=now)
        announce(VisitCancelled(by=by and by.user_id, now=now, visit_id=visit.id, reason="need_changed"))
    _fit_slots(visit)
    db.session.flush()


def _fit_slots(visit: Visit) -> None:
    """As many slots as people; a place that is no longer needed keeps its history and is simply not counted."""
    for position in range(len(visit.slots), visit.people):
        visit.slots.append(Slot(position=position))
