"""The officers' pages (key, drill, release, opening), the list published at the closing, and the record to verify."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, flash, jsonify, render_template, request
from flask_babel import gettext as _

from linkage.core import outside
from linkage.core.config import PACKAGE
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from linkage.core.exports import name_file
from linkage.core.forms import Form
from linkage.core.ids import uuid_or_none
from linkage.core.permissions import may
from linkage.core.web import PUBLIC, Room, current_actor, go, request_now, require_actor
from linkage.procurement import officers as office
from linkage.procurement import opening, permissions, queries, record, sealed_queries
from linkage.procurement.bid_pages import download
from linkage.procurement.models import Bid, Closing, OpeningOfficer, Tender
from linkage.procurement.queries import get_published, get_tender
from linkage.procurement.sealed_queries import get_bid
from linkage.procurement.states import state_of

room = Room("sealing", __name__, url_prefix="/tenders", template_folder="templates")
VERIFIER = PACKAGE / "procurement" / "sealing" / "verify_bids.py"


def grouped(text: str) -> str:
    """A digest in groups of four, so that people can compare it and it wraps on a phone."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


room.add_app_template_filter(grouped, "fingerprint")


# --- who opens --------------------------------------------------------------------------------------------------


@room.get("/<uuid:tender_id>/officers", permission=permissions.may_prepare, subject=get_tender)
def officers(tender: Tender) -> str:
    seats = {f"seat-{one.position}": one.person_id for one in queries.officers_of(tender.id)}
    return _officers_page(tender, Form(initial=seats))


def _officers_page(tender: Tender, form: Form) -> str:
    people = sealed_queries.candidates(tender, require_actor())
    return render_template(
        "sealing/officers.html",
        tender=tender,
        form=form,
        people=[(person.id, person.name) for person in people],
        officers=queries.officers_of(tender.id),
        changeable=office.may_change(tender, request_now()),
    )


@room.post("/<uuid:tender_id>/officers", permission=permissions.may_prepare, subject=get_tender)
def name_officers(tender: Tender) -> Any:
    by, form = require_actor(), Form(None, request.form)
    chosen = {seat: uuid_or_none(request.form.get(f"seat-{seat}", "")) or uuid.UUID(int=0) for seat in office.SEATS}
    people = sealed_queries.candidates(tender, by)
    if form.passes(lambda _data: office.name_officers(tender, chosen, people, by=by, now=request_now())):
        flash(_("The officers are named and told."), "ok")
        return go("sealing.officers", tender_id=tender.id)
    return _officers_page(tender, form), form.status


# --- an officer's own page --------------------------------------------------------------------------------------


def _seat(tender: Tender) -> OpeningOfficer:
    officer = sealed_queries.officer_of(tender.id, require_actor().person_id)
    if officer is None:
        raise NotFound("")
    return officer


@room.get("/<uuid:tender_id>/officer", permission=permissions.may_open, subject=get_tender)
def officer(tender: Tender) -> str:
    own, now = _seat(tender), request_now()
    closing = sealed_queries.closing_of(tender.id)
    return render_template(
        "sealing/officer.html",
        tender=tender,
        own=own,
        state=state_of(tender, now),
        step=_step(tender, own, closing),
        officers=queries.officers_of(tender.id),
        changeable=office.may_change(tender, now),
        closing=closing,
        bids=sealed_queries.counted_bids(tender.id) if closing else [],
        seats=opening.released_by(tender) if closing else set(),
        needed=opening.NEEDED,
        lacking=opening.lacking(tender) if closing else [],
        moved_clock=None if current_app.config["SETTINGS"].mode == "production" else now.isoformat(),
    )


def _step(tender: Tender, own: OpeningOfficer, closing: Closing | None) -> str:
    """What this officer does next: make, drill, wait, release, open or nothing more."""
    if own.key_made_at is None:
        return "make"
    if own.drilled_at is None:
        return "drill"
    if tender.opened_at is not None:
        return "opened"
    if closing is None:
        return "wait"
    return "open" if opening.has_released(own) or not closing.counted else "release"


@room.post("/<uuid:tender_id>/officer/key", permission=permissions.may_open, subject=get_tender)
def set_key(tender: Tender) -> Any:
    recipient = request.form.get("recipient", "")[:200]
    office.set_key(_seat(tender), recipient, by=require_actor(), now=request_now())
    return go("sealing.officer", tender_id=tender.id)


@room.post("/<uuid:tender_id>/officer/drill", permission=permissions.may_open, subject=get_tender)
def prove_key(tender: Tender) -> Any:
    office.prove_key(_seat(tender), request.form.get("token", "")[:200], by=require_actor(), now=request_now())
    flash(_("The test message was opened: your key works."), "ok")
    return go("sealing.officer", tender_id=tender.id)


@room.get("/<uuid:tender_id>/officer/parts", permission=permissions.may_open, subject=get_tender)
def parts(tender: Tender) -> Response:
    """The published list, and of each bid that counts the manifest and this officer's own part."""
    own, closing = _seat(tender), sealed_queries.closing_of(tender.id)
    if closing is None:
        raise Conflict(_("Parts are released only between the closing list and the opening."))
    bids = [
        {
            "place": bid.place,
            "manifest": base64.b64encode(bid.manifest).decode(),
            "part": bid.parts[own.position - 1],
        }
        for bid in sealed_queries.counted_bids(tender.id, whole=True)
    ]
    return jsonify(closing=closing.paper["text"], bids=bids)


