"""Ask volunteers, one after the other or several at once; the first acceptance wins; else the paid carer.

A round is all questions about one slot. Behind it a paid carer may stand, whose minutes are *reserved* on the
contract line until somebody accepts, the round is withdrawn, or she is booked from the reserve.
Locks are taken in one order: person, visit (both in `visits.booking`), then the round.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from linkage.contracts import ledger
from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.needs import telling
from linkage.offers import queries, why
from linkage.offers.errors import OfferClosed
from linkage.offers.models import Offer, OfferRound
from linkage.visits import booking
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, Slot
from linkage.visits.operations import facts, tell_staff
from linkage.visits.queries import active_assignment

ACCEPTED, FALLBACK, NOBODY, WITHDRAWN = "accepted", "fallback", "nobody", "withdrawn"


@dataclass(frozen=True)
class Candidate:
    """Somebody who could come at this time. `reasons`: codes of `offers.why`; empty: they are looked up when asked."""

    person_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime
    travel_minutes: int = 0
    reasons: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "person_id": str(self.person_id),
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "travel_minutes": self.travel_minutes,
            "reasons": list(self.reasons),
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Candidate:
        return Candidate(
            uuid.UUID(data["person_id"]),
            datetime.fromisoformat(data["starts_at"]),
            datetime.fromisoformat(data["ends_at"]),
            data.get("travel_minutes", 0),
            tuple(data.get("reasons", ())),
        )


@dataclass(frozen=True)
class Fallback:
    """The paid carer behind an asked volunteer, and what she would take of which line.

    `decide_at`: the latest moment at which she can be told; None: as the rule says.
    """

    person_id: uuid.UUID
    line_id: uuid.UUID
    starts_at: datetime
    charge: int
    travel_minutes: int = 0
    decide_at: datetime | None = field(default=None)


Rank = Callable[[OfferRound], Sequence[Candidate]]


def open_round(
    slot: Slot,
    candidates: Sequence[Candidate],
    *,
    fallback: Fallback | None = None,
    plan_id: uuid.UUID | None = None,
    by: Actor | None,
    now: datetime,
) -> OfferRound:
    """Ask about a free slot: the first candidate (the planned one), or several at once when it is urgent.

    Raises
    ------
    Refused : slot_taken, cancelled, passed, or overlap and kept_as_fallback: the time of who stands behind is not free.
    ValueError : no candidate.   CapacityConflict : no room to reserve.
    A second open round for the slot is refused by a unique index (the request runs again, and finds the first).
    """
    if not candidates:
        raise ValueError("a round needs somebody to ask")
    visit = slot.visit
    if visit.cancelled_at is not None:
        raise Refused("cancelled")
    waiting = queries.open_round(slot.id)
    if waiting is not None and not waiting.offers:  # given back, and nobody asked yet: who is chosen now comes first
        withdraw_round(waiting, by=by, now=now, tell=False)
        waiting = None
    if active_assignment(slot.id) is not None or waiting is not None:
        raise Refused("slot_taken")
    first = candidates[0]
    if first.ends_at <= now:
        raise Refused("passed")
    row = OfferRound(
        slot_id=slot.id,
        plan_id=plan_id,
        starts_at=first.starts_at,
        ends_at=first.ends_at,
        candidates=[one.to_json() for one in candidates],
        created_at=now,
        fallback_at=decide_at(first.starts_at, fallback, now),
    )
    if fallback is not None:
        booking.demand_free(fallback.person_id, slot, fallback.starts_at, fallback.travel_minutes)
        row.fallback_person_id, row.fallback_line_id = fallback.person_id, fallback.line_id
        row.fallback_starts_at, row.fallback_charge = fallback.starts_at, fallback.charge
        row.fallback_travel_minutes = fallback.travel_minutes
    db.session.add(row)
    db.session.flush()
    if fallback is not None and fallback.charge:
        ledger.reserve(reserve_of(row), by=by, now=now)
    audit.record("offers.open", row, by=by and by.user_id, now=now, candidates=len(candidates), fallback=bool(fallback))
    _ask(row, list(candidates)[: _at_once(row, now) if _is_urgent(row, now) else 1], now)
    return row


def accept_offer(offer: Offer, *, by: Actor | None, now: datetime) -> Assignment:
    """Asked → accepted, if the slot is still free: everything is checked again by `visits.booking`.

    The first acceptance wins; the others are told kindly, the paid carer's reserve is given back. An offer whose
    deadline has passed may still be accepted while nobody else has.

    Raises
    ------
    OfferClosed : taken, withdrawn, passed, answered, overlap.   Refused : the person may no longer come.
    """
    _demand_answerable(offer, now)
    candidate = _candidate_of(offer)
    try:
        assignment = booking.book(
            offer.slot,
            offer.person_id,
            capacity="volunteer",
            starts_at=offer.starts_at,
            ends_at=offer.ends_at,
            travel_minutes=candidate.travel_minutes if candidate else 0,
            accepted=True,
            by=by,
            now=now,
        )
    except Refused as refused:
        raise _kindly(refused) from refused
    row = _lock_round(offer.round_id)
    if row.closed_at is not None:
        raise OfferClosed("taken" if row.outcome in (ACCEPTED, FALLBACK) else "withdrawn")
    offer.accepted_at = now
    _close(row, ACCEPTED, by=by, now=now)
    audit.record("offers.accept", offer, by=by and by.user_id, now=now, slot=offer.slot_id)
    _take_back_clashing(offer, now)
    visit = offer.slot.visit
    telling.tell_interested(
        visit.need, "offers.somebody_comes", now=now, but=offer.person_id, **facts(visit, assignment)
    )
    return assignment


def decline_offer(offer: Offer, *, by: Actor | None, now: datetime) -> None:
    """Asked → declined; nothing is held against the volunteer, and the next ones are asked at once.

    Raises OfferClosed: answered, taken, withdrawn.
    """
    _demand_answerable(offer, now)
    row = _lock_round(offer.round_id)
    offer.declined_at = now
    db.session.flush()
    audit.record("offers.decline", offer, by=by and by.user_id, now=now, slot=offer.slot_id)
    if row.closed_at is None and not queries.open_offers(row.id):
        _ask_next(row, _stored(row), now)


def withdraw_round(row: OfferRound, *, by: Actor | None, now: datetime, tell: bool = True) -> None:
    """Open → withdrawn: the question is no longer asked, the reserve is given back; who was asked is told."""
    row = _lock_round(row.id)
    if row.closed_at is None:
        _close(row, WITHDRAWN, by=by, now=now, tell=tell)
        audit.record("offers.withdraw", row, by=by and by.user_id, now=now)


def expire(row: OfferRound, *, now: datetime, rank: Rank | None = None) -> str:
    """What is due for one round at `now`: run-out questions end, the next are asked, or it is time to fall back.

    Returns "wait" (somebody is asked), "fallback" (book the paid carer now: `fall_back`) or "nobody" (closed).
    `rank` ranks those who are left anew; None: in the order of the plan.
    """
    row = _lock_round(row.id)
    if row.closed_at is not None:
        return "wait"
    if active_assignment(row.slot_id) is not None:  # somebody was booked by hand meanwhile
        _close(row, ACCEPTED, by=None, now=now)
        audit.record("offers.settled", row, by=None, now=now)
        return "wait"
    for offer in queries.open_offers(row.id):
        if offer.answer_by <= now:
            offer.expired_at = now
            audit.record("offers.expire", offer, by=None, now=now, slot=offer.slot_id)
    db.session.flush()
    late = row.fallback_at is not None and row.fallback_at <= now
    if not late and (queries.open_offers(row.id) or _ask_next(row, rank(row) if rank else _stored(row), now)):
        return "wait"
    if row.fallback_person_id is not None:
        return "fallback"
    if row.ends_at > now and queries.open_offers(row.id):
        return "wait"
    give_up(row, now=now)
    return "nobody"


def fall_back(row: OfferRound, *, now: datetime) -> Assignment:
    """Nobody accepted: the paid carer is booked, her reserved minutes become committed; all are told.

    Raises Refused or CapacityConflict where that is no longer possible; then `give_up` in a new transaction.
    """
    assert row.fallback_person_id is not None and row.fallback_line_id is not None and row.fallback_starts_at
    visit = row.slot.visit
    assignment = booking.book(
        row.slot,
        row.fallback_person_id,
        capacity="carer",
        organisation_id=booking.organisation_of(row.fallback_line_id),
        line_id=row.fallback_line_id,
        charge=row.fallback_charge,
        reserved=True,
        travel_minutes=row.fallback_travel_minutes,
        starts_at=row.fallback_starts_at,
        ends_at=row.fallback_starts_at + timedelta(minutes=visit.duration_minutes),
        by=None,
        now=now,
    )
    row = _lock_round(row.id)
    if row.closed_at is not None:
        raise Refused("slot_taken")
    _close(row, FALLBACK, by=None, now=now)
    audit.record("offers.fall_back", row, by=None, now=now, person=assignment.person_id)
    outbox.tell(assignment.person_id, "offers.you_go", now=now, **facts(visit, assignment))
    telling.tell_interested(visit.need, "offers.somebody_comes", now=now, **facts(visit, assignment))
    return assignment


def give_up(row: OfferRound, *, now: datetime) -> None:
    """Nobody accepted and nobody can be booked: open → closed; the area's staff hears at once."""
    row = _lock_round(row.id)
    if row.closed_at is not None:
        return
    _close(row, NOBODY, by=None, now=now)
    audit.record("offers.nobody", row, by=None, now=now)
    tell_staff(row.slot.visit, "offers.nobody", now=now)


