"""Who is booked for what they no longer have the papers for is let go in time, and it is said why.

Booking asks for the papers of the day itself; what is booked already loses its person only when a paper is ended
early, or its date corrected. Looked at when that happens, and every night.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.services.models import HeldQualification, Service
from linkage.visits import operations
from linkage.visits.models import Assignment, Visit

Held = dict[uuid.UUID, list[HeldQualification]]


def without_papers(now: datetime, person_id: uuid.UUID | None = None) -> list[Assignment]:
    """Bookings ahead (of one person, or of all) for which a required qualification is not valid on their day."""
    rows = (
        select(Assignment)
        .join(Visit, Visit.id == Assignment.visit_id)
        .where(Assignment.released_at.is_(None), Assignment.starts_at > now, Visit.service_id.in_(_demanding()))
        .options(joinedload(Assignment.visit).joinedload(Visit.service))
        .order_by(Assignment.starts_at, Assignment.id)
    )
    found = list(db.session.scalars(rows if person_id is None else rows.where(Assignment.person_id == person_id)))
    held = _held({row.person_id for row in found})
    return [row for row in found if not _covers(held[row.person_id], _needed(row), local_date(row.starts_at))]


def _demanding() -> list[uuid.UUID]:
    rows = db.session.scalars(select(Service))
    return [row.id for row in rows if row.qualifications or row.volunteer_qualifications]


def _needed(row: Assignment) -> list[str]:
    service = row.visit.service
    return list(service.volunteer_qualifications if row.capacity == "volunteer" else service.qualifications)


def _held(person_ids: Iterable[uuid.UUID]) -> Held:
    found: Held = defaultdict(list)
    ordered = sorted(person_ids, key=str)
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        for row in db.session.scalars(select(HeldQualification).where(HeldQualification.person_id.in_(part))):
            found[row.person_id].append(row)
    return found


def _covers(held: list[HeldQualification], needed: list[str], day: date) -> bool:
    valid = {row.code for row in held if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)}
    return set(needed) <= valid


def release(now: datetime, person_id: uuid.UUID | None = None) -> int:
    """Let go of them; staff hears of each gap, the person of the reason. Returns how many."""
    rows = without_papers(now, person_id)
    for row in rows:
        operations.give_back(row, by=None, now=now, reason="papers")
    return len(rows)
