"""People with accounts: the list, an account's roles, links to set a password, disabling."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from typing import Any

import segno
from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import func, select

from linkage.accounts import granting, permissions, queries, scopes, viewing
from linkage.accounts.models import Grant, Invitation, User
from linkage.accounts.schemas import AccountOfPerson, GrantSchema, NewAccount, RenameSchema
from linkage.accounts.scopes import KIND_OF_ROLE, Target
from linkage.accounts.setup import VIEW_KEY, first_page
from linkage.core import web
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, InvalidInput, NotAllowed, NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form, FormSchema
from linkage.core.paging import PER_PAGE, place
from linkage.core.permissions import Actor, Role, holds, may
from linkage.core.web import SIGNED_IN, Room, go, request_now, require_actor, role_name
from linkage.people import permissions as people
from linkage.people.identity import mask_name
from linkage.people.models import Person
from linkage.people.operations import PersonDraft, register_person
from linkage.people.queries import get_person
from linkage.people.revealing import open_asked, passing
from linkage.people.words import REVEAL_WORDS

room = Room("users", __name__, url_prefix="/users", template_folder="templates")
STATES = ("active", "invited", "disabled")
OWN_REGISTER = (Role.CARER, Role.VOLUNTEER, Role.HOUSEHOLD)  # who has one is entered there before an account is made


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    """The accounts in one's scope; filters stand in the address bar."""
    actor, today = require_actor(), local_date(request_now())
    text, role, state = (request.args.get(name, "")[:60] for name in ("q", "role", "state"))
    everything = queries.found(actor, text, today, masked=not _reads_homes(actor))
    if role in {known.value for known in Role}:
        everything = queries.with_role(everything, role, today)
    counts = {one: _count(queries.in_state(everything, one)) for one in STATES}
    rows = queries.in_state(everything, state)
    total = counts.get(state, sum(counts.values()))
    page, pages, skipped = place(total)
    users = db.session.scalars(rows.order_by(Person.name, User.id).limit(PER_PAGE).offset(skipped)).all()
    grants = queries.grants_on([user.id for user in users], today)
    return render_template(
        "accounts/users.html",
        users=users,
        grants=grants,
        names=queries.scope_names([grant for found in grants.values() for grant in found]),
        counts=counts,
        total=total,
        page=page,
        pages=pages,
        filters={"q": text, "role": role, "state": state},
        may_create=holds(actor, permissions.may_create_staff),
        **_words(actor),
    )


def _count(rows: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(rows.with_only_columns(User.id).subquery())) or 0


def _words(actor: Actor) -> dict[str, Any]:
    return {
        "role_word": lambda role: role_name(Role(role)),
        "roles": [(role.value, role_name(role).capitalize()) for role in Role],
        "state_of": queries.state_of,
        "shown_name": lambda user, held: _shown_name(actor, user, held),
    }


def _shown_name(actor: Actor, user: User, held: Sequence[Grant]) -> str:
    """In full, or masked as `queries.found` searches it."""
    at_home = bool(held) and all(grant.role == Role.HOUSEHOLD for grant in held)
    return mask_name(user.person.name) if at_home and not _reads_homes(actor) else user.person.name


def _reads_homes(actor: Actor) -> bool:
    """Whether members of households are named in full: to the household's own staff."""
    return actor.has(Role.COMMUNITY, Role.OPERATOR)


# --- new accounts ---------------------------------------------------------------------------------------------


def _roles_for_new(actor: Actor) -> list[Role]:
    """Roles given on the form for somebody new. Carers, volunteers and households come from their own registers."""
    return [role for role in permissions.grantable_roles(actor) if role not in OWN_REGISTER]


def _place_label(target: Target) -> str:
    """What is offered and read back: the name with the code or number that makes it unique."""
    return f"{target.name} ({target.id if target.kind == 'area' else str(target.id)[:8]})"


