"""Sealing, withdrawing and confirming bids until the deadline, and the list that is published at the closing.

Whoever acts locks the tender's row first: the chain has no gap and no fork, and nothing enters it behind the closing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask_babel import lazy_gettext as _l

from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.organisations.models import Organisation
from linkage.procurement import eligibility, queries, sealed_queries
from linkage.procurement.models import Bid, BidEntry, Closing, OpeningOfficer, Tender
from linkage.procurement.models.bids import OFFICERS
from linkage.procurement.sealing import chain
from linkage.procurement.sealing.manifest import Malformed, Sent, check_sent
from linkage.procurement.states import state_of


@dataclass(frozen=True)
class Hand:
    """Who hands in: for which organisation, by whom, when, and the installation's key that signs the receipt."""

    organisation: Organisation
    by: Actor
    now: datetime
    key: Ed25519PrivateKey


def why_not_now(tender: Tender, now: datetime) -> Any:
    """Why no bid can be handed in at the moment, as a sentence; None when it can."""
    if state_of(tender, now) != "published" or sealed_queries.closing_of(tender.id) is not None:
        return _l("Bids are taken from the publication to the deadline only.")
    if len(recipients_of(tender)) != OFFICERS:
        return _l("An opening officer is being replaced. Bids are taken again as soon as the new key is proved.")
    return None


def recipients_of(tender: Tender) -> tuple[str, ...]:
    """The public keys of the officers who have proved theirs, in the order of their seats."""
    return tuple(one.recipient for one in officers_ready(tender))


def officers_ready(tender: Tender) -> list[OpeningOfficer]:
    return [one for one in queries.officers_of(tender.id) if one.drilled_at is not None]


def seal_bid(tender: Tender, sent: Sent, *, hand: Hand) -> BidEntry:
    """Take a sealed bid: the organisation's next version.  A version before it is superseded.

    Raises
    ------
    Conflict
        the deadline has passed, the organisation may not bid, another version came in between.
    InvalidInput
        what was sent is not a bid of this organisation on this tender, sealed for its three officers.
    """
    queries.lock(tender)
    _must_be_open(tender, hand)
    earlier = sealed_queries.live_bid(tender.id, hand.organisation.id)
    version = sealed_queries.last_version(tender.id, hand.organisation.id) + 1
    found = _checked(tender, sent, hand, version)
    if earlier is not None:
        earlier.superseded_at = hand.now
        db.session.flush()
    bid = Bid(
        tender_id=tender.id,
        organisation_id=hand.organisation.id,
        version=version,
        place=tender.chain_length + 1,
        sealed_by=hand.by.user_id,
        manifest=sent.manifest,
        envelope=sent.ciphertext,
        parts=[base64.b64encode(part).decode() for part in sent.parts],
        commitment=found.commitment,
        created_at=hand.now,
    )
    db.session.add(bid)
    db.session.flush()
    return _enter(tender, bid, "sealed", hand)


def _checked(tender: Tender, sent: Sent, hand: Hand, version: int) -> Any:
    try:
        return check_sent(
            sent,
            tender=str(tender.id),
            organisation=str(hand.organisation.id),
            version=version,
            recipients=recipients_of(tender),
        )
    except Malformed as fault:
        if str(fault) in ("version", "recipients"):
            raise Conflict(
                _l("Another version was handed in meanwhile, or an officer was replaced."),
                remedy=_l("Open the page again and seal once more."),
            ) from fault
        raise InvalidInput(_l("This is not a bid sealed on this page (%(code)s).", code=str(fault))) from fault


def withdraw_bid(tender: Tender, *, hand: Hand) -> BidEntry:
    """Take the organisation's bid back before the deadline; it stays sealed for ever.  Raises Conflict."""
    queries.lock(tender)
    _must_be_open(tender, hand, may_be_ineligible=True)
    bid = _own_bid(tender, hand)
    bid.withdrawn_at = hand.now
    return _enter(tender, bid, "withdrawn", hand)


