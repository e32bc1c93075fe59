"""The bidder's pages: offers sealed in the browser, receipts, withdrawing and confirming until the deadline.

No price, file or word of a bid comes here in clear: the form has no names and no address, and where the browser cannot
seal (no https, no localhost) it is not shown.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _

from linkage.core import outside
from linkage.core.errors import InvalidInput, NotAllowed
from linkage.core.ids import uuid_or_none
from linkage.core.web import Room, go, request_now, require_actor
from linkage.organisations.models import Organisation
from linkage.procurement import bidding, eligibility, permissions, sealed_queries
from linkage.procurement.models import BidEntry, Tender
from linkage.procurement.queries import get_published
from linkage.procurement.sealed_queries import get_entry
from linkage.procurement.sealing.manifest import MANIFEST_BYTES, PART_BYTES, SEATS, Sent
from linkage.procurement.states import state_of

room = Room("bids", __name__, url_prefix="/tenders", template_folder="templates")


def _organisation() -> Organisation:
    """The one that the address names, or the only one for which the reader bids."""
    own = sealed_queries.own_organisations(require_actor())
    asked = uuid_or_none(request.values.get("organisation", ""))
    found = next((one for one in own if asked in (None, one.id)), None)
    if found is None:
        raise NotAllowed("", remedy=permissions.may_bid)
    return found


def _hand() -> bidding.Hand:
    return bidding.Hand(_organisation(), require_actor(), request_now(), outside.signing_key())


@room.get("/<uuid:tender_id>/bid", permission=permissions.may_bid, subject=get_published)
def page(tender: Tender) -> str:
    organisation, now = _organisation(), request_now()
    return render_template(
        "sealing/bid.html",
        tender=tender,
        organisation=organisation,
        organisations=sealed_queries.own_organisations(require_actor()),
        state=state_of(tender, now),
        bid=sealed_queries.live_bid(tender.id, organisation.id),
        entries=sealed_queries.own_entries(tender.id, organisation.id),
        version=sealed_queries.last_version(tender.id, organisation.id) + 1,
        why_not=[reason for reason in (bidding.why_not_now(tender, now),) if reason]
        + eligibility.why_not(tender, organisation),
        recipients=json.dumps(bidding.recipients_of(tender)),
        officers=bidding.officers_ready(tender),
        closing=sealed_queries.closing_of(tender.id),
    )


@room.post("/<uuid:tender_id>/bid", permission=permissions.may_bid, subject=get_published)
def seal(tender: Tender) -> Any:
    entry = bidding.seal_bid(tender, _sent(), hand=_hand())
    flash(_("Your bid is sealed and handed in. Keep the receipt."), "ok")
    return go("bids.receipt", tender_id=tender.id, place=entry.place)


def _sent() -> Sent:
    names = ("manifest", "ciphertext", *(f"part-{seat}" for seat in SEATS))
    if set(request.files) != set(names):
        raise InvalidInput(_("This is not a bid sealed on this page (%(code)s).", code="files"))
    limits = {"manifest": MANIFEST_BYTES, "ciphertext": None}
    read = {}
    for name in names:
        limit = limits.get(name, PART_BYTES)
        read[name] = request.files[name].read() if limit is None else request.files[name].read(limit + 1)
    return Sent(read["manifest"], read["ciphertext"], tuple(read[f"part-{seat}"] for seat in SEATS))


@room.post("/<uuid:tender_id>/bid/withdraw", permission=permissions.may_bid, subject=get_published)
def withdraw(tender: Tender) -> Any:
    entry = bidding.withdraw_bid(tender, hand=_hand())
    flash(_("Your bid is withdrawn; it will never be opened."), "ok")
    return go("bids.receipt", tender_id=tender.id, place=entry.place)


@room.post("/<uuid:tender_id>/bid/confirm", permission=permissions.may_bid, subject=get_published)
def confirm(tender: Tender) -> Any:
    entry = bidding.confirm_bid(tender, hand=_hand())
    flash(_("Your bid stands after the clarification."), "ok")
    return go("bids.receipt", tender_id=tender.id, place=entry.place)


@room.get("/<uuid:tender_id>/receipts/<int:place>", permission=permissions.may_keep, subject=get_entry)
def receipt(entry: BidEntry) -> str:
    return render_template(
        "sealing/receipt.html",
        tender=entry.bid.tender,
        entry=entry,
        body=json.loads(entry.receipt["text"]),
        key_fingerprint=outside.key_fingerprint(),
    )


@room.get("/<uuid:tender_id>/receipts/<int:place>/file", permission=permissions.may_keep, subject=get_entry)
def receipt_file(entry: BidEntry) -> Response:
    name = f"receipt-{entry.bid.tender.number}-{entry.place}.json"
    return download(json.dumps(entry.receipt, ensure_ascii=False), name)


def download(content: str | bytes, name: str, kind: str = "application/json") -> Response:
    """A file to keep."""
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
