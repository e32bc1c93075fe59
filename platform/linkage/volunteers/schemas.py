"""The forms of volunteers; kilometres and hours as people say them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from linkage.areas.schemas import Position
from linkage.core.forms import FormSchema, at_most, between, one_of
from linkage.people.models import LANGUAGES, SEXES
from linkage.people.words import TRAVEL_WORDS
from linkage.volunteers.operations import OfferDraft, RecordDraft


class OfferFields(FormSchema):
    services = fields.List(fields.UUID())
    radius = fields.Float(required=True, validate=between(0, 50))
    weekly_hours = fields.Float(required=True, validate=between(0, 40))
    travel_mode = fields.String(required=True, validate=one_of(TRAVEL_WORDS))


class PersonFields(FormSchema):
    name = fields.String(required=True, validate=at_most(40))
    id_number = fields.String(load_default=None, validate=at_most(24))
    telephone = fields.String(load_default=None, validate=at_most(30))
    sex = fields.String(load_default=None, validate=one_of(SEXES))
    birth_date = fields.Date(load_default=None)
    languages = fields.List(fields.String(validate=one_of(LANGUAGES)))
    area_id = fields.Integer(required=True)
    home_address = fields.String(load_default="", validate=at_most(120))
    home_position = Position(load_default=None)
    insured_to = fields.Date(load_default=None)
    guardian_consent_on = fields.Date(load_default=None)


class OfferForm(OfferFields):
    row_version = fields.Integer(required=True)

    @post_load
    def _draft(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"row_version": data.pop("row_version"), "offer": _offer(data)}


class ChangeForm(PersonFields):
    row_version = fields.Integer(required=True)
    person_version = fields.Integer(required=True)

    @post_load
    def _drafts(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "record": _record(data)}


class RegisterForm(PersonFields, OfferFields):
    @post_load
    def _drafts(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "record": _record(data), "offer": _offer(data)}


class PauseForm(FormSchema):
    paused_from = fields.Date(required=True)
    paused_to = fields.Date(load_default=None)


def _record(data: dict[str, Any]) -> RecordDraft:
    names = ("area_id", "insured_to", "guardian_consent_on", "home_address", "home_position")
    return RecordDraft(**{name: data[name] for name in names})


def _offer(data: dict[str, Any]) -> OfferDraft:
    return OfferDraft(
        services=tuple(data["services"]),
        radius_metres=round(data["radius"] * 1000),
        weekly_minutes=round(data["weekly_hours"] * 60),
        travel_mode=data["travel_mode"],
    )
