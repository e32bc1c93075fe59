"""Signing in and out, the account's own page, language, inbox."""

from __future__ import annotations

import secrets
import uuid
from datetime import date
from typing import Any

from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from linkage.accounts import attempts, demo, granting, messages, operations, passwords, queries, viewing
from linkage.accounts.models import User, UserSession
from linkage.accounts.schemas import LocaleSchema, NewPassword, PasswordChange, SignInSchema
from linkage.accounts.setup import COOKIE_KEY, first_page
from linkage.core import outbox
from linkage.core.errors import DomainError, InvalidInput, NotFound, TooManyAttempts
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.permissions import Role
from linkage.core.transactions import unit_of_work
from linkage.core.web import (
    LANGUAGES,
    PUBLIC,
    SIGNED_IN,
    Room,
    current_actor,
    go,
    local_path,
    request_now,
    require_actor,
    role_name,
)

room = Room("accounts", __name__, template_folder="templates")
KNOWN_COOKIE = "known"
YEAR_SECONDS = 365 * 24 * 3600


# --- signing in and out ---------------------------------------------------------------------------------------


@room.route("/login", methods=["GET", "POST"], permission=PUBLIC, own_transactions=True)
def sign_in() -> ResponseReturnValue:
    """The sign-in page. The password is checked with no transaction open: that takes a while on purpose."""
    if request.method == "GET":
        if current_actor() is not None:
            return redirect(local_path(request.args.get("next")) or first_page())
        return _sign_in_page(Form())
    form = Form(SignInSchema(), request.form)
    status = 422
    if form.valid:
        try:
            return _enter(form.data["username"], form.data["password"])
        except TooManyAttempts as error:
            form.add(error)
            status = 429
        except DomainError as error:
            form.add(error)
    return _sign_in_page(form), status


def _sign_in_page(form: Form) -> str:
    return render_template(
        "accounts/sign_in.html",
        form=form,
        accounts=demo.demo_accounts(request_now()),
        demo_password=demo.PASSWORD,
        role_name=role_name,
    )


def _enter(name: str, password: str) -> Response:
    now = request_now()
    user = queries.find_user_by_name(name)
    user_id, password_hash = (user.id, user.password_hash) if user is not None and user.is_active else (None, None)
    origin = attempts.Origin(
        name=str(user.id) if user is not None else queries.normal_name(name),
        address=request.remote_addr or "",
        browser=_known_browser(user),
    )
    attempt_id = unit_of_work(lambda: attempts.begin(origin, now=now))
    token = None
    if passwords.is_right(password_hash, password) and user_id is not None:
        new_hash = passwords.hash_password(password) if passwords.is_outdated(password_hash or "") else None
        browser = request.user_agent.string
        token = unit_of_work(
            lambda: operations.sign_in(user_id, attempt_id, new_hash=new_hash, browser=browser, now=now)
        )
    if token is None:
        raise InvalidInput(_("Name or password is wrong."), field="password")
    return _with_session(token, user_id, local_path(request.args.get("next")))


def _with_session(token: str, user_id: Any, target: str | None) -> Response:
    """Begin anew (nothing of the anonymous session stays), and let the browser be known to the account."""
    session.clear()
    session[COOKIE_KEY] = token
    session.permanent = True
    response = make_response(redirect(target or first_page(), code=303))
    response.set_cookie(
        KNOWN_COOKIE,
        _known_signer().dumps([*_known_elsewhere(user_id), [str(user_id), secrets.token_hex(8)]]),
        max_age=YEAR_SECONDS,
        path="/login",
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
    )
    locale = db.session.scalar(select(User.locale).where(User.id == user_id))
    return response if "lang" in request.cookies else _with_language(response, locale or "zh")


def _known_signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="known-browser")


def _known_accounts() -> list[list[str]]:
    try:
        found: list[list[str]] = _known_signer().loads(request.cookies.get(KNOWN_COOKIE, ""))
        return found
    except BadSignature:
        return []


def _known_elsewhere(user_id: Any) -> list[list[str]]:
    """What the browser knows of other accounts (an office shares one), the last few."""
    return [entry for entry in _known_accounts() if entry[0] != str(user_id)][-7:]


