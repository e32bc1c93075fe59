"""The forms of visits."""

from __future__ import annotations

from marshmallow import fields

from linkage.core.forms import FormSchema, at_most, one_of
from linkage.visits.attendance import CORRECTIONS

PARTS_OF_DAY = {"any": (8, 18), "morning": (8, 12), "noon": (11, 14), "afternoon": (14, 18)}


class CorrectionForm(FormSchema):
    """Both times (local, of the visit's day) or neither: nobody came."""

    start = fields.Time(load_default=None, data_key="from", format="%H:%M")
    end = fields.Time(load_default=None, data_key="to", format="%H:%M")
    reason = fields.String(required=True, validate=one_of(CORRECTIONS))


class AskForm(FormSchema):
    """What a household asks for on its own page: one thing, one day, a part of it."""

    service = fields.String(required=True, validate=at_most(30))
    day = fields.Date(required=True)
    part = fields.String(load_default="any", validate=one_of(list(PARTS_OF_DAY)))
    note = fields.String(load_default="", validate=at_most(300))
