"""Forms of data requests."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate

from linkage.core.forms import FormSchema, one_of
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
