"""The forms of the importer's pages: cells to correct, columns to name, ticks."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from marshmallow import fields

from linkage.core.forms import FormSchema
from linkage.imports.operations import Edit

LONGEST_CELL = 2000


class UploadSchema(FormSchema):
    kind = fields.String(load_default="roster")
    area_id = fields.Integer(required=True, error_messages={"required": _l("Choose where the file is of.")})


def edit_key(text: str) -> Edit | None:
    """``<group>.<place>.<letter>`` → the cell; None for anything else."""
    parts = text.split(".", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        return None
    try:
        return uuid.UUID(parts[0]), int(parts[1]), parts[2][:40]
    except ValueError:
        return None


def sent_cells(form: Iterable[tuple[str, str]]) -> dict[Edit, str]:
    """Every cell input of a form."""
    found = {}
    for name, value in form:
        key = edit_key(name[2:]) if name.startswith("c.") else None
        if key is not None:
            found[key] = value[:LONGEST_CELL]
    return found


def sent_fix(value: str) -> tuple[Edit, str] | None:
    """``<group>.<place>.<letter>=<text>`` of a fix button."""
    key_text, _equals, text = value.partition("=")
    key = edit_key(key_text)
    return None if key is None or not text else (key, text[:LONGEST_CELL])


def sent_columns(form: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """``column.<letter>.<sheet>`` → field."""
    found = {}
    for name, value in form:
        parts = name.split(".", 2)
        if len(parts) == 3 and parts[0] == "column":
            found[parts[2], parts[1]] = value
    return found


def sent_ticks(form: Iterable[tuple[str, str]]) -> dict[uuid.UUID, set[str]]:
    """``t.<group>`` → the ticked changes."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    for name, value in form:
        if name.startswith("t."):
            try:
                found[uuid.UUID(name[2:])].add(value[:200])
            except ValueError:
                continue
    return dict(found)
