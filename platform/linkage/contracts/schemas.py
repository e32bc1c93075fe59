"""The forms of contracts: the head, and lines, whose fields carry a prefix (``l0-cap``) where there are several."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import fields, post_load
from werkzeug.datastructures import MultiDict

from linkage.contracts.operations import ContractDraft, LineDraft
from linkage.core.errors import InvalidInput
from linkage.core.forms import Form, FormSchema, Money, at_most, between, one_of, shown_money
from linkage.households.models import TAGS
from linkage.services.models import UNITS

MOST_LINES = 8
LINE_FIELDS = ("services", "areas", "cap", "price", "name")


class ContractForm(FormSchema):
    organisation_id = fields.UUID(required=True)
    number = fields.String(required=True, validate=at_most(40))
    title = fields.String(required=True, validate=at_most(120))
    buyer_area_id = fields.Integer(required=True)
    signed_on = fields.Date(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    value = Money(required=True)

    @post_load
    def _draft(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"draft": ContractDraft(value_fen=data.pop("value"), **data)}


class ContractChangeForm(FormSchema):
    title = fields.String(required=True, validate=at_most(120))
    signed_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    value_fen = Money(required=True, data_key="value")
    row_version = fields.Integer(required=True)


class LineForm(FormSchema):
    """Cap and quota are typed in hours where the unit is minutes; dates left empty are the contract's."""

    name = fields.String(load_default="", validate=at_most(80))
    services = fields.List(fields.UUID())
    areas = fields.List(fields.Integer())
    tags = fields.List(fields.String(validate=one_of(TAGS)))
    unit = fields.String(load_default="minutes", validate=one_of(UNITS))
    price = Money(required=True)
    cap = fields.Decimal(required=True)
    quota = fields.Decimal(load_default=None)
    rank = fields.Integer(load_default=0, validate=between(0, 99))
    starts_on = fields.Date(load_default=None)
    ends_on = fields.Date(load_default=None)
    row_version = fields.Integer(load_default=0)


def line_draft(data: dict[str, Any], contract: Any) -> LineDraft:
    """The line that the form means; `contract` (draft or row) gives the dates that were left empty."""
    factor = 60 if data["unit"] == "minutes" else 1
    quota = data["quota"]
    return LineDraft(
        services=tuple(data["services"]),
        areas=tuple(data["areas"]),
        unit=data["unit"],
        price_fen=data["price"],
        monthly_cap=round(data["cap"] * factor),
        monthly_quota=None if quota is None else round(quota * factor),
        starts_on=data["starts_on"] or contract.starts_on,
        ends_on=data["ends_on"] or contract.ends_on,
        name=data["name"],
        eligible_tags=tuple(data["tags"]),
        rank=data["rank"],
    )


def prefix(place: int) -> str:
    return f"l{place}-"


def filled_lines(sent: MultiDict[str, str]) -> list[int]:
    """The places of the lines in which something was typed or chosen."""
    return [
        place
        for place in range(MOST_LINES)
        if any(value.strip() for name in LINE_FIELDS for value in sent.getlist(prefix(place) + name))
    ]


def read_lines(form: Form, sent: MultiDict[str, str], contract: ContractDraft | None) -> list[tuple[int, LineDraft]]:
    """The lines with their places; what is wrong in one goes onto `form` under its prefixed fields."""
    lines = []
    for place in filled_lines(sent):
        own = prefix(place)
        part = Form(
            LineForm(),
            MultiDict((key.removeprefix(own), value) for key, value in sent.items(multi=True) if key.startswith(own)),
        )
        for field, sentences in part.errors.items():
            form.errors.setdefault(own + field, []).extend(sentences)
        if part.valid and contract is not None:
            lines.append((place, line_draft(part.data, contract)))
    return lines


def add_line_fault(form: Form, error: InvalidInput, place: int) -> None:
    """Take the faults of one line onto the form, at its prefixed fields."""
    for field, sentences in (error.errors or {error.field or "services": [error.message]}).items():
        form.errors.setdefault(prefix(place) + field, []).extend(sentences)


def line_initial(line: Any, own: str = "") -> dict[str, Any]:
    """First values of a line's fields: hours where the unit is minutes."""
    factor = 60 if line.unit == "minutes" else 1
    values = {
        "name": line.name,
        "services": [row.service_id for row in line.services],
        "areas": [row.area_id for row in line.areas],
        "tags": line.eligible_tags,
        "unit": line.unit,
        "price": shown_money(line.price_fen),
        "cap": f"{line.monthly_cap / factor:g}",
        "quota": "" if line.monthly_quota is None else f"{line.monthly_quota / factor:g}",
        "rank": line.rank,
        "starts_on": line.starts_on,
        "ends_on": line.ends_on,
        "row_version": line.row_version,
    }
    return {own + name: value for name, value in values.items()}


NO_LINE = _l("A contract has at least one line.")
