"""Open Contracting Data Standard 1.1: a release with each transition, and the record compiled from them.

Every release tells the whole of what is public at that moment, so that the compiled release is the last one. Lots are
written as the lots extension has them. Nothing personal is in it: organisations and areas only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from linkage.core.clock import at_minutes, local
from linkage.core.extensions import db
from linkage.procurement.models import Lot, Release, Tender
from linkage.procurement.publication import on_transition, tender_rule
from linkage.procurement.states import state_beneath

VERSION = "1.1"
TAGS = {"published": ["tender"], "cancelled": ["tenderCancellation"]}
METHODS = {"open": "open", "consultation": "selective", "framework": "open"}  # codelist "method"
METHOD_DETAILS = {"open": "公开招标", "consultation": "竞争性磋商", "framework": "框架协议"}
UNITS = {"minutes": "minute", "visits": "visit", "meals": "meal"}
ZH = "zh"


def amount(fen: int) -> dict[str, Any]:
    """Fen as the standard has money: yuan, exact to the fen."""
    return {"amount": fen // 100 if fen % 100 == 0 else fen / 100, "currency": "CNY"}


def stamp(moment: datetime) -> str:
    """A moment of the house's clock, to the second, with its zone: 2026-12-16T09:00:00+08:00."""
    return local(moment).isoformat(timespec="seconds")


def _begins(day: date) -> str:
    return stamp(at_minutes(day, 0))


def _ends(day: date) -> str:
    return stamp(at_minutes(day, 24 * 60 - 1))


def ocid_of(tender: Tender, now: datetime) -> str:
    """The id of the whole contracting process: the publisher's prefix and the tender's number."""
    return f"{tender_rule(tender, 'ocid_prefix', now)}-{tender.number}"


@on_transition
def publish_release(tender: Tender, what: str, now: datetime) -> None:
    """Write the release of a transition (published, answered, clarified, suspended, resumed, cancelled …)."""
    number = 1 + (db.session.scalar(select(func.max(Release.number)).where(Release.tender_id == tender.id)) or 0)
    tags = TAGS.get(what, ["tenderUpdate"])
    body = release_body(tender, number, tags, now)
    db.session.add(Release(tender_id=tender.id, number=number, tags=tags, body=body, created_at=now))
    db.session.flush()


def release_body(tender: Tender, number: int, tags: Sequence[str], now: datetime) -> dict[str, Any]:
    """What is public of the tender at `now`, as a release."""
    ocid = ocid_of(tender, now)
    buyer = {"id": f"area-{tender.buyer.code}", "name": tender.buyer.name}
    return {
        "ocid": ocid,
        "id": f"{ocid}-{number:03d}",
        "date": stamp(now),
        "tag": list(tags),
        "initiationType": "tender",
        "language": ZH,
        "parties": [{**buyer, "roles": ["buyer", "procuringEntity"]}],
        "buyer": buyer,
        "tender": _tender(tender, buyer, now),
    }


def _tender(tender: Tender, buyer: dict[str, Any], now: datetime) -> dict[str, Any]:
    answered = [row for row in tender.questions if row.answered_at is not None]
    asked = bool(tender.questions)
    published = tender.published_at or now
    body = {
        "id": tender.number,
        "title": tender.title,
        "description": tender.summary,
        "status": "cancelled" if state_beneath(tender, now) == "cancelled" else "active",
        "procuringEntity": buyer,
        "items": [_item(lot) for lot in tender.lots],
        "lots": [_lot(lot) for lot in tender.lots],
        "value": amount(tender.budget_fen),
        "procurementMethod": METHODS[tender.method],
        "procurementMethodDetails": METHOD_DETAILS[tender.method],
        "mainProcurementCategory": "services",
        "awardCriteria": "ratedCriteria",
        "awardCriteriaDetails": _criteria(tender),
        "tenderPeriod": {"startDate": stamp(published), "endDate": stamp(tender.deadline_at)},
        "enquiryPeriod": {"startDate": stamp(published), "endDate": stamp(tender.deadline_at)},
        "hasEnquiries": asked,
        "contractPeriod": {
            "startDate": _begins(tender.contract_starts_on),
            "endDate": _ends(tender.contract_ends_on),
        },
        "documents": _documents(tender, published),
        "amendments": [
            {"id": str(row.number), "date": stamp(row.created_at), "description": row.text}
            for row in tender.clarifications
        ],
        "enquiries": [
            {
                "id": str(place),
                "description": row.text,
                "answer": row.answer,
                "dateAnswered": _answered(row.answered_at),
            }
            for place, row in enumerate(answered, 1)
        ],
    }
    if tender.ending_reason:
        body["statusDetails"] = tender.ending_reason
    return {name: value for name, value in body.items() if value not in ("", [])}


def _answered(moment: datetime | None) -> str:
    return stamp(moment) if moment else ""


def _lot(lot: Lot) -> dict[str, Any]:
    return {"id": str(lot.position), "title": lot.name, "status": _status(lot), "value": amount(lot.ceiling_fen)}


def _status(lot: Lot) -> str:
    if lot.cancelled_at is not None:
        return "cancelled"
    return "unsuccessful" if lot.failed_at is not None else "active"


def _item(lot: Lot) -> dict[str, Any]:
    return {
        "id": str(lot.position),
        "description": f"{lot.area.name} {lot.service.name_zh}",
        "quantity": lot.quantity,
        "unit": {"name": UNITS[lot.service.unit]},
        "relatedLot": str(lot.position),
    }


def _criteria(tender: Tender) -> str:
    """价格 20.00; 服务方案 50.00; …"""
    return "; ".join(f"{row.name} {row.weight // 100}.{row.weight % 100:02d}" for row in tender.criteria)


def _documents(tender: Tender, published: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": row.sha256,
            "documentType": "biddingDocuments",
            "title": row.name,
            "format": row.media_type,
            "datePublished": stamp(published),
        }
        for row in tender.documents
    ]


def releases_of(tender: Tender) -> list[Release]:
    wanted = select(Release).where(Release.tender_id == tender.id).order_by(Release.number)
    return list(db.session.scalars(wanted))


def _package(tender: Tender, uri: str, at: datetime) -> dict[str, Any]:
    return {"uri": uri, "version": VERSION, "publishedDate": stamp(at), "publisher": {"name": tender.buyer.name}}


def release_package(tender: Tender, uri: str) -> dict[str, Any]:
    """Every release of the tender, as published; `uri`: where the package is served."""
    found = releases_of(tender)
    return {**_package(tender, uri, found[-1].created_at), "releases": [row.body for row in found]}


def record_package(tender: Tender, uri: str) -> dict[str, Any]:
    """The record: all releases, and what they come to."""
    found = releases_of(tender)
    last = found[-1].body
    compiled = {**last, "id": f"{last['ocid']}-{last['date']}", "tag": ["compiled"]}
    record = {"ocid": last["ocid"], "releases": [row.body for row in found], "compiledRelease": compiled}
    return {**_package(tender, uri, found[-1].created_at), "records": [record]}


def as_json(package: dict[str, Any]) -> str:
    return json.dumps(package, ensure_ascii=False, indent=1)
