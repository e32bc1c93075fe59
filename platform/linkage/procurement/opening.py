"""The opening: officers release their parts of all bids, any two open them, and what was inside is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.procurement import queries, sealed_queries
from linkage.procurement.models import Bid, BidContent, BidLot, Lot, OpeningOfficer, PartRelease, Tender
from linkage.procurement.models.bids import OFFICERS
from linkage.procurement.publication import passed
from linkage.procurement.sealing import parts
from linkage.procurement.sealing.manifest import Malformed, digest, read_manifest
from linkage.procurement.sealing.payload import Offer, read_payload
from linkage.procurement.states import state_of

NEEDED = 2  # officers


def _lock_closed(tender: Tender, now: datetime) -> None:
    queries.lock(tender)
    if state_of(tender, now) != "closed" or sealed_queries.closing_of(tender.id) is None:
        raise Conflict(_l("Parts are released only between the closing list and the opening."))


def release_parts(officer: OpeningOfficer, given: Mapping[int, Mapping[str, Any]], *, by: Actor, now: datetime) -> None:
    """Take an officer's parts of all bids at once: place → {"pieces": {seat: hex}} or {"fault": code}.

    Raises
    ------
    Conflict
        before the closing list, after the opening, twice, or by somebody else.
    InvalidInput
        not for every bid that counts, and no other.
    """
    _lock_closed(officer.tender, now)
    if officer.person_id != by.person_id or officer.replaced_at is not None:
        raise Conflict(_l("Somebody else has this seat now."))
    if has_released(officer):
        raise Conflict(_l("Your parts are released already."))
    bids = {bid.place: bid for bid in sealed_queries.counted_bids(officer.tender_id, whole=True)}
    if set(given) != set(bids):
        raise InvalidInput(_l("Parts are released for all bids together, or not at all."))
    for place, bid in bids.items():
        db.session.add(_release(officer, bid, given[place], now))
    db.session.flush()
    audit.record("procurement.release_parts", officer, by=by.user_id, now=now, bids=len(bids))


def has_released(officer: OpeningOfficer) -> bool:
    return officer.id in {one.officer_id for one in sealed_queries.releases_of(officer.tender_id)}


def _release(officer: OpeningOfficer, bid: Bid, given: Mapping[str, Any], now: datetime) -> PartRelease:
    pieces, fault = given.get("pieces"), str(given.get("fault", ""))
    if pieces is not None:
        good = parts.read_pieces(pieces, officer.position, read_manifest(bid.manifest)) is not None
        fault = "" if good else "bad-piece"
        pieces = pieces if isinstance(pieces, dict) and len(str(pieces)) < 1000 else {}
    elif fault not in parts.FAULTS:
        raise InvalidInput(_l("Parts are released for all bids together, or not at all."))
    return PartRelease(officer=officer, bid=bid, pieces=pieces or {}, fault=fault, created_at=now)


def good_parts(tender: Tender) -> dict[int, list[PartRelease]]:
    """Place → the releases whose pieces are the committed ones."""
    good: dict[int, list[PartRelease]] = {bid.place: [] for bid in sealed_queries.counted_bids(tender.id)}
    for release in sealed_queries.releases_of(tender.id):
        if not release.fault:
            good[release.bid.place].append(release)
    return good


def released_by(tender: Tender) -> set[int]:
    """The seats whose officers have released."""
    return {release.officer.position for release in sealed_queries.releases_of(tender.id)}


def lacking(tender: Tender) -> list[int]:
    """The places of bids that the parts released so far do not open."""
    return [place for place, good in good_parts(tender).items() if len(good) < NEEDED]


def open_bids(tender: Tender, *, by: Actor, now: datetime, without_third: bool = False) -> None:
    """Open every bid that counts and store what was inside.  State: closed → opened.

    A bid with fewer than two good parts is not opened; one whose content is not well formed is void. Where bids lack
    parts and the third officer has not released yet, `without_third` must say that nobody waits for that.

    Raises
    ------
    Conflict
        fewer than two officers have released for all bids.
    """
    _lock_closed(tender, now)
    bids = sealed_queries.counted_bids(tender.id, whole=True)
    seats = released_by(tender)
    if bids and len(seats) < NEEDED:
        raise Conflict(_l("Two officers must have released their parts of all bids first."))
    if lacking(tender) and len(seats) < OFFICERS and not without_third:
        raise Conflict(_l("Some bids lack a good part: the third officer can still release."))
    good, lots = good_parts(tender), {str(lot.id): lot for lot in tender.lots}
    for bid in bids:
        _open(bid, good[bid.place], lots, now)
    tender.opened_at = now
    tender.row_version += 1
    db.session.flush()
    void = sum(bid.void_at is not None for bid in bids)
    audit.record("procurement.open_bids", tender, by=by.user_id, now=now, bids=len(bids), void=void)
    passed(tender, "opened", now)


def _open(bid: Bid, releases: list[PartRelease], lots: Mapping[str, Lot], now: datetime) -> None:
    manifest = read_manifest(bid.manifest)
    good = [parts.read_pieces(one.pieces, one.officer.position, manifest) for one in releases]
    try:
        payload = parts.open_with(manifest, bid.envelope, [pieces for pieces in good if pieces])
    except parts.NotOpened as fault:
        bid.void_at, bid.void_reason = now, str(fault)
        return
    content = BidContent(bid_id=bid.id, payload=payload, sha256=digest(payload), created_at=now)
    db.session.add(content)
    try:
        offer = read_payload(
            payload,
            tender=str(bid.tender_id),
            organisation=str(bid.organisation_id),
            version=bid.version,
            lots=set(lots),
        )
    except Malformed as fault:
        bid.void_at, bid.void_reason = now, str(fault)
        return
    content.statement = offer.statement
    _store(bid, offer, lots, now)


def _store(bid: Bid, offer: Offer, lots: Mapping[str, Lot], now: datetime) -> None:
    bid.opened_at, bid.capacity_minutes, bid.most_lots = now, offer.capacity_minutes, offer.most_lots
    for price in offer.prices:
        bid.lots.append(BidLot(lot=lots[price.lot], offer=price.offer, price_fen=price.price_fen))
