"""The three opening officers of a tender (开标人): named, keys made in their browsers, proved in a drill, replaced."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import pyrage
from flask_babel import lazy_gettext as _l

from linkage.core import audit, outbox
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.people.models import Person
from linkage.procurement import queries
from linkage.procurement.models import OpeningOfficer, Tender
from linkage.procurement.models.bids import OFFICERS
from linkage.procurement.states import state_of

SEATS = range(1, OFFICERS + 1)


def may_change(tender: Tender, now: datetime) -> bool:
    """Officers and keys can change until the first bid is sealed: it is sealed for these three."""
    return state_of(tender, now) in ("draft", "published", "suspended") and tender.chain_length == 0


def fingerprint(recipient: str) -> str:
    """SHA-256 of a public key, by which people compare it outside the system."""
    return hashlib.sha256(recipient.encode()).hexdigest()


def name_officers(
    tender: Tender, chosen: Mapping[int, uuid.UUID], candidates: Sequence[Person], *, by: Actor, now: datetime
) -> None:
    """Seat → person. Whoever stays keeps the key; a new one makes it anew.

    Raises
    ------
    Conflict
        a bid was sealed for the present officers.
    InvalidInput
        not three different people of `candidates`.
    """
    _lock(tender, now)
    allowed = {person.id for person in candidates}
    if set(chosen) != set(SEATS) or len(set(chosen.values())) != OFFICERS or not set(chosen.values()) <= allowed:
        raise InvalidInput(_l("Choose three different people from the list."), field="seat-1")
    before = {one.position: one for one in queries.officers_of(tender.id)}
    changed = [seat for seat in SEATS if seat not in before or before[seat].person_id != chosen[seat]]
    for seat in changed:
        if seat in before:
            before[seat].replaced_at = now
    db.session.flush()
    for seat in changed:
        new = OpeningOfficer(tender_id=tender.id, person_id=chosen[seat], position=seat, created_at=now)
        db.session.add(new)
        outbox.tell(chosen[seat], "procurement.be_officer", now=now, tender_id=tender.id, number=tender.number)
    if changed:
        db.session.flush()
        audit.record("procurement.name_officers", tender, by=by.user_id, now=now, seats=changed)


def _lock(tender: Tender, now: datetime) -> None:
    queries.lock(tender)
    if not may_change(tender, now):
        raise Conflict(_l("A bid is sealed for these officers already: nobody can be replaced any more."))


def set_key(officer: OpeningOfficer, recipient: str, *, by: Actor, now: datetime) -> None:
    """Take the public half of a key that the officer's browser made, and write the drill's message for it.

    Raises
    ------
    InvalidInput
        not an age recipient (X25519), or one that another officer has.
    """
    _lock(officer.tender, now)
    _must_be_own(officer, by)
    others = {one.recipient for one in queries.officers_of(officer.tender_id) if one.id != officer.id}
    try:
        key = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise InvalidInput(_l("This is not a public key made on this page.")) from error
    if recipient in others or str(key) != recipient:
        raise InvalidInput(_l("This is not a public key made on this page."))
    token = secrets.token_hex(32)
    officer.recipient, officer.fingerprint = recipient, fingerprint(recipient)
    officer.key_made_at, officer.drilled_at = now, None
    officer.drill = base64.b64encode(pyrage.encrypt(token.encode(), [key])).decode()
    officer.drill_sha256 = hashlib.sha256(token.encode()).hexdigest()
    audit.record("procurement.officer_key", officer, by=by.user_id, now=now, fingerprint=officer.fingerprint)


def prove_key(officer: OpeningOfficer, token: str, *, by: Actor, now: datetime) -> None:
    """The officer opened the drill's message: `token` is what it held.  Raises Conflict, InvalidInput."""
    _lock(officer.tender, now)
    _must_be_own(officer, by)
    if not officer.drill_sha256 or hashlib.sha256(token.encode()).hexdigest() != officer.drill_sha256:
        raise InvalidInput(_l("The test message was not opened: key file and passphrase do not fit this key."))
    officer.drilled_at, officer.drill = now, ""
    audit.record("procurement.officer_drill", officer, by=by.user_id, now=now, fingerprint=officer.fingerprint)


def _must_be_own(officer: OpeningOfficer, by: Actor) -> None:
    if officer.person_id != by.person_id or officer.replaced_at is not None:
        raise Conflict(_l("Somebody else has this seat now."))