def _known_browser(user: User | None) -> str:
    """The secret by which this browser is known to the account, else ''."""
    return next((secret for user_id, secret in _known_accounts() if user is not None and user_id == str(user.id)), "")


@room.post("/sign-out", permission=SIGNED_IN, as_oneself=True)
def sign_out() -> ResponseReturnValue:
    viewing.end_of_session(g.session_id, now=request_now())
    operations.end_session(g.session_id, _own_user(), now=request_now())
    session.clear()
    response = go("accounts.sign_in")
    # The next person at this computer must not find pages or drafts of the one before by the back button.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@room.route("/invitation/<token>", methods=["GET", "POST"], permission=PUBLIC, own_transactions=True)
def invitation(token: str) -> ResponseReturnValue:
    """Whoever was handed the link sets the password of their account, and is signed in."""
    now = request_now()
    found = queries.find_invitation(token)
    user = db.session.get(User, found.user_id) if found is not None else None
    if found is None or user is None:
        raise NotFound("")
    is_open = queries.open_invitation_of(user.id, now) is found and user.is_active
    form = Form(NewPassword(user.sign_in_name), request.form if request.method == "POST" else None)
    if not is_open or not form.valid:
        form.sent = MultiDict() if form.sent else None
        page = render_template("accounts/invitation.html", form=form, user=user, is_open=is_open, token=token)
        return page, (409 if not is_open else 422 if request.method == "POST" else 200)
    user_id, new_hash = user.id, passwords.hash_password(form.data["new_password"])
    browser, origin = request.user_agent.string, attempts.Origin(str(user_id), request.remote_addr or "")

    def accept() -> str:
        invited = granting.accept_invitation(token, new_hash, now=now)
        attempts.remember_success(origin, now=now)
        return operations.start_session(invited, browser=browser, now=now)

    return _with_session(unit_of_work(accept), user_id, None)


@room.get("/language/<code>", permission=PUBLIC)
def language(code: str) -> ResponseReturnValue:
    """Remember the language in the browser and go back to where the link stood."""
    if code not in LANGUAGES:
        raise NotFound("")
    return _with_language(make_response(redirect(local_path(request.args.get("next")) or "/", code=303)), code)


def _with_language(response: Response, code: str) -> Response:
    response.set_cookie(
        "lang", code, max_age=YEAR_SECONDS, secure=current_app.config["SESSION_COOKIE_SECURE"], samesite="Lax"
    )
    return response


# --- the account's own page -----------------------------------------------------------------------------------


def _own_user() -> User:
    user = db.session.get(User, require_actor().user_id)
    assert user is not None
    return user


@room.get("/account", permission=SIGNED_IN)
def account() -> ResponseReturnValue:
    return _account_page(Form())


def _account_page(form: Form) -> str:
    actor = require_actor()
    grants = [grant for grant in queries.grants_of(actor.user_id) if grant.revoked_at is None]
    return render_template(
        "accounts/account.html",
        form=form,
        user=_own_user(),
        grants=grants,
        scope_names=queries.scope_names(grants),
        sessions=queries.own_sessions(actor.user_id, request_now()),
        session_id=g.session_id,
        role_name=lambda role: role_name(Role(role)),
        browser_name=browser_name,
    )