def _places(actor: Actor, roles: Sequence[Role]) -> dict[str, Target]:
    kinds = {KIND_OF_ROLE[role] for role in roles}
    return {_place_label(target): target for kind in sorted(kinds) for target in scopes.places(kind, actor)}


def _chosen_place(actor: Actor, role: Role, typed: str | None) -> Target:
    """The place that was typed: as offered, or a name that only one place has."""
    offered = scopes.places(KIND_OF_ROLE[role], actor)
    exact = [target for target in offered if typed in (_place_label(target), target.name)]
    only = list(offered) if not typed and len(offered) == 1 else exact
    if len(only) != 1:
        raise InvalidInput(_("Choose one of the offered places."), field="place")
    return only[0]


@room.get("/new", permission=permissions.may_create_staff)
def new() -> str:
    return _new_page(Form(None, None, {"valid_from": local_date(request_now())}))


def _new_page(form: Form) -> str:
    actor = require_actor()
    roles = _roles_for_new(actor)
    return render_template(
        "accounts/user_new.html",
        form=form,
        role_options=[(role.value, role_name(role).capitalize()) for role in roles],
        places=list(_places(actor, roles)),
    )


@room.post("/new", permission=permissions.may_create_staff)
def create() -> ResponseReturnValue:
    """A person, an account, a first role and the link: all of it or nothing."""
    actor, now = require_actor(), request_now()
    form = Form(NewAccount(), request.form)
    try:
        data = form.demand()
        role = Role(data["role"])
        if role in OWN_REGISTER:
            raise InvalidInput(
                _("Carers, volunteers and households are entered in their own lists first."), field="role"
            )
        target = _chosen_place(actor, role, data.get("place"))
        draft = PersonDraft(data["name"], telephone=data.get("telephone"))
        person = register_person(draft, by=actor, now=now)
        user = granting.create_account(person, sign_in_name=data.get("sign_in_name"), by=actor, now=now)
        dates = {"valid_from": data["valid_from"], "valid_to": data.get("valid_to")}
        granting.grant_role(user, role, target, **dates, entered=True, by=actor, now=now)
        granting.invite(user, by=actor, now=now)
    except NotAllowed:
        raise
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        return _new_page(form), 422
    return go("users.page", user_id=user.id)


@room.get("/of/<uuid:person_id>", permission=permissions.may_create)
def of_person(person_id: uuid.UUID) -> ResponseReturnValue:
    """The account of a registered person, or the form that gives them one (carer, volunteer, household)."""
    person = _person_to_serve(person_id)
    user = queries.account_of(person.id)
    if user is not None and may(require_actor(), permissions.may_see, user):
        return go("users.page", user_id=user.id)
    return _of_person_page(person, Form(None, None, {"choice": [0]}))


def _person_to_serve(person_id: uuid.UUID) -> Person:
    person = get_person(person_id)
    if person is None or not may(require_actor(), people.may_see, person):
        raise NotFound("")
    return person


def _suggestions(person: Person) -> list[tuple[Role, Target]]:
    actor = require_actor()
    found = scopes.suggested(person.id, local_date(request_now()))
    return [(role, target) for role, target in found if permissions.may_grant(actor, role, target)]


def _of_person_page(person: Person, form: Form) -> str:
    offered = _suggestions(person)
    options = [
        (number, role_name(role).capitalize() + (" · " + target.name if target.kind != "self" else ""))
        for number, (role, target) in enumerate(offered)
    ]
    name = person.name if options else mask_name(person.name)  # who may give nothing here need not know who it is
    return render_template("accounts/user_of_person.html", form=form, person=person, name=name, options=options)


@room.post("/of/<uuid:person_id>", permission=permissions.may_create)
def create_for_person(person_id: uuid.UUID) -> ResponseReturnValue:
    person = _person_to_serve(person_id)
    actor, now, offered = require_actor(), request_now(), _suggestions(person)
    form = Form(AccountOfPerson(), request.form)
    try:
        data = form.demand()
        chosen = [offered[number] for number in data["choice"] if 0 <= number < len(offered)]
        if not chosen:
            raise InvalidInput(_("Choose at least one role."), field="choice")
        user = granting.create_account(person, sign_in_name=data.get("sign_in_name"), by=actor, now=now)
        for role, target in chosen:
            granting.grant_role(user, role, target, valid_from=local_date(now), by=actor, now=now)
        granting.invite(user, by=actor, now=now)
    except NotAllowed:
        raise
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        return _of_person_page(person, form), 422
    return go("users.page", user_id=user.id)


