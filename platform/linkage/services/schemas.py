"""The catalogue's forms."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import fields, post_load

from linkage.core.forms import FormSchema, at_most, between, one_of, shaped
from linkage.services.models import GROUPS, PROVIDER_KINDS, UNITS
from linkage.services.operations import ServiceDraft

CODE = shaped("[a-z][a-z0-9_]{1,29}", _l("Small Latin letters, figures and underscores, such as first_aid."))
MINUTES = between(5, 720)


class ServiceForm(FormSchema):
    group = fields.String(required=True, validate=one_of(GROUPS))
    name_zh = fields.String(required=True, validate=at_most(40))
    name_en = fields.String(required=True, validate=at_most(60))
    hint_zh = fields.String(load_default="", validate=at_most(200))
    hint_en = fields.String(load_default="", validate=at_most(200))
    icon = fields.String(load_default="heart", validate=shaped("[a-z0-9-]{2,40}", _l("This value is not possible.")))
    unit = fields.String(required=True, validate=one_of(UNITS))
    min_minutes = fields.Integer(required=True, validate=MINUTES)
    default_minutes = fields.Integer(required=True, validate=MINUTES)
    provider_kinds = fields.List(fields.String(validate=one_of(PROVIDER_KINDS)))
    mixes = fields.List(fields.String(validate=shaped(r"[a-z_]+\+[a-z_]+", _l("This value is not possible."))))
    qualifications = fields.List(fields.String())
    volunteer_qualifications = fields.List(fields.String())
    risk = fields.String(load_default="low", validate=one_of(["low", "raised"]))
    two_people = fields.String(load_default="never", validate=one_of(["never", "severe", "always"]))
    charge_each_person = fields.Boolean()
    position_at_check_in = fields.Boolean()
    adults_only = fields.Boolean()
    position = fields.Integer(load_default=0, validate=between(0, 9999))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None)

    @post_load
    def _draft(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        code, version = data.pop("code", None), data.pop("row_version", None)
        mixes = [pair.split("+") for pair in data.pop("mixes", [])]
        return {"code": code, "row_version": version, "draft": ServiceDraft(**data, mixes=mixes)}


class NewServiceForm(ServiceForm):
    code = fields.String(required=True, validate=CODE)


class ChangedServiceForm(ServiceForm):
    row_version = fields.Integer(required=True)


class QualificationForm(FormSchema):
    code = fields.String(required=True, validate=CODE)
    name_zh = fields.String(required=True, validate=at_most(60))
    name_en = fields.String(required=True, validate=at_most(60))


class HeldForm(FormSchema):
    code = fields.String(required=True, validate=at_most(30))
    number = fields.String(load_default="", validate=at_most(60))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None)
