"""Drafting a tender: its terms, lots, criteria and documents. All of it can change until the publication."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import update

from linkage.areas.models import Area
from linkage.areas.queries import is_under
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.core.sequences import next_number
from linkage.households.models import TAGS
from linkage.procurement import queries
from linkage.procurement.models import Criterion, Lot, PurchasePlan, PurchasePlanLine, Tender, TenderDocument
from linkage.procurement.models.tender import CRITERION_KINDS, METHODS, POINTS, RULES
from linkage.procurement.states import state_of
from linkage.services.models import Service

MOST_LOTS, MOST_CRITERIA, MOST_DOCUMENTS = 50, 20, 20
MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class TenderDraft:
    """The terms of a tender: money in fen, `least_quality` in hundredths of a point, shares in permille."""

    title: str
    buyer_area_id: int
    method: str
    budget_fen: int
    deadline_at: datetime
    contract_starts_on: date
    contract_ends_on: date
    summary: str = ""
    rule: str = "by_rank"
    most_lots: int | None = None
    most_share_permille: int | None = None
    least_suppliers: int = 0
    least_quality: int = 0
    least_rating: str = ""
    bid_bond_fen: int = 0
    performance_bond_fen: int = 0
    standstill: bool = True


@dataclass(frozen=True)
class LotDraft:
    """A lot: quantity in the service's unit for the whole contract, ceiling in fen for all of it."""

    service_id: uuid.UUID
    area_id: int
    quantity: int
    ceiling_fen: int
    name: str = ""
    eligible_tags: tuple[str, ...] = ()
    monthly_quota: int | None = None


@dataclass(frozen=True)
class CriterionDraft:
    """`weight` in hundredths of a point; `kind`: price or quality."""

    kind: str
    name: str
    weight: int
    standard: str = ""


def start_tender(draft: TenderDraft, *, by: Actor, now: datetime, plan: PurchasePlan | None = None) -> Tender:
    """Begin a tender.  State: → draft.  Raises InvalidInput, NotAllowed where the buyer lies elsewhere."""
    _check(draft)
    area = db.session.get(Area, draft.buyer_area_id)
    if area is None or not may(by, "procurement.prepare", area):
        raise NotAllowed("", remedy="procurement.prepare")
    year = local_date(now).year
    number = f"ZC-{year}-{next_number(f'tenders {year}'):04d}"
    tender = Tender(
        **vars(draft), number=number, plan_id=plan.id if plan else None, created_at=now, created_by=by.user_id
    )
    db.session.add(tender)
    db.session.flush()
    audit.record("procurement.start", tender, by=by.user_id, now=now, plan_id=tender.plan_id)
    return tender


def change_tender(tender: Tender, draft: TenderDraft, *, row_version: int, by: Actor, now: datetime) -> None:
    """Change the terms of a draft.  Raises StaleVersion, Conflict once it is published, InvalidInput."""
    must_be_draft(tender, now)
    if tender.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this tender in the meantime."))
    _check(draft)
    area = db.session.get(Area, draft.buyer_area_id)
    if area is None or not may(by, "procurement.prepare", area):
        raise InvalidInput(_l("Choose one of the offered areas."), field="buyer_area_id")
    changed = [name for name, value in vars(draft).items() if getattr(tender, name) != value]
    for name in changed:
        setattr(tender, name, getattr(draft, name))
    if changed:
        _touch(tender, "procurement.change", by, now, fields=changed)