# --- one account ----------------------------------------------------------------------------------------------


@room.get("/<uuid:user_id>", permission=permissions.may_see, subject=queries.get_user)
def page(user: User) -> str:
    return _page(user, Form(None, None, {"valid_from": local_date(request_now())}))


def _page(user: User, form: Form, opened: dict[str, Any] | None = None) -> str:
    actor, now = require_actor(), request_now()
    grants = queries.grants_of(user.id)
    whole = _is_whole(actor, user)
    invitation = queries.open_invitation_of(user.id, now) if whole else None
    roles = permissions.grantable_roles(actor) if user.id != actor.user_id else []
    return render_template(
        "accounts/user.html",
        user=user,
        grants=grants,
        held=[grant for grant in grants if grant.revoked_at is None and grant.holds(local_date(now))],
        names=queries.scope_names(grants),
        may_take={grant.id: grant.revoked_at is None and granting.may_take(actor, grant, user) for grant in grants},
        whole=whole,
        invitation=invitation,
        link=_link(invitation) if invitation else None,
        qr=_qr_svg(_link(invitation)) if invitation else None,
        form=form,
        role_options=[(role.value, role_name(role).capitalize()) for role in roles],
        places=list(_places(actor, roles)),
        opened=opened or {},
        may_reveal=may(actor, permissions.may_reveal, user),
        may_view=viewing.may_view(actor, user) and bool(queries.active_grants(user.id, local_date(now))),
        view_reasons=list(viewing.REASONS.items()),
        reasons=list(REVEAL_WORDS.items()),
        today=local_date(now),
        own=user.id == actor.user_id,
        **_words(actor),
    )


def _is_whole(actor: Actor, user: User) -> bool:
    """Who looks as somebody else gets no link: it would open the account for good."""
    if web.viewing() is not None:
        return False
    return may(actor, permissions.may_manage, user) and granting.is_whole(actor, user, request_now())


def _link(invitation: Invitation) -> str:
    """The whole address, to hand over: of the configured server, else of the one that was asked."""
    base = current_app.config["SETTINGS"].base_url or request.host_url.rstrip("/")
    return str(base) + url_for("accounts.invitation", token=granting.token_of(invitation))


def _qr_svg(link: str) -> Markup:
    code = segno.make(link, error="m", micro=False)
    return Markup(code.svg_inline(scale=5, border=3, svgclass=None, lineclass=None, omitsize=True))  # noqa: S704


@room.get("/<uuid:user_id>/link.png", permission=permissions.may_manage, subject=queries.get_user)
def link_picture(user: User) -> Response:
    """The QR code as a picture to print or to send."""
    granting.demand_whole(require_actor(), user, request_now())
    if web.viewing() is not None:
        raise NotFound("")
    invitation = queries.open_invitation_of(user.id, request_now())
    if invitation is None:
        raise NotFound("")
    picture = io.BytesIO()
    segno.make(_link(invitation), error="m", micro=False).save(picture, kind="png", scale=8, border=4)
    answer = make_response(picture.getvalue())
    answer.mimetype = "image/png"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{user.sign_in_name.encode("ascii", "ignore").decode() or "link"}.png"'
    )
    return answer