def stop_asking(row: OfferRound, *, now: datetime) -> None:
    """Ask nobody any more: open questions end; the paid carer takes over with the next minute, if there is one."""
    row = _lock_round(row.id)
    for offer in queries.open_offers(row.id):
        offer.withdrawn_at = now
        outbox.tell(offer.person_id, "offers.withdrawn", now=now, starts_at=offer.starts_at, ends_at=offer.ends_at)
    row.candidates, row.fallback_at = [], now
    db.session.flush()
    audit.record("offers.stop", row, by=None, now=now)


def end_acceptance(slot_id: uuid.UUID, person_id: uuid.UUID, *, now: datetime) -> None:
    """Accepted → withdrawn, because the booking that followed was released."""
    rows = db.session.scalars(
        select(Offer).where(
            Offer.slot_id == slot_id,
            Offer.person_id == person_id,
            Offer.accepted_at.is_not(None),
            Offer.withdrawn_at.is_(None),
        )
    )
    for offer in rows:
        offer.withdrawn_at = now


def withdraw_offers_of(
    person_id: uuid.UUID, start: datetime, end: datetime | None, *, by: Actor | None, now: datetime
) -> int:
    """The person cannot come at that time: open questions in it end without an answer, the next are asked."""
    ended = 0
    for offer in queries.open_offers_of(person_id):
        if offer.ends_at > start and (end is None or offer.starts_at < end):
            _end_unanswered(offer, by=by, now=now)
            ended += 1
    return ended