def confirm_bid(tender: Tender, *, hand: Hand) -> BidEntry:
    """Say after a clarification that the sealed bid stands.  Raises Conflict."""
    queries.lock(tender)
    _must_be_open(tender, hand)
    bid = _own_bid(tender, hand)
    if not bid.needs_reconfirming:
        raise Conflict(_l("This bid needs no confirming."))
    bid.reconfirmed_at = hand.now
    return _enter(tender, bid, "confirmed", hand)


def _own_bid(tender: Tender, hand: Hand) -> Bid:
    bid = sealed_queries.live_bid(tender.id, hand.organisation.id)
    if bid is None:
        raise Conflict(_l("There is no bid of this organisation."))
    return bid


def _must_be_open(tender: Tender, hand: Hand, *, may_be_ineligible: bool = False) -> None:
    if reason := why_not_now(tender, hand.now):
        raise Conflict(reason)
    reasons = [] if may_be_ineligible else eligibility.why_not(tender, hand.organisation)
    if reasons:
        raise Conflict(reasons[0])


def _enter(tender: Tender, bid: Bid, kind: str, hand: Hand) -> BidEntry:
    """Write the next line of the chain.  Its time is never before the line before it, whoever waited for the lock."""
    last = sealed_queries.last_entry(tender.id)
    previous = last.head if last else chain.start_of(str(tender.id), tender.criteria_hash)
    place = tender.chain_length + 1
    at = max(hand.now, last.created_at) if last else hand.now
    text = chain.entry_text(
        tender=str(tender.id),
        place=place,
        kind=kind,
        organisation=str(bid.organisation_id),
        version=bid.version,
        commitment=bid.commitment,
        at=at,
    )
    head = chain.head_after(previous, text)
    receipt = chain.receipt_of(text, previous, hand.key)
    entry = BidEntry(
        tender_id=tender.id, bid=bid, place=place, kind=kind, text=text, head=head, receipt=receipt, created_at=at
    )
    db.session.add(entry)
    tender.chain_head, tender.chain_length = head, place
    db.session.flush()
    audit.record(f"procurement.bid_{kind}", bid, by=hand.by.user_id, now=hand.now, place=place, head=head)
    return entry


def close_bidding(tender: Tender, *, now: datetime, key: Ed25519PrivateKey) -> Closing | None:
    """Publish the list of commitments and the last head once the deadline has passed, and send it to every bidder.

    None where nothing is to be closed (yet, or any more).
    """
    queries.lock(tender)
    if state_of(tender, now) != "closed" or sealed_queries.closing_of(tender.id) is not None:
        return None
    entries = [entry.text for entry in sealed_queries.entries_of(tender.id)]
    counted = sealed_queries.counted_bids(tender.id)
    text = chain.closing_text(
        tender=str(tender.id),
        number=tender.number,
        terms=tender.criteria_hash,
        deadline=tender.deadline_at,
        at=now,
        recipients=recipients_of(tender),
        entries=entries,
        counted=[bid.place for bid in counted],
    )
    head = chain.head_of(str(tender.id), tender.criteria_hash, entries)
    closing = Closing(
        tender_id=tender.id, paper=chain.signed(text, key), head=head, counted=len(counted), created_at=now
    )
    db.session.add(closing)
    db.session.flush()
    audit.record("procurement.close_bidding", tender, by=None, now=now, head=head, entries=len(entries))
    _send_list(tender, closing, now)
    return closing


def _send_list(tender: Tender, closing: Closing, now: datetime) -> None:
    told = {"tender_id": tender.id, "number": tender.number, "head": closing.head}
    for person_id in queries.managers_of(sealed_queries.bidders(tender.id), local_date(now)):
        outbox.tell(person_id, "procurement.closing_list", now=now, **told)
    for officer in queries.officers_of(tender.id):
        outbox.tell(officer.person_id, "procurement.please_open", now=now, tender_id=tender.id, number=tender.number)
