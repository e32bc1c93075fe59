"""The web's edge: the route guard, one transaction a request, idempotency, errors turned into pages once.

No route without a permission: `Room` (our Blueprint) refuses a route that does not name one, and create_app
refuses to start when an endpoint of the URL map has no guard.
"""

from __future__ import annotations

import hashlib
import inspect
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    has_request_context,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter

from linkage.core import clock, crypto, errors, lost_forms, permissions
from linkage.core.extensions import db
from linkage.core.models import IdempotencyKey
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work
from linkage.core.uploading import MemoryRequest

log = structlog.get_logger("linkage.web")
PUBLIC = "public"
SIGNED_IN = "signed in"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
STATUS = {
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.InvalidInput: 422,
    errors.TooManyAttempts: 429,
    errors.Unavailable: 503,
}


@dataclass(frozen=True)
class Guard:
    """What a route declared: the right it needs, how its subject is loaded, and who opens the transactions.

    `own_transactions`: the view opens short ones itself (`unit_of_work`), because it must not hold the database's
    write lock while it works (hashing a password), or must keep something although it refuses (a failed sign-in).
    `as_oneself`: also works, for the signed-in account itself, while it looks at the pages as somebody else.
    """

    permission: str
    subject: Callable[..., Any] | None
    own_transactions: bool = False
    as_oneself: bool = False


GUARDS: dict[str, Guard] = {"static": Guard(PUBLIC, None)}
_actor_loader: list[Callable[[], Actor | None]] = []
_after_commit: list[Callable[[], None]] = []


