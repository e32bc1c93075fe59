"""The form of a call."""

from __future__ import annotations

from marshmallow import fields

from linkage.calls.models import ABOUT, CALLERS
from linkage.core.forms import FormSchema, at_most, one_of


class CallForm(FormSchema):
    """Who called about what; `call_back_day` and `call_back_time`: when somebody rings back."""

    caller = fields.String(load_default="self", validate=one_of(CALLERS))
    about = fields.String(load_default="other", validate=one_of(ABOUT))
    need = fields.UUID(load_default=None)
    note = fields.String(load_default="", validate=at_most(500))
    telephone = fields.String(load_default="", validate=at_most(30))
    call_back_day = fields.Date(load_default=None)
    call_back_time = fields.Time(load_default=None, format="%H:%M")