def _check(draft: TenderDraft) -> None:
    faults: dict[str, list[Any]] = {}
    if draft.method not in METHODS:
        faults["method"] = [_l("This value is not possible.")]
    if draft.rule not in RULES:
        faults["rule"] = [_l("This value is not possible.")]
    if draft.rule == "by_rank_limited" and draft.most_lots is None:
        faults["most_lots"] = [_l("This rule needs the number of lots that one organisation may win.")]
    if draft.most_lots is not None and draft.most_lots < 1:
        faults["most_lots"] = [_l("At least 1.")]
    if draft.budget_fen <= 0:
        faults["budget"] = [_l("The budget must be above 0.")]
    if draft.contract_ends_on < draft.contract_starts_on:
        faults["contract_ends_on"] = [_l("The last day lies before the first.")]
    if draft.contract_starts_on <= local_date(draft.deadline_at):
        faults["contract_starts_on"] = [_l("The contract begins after the deadline for bids.")]
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)


def must_be_draft(tender: Tender, now: datetime) -> None:
    """Raise Conflict unless everything may still change. The row is locked, so that a publication comes after."""
    queries.lock(tender)
    if state_of(tender, now) != "draft":
        raise Conflict(
            _l("This tender is published: its terms, lots and criteria are fixed."),
            remedy=_l("What must change is published as a clarification."),
        )


def _touch(tender: Tender, action: str, by: Actor, now: datetime, **detail: Any) -> None:
    """Count the edit, and say who did it."""
    db.session.execute(update(Tender).where(Tender.id == tender.id).values(row_version=Tender.row_version + 1))
    db.session.refresh(tender, ["row_version"])
    audit.record(action, tender, by=by.user_id, now=now, **detail)


def add_lot(tender: Tender, draft: LotDraft, *, by: Actor, now: datetime) -> Lot:
    """One more lot of a draft.  Raises InvalidInput, Conflict."""
    must_be_draft(tender, now)
    if len(tender.lots) >= MOST_LOTS:
        raise InvalidInput(_l("A tender has at most %(most)s lots.", most=MOST_LOTS))
    service = _check_lot(tender, draft, by)
    position = max((lot.position for lot in tender.lots), default=0) + 1
    lot = Lot(position=position, created_at=now, **_lot_values(draft, service))
    tender.lots.append(lot)
    db.session.flush()
    _touch(tender, "procurement.add_lot", by, now, lot_id=lot.id)
    return lot


def change_lot(lot: Lot, draft: LotDraft, *, by: Actor, now: datetime) -> None:
    """Change a lot of a draft.  Raises InvalidInput, Conflict."""
    must_be_draft(lot.tender, now)
    service = _check_lot(lot.tender, draft, by)
    for name, value in _lot_values(draft, service).items():
        setattr(lot, name, value)
    _touch(lot.tender, "procurement.change_lot", by, now, lot_id=lot.id)


def remove_lot(lot: Lot, *, by: Actor, now: datetime) -> None:
    """Take a lot out of a draft.  Raises Conflict."""
    tender = lot.tender
    must_be_draft(tender, now)
    tender.lots.remove(lot)
    db.session.delete(lot)
    _touch(tender, "procurement.remove_lot", by, now, lot_id=lot.id)


def _lot_values(draft: LotDraft, service: Service) -> dict[str, Any]:
    area = db.session.get(Area, draft.area_id)
    named = draft.name or f"{area.name if area else ''}{service.name_zh}"
    return {**vars(draft), "name": named[:80], "eligible_tags": list(draft.eligible_tags)}


def _check_lot(tender: Tender, draft: LotDraft, by: Actor) -> Service:
    faults: dict[str, list[Any]] = {}
    service, area = db.session.get(Service, draft.service_id), db.session.get(Area, draft.area_id)
    if service is None:
        faults["service_id"] = [_l("Choose a service.")]
    if area is None or not is_under(area, tender.buyer.path):
        faults["area_id"] = [_l("The lot lies in the area of the buyer.")]
    if draft.quantity <= 0:
        faults["quantity"] = [_l("The quantity must be above 0.")]
    if draft.ceiling_fen <= 0:
        faults["ceiling"] = [_l("The ceiling price must be above 0.")]
    if draft.monthly_quota is not None and draft.monthly_quota <= 0:
        faults["quota"] = [_l("At least 1.")]
    if not set(draft.eligible_tags) <= set(TAGS):
        faults["tags"] = [_l("This tag is not known.")]
    if faults or service is None:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)
    return service