class Room(Blueprint):
    """A blueprint whose every route names its permission.

    ``@room.post("/<uuid:need_id>/withdraw", permission="needs.withdraw", subject=get_need)``: the view is called
    with the loaded subject first, then with the remaining URL values. A subject loader takes the URL values that
    it names and returns the row or None.
    """

    def route(  # type: ignore[override]
        self,
        rule: str,
        *,
        permission: str,
        subject: Callable[..., Any] | None = None,
        own_transactions: bool = False,
        as_oneself: bool = False,
        **options: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            endpoint = options.pop("endpoint", view.__name__)
            guard = Guard(permission, subject, own_transactions, as_oneself)
            GUARDS[f"{self.name}.{endpoint}"] = guard
            self.add_url_rule(rule, endpoint, guarded(guard, view), **options)
            return view

        return decorate

    def get(self, rule: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # type: ignore[override]
        return self.route(rule, methods=["GET"], **options)

    def post(self, rule: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # type: ignore[override]
        return self.route(rule, methods=["POST"], **options)


def guarded(guard: Guard, view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `view`: authenticate, load, may see (else 404), may do (else 403), then call."""

    @wraps(view)
    def run(**values: Any) -> Any:
        if request.method not in SAFE_METHODS:
            _refuse_while_viewing()
        if guard.permission != PUBLIC:
            actor = require_actor()
            if (
                guard.permission != SIGNED_IN
                and not permissions.holds(actor, guard.permission)
                and guard.subject is None
            ):
                raise errors.NotAllowed("", remedy=guard.permission)
        if guard.subject is None:
            return view(**values)
        subject, rest = _load(guard.subject, values)
        if guard.permission not in (PUBLIC, SIGNED_IN):
            permissions.demand(require_actor(), guard.permission, subject)
        return view(subject, **rest)

    return run


def viewing() -> dict[str, Any] | None:
    """As whom the signed-in account looks at the pages, and until when; None where it sees its own."""
    current_actor()
    found: dict[str, Any] | None = g.get("viewing")
    return found


def _refuse_while_viewing() -> None:
    """Nothing is changed in somebody else's name: the one place that says so, whatever was sent."""
    if viewing() is not None:
        raise errors.NotAllowed(
            _("You are looking at the pages as another account: nothing can be changed or opened."),
            remedy=_("End the view first; then you act as yourself again."),
        )


def _load(loader: Callable[..., Any], values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    wanted = inspect.signature(loader).parameters
    subject = loader(**{name: value for name, value in values.items() if name in wanted})
    if subject is None:
        raise errors.NotFound("")
    return subject, {name: value for name, value in values.items() if name not in wanted}


def set_actor_loader(load: Callable[[], Actor | None]) -> None:
    """Accounts says who is signed in."""
    _actor_loader[:] = [load]


def after_commit(call: Callable[[], None]) -> Callable[[], None]:
    """Decorator: run after a request that committed, each in its own transaction (the outbox is delivered so)."""
    if call not in _after_commit:
        _after_commit.append(call)
    return call


def current_actor() -> Actor | None:
    """Who is signed in, with the grants that hold now; None for anonymous."""
    if "actor" not in g:
        g.actor = _actor_loader[0]() if _actor_loader else None
    actor: Actor | None = g.actor
    return actor


def require_actor() -> Actor:
    actor = current_actor()
    if actor is None:
        raise errors.NotSignedIn(_("Please sign in."))
    return actor


def request_now() -> Any:
    """One moment per request, so that a page and what it did agree."""
    if "now" not in g:
        g.now = clock.now()
    return g.now


class Application(Flask):
    """Flask with one transaction a request."""

    request_class = MemoryRequest

    def full_dispatch_request(self) -> Response:
        """Begin with nothing remembered: where an application context is open already (tests), `g` is not new."""
        for name in list(g):
            g.pop(name)
        return super().full_dispatch_request()

    def dispatch_request(self) -> Any:
        if request.routing_exception is not None or request.endpoint == "static":
            return super().dispatch_request()
        _refuse_nul()
        if request.method in SAFE_METHODS or _opens_its_own():
            try:
                return super().dispatch_request()
            finally:
                db.session.rollback()
        response = unit_of_work(self._write_once, accept=lambda answer: answer.status_code < 400)
        if response.status_code < 400:
            self._follow_up()
        return response

    def _write_once(self) -> Response:
        g.pop("actor", None)
        key = request.form.get("_idem") or request.headers.get("Idempotency-Key")
        if not key:
            return self.make_response(super().dispatch_request())
        scope = _idempotency_scope()
        earlier = db.session.scalars(
            select(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key[:64])
        ).one_or_none()
        if earlier is not None:
            return _repeat(earlier)
        response = self.make_response(super().dispatch_request())
        if 300 <= response.status_code < 400 or "HX-Redirect" in response.headers:
            db.session.add(
                IdempotencyKey(
                    scope=scope,
                    key=key[:64],
                    endpoint=request.endpoint or "",
                    fingerprint=_fingerprint(),
                    status=response.status_code,
                    location=_target(response),
                    created_at=request_now(),
                )
            )
        return response

    def _follow_up(self) -> None:
        for call in _after_commit:
            try:
                unit_of_work(call)
            except Exception:  # the request itself is done; the periodic job delivers what is left
                log.exception("after-commit", call=call.__name__)


def _refuse_nul() -> None:
    """No text that people type holds a NUL, and PostgreSQL keeps none."""
    sent = [request.path, *request.args.values(), *(value for _name, value in request.form.items(multi=True))]
    if any("\x00" in value for value in sent):
        abort(400)


def _opens_its_own() -> bool:
    guard = GUARDS.get(request.endpoint or "")
    return guard is not None and guard.own_transactions


def _target(response: Response) -> str:
    return response.headers.get("HX-Redirect") or response.headers.get("Location", "")


def _idempotency_scope() -> str:
    actor = current_actor()
    who = str(actor.user_id) if actor else f"anonymous {request.remote_addr}"
    return hashlib.sha256(f"{who} {request.path}".encode()).hexdigest()


def _fingerprint() -> str:
    """Keyed: a plain digest of a short form (an ID number, a telephone) could be guessed from the stored row."""
    pairs = sorted((k, v) for k, v in request.form.items(multi=True) if k not in ("csrf_token", "_idem"))
    return crypto.blind("idempotency", repr(pairs))


def _repeat(earlier: IdempotencyKey) -> Response:
    """Answer as the first time; the same key with other values is a mistake of the caller and is said."""
    if earlier.fingerprint != _fingerprint():
        raise errors.Conflict(
            _("This form was already sent with other values."), remedy=_("Open the page again and send it once more.")
        )
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": earlier.location})
    return redirect(earlier.location, code=303)  # type: ignore[return-value]


def go(endpoint: str, **values: Any) -> Response:
    """See other: where a write ends (303, or HX-Redirect for htmx)."""
    location = url_for(endpoint, **values)
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": location})
    return redirect(location, code=303)  # type: ignore[return-value]


def local_path(target: str | None) -> str | None:
    """A path on this server, or None: never redirect to another host."""
    if not target:
        return None
    parts = urlsplit(target)
    safe = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe and "\\" not in target else None


def wants_json() -> bool:
    """The client asks for JSON rather than a page (who says nothing gets a page)."""
    if not request.accept_mimetypes:
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best != "text/html"


def _domain_error(error: errors.DomainError) -> Any:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    if status == 401 and not wants_json() and request.endpoint != "accounts.sign_in":
        return _to_sign_in()
    message, remedy = str(error.message), error.remedy
    if isinstance(error, errors.NotAllowed) and not message:
        message, remedy = _("You may not do this."), _who_can(str(remedy))
    return problem(status, message, remedy)


def _to_sign_in() -> Any:
    """To the sign-in page, and from there back to the page that asked; a form that was sent comes back to its page."""
    lost_forms.not_done()
    target = request.full_path.rstrip("?") if request.method == "GET" else lost_forms.page_of_the_form(local_path)
    location = url_for("accounts.sign_in", next=target)
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": location})
    return redirect(location, code=303)


def _who_can(name: str) -> str:
    scopes = permissions.get_right(name).scopes
    roles = ", ".join(_role_where(role, scopes[role]) for role in permissions.who_can(name))
    return _("These can: %(roles)s.", roles=roles) if roles else ""


def _role_where(role: permissions.Role, scope: str) -> str:
    name = str(role_name(role))
    return _("%(role)s of the whole installation", role=name) if scope == "installation" else name


def role_name(role: permissions.Role) -> str:
    names = {
        "community": _("community staff"),
        "operator": _("call-desk operator"),
        "coordinator": _("coordinator"),
        "manager": _("organisation manager"),
        "carer": _("carer"),
        "volunteer": _("volunteer"),
        "household": _("household"),
        "supervisor": _("supervisor"),
        "administrator": _("administrator"),
    }
    return names[role.value]


def problem(status: int, message: str = "", remedy: Any = None) -> Response:
    """One page (or problem+json) for every error. It asks nothing of the database, which may be what failed."""
    g.actor = None
    title = _titles().get(status, _("Something went wrong"))
    if wants_json():
        body = {"type": "about:blank", "title": title, "status": status, "detail": message, "remedy": str(remedy or "")}
        answer = jsonify(body)
        answer.status_code, answer.mimetype = status, "application/problem+json"
        return answer
    if request.headers.get("HX-Request"):  # a part of a page asked: say it on top of that page, which stays
        words = render_template("errors/_notice.html", title=title, message=message, remedy=remedy)
        return Response(words, status, {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"}, mimetype="text/html")
    # What was asked may be somebody's number: the page does not lead back to it.
    language_url = url_for("accounts.language", code=other_language())
    page = render_template(
        "errors/error.html", status=status, title=title, message=message, remedy=remedy, language_url=language_url
    )
    return Response(page, status=status, mimetype="text/html")


def _titles() -> dict[int, str]:
    return {
        400: _("The request was not understood"),
        401: _("Please sign in"),
        403: _("You may not do this"),
        404: _("There is nothing here"),
        405: _("The request was not understood"),
        409: _("This is no longer possible"),
        412: _("Somebody else changed this in the meantime"),
        413: _("The file is too large"),
        422: _("Please check what you entered"),
        429: _("Too many attempts"),
        500: _("Something went wrong on our side"),
        503: _("Please try again in a minute"),
    }


def _http_error(error: HTTPException) -> Any:
    if isinstance(error, CSRFError):
        lost_forms.not_done()
        if current_actor() is None and request.endpoint != "accounts.sign_in" and not wants_json():
            return _to_sign_in()
        return problem(
            400,
            _("The page was open for too long, or was sent from elsewhere."),
            _("Go back, reload the page and send it again; what you typed is kept."),
        )
    if error.response is not None:
        return error
    return problem(error.code or 500)


def _absurd(error: Exception) -> Any:
    """A number or a date beyond what the database or a calendar holds: the caller's fault, not ours."""
    log.warning("absurd value", kind=type(error).__name__, endpoint=request.endpoint)
    return problem(400)


class _ShortInteger(IntegerConverter):
    """`<int:…>` in an address: an integer that a database keeps (32 bits)."""

    def __init__(self, map: Any, **options: Any) -> None:  # noqa: A002
        super().__init__(map, **{"max": 2**31 - 1, **options})


def _unexpected(error: Exception) -> Any:
    reference = secrets.token_hex(4)
    log.error("unexpected", reference=reference, kind=type(error).__name__, endpoint=request.endpoint, exc_info=True)
    return problem(500, _("Nothing was saved. Reference: %(reference)s", reference=reference))


LANGUAGES = {"zh": "简体中文", "en": "English"}


def choose_locale() -> str:
    """The language of this answer: the cookie, else the account's (where it is known by now), else Chinese."""
    if not has_request_context():
        return "zh"
    return next((code for code in (request.cookies.get("lang"), g.get("locale")) if code in LANGUAGES), "zh")


def other_language() -> str:
    return "zh" if choose_locale() == "en" else "en"


def _page_values() -> dict[str, Any]:
    actor = current_actor()
    return {
        "seal_key": lost_forms.seal_key(actor.user_id) if actor and viewing() is None else "",
        "lang": choose_locale(),
        "now": clock.local(request_now()),
        "actor": actor,
        "viewing": g.get("viewing"),
        "demo_mode": current_app.config["SETTINGS"].mode == "demo",
    }


def can(name: str, subject: Any = None) -> bool:
    """In templates: whether to draw the control that needs the right `name` (anywhere, or on this subject)."""
    actor = current_actor()
    if actor is None:
        return False
    return permissions.holds(actor, name) if subject is None else permissions.may(actor, name, subject)


def _keep_private(response: Response) -> Response:
    """Pages belong to one reader: no cache on the way keeps them, and the browser asks again."""
    if request.endpoint != "static" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def check_guards(app: Flask) -> None:
    """Refuse to start with an endpoint that has no guard."""
    missing = sorted({rule.endpoint for rule in app.url_map.iter_rules()} - set(GUARDS))
    if missing:
        raise RuntimeError(f"no permission declared for {', '.join(missing)}")


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OverflowError, _absurd)
    app.register_error_handler(DataError, _absurd)
    app.url_map.converters["int"] = _ShortInteger
    if not app.config["TESTING"] or app.config.get("PROPAGATE") is False:
        app.register_error_handler(Exception, _unexpected)
    app.jinja_env.globals.update(idem=lambda: secrets.token_urlsafe(18), languages=LANGUAGES, can=can)
    app.context_processor(_page_values)
    app.after_request(_keep_private)
    app.after_request(lost_forms.say_done)