def _end_unanswered(offer: Offer, *, by: Actor | None, now: datetime) -> None:
    row = _lock_round(offer.round_id)
    offer.withdrawn_at = now
    db.session.flush()
    audit.record("offers.end", offer, by=by and by.user_id, now=now, slot=offer.slot_id)
    if row.closed_at is None and not queries.open_offers(row.id):
        _ask_next(row, _stored(row), now)


def _demand_answerable(offer: Offer, now: datetime) -> None:
    if offer.accepted_at is not None or offer.declined_at is not None:
        raise OfferClosed("answered")
    row = offer.round
    if row.outcome in (ACCEPTED, FALLBACK):
        raise OfferClosed("taken")
    if offer.withdrawn_at is not None or row.closed_at is not None:
        raise OfferClosed("withdrawn")
    if offer.starts_at <= now:
        raise OfferClosed("passed")


def _kindly(refused: Refused) -> Exception:
    """Turn what booking says into what a volunteer reads."""
    reason = {"slot_taken": "taken", "overlap": "overlap", "cancelled": "withdrawn", "passed": "passed"}
    found = reason.get(refused.reason)
    return OfferClosed(found) if found else refused


def _lock_round(round_id: uuid.UUID) -> OfferRound:
    found = select(OfferRound).where(OfferRound.id == round_id).with_for_update(of=OfferRound)
    return db.session.scalars(found.execution_options(populate_existing=True)).one()


