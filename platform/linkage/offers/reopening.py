"""A volunteer has given an accepted visit back: a new round opens by itself, with the paid carer behind it again.

The round begins without a question; the next minute's work ranks who could come and asks them, else falls back,
else the area's staff is told (`periodic.expire_and_ask_next`). With too little time left nobody new is asked: the
paid carer takes over at once, or the visit stands on the coordinator's board (`visits.dropped` told so already).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from linkage.contracts import ledger
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.offers import queries
from linkage.offers.models import OfferRound
from linkage.offers.operations import decide_at, reserve_of
from linkage.visits import booking
from linkage.visits.models import Assignment, Slot


def reopen(slot_id: uuid.UUID, person_id: uuid.UUID, *, now: datetime) -> OfferRound | None:
    """Open a round for a slot that a volunteer gave back; None where there is nothing to ask about any more."""
    slot, given_back = db.session.get(Slot, slot_id), _given_back(slot_id, person_id)
    if slot is None or given_back is None or given_back.starts_at <= now:
        return None
    if slot.visit.cancelled_at is not None or queries.open_round(slot_id) is not None:
        return None
    before = _last_with_fallback(slot_id)
    time_is_left = given_back.starts_at - now > timedelta(minutes=rule("offers.reopen_minutes", local_date(now)))
    if not time_is_left and before is None:
        return None
    row = OfferRound(
        slot_id=slot_id,
        starts_at=given_back.starts_at,
        ends_at=given_back.ends_at,
        candidates=[],
        created_at=now,
        fallback_at=decide_at(given_back.starts_at, None, now) if time_is_left else now,
    )
    if before is not None:
        _take_over_fallback(row, before, now)
    if row.fallback_person_id is None and not time_is_left:
        return None
    db.session.add(row)
    db.session.flush()
    audit.record("offers.reopen", row, by=None, now=now, fallback=row.fallback_person_id is not None)
    return row


def _given_back(slot_id: uuid.UUID, person_id: uuid.UUID) -> Assignment | None:
    """The volunteer's booking that was released last."""
    return db.session.scalars(
        select(Assignment)
        .where(
            Assignment.slot_id == slot_id,
            Assignment.person_id == person_id,
            Assignment.capacity == "volunteer",
            Assignment.released_at.is_not(None),
        )
        .order_by(Assignment.released_at.desc())
        .limit(1)
    ).one_or_none()


def _last_with_fallback(slot_id: uuid.UUID) -> OfferRound | None:
    return db.session.scalars(
        select(OfferRound)
        .where(OfferRound.slot_id == slot_id, OfferRound.fallback_person_id.is_not(None))
        .order_by(OfferRound.created_at.desc())
        .limit(1)
    ).one_or_none()


def _take_over_fallback(row: OfferRound, before: OfferRound, now: datetime) -> None:
    """The paid carer stands behind the new round, too, if the line still has the minutes and she can still be told."""
    assert before.fallback_starts_at is not None and before.fallback_person_id is not None
    if before.fallback_starts_at <= now:
        return
    row.fallback_person_id, row.fallback_line_id = before.fallback_person_id, before.fallback_line_id
    row.fallback_starts_at, row.fallback_charge = before.fallback_starts_at, before.fallback_charge
    row.fallback_travel_minutes = before.fallback_travel_minutes
    row.slot = db.session.get_one(Slot, row.slot_id)
    try:
        with db.session.begin_nested():
            booking.demand_free(
                before.fallback_person_id, row.slot, before.fallback_starts_at, row.fallback_travel_minutes
            )
            if row.fallback_charge:
                ledger.reserve(reserve_of(row), by=None, now=now)
    except Conflict:
        row.fallback_person_id = row.fallback_line_id = row.fallback_starts_at = None
        row.fallback_charge = row.fallback_travel_minutes = 0
        return
    before_that = timedelta(minutes=rule("offers.fallback_minutes", local_date(now)))
    told = min(row.starts_at, row.fallback_starts_at) - before_that
    row.fallback_at = max(now, min(row.fallback_at or told, told))
