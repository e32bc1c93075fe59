"""What offers do when something happens below."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select, update

from linkage.core.clock import at_minutes
from linkage.core.events import (
    AbsenceRecorded,
    ConsentWithdrawn,
    PeopleMerged,
    PersonDied,
    SlotReleased,
    VisitCancelled,
    effect,
    note_moved,
)
from linkage.core.extensions import db
from linkage.offers import operations, queries, reopening
from linkage.offers.models import Offer, OfferRound
from linkage.visits import booking, status
from linkage.visits.models import Slot, Visit

status.asked_by(queries.slot_is_asked)


@booking.kept_by
def is_kept(person_id: uuid.UUID, busy_from: datetime, ends_at: datetime, slot_id: uuid.UUID) -> bool:
    """Whether the person stands behind the question about another slot at that time."""
    return bool(queries.kept_ready(busy_from, ends_at, person_id, but=slot_id))


@effect(VisitCancelled, "offers")
def withdraw_questions(event: VisitCancelled) -> None:
    """Nobody is asked about a visit that will not take place, or not like this."""
    for row in queries.open_rounds_of_visit(event.visit_id):
        operations.withdraw_round(row, by=None, now=event.now)


@effect(SlotReleased, "offers")
def undo_acceptance(event: SlotReleased) -> None:
    """Whoever no longer comes has no accepted offer there any more: the slot is asked about anew, if time is left."""
    operations.end_acceptance(event.slot_id, event.person_id, now=event.now)
    if event.reason in queries.GIVEN_BACK:
        reopening.reopen(event.slot_id, event.person_id, now=event.now)


@effect(AbsenceRecorded, "offers")
def end_questions_to_the_absent(event: AbsenceRecorded) -> None:
    operations.withdraw_offers_of(event.person_id, event.starts_at, event.ends_at, by=None, now=event.now)


@effect(PersonDied, "offers")
def end_questions_to_the_dead(event: PersonDied) -> None:
    operations.withdraw_offers_of(event.person_id, at_minutes(event.on, 0), None, by=None, now=event.now)


@effect(PeopleMerged, "offers")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """Questions to the lost record of a person are the kept one's."""
    rows = db.session.scalars(select(Offer).where(Offer.person_id == event.lost_id).order_by(Offer.id)).all()
    for row in rows:
        row.person_id = event.kept_id
    note_moved(event.moved, rows)
    behind = OfferRound.fallback_person_id
    db.session.execute(update(OfferRound).where(behind == event.lost_id).values(fallback_person_id=event.kept_id))
    db.session.flush()


@effect(ConsentWithdrawn, "offers")
def stop_asking_volunteers(event: ConsentWithdrawn) -> None:
    """Without the household's consent no volunteer is asked any more; the paid carer behind takes over."""
    if event.purpose != "volunteers":
        return
    rows = db.session.scalars(
        select(OfferRound)
        .join(Slot, Slot.id == OfferRound.slot_id)
        .join(Visit, Visit.id == Slot.visit_id)
        .where(Visit.household_id == event.household_id, OfferRound.closed_at.is_(None))
        .order_by(OfferRound.id)
    ).all()
    for row in rows:
        operations.stop_asking(row, now=event.now)
