"""The forms of a tender: its terms, a lot, the criteria, and what happens until the deadline."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, post_load
from werkzeug.datastructures import MultiDict

from linkage.core.clock import at_minutes, local
from linkage.core.forms import Form, FormSchema, Money, at_most, between, one_of, shown_money
from linkage.households.models import TAGS
from linkage.organisations.words import RATINGS
from linkage.procurement.models import Lot, Tender
from linkage.procurement.models.tender import METHODS, RULES
from linkage.procurement.operations import CriterionDraft, LotDraft, TenderDraft
from linkage.procurement.words import points
from linkage.services.models import Service

MOST_CRITERIA_ROWS = 10
POINTS_TYPED = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?分?")


class Points(fields.Field[int]):
    """Points as people type them (20, 19.5, 19.93) → integer hundredths, exactly."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        found = POINTS_TYPED.fullmatch(unicodedata.normalize("NFKC", str(value)).strip())
        if found is None:
            raise ValidationError([_l("Write points with at most two decimals, such as 19.5.")])
        return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


class TenderForm(FormSchema):
    title = fields.String(required=True, validate=at_most(120))
    summary = fields.String(load_default="", validate=at_most(5000))
    buyer_area_id = fields.Integer(required=True)
    method = fields.String(required=True, validate=one_of(METHODS))
    rule = fields.String(required=True, validate=one_of(RULES))
    most_lots = fields.Integer(load_default=None, validate=between(1, 50))
    most_share = fields.Integer(load_default=None, validate=between(1, 100))
    least_suppliers = fields.Integer(load_default=0, validate=between(0, 50))
    budget = Money(required=True)
    least_quality = Points(load_default=0)
    least_rating = fields.String(load_default="", validate=one_of(("", *RATINGS)))
    bid_bond = Money(load_default=0)
    performance_bond = Money(load_default=0)
    standstill = fields.Boolean(load_default=False)
    contract_starts_on = fields.Date(required=True)
    contract_ends_on = fields.Date(required=True)
    deadline_day = fields.Date(required=True)
    deadline_time = fields.Time(required=True)
    row_version = fields.Integer(load_default=0)

    @post_load
    def _draft(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        share = data.pop("most_share")
        version = data.pop("row_version")
        draft = TenderDraft(
            budget_fen=data.pop("budget"),
            bid_bond_fen=data.pop("bid_bond"),
            performance_bond_fen=data.pop("performance_bond"),
            most_share_permille=None if share is None else 10 * share,
            deadline_at=moment(data.pop("deadline_day"), data.pop("deadline_time")),
            **data,
        )
        return {"draft": draft, "row_version": version}


def moment(day: Any, time: Any) -> datetime:
    """A day and a time of the house's clock."""
    return at_minutes(day, time.hour * 60 + time.minute)


def tender_initial(tender: Tender) -> dict[str, Any]:
    """First values of the terms' fields."""
    deadline = local(tender.deadline_at)
    same = (
        "title", "summary", "buyer_area_id", "method", "rule", "most_lots", "least_suppliers", "least_rating",
        "standstill", "contract_starts_on", "contract_ends_on", "row_version",
    )  # fmt: skip
    return {
        **{name: getattr(tender, name) for name in same},
        "most_share": None if tender.most_share_permille is None else tender.most_share_permille // 10,
        "budget": shown_money(tender.budget_fen),
        "bid_bond": shown_money(tender.bid_bond_fen) if tender.bid_bond_fen else "",
        "performance_bond": shown_money(tender.performance_bond_fen) if tender.performance_bond_fen else "",
        "least_quality": points(tender.least_quality) if tender.least_quality else "",
        "deadline_day": deadline.date(),
        "deadline_time": deadline.time().replace(second=0, microsecond=0),
    }


class LotForm(FormSchema):
    """Quantity and quota are typed in hours where the service is charged by the minute."""

    name = fields.String(load_default="", validate=at_most(80))
    service_id = fields.UUID(required=True)
    area_id = fields.Integer(required=True)
    quantity = fields.Decimal(required=True)
    ceiling = Money(required=True)
    quota = fields.Decimal(load_default=None)
    tags = fields.List(fields.String(validate=one_of(TAGS)))


def lot_draft(data: dict[str, Any], service: Service | None) -> LotDraft:
    """The lot that the form means."""
    factor = 60 if service is None or service.unit == "minutes" else 1
    quota = data["quota"]
    return LotDraft(
        service_id=data["service_id"],
        area_id=data["area_id"],
        quantity=round(data["quantity"] * factor),
        ceiling_fen=data["ceiling"],
        name=data["name"],
        eligible_tags=tuple(data.get("tags", ())),
        monthly_quota=None if quota is None else round(quota * factor),
    )


def lot_initial(lot: Lot) -> dict[str, Any]:
    factor = 60 if lot.service.unit == "minutes" else 1
    return {
        "name": lot.name,
        "service_id": lot.service_id,
        "area_id": lot.area_id,
        "quantity": f"{lot.quantity / factor:g}",
        "ceiling": shown_money(lot.ceiling_fen),
        "quota": "" if lot.monthly_quota is None else f"{lot.monthly_quota / factor:g}",
        "tags": lot.eligible_tags,
    }


class CriterionForm(FormSchema):
    name = fields.String(required=True, validate=at_most(80))
    weight = Points(required=True)
    standard = fields.String(load_default="", validate=at_most(2000))


def read_criteria(form: Form, sent: MultiDict[str, str], price_name: str) -> list[CriterionDraft]:
    """The price (``price``) and the filled rows (``c0-name``, ``c0-weight``, ``c0-standard`` …)."""
    drafts = []
    try:
        drafts.append(CriterionDraft("price", price_name, Points().deserialize(sent.get("price", "").strip())))
    except ValidationError as error:
        form.errors["price"] = list(error.messages)
    for row in range(MOST_CRITERIA_ROWS):
        own = {name: sent.get(f"c{row}-{name}", "") for name in ("name", "weight", "standard")}
        if not any(value.strip() for value in own.values()):
            continue
        part = Form(CriterionForm(), MultiDict(own))
        for name, sentences in part.errors.items():
            form.errors[f"c{row}-{name}"] = sentences
        if part.valid:
            drafts.append(CriterionDraft("quality", **part.data))
    return drafts


def criteria_initial(tender: Tender) -> dict[str, Any]:
    values: dict[str, Any] = {}
    quality = [row for row in tender.criteria if row.kind == "quality"]
    for number, row in enumerate(quality):
        values |= {f"c{number}-name": row.name, f"c{number}-weight": points(row.weight)}
        values[f"c{number}-standard"] = row.standard
    price = next((row.weight for row in tender.criteria if row.kind == "price"), None)
    return {**values, "price": points(price)}


class ClarifyForm(FormSchema):
    text = fields.String(required=True, validate=at_most(5000))
    touches_bids = fields.Boolean(load_default=False)
    deadline_day = fields.Date(load_default=None)


class TextForm(FormSchema):
    text = fields.String(required=True, validate=at_most(5000))


class SuspendForm(FormSchema):
    text = fields.String(required=True, validate=at_most(2000))
    until = fields.Date(required=True)