def decide_at(starts_at: datetime, fallback: Fallback | None, now: datetime) -> datetime:
    """When asking ends: the carer must be told in time; without one, volunteers may answer until the beginning."""
    if fallback is None:
        return starts_at
    if fallback.decide_at is not None:
        return fallback.decide_at
    before = timedelta(minutes=rule("offers.fallback_minutes", local_date(now)))
    return min(starts_at, fallback.starts_at) - before


def _is_urgent(row: OfferRound, now: datetime) -> bool:
    return row.starts_at - now < timedelta(hours=rule("offers.urgent_hours", local_date(now)))


def _at_once(_row: OfferRound, now: datetime) -> int:
    return int(rule("offers.at_once", local_date(now)))


def _stored(row: OfferRound) -> list[Candidate]:
    return [Candidate.from_json(data) for data in row.candidates]


def _candidate_of(offer: Offer) -> Candidate | None:
    return next((one for one in _stored(offer.round) if one.person_id == offer.person_id), None)


def _ask_next(row: OfferRound, ranked: Sequence[Candidate], now: datetime) -> int:
    """Ask up to k of those who have not been asked yet; returns how many."""
    if row.fallback_at is not None and row.fallback_at <= now:
        return 0
    asked = queries.asked_people(row.id) | queries.said_no(row.slot_id)
    left = [one for one in ranked if one.person_id not in asked and one.starts_at > now]
    return _ask(row, left[: _at_once(row, now)], now)


def _ask(row: OfferRound, candidates: Sequence[Candidate], now: datetime) -> int:
    wait = timedelta(minutes=rule("offers.answer_minutes", local_date(now)))
    last = row.fallback_at or row.starts_at
    for one in candidates:
        offer = Offer(
            round_id=row.id,
            slot_id=row.slot_id,
            person_id=one.person_id,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            reasons=list(one.reasons) or why.reasons_for(one.person_id, row.slot.visit, one.starts_at),
            asked_at=now,
            answer_by=max(now, min(now + wait, last)),
        )
        db.session.add(offer)
        outbox.tell(
            one.person_id, "offers.asked", now=now, offer_id=offer.id, starts_at=one.starts_at, ends_at=one.ends_at,
            answer_by=offer.answer_by,
        )  # fmt: skip
        audit.record("offers.ask", offer, by=None, now=now, slot=row.slot_id)
    db.session.flush()
    return len(candidates)


def _close(row: OfferRound, outcome: str, *, by: Actor | None, now: datetime, tell: bool = True) -> None:
    """End the round; whoever is still asked is told kindly; a reserve that was not used is given back."""
    row.closed_at, row.outcome = now, outcome
    kind = "offers.taken" if outcome in (ACCEPTED, FALLBACK) else "offers.withdrawn"
    for offer in queries.open_offers(row.id):
        if offer.accepted_at is not None:
            continue
        offer.withdrawn_at = now
        if tell:
            outbox.tell(offer.person_id, kind, now=now, starts_at=offer.starts_at, ends_at=offer.ends_at)
    if outcome != FALLBACK and row.fallback_line_id is not None and row.fallback_charge:
        ledger.unreserve(reserve_of(row), by=by, now=now)
    db.session.flush()


def _take_back_clashing(accepted: Offer, now: datetime) -> None:
    """Other questions to the same person about the same hours end: they cannot be answered with yes any more."""
    for offer in queries.open_offers_of(accepted.person_id):
        if offer.id != accepted.id and offer.starts_at < accepted.ends_at and accepted.starts_at < offer.ends_at:
            _end_unanswered(offer, by=None, now=now)


def reserve_of(row: OfferRound) -> ledger.Charge:
    """What the paid carer behind a round reserves on her line."""
    assert row.fallback_line_id is not None and row.fallback_starts_at is not None
    return booking.line_charge(
        row.fallback_line_id, row.fallback_charge, row.slot.visit, row.slot_id, row.fallback_starts_at
    )
