"""Forms of data requests."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate

from linkage.core.forms import FormSchema, at_most, between, one_of
from linkage.upkeep.models import ERASURE_REASONS, FILE_REASONS


class FileSchema(FormSchema):
    """Why the file is made."""

    reason = fields.String(required=True, validate=one_of(FILE_REASONS))


class EraseSchema(FormSchema):
    """Why, and that it is meant: `sure` is the word of the page, typed."""

    reason = fields.String(required=True, validate=one_of(ERASURE_REASONS))
    sure = fields.Boolean(
        required=True, validate=validate.Equal(True, error=_l("Tick that it cannot be undone.")),
        error_messages={"required": _l("Tick that it cannot be undone.")},
    )  # fmt: skip


class NoticeSchema(FormSchema):
    """A holiday notice: its year, its number and date, and the pasted text (or a file beside it)."""

    year = fields.Integer(required=True, validate=between(2000, 2100))
    source = fields.String(validate=at_most(200))
    text = fields.String(validate=at_most(20_000))


class TableSchema(FormSchema):
    """What was checked, to be stored."""

    year = fields.Integer(required=True, validate=between(2000, 2100))
    source = fields.String(required=True, validate=at_most(200))
    spans = fields.String(required=True, validate=at_most(40_000))