BROWSERS = (("MicroMessenger", _l("WeChat")), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"))


def browser_name(agent: str) -> str:
    """A browser as its owner would name it: Chrome · Windows."""
    found = [next((name for mark, name in known if mark in agent), None) for known in (BROWSERS, SYSTEMS)]
    if found[0] is None and "Safari" in agent:
        found[0] = "Safari"
    return " · ".join(str(name) for name in found if name) or _("a browser")


@room.post("/account/password", permission=SIGNED_IN, own_transactions=True)
def change_password() -> ResponseReturnValue:
    user = _own_user()
    form = Form(PasswordChange(user.sign_in_name), request.form)
    if form.valid:
        try:
            _check_old_password(user, form.data["password"])
        except DomainError as error:
            form.add(error)
    if not form.valid:
        form.sent = MultiDict()
        return _account_page(form), 422
    new_hash, keep, now = passwords.hash_password(form.data["new_password"]), g.session_id, request_now()
    ended = unit_of_work(lambda: operations.set_password(_own_user(), new_hash, keep=keep, now=now))
    flash(_("The password is changed. %(count)d other browsers were signed out.", count=ended), "ok")
    return go("accounts.account")


def _check_old_password(user: User, password: str) -> None:
    """Counted like signing in: a browser left open must not serve to guess the password."""
    origin = attempts.Origin(str(user.id), request.remote_addr or "", browser=f"session {g.session_id}")
    password_hash = user.password_hash
    attempt_id = unit_of_work(lambda: attempts.begin(origin, now=request_now()))
    if not passwords.is_right(password_hash, password):
        raise InvalidInput(_("This is not your password."), field="password")
    unit_of_work(lambda: attempts.succeed(attempt_id))


@room.post("/account/language", permission=SIGNED_IN)
def change_locale() -> ResponseReturnValue:
    locale = Form(LocaleSchema(), request.form).demand()["locale"]
    operations.set_locale(_own_user(), locale, now=request_now())
    return _with_language(go("accounts.account"), locale)


def get_own_session(session_id: uuid.UUID) -> UserSession | None:
    """A session of the account itself; any other looks absent."""
    row = db.session.get(UserSession, session_id)
    return row if row is not None and row.user_id == require_actor().user_id else None


@room.post("/account/sessions/<uuid:session_id>/end", permission=SIGNED_IN, subject=get_own_session)
def end_session(row: UserSession) -> ResponseReturnValue:
    operations.end_session(row.id, _own_user(), now=request_now())
    return go("accounts.account")


# --- inbox ----------------------------------------------------------------------------------------------------


@room.get("/inbox", permission=SIGNED_IN)
def inbox() -> ResponseReturnValue:
    """By day, and on a day by kind; ?kind=&day= shows the messages behind one line."""
    actor, unread_only = require_actor(), request.args.get("state") == "unread"
    kind, day = request.args.get("kind", ""), _day()
    if day is not None and kind in outbox.kinds():
        rows = messages.of_kind(actor.person_id, kind, day)
        shown = [(row, outbox.render(row.kind, row.params)) for row in rows[: messages.LINES * 4]]
        title = outbox.summary(kind, len(rows))
        return render_template("accounts/inbox_kind.html", rows=shown, title=title, day=day, kind=kind)
    lines = messages.lines(actor.person_id, unread_only=unread_only)
    pages = max(1, -(-len(lines) // messages.LINES))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    part = messages.worded(lines[(page - 1) * messages.LINES : page * messages.LINES])
    return render_template(
        "accounts/inbox.html", lines=part, page=page, pages=pages, total=len(lines), unread_only=unread_only
    )


def _day() -> date | None:
    try:
        return date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        return None


def _message_id(sent: str) -> uuid.UUID | None:
    """The message that the form names; None for all of them. NotFound for what is no id at all."""
    try:
        return uuid.UUID(sent) if sent else None
    except ValueError as error:
        raise NotFound("") from error


@room.post("/inbox/read", permission=SIGNED_IN)
def read_messages() -> ResponseReturnValue:
    """Mark one message, those of a kind and day, or all as read; open where it leads if asked to."""
    actor, now = require_actor(), request_now()
    day, kind = _day(), request.form.get("kind", "")
    if day is not None and kind:
        behind = [row.id for row in messages.of_kind(actor.person_id, kind, day)]
        operations.mark_read(actor.person_id, now=now, only=behind)
        return go("accounts.inbox", state=request.args.get("state"))
    message_id = _message_id(request.form.get("message", ""))
    operations.mark_read(actor.person_id, now=now, message_id=message_id)
    row = queries.own_message(actor.person_id, message_id) if message_id and request.form.get("open") else None
    target = local_path(outbox.render(row.kind, row.params).url) if row else None
    return redirect(target, code=303) if target else go("accounts.inbox", state=request.args.get("state"))
