"""Sealed facts open on request, with a reason, for ten minutes: what every page with such a field shares.

The page shows `ui.masked(mask, label, url, REVEAL_WORDS.items()|list, field)`; its POST calls `open_asked`,
renders the page again with the value in place, and sends it through `passing`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Response, make_response, request
from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput, NotFound
from linkage.core.web import request_now, require_actor
from linkage.people.operations import open_field
from linkage.people.words import REVEAL_WORDS

SHOWN_SECONDS = 600


def open_asked(subject: Any, allowed: Collection[str]) -> dict[str, Any]:
    """The field that the form asks for and its value, noted with its purpose.

    Raises NotFound for a field that is not `allowed`, InvalidInput without a reason from the list.
    """
    field, purpose = request.form.get("field", ""), request.form.get("purpose", "")
    if field not in allowed:
        raise NotFound("")
    if purpose not in REVEAL_WORDS:
        raise InvalidInput(_l("Choose a reason."), field="purpose")
    return {field: open_field(subject, field, purpose=purpose, by=require_actor(), now=request_now())}


def passing(page: str, back: str) -> Response:
    """A page with an open field: kept by no cache, and closed again (by going to `back`) after ten minutes."""
    answer = make_response(page)
    answer.headers["Refresh"] = f"{SHOWN_SECONDS}; url={back}"
    answer.headers["Cache-Control"] = "no-store"
    return answer
