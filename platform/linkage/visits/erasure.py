"""Forgetting a person or household: address and wishes of visits; who gave which minutes stays, by number."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from linkage.core import privacy
from linkage.core.extensions import db
from linkage.visits.models import Assignment, HoursEntry, Visit


def erase(kind: str, subject_id: uuid.UUID, _now: datetime) -> None:
    """Overwrite the snapshot of the address, the wishes, and what was written beside a volunteer's hours."""
    about = Visit.person_id == subject_id if kind == "person" else Visit.household_id == subject_id
    db.session.execute(update(Visit).where(about).values(address_sealed=None, wishes={}))
    if kind == "person":
        db.session.execute(update(HoursEntry).where(HoursEntry.person_id == subject_id).values(reason=""))


def holds(kind: str, subject_id: uuid.UUID, now: datetime) -> list[privacy.Hold]:
    """Visits to come: to them, or by them."""
    about = Visit.person_id == subject_id if kind == "person" else Visit.household_id == subject_id
    ahead = select(Visit.number).where(about, Visit.cancelled_at.is_(None), Visit.latest_at > now)
    found = [
        privacy.Hold(_l("Visit %(number)s is still to come.", number=number), _l("Cancel it, or wait for it, first."))
        for number in db.session.scalars(ahead.order_by(Visit.number))
    ]
    mine = select(Assignment.id).where(
        Assignment.person_id == subject_id, Assignment.released_at.is_(None), Assignment.ends_at > now
    )
    if kind == "person" and db.session.scalars(mine.limit(1)).first() is not None:
        found.append(
            privacy.Hold(
                _l("This person is booked for visits to come."), _l("Give these visits to somebody else first.")
            )
        )
    return found


privacy.register_eraser(
    "visits",
    erase,
    overwrites=("visits", "hours_entries"),
    keeps={"assignments": _l("who gave which minutes, by number: files of purchased services are kept for 15 years")},
    holds=holds,
)
