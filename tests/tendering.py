"""Tenders for tests: 思明区 (2) buys three lots of help for 嘉莲街道 (3), step by step."""

from datetime import date

import world as street
from sqlalchemy import select

from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.procurement import operations, publication
from linkage.procurement.models import OpeningOfficer, Tender
from linkage.procurement.operations import CriterionDraft, LotDraft, TenderDraft

key, NOW = street.key, street.NOW
DEADLINE = parse_moment("2026-12-16T09:00")
TERMS = TenderDraft(
    title="嘉莲街道居家养老服务",
    buyer_area_id=2,
    method="open",
    budget_fen=30_000_000,
    deadline_at=DEADLINE,
    contract_starts_on=date(2027, 2, 1),
    contract_ends_on=date(2028, 1, 31),
    least_quality=0,
)
LOTS = (
    LotDraft(key("service/bath"), 3, 60_000, 10_000_000, "助浴包"),
    LotDraft(key("service/clean"), 3, 60_000, 10_000_000, "助洁包"),
    LotDraft(key("service/meal"), 3, 3_600, 10_000_000, "助餐包"),
)
CRITERIA = (
    CriterionDraft("price", "价格", 2000),
    CriterionDraft("quality", "服务方案", 5000, "方案完整、可行"),
    CriterionDraft("quality", "人员与经验", 3000),
)


def draft(now=NOW, terms=TERMS, lots=LOTS, criteria=CRITERIA):
    """A draft that lacks nothing; the three officers have done their drill."""
    by = street.actor("supervisor", now)
    tender = operations.start_tender(terms, by=by, now=now)
    for lot in lots:
        operations.add_lot(tender, lot, by=by, now=now)
    operations.set_criteria(tender, criteria, by=by, now=now)
    officers(tender, now)
    return tender


def officers(tender, now=NOW):
    for position, name in enumerate(("supervisor", "coordinator", "admin"), 1):
        db.session.add(
            OpeningOfficer(
                tender_id=tender.id, person_id=key(name), position=position, recipient=f"age1{name}",
                fingerprint=f"{position}" * 64, key_made_at=now, drilled_at=now, created_at=now,
            )
        )  # fmt: skip
    db.session.flush()


def published(now=NOW, **parts):
    tender = draft(now, **parts)
    publication.publish(tender, by=street.actor("supervisor", now), now=now)
    return tender


def stored(tender_id):
    """The tender as another transaction finds it."""
    db.session.expire_all()
    return db.session.scalars(select(Tender).where(Tender.id == tender_id)).one()


def keep(make):
    """Run `make` in a transaction of its own; what it made, read anew."""
    return stored(unit_of_work(make).id)
