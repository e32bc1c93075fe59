"""The forms of organisations and carers."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from linkage.areas.schemas import Position
from linkage.core.forms import FormSchema, at_most, between, one_of
from linkage.organisations.operations import EmploymentDraft, OrganisationDraft
from linkage.organisations.words import CARER_KIND_WORDS, RATINGS
from linkage.people.models import LANGUAGES, SEXES
from linkage.people.operations import ABSENCE_REASONS
from linkage.people.words import TRAVEL_WORDS


class OrganisationForm(FormSchema):
    name = fields.String(required=True, validate=at_most(120))
    short_name = fields.String(required=True, validate=at_most(40))
    uscc = fields.String(required=True, validate=at_most(24))
    area_id = fields.Integer(required=True)
    rating = fields.String(load_default="", validate=one_of(("", *RATINGS)))
    rating_valid_to = fields.Date(load_default=None)
    telephone = fields.String(load_default="", validate=at_most(30))
    address = fields.String(load_default="", validate=at_most(200))
    position = Position(load_default=None)
    row_version = fields.Integer(load_default=0)

    @post_load
    def _draft(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        version = data.pop("row_version")
        lat, lon = data.pop("position") or (None, None)
        return {"row_version": version, "draft": OrganisationDraft(**data, lat=lat, lon=lon)}


class CarerForm(FormSchema):
    """The person and the terms of employment on one form; hours a week, which become minutes."""

    name = fields.String(required=True, validate=at_most(40))
    id_number = fields.String(load_default=None, validate=at_most(24))
    telephone = fields.String(load_default=None, validate=at_most(30))
    sex = fields.String(load_default=None, validate=one_of(SEXES))
    birth_date = fields.Date(load_default=None)
    languages = fields.List(fields.String(validate=one_of(LANGUAGES)))
    kind = fields.String(required=True, validate=one_of(CARER_KIND_WORDS))
    weekly_hours = fields.Float(required=True, validate=between(1, 60))
    travel_mode = fields.String(required=True, validate=one_of(TRAVEL_WORDS))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None)
    row_version = fields.Integer(load_default=0)
    person_version = fields.Integer(load_default=0)

    @post_load
    def _terms(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        terms = EmploymentDraft(
            kind=data.pop("kind"),
            weekly_minutes=round(data.pop("weekly_hours") * 60),
            travel_mode=data.pop("travel_mode"),
            valid_from=data.pop("valid_from"),
            valid_to=data.pop("valid_to"),
        )
        return {**data, "terms": terms}


class AbsenceForm(FormSchema):
    """Whole days, or the same hours of each day."""

    first = fields.Date(required=True)
    last = fields.Date(load_default=None)
    start = fields.Time(load_default=None)
    end = fields.Time(load_default=None)
    reason = fields.String(required=True, validate=one_of(ABSENCE_REASONS))
