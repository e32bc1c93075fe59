"""What accounts hang into the application: who is signed in, last seen, delivery of messages, words for every page."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request, session, url_for
from flask_babel import gettext as _

from linkage.accounts import operations, queries, viewing
from linkage.accounts.models import User, UserSession
from linkage.core import web
from linkage.core.extensions import login_manager
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work

log = structlog.get_logger("linkage.accounts")
COOKIE_KEY = "sid"
VIEW_KEY = "view"


def signed_in() -> tuple[UserSession, User] | None:
    """The session and the account of this request; asked of the database each time."""
    token = session.get(COOKIE_KEY)
    return queries.find_session(token, web.request_now()) if token else None


def _load_actor() -> Actor | None:
    found = signed_in()
    if found is None:
        return None
    g.session_id, g.session_seen, g.locale, g.user = found[0].id, found[0].last_seen_at, found[1].locale, found[1]
    g.signed_in_id, g.viewing = found[1].id, None
    actor = queries.actor_of(found[1], web.request_now())
    return _viewed(actor) or actor


def _viewed(own: Actor) -> Actor | None:
    """The account as which the signed-in one looks at the pages; None where it sees its own."""
    guard = web.GUARDS.get(request.endpoint or "")
    if VIEW_KEY not in session or (guard is not None and guard.as_oneself):
        return None
    found = viewing.found(session[VIEW_KEY], g.session_id, own, web.request_now())
    if found is None:
        return None
    row, g.user = found
    actor = queries.actor_of(g.user, web.request_now())
    roles = dict.fromkeys(str(web.role_name(grant.role)) for grant in actor.grants)
    g.viewing = {"name": g.user.sign_in_name, "roles": list(roles), "until": row.ends_at, "reason": row.reason}
    return actor


def _load_user(_source: Any = None) -> User | None:
    """Flask-Login's `current_user`: the actor's account. An error page has no actor, and asks no database."""
    if "actor" in g:
        return g.get("user") if g.actor is not None else None
    found = signed_in()
    return None if found is None else found[1]


def first_page() -> str:
    """Where an account lands."""
    return url_for("desk.home" if "desk.home" in current_app.view_functions else "accounts.account")


def _note_seen(response: Response) -> Response:
    """Last seen, every few minutes, in its own transaction: a page that is read never writes in its own."""
    actor = g.get("actor")
    if actor is None or "session_id" not in g or request.endpoint == "static":
        return response
    now = web.request_now()
    if abs(now - g.session_seen) >= operations.SEEN_EVERY:
        session_id, signed_in_id = g.session_id, g.signed_in_id
        try:
            unit_of_work(lambda: operations.note_seen(session_id, signed_in_id, now=now))
        except Exception:  # the page is made; being seen can wait
            log.exception("last-seen")
    return response


def _deliver() -> None:
    operations.deliver_waiting(now=web.request_now())


def _page_values() -> dict[str, Any]:
    """What the frame of every page shows of the account; the menu itself is the desk's."""
    actor = web.current_actor()
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    values: dict[str, Any] = {"language_url": url_for("accounts.language", code=web.other_language(), next=here)}
    if actor is None:
        return values
    roles = list(dict.fromkeys(str(web.role_name(grant.role)) for grant in actor.grants))
    return values | {
        "role_label": _(", ").join(roles),
        "inbox_url": url_for("accounts.inbox"),
        "unread": queries.unread_count(actor.person_id),
        "account_links": [{"label": _("My account"), "url": url_for("accounts.account"), "icon": "person"}],
        "sign_out_url": url_for("accounts.sign_out"),
        "end_view_url": url_for("users.end_view"),
    }


def init_app(app: Flask) -> None:
    web.set_actor_loader(_load_actor)
    web.after_commit(_deliver)
    login_manager.request_loader(_load_user)
    login_manager.user_loader(_load_user)
    login_manager.session_protection = None
    app.after_request(_note_seen)
    app.context_processor(_page_values)
