"""What the planning pages send."""

from __future__ import annotations

from marshmallow import fields, validate

from linkage.core.forms import FormSchema


class SolveSchema(FormSchema):
    """Which week to plan (any day of it)."""

    day = fields.Date()
    seconds = fields.Integer(validate=validate.Range(min=5, max=600))