def set_criteria(tender: Tender, drafts: Sequence[CriterionDraft], *, by: Actor, now: datetime) -> None:
    """Set all criteria of a draft at once.  Raises InvalidInput: one price, names, weights that make 100 points."""
    must_be_draft(tender, now)
    if sum(draft.weight for draft in drafts) != POINTS:
        raise InvalidInput(_l("All weights together must make exactly 100 points."), field="weights")
    if [draft.kind for draft in drafts].count("price") != 1:
        raise InvalidInput(_l("Exactly one criterion is the price."), field="weights")
    if len(drafts) > MOST_CRITERIA or any(
        draft.weight <= 0 or not draft.name.strip() or draft.kind not in CRITERION_KINDS for draft in drafts
    ):
        raise InvalidInput(_l("Each criterion has a name and a weight above 0."), field="weights")
    for row in list(tender.criteria):
        tender.criteria.remove(row)
        db.session.delete(row)
    db.session.flush()
    tender.criteria.extend(Criterion(position=place, **vars(draft)) for place, draft in enumerate(drafts, 1))
    db.session.flush()
    _touch(tender, "procurement.criteria", by, now, criteria=len(drafts))


def add_document(
    tender: Tender, name: str, media_type: str, content: bytes, *, by: Actor, now: datetime
) -> TenderDocument:
    """Put a file to a draft; everybody may read it after the publication.  Raises InvalidInput, Conflict."""
    must_be_draft(tender, now)
    if not content or not name.strip():
        raise InvalidInput(_l("Choose a file."), field="file")
    if len(content) > MOST_BYTES or len(tender.documents) >= MOST_DOCUMENTS:
        raise InvalidInput(_l("At most 20 files, each of at most 10 MB."), field="file")
    document = TenderDocument(
        name=name.strip()[-120:],
        media_type=media_type[:80],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        created_at=now,
    )
    tender.documents.append(document)
    db.session.flush()
    _touch(tender, "procurement.add_document", by, now, document_id=document.id)
    return document


def remove_document(tender: Tender, document: TenderDocument, *, by: Actor, now: datetime) -> None:
    """Take a file off a draft.  Raises Conflict."""
    must_be_draft(tender, now)
    tender.documents.remove(document)
    db.session.delete(document)
    _touch(tender, "procurement.remove_document", by, now, document_id=document.id)


def withdraw(tender: Tender, *, by: Actor, now: datetime) -> None:
    """Give a draft up.  State: draft → withdrawn.  Raises Conflict."""
    must_be_draft(tender, now)
    tender.withdrawn_at = now
    _touch(tender, "procurement.withdraw", by, now)


@dataclass(frozen=True)
class Shortage:
    """What a service lacks in an area: needs and visits not served, and the quantity a year they would take."""

    service_id: uuid.UUID
    area_id: int
    needs: int
    visits: int
    yearly_quantity: int
    months: dict[str, int]


def enter_plan(
    title: str, buyer: Area, span: tuple[str, str], rows: Sequence[Shortage], *, by: Actor, now: datetime
) -> PurchasePlan:
    """Store a purchasing plan as the desk counted it.  Raises NotAllowed where the buyer lies elsewhere."""
    if not may(by, "procurement.prepare", buyer):
        raise NotAllowed("", remedy="procurement.prepare")
    plan = PurchasePlan(
        title=title[:120], buyer_area_id=buyer.id, first_month=span[0], last_month=span[1], created_at=now
    )
    plan.lines = [PurchasePlanLine(position=place, **vars(row)) for place, row in enumerate(rows, 1)]
    db.session.add(plan)
    db.session.flush()
    audit.record("procurement.plan", plan, by=by.user_id, now=now, lines=len(rows))
    return plan