def _form(schema: FormSchema, user: User, act: Any) -> ResponseReturnValue:
    """Load a small form of the account's page, act, and go back to the page; or show it again with what is wrong."""
    form = Form(schema, request.form)
    try:
        act(form.demand())
    except NotAllowed:
        raise
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        fresh = db.session.get(User, user.id)
        assert fresh is not None
        return _page(fresh, form), 422
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/roles", permission=permissions.may_manage, subject=queries.get_user)
def grant(user: User) -> ResponseReturnValue:
    actor, now = require_actor(), request_now()

    def act(data: dict[str, Any]) -> None:
        role = Role(data["role"])
        target = _chosen_place(actor, role, data.get("place"))
        dates = {"valid_from": data["valid_from"], "valid_to": data.get("valid_to")}
        granting.grant_role(user, role, target, **dates, by=actor, now=now)

    return _form(GrantSchema(), user, act)


@room.post("/<uuid:user_id>/roles/<uuid:grant_id>/end", permission=permissions.may_manage, subject=queries.get_user)
def revoke(user: User, grant_id: uuid.UUID) -> ResponseReturnValue:
    row = db.session.get(Grant, grant_id)
    if row is None or row.user_id != user.id:
        raise NotFound("")
    granting.revoke(row, by=require_actor(), now=request_now())
    flash(_("The role has ended."), "ok")
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/link", permission=permissions.may_manage, subject=queries.get_user)
def invite(user: User) -> ResponseReturnValue:
    granting.invite(user, by=require_actor(), now=request_now())
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/link/withdraw", permission=permissions.may_manage, subject=queries.get_user)
def withdraw(user: User) -> ResponseReturnValue:
    granting.withdraw(user, by=require_actor(), now=request_now())
    flash(_("The link no longer works."), "ok")
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/disable", permission=permissions.may_manage, subject=queries.get_user)
def disable(user: User) -> ResponseReturnValue:
    granting.disable(user, by=require_actor(), now=request_now())
    flash((_("The account is disabled."), url_for("users.enable", user_id=user.id)), "undo")  # type: ignore[arg-type]
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/enable", permission=permissions.may_manage, subject=queries.get_user)
def enable(user: User) -> ResponseReturnValue:
    granting.enable(user, by=require_actor(), now=request_now())
    flash(_("The account works again."), "ok")
    return go("users.page", user_id=user.id)


@room.post("/<uuid:user_id>/name", permission=permissions.may_manage, subject=queries.get_user)
def rename(user: User) -> ResponseReturnValue:
    actor, now = require_actor(), request_now()
    return _form(RenameSchema(), user, lambda data: granting.rename(user, data["sign_in_name"], by=actor, now=now))


@room.post("/<uuid:user_id>/reveal", permission=permissions.may_reveal, subject=queries.get_user)
def reveal(user: User) -> Response:
    """The telephone in clear for ten minutes; who, when and why is written down."""
    opened = open_asked(user.person, ("telephone",))
    back = url_for("users.page", user_id=user.id)
    return passing(_page(user, Form(None, None, {"valid_from": local_date(request_now())}), opened), back)


# --- the pages as this account sees them ------------------------------------------------------------------------


@room.post("/<uuid:user_id>/view-as", permission=permissions.may_view_as, subject=queries.get_user)
def view_as(user: User) -> ResponseReturnValue:
    """From here on every page is as that account sees it, until it is ended or the time is up."""
    form = Form(None, request.form)
    try:
        reason = form.value("reason")
        row = viewing.start(user, session_id=g.session_id, reason=reason, by=require_actor(), now=request_now())
    except DomainError as error:
        form.add(error)
        db.session.rollback()
        fresh = db.session.get(User, user.id)
        assert fresh is not None
        return _page(fresh, form), 422
    db.session.flush()
    session[VIEW_KEY] = str(row.id)
    return redirect(first_page(), code=303)


@room.post("/view-as/end", permission=SIGNED_IN, as_oneself=True)
def end_view() -> ResponseReturnValue:
    """Back to one's own pages, at the account that was looked at."""
    found = session.pop(VIEW_KEY, None)
    row = viewing.own_row(found, g.session_id) if found else None
    if row is None:
        return redirect(first_page(), code=303)
    viewing.end(row, now=request_now())
    return go("users.page", user_id=row.user_id)
