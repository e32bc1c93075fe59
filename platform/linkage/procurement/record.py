"""The record of an opening as a file that `verify_bids` examines (开标记录), and the attachments of an opened bid."""

from __future__ import annotations

import base64
import io
import json
import uuid
import zipfile
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from linkage.core.extensions import db
from linkage.procurement import sealed_queries
from linkage.procurement.models import Bid, BidContent, Closing, Tender
from linkage.procurement.sealing.payload import Attachment, read_payload

STORED = zipfile.ZIP_STORED  # ciphertext does not shrink


def record_of(tender: Tender, closing: Closing, *, own: Collection[uuid.UUID] | None = None) -> bytes:
    """The record as a zip.  `own`: only the bids of these organisations whole, the others by their commitment."""
    counted = {bid.id for bid in sealed_queries.counted_bids(tender.id)}
    contents = sealed_queries.contents_of(tender.id)
    wanted = select(Bid).where(Bid.tender_id == tender.id).order_by(Bid.place).options(undefer(Bid.manifest))
    opened: dict[str, Any] = {}
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", STORED) as archive:
        archive.writestr("closing.json", json.dumps(closing.paper, ensure_ascii=False))
        for bid in db.session.scalars(wanted):
            archive.writestr(f"{_folder(bid)}/manifest.json", bid.manifest)
            if bid.id not in counted:
                continue
            is_whole = own is None or bid.organisation_id in own
            opened[str(bid.place)] = _stated(bid, contents.get(bid.id)) if is_whole else {"state": "withheld"}
            if is_whole:
                _write_sealed(archive, bid)
        archive.writestr("opened.json", json.dumps(opened))
        archive.writestr("releases.json", json.dumps(_releases(tender, own)))
    return memory.getvalue()


def _folder(bid: Bid) -> str:
    return f"bids/{bid.place:04d}"


def _write_sealed(archive: zipfile.ZipFile, bid: Bid) -> None:
    archive.writestr(f"{_folder(bid)}/ciphertext", bid.envelope)
    for seat, part in enumerate(bid.parts, 1):
        archive.writestr(f"{_folder(bid)}/part-{seat}.age", base64.b64decode(part))


def _stated(bid: Bid, content: BidContent | None) -> dict[str, Any]:
    if bid.void_reason == "parts":
        return {"state": "not_opened"}
    state = "opened" if bid.void_at is None else "void"
    return {"state": state, "payload_sha256": content.sha256 if content else None}


def _releases(tender: Tender, own: Collection[uuid.UUID] | None) -> list[dict[str, Any]]:
    seats: dict[int, dict[str, Any]] = {}
    for release in sealed_queries.releases_of(tender.id):
        bids = seats.setdefault(release.officer.position, {})
        if own is None or release.bid.organisation_id in own:
            given = {"pieces": release.pieces} if release.pieces else {"fault": release.fault}
            bids[str(release.bid.place)] = given
    return [{"seat": seat, "bids": bids} for seat, bids in sorted(seats.items())]


def attachments_of(bid: Bid) -> tuple[Attachment, ...]:
    """The files of an opened bid, as they were sealed; none of a void one."""
    content = db.session.scalars(
        select(BidContent).where(BidContent.bid_id == bid.id).options(undefer(BidContent.payload))
    ).one_or_none()
    if content is None or bid.opened_at is None:
        return ()
    return read_payload(
        content.payload,
        tender=str(bid.tender_id),
        organisation=str(bid.organisation_id),
        version=bid.version,
        lots={str(lot.id) for lot in bid.tender.lots},
    ).attachments
