"""A form that was sent and did not arrive is not lost: what the server does for static/js/keep.js.

The browser keeps what was typed, sealed under a key that only pages of this account carry; the server stores nothing.
After signing in one is led back to the form's page, and an answer to a form that is done says so by the form's key.
"""

from __future__ import annotations

import base64
import hmac
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from linkage.core import crypto


def seal_key(user_id: uuid.UUID) -> str:
    """Under which this account's browser seals a form, in base64."""
    key = hmac.new(crypto.derived_key("kept forms"), str(user_id).encode(), "sha256")
    return base64.b64encode(key.digest()).decode()


def page_of_the_form(local_path: Callable[[str], str | None]) -> str | None:
    """The page of ours on which the form stood, as the browser says, if it can be opened."""
    said = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    target = local_path(f"{said.path}?{said.query}".rstrip("?")) if said.netloc == request.host else None
    try:
        current_app.url_map.bind("").match(said.path, method="GET")
    except HTTPException:
        return None
    return target


def not_done() -> None:
    """This answer leads elsewhere, but the form is not done."""
    g.not_done = True


def say_done(response: Response) -> Response:
    """Tell the page that this form is done, by its key: what the browser kept of it is erased there."""
    key = request.form.get("_idem") if request.method == "POST" and "not_done" not in g else None
    if key and (300 <= response.status_code < 400 or "HX-Redirect" in response.headers):
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie("done", key[:64], max_age=120, secure=secure, samesite="Lax")
    return response