@room.post("/<uuid:tender_id>/officer/parts", permission=permissions.may_open, subject=get_tender)
def release(tender: Tender) -> Any:
    opening.release_parts(_seat(tender), _given(), by=require_actor(), now=request_now())
    flash(_("Your parts are released."), "ok")
    return go("sealing.officer", tender_id=tender.id)


def _given() -> dict[int, Mapping[str, Any]]:
    try:
        sent = json.loads(request.form.get("parts", ""))
        given: dict[int, Mapping[str, Any]] = {int(place): dict(what) for place, what in sent.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(_("Parts are released for all bids together, or not at all.")) from error
    return given


@room.post("/<uuid:tender_id>/open", permission=permissions.may_open, subject=get_tender)
def open_bids(tender: Tender) -> Any:
    _seat(tender)
    without = request.form.get("without_third") == "1"
    opening.open_bids(tender, by=require_actor(), now=request_now(), without_third=without)
    flash(_("The bids are opened."), "ok")
    return go("sealing.page", tender_id=tender.id)


# --- what is published ------------------------------------------------------------------------------------------


@room.get("/<uuid:tender_id>/sealed", permission=PUBLIC, subject=get_published)
def page(tender: Tender) -> str:
    """For everybody: who opens, and after the deadline the list; who bid at what price only for whom it concerns."""
    actor, closing = current_actor(), sealed_queries.closing_of(tender.id)
    follows = actor is not None and _knows_all(tender)
    own = {one.id for one in sealed_queries.own_organisations(actor)} if actor else set()
    bids = {bid.place: bid for bid in sealed_queries.all_bids(tender.id)} if closing else {}
    bid_here = any(bid.organisation_id in own for bid in bids.values())
    return render_template(
        "sealing/page.html",
        tender=tender,
        layout="base.html" if actor else "base_plain.html",
        closing=closing,
        entries=sealed_queries.entries_of(tender.id) if closing else [],
        bids=bids,
        counted={bid.id for bid in sealed_queries.counted_bids(tender.id)} if closing else set(),
        names_shown=follows or (bid_here and tender.opened_at is not None),
        follows=follows,
        record_shown=tender.opened_at is not None and (follows or bid_here),
        officers=queries.officers_of(tender.id),
        releases=sealed_queries.releases_of(tender.id),
        seats=opening.released_by(tender),
        lots={lot.id: lot for lot in tender.lots},
        script_sha256=_script_sha256(),
        key_fingerprint=outside.key_fingerprint(),
    )


def _knows_all(tender: Tender) -> bool:
    """Who follows the tender for its buyer, and who opens it."""
    actor = require_actor()
    is_officer = sealed_queries.officer_of(tender.id, actor.person_id) is not None
    return is_officer or may(actor, permissions.may_follow, tender)


def _script_sha256() -> dict[str, str]:
    listed = json.loads((PACKAGE / "static" / "vendor" / "manifest.json").read_text())
    return {name: listed[name]["sha256"] for name in ("sealing.js", "sealing-key.js")}


@room.get("/<uuid:tender_id>/closing", permission=PUBLIC, subject=get_published)
def closing_file(tender: Tender) -> Response:
    closing = sealed_queries.closing_of(tender.id)
    if closing is None:
        raise NotFound("")
    return download(json.dumps(closing.paper, ensure_ascii=False), f"closing-{tender.number}.json")


@room.get("/<uuid:tender_id>/record", permission=permissions.may_see, subject=get_tender)
def record_file(tender: Tender) -> Response:
    """The record of the opening; a bidder's holds the own bid whole and the others by their commitment."""
    closing, actor = sealed_queries.closing_of(tender.id), require_actor()
    if closing is None or tender.opened_at is None:
        raise Conflict(_("The bids are not opened yet."))
    own = None if _knows_all(tender) else [one.id for one in sealed_queries.own_organisations(actor)]
    if own is not None and not set(own) & set(sealed_queries.bidders(tender.id)):
        raise NotAllowed(_("Only who bid or follows this tender may have its record."))
    return download(record.record_of(tender, closing, own=own), f"record-{tender.number}.zip", "application/zip")


@room.get("/bids/<uuid:bid_id>/files/<int:number>", permission=permissions.may_read, subject=get_bid)
def attachment(bid: Bid, number: int) -> Response:
    """A file of an opened bid, for whom it concerns."""
    _must_be_opened(bid)
    files = record.attachments_of(bid)
    if not 1 <= number <= len(files):
        raise NotFound("")
    answer = download(files[number - 1].content, "attachment", "application/octet-stream")
    name_file(answer, files[number - 1].name)
    return answer


@room.get("/bids/<uuid:bid_id>", permission=permissions.may_read, subject=get_bid)
def opened_bid(bid: Bid) -> str:
    """What an opened bid offers: prices, statement, files."""
    _must_be_opened(bid)
    content = sealed_queries.contents_of(bid.tender_id)[bid.id]
    return render_template(
        "sealing/opened.html", tender=bid.tender, bid=bid, content=content, files=record.attachments_of(bid)
    )


def _must_be_opened(bid: Bid) -> None:
    if bid.opened_at is None:
        raise Conflict(_("This bid is not opened."))


@room.get("/verify-bids.py", permission=PUBLIC)
def verifier() -> Response:
    """The stand-alone verifier, to run anywhere."""
    return download(VERIFIER.read_bytes(), "verify_bids.py", "text/x-python")
