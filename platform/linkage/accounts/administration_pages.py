"""What an administrator of the whole installation reads and sets: rights, audit log, rules with dates."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select

from linkage.accounts import permissions
from linkage.accounts.deeds import deed
from linkage.accounts.models import User
from linkage.accounts.queries import find_user_by_name
from linkage.accounts.rule_words import said, title
from linkage.accounts.schemas import RuleSchema
from linkage.core import audit, rulesets
from linkage.core.clock import at_minutes, local_date
from linkage.core.errors import DomainError, InvalidInput, NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.models import AuditRow
from linkage.core.paging import PER_PAGE, place
from linkage.core.permissions import Right, rights, visible_rows
from linkage.core.web import Room, go, request_now, require_actor, role_name

SCOPE_WORDS: dict[str, Any] = {
    "area": _l("own area"),
    "organisation": _l("own organisation"),
    "self": _l("oneself"),
    "household": _l("own household"),
    "assigned": _l("where assigned"),
    "covered": _l("where under contract"),
    "bought": _l("what the own area bought"),
    "own": _l("one's own uploads"),
    "inside": _l("the planning area around the own area"),
    "registered": _l("whom the own area or organisation registered"),
    "installation": _l("the whole installation"),
    "all": _l("everywhere"),
}
ROOM_WORDS: dict[str, Any] = {
    "accounts": _l("Accounts"),
    "administration": _l("Installation"),
    "areas": _l("Areas"),
    "contracts": _l("Contracts"),
    "desk": _l("Desk"),
    "households": _l("Households"),
    "imports": _l("Imports"),
    "needs": _l("Needs"),
    "offers": _l("Offers"),
    "organisations": _l("Organisations"),
    "people": _l("Persons"),
    "planning": _l("Plans"),
    "services": _l("Services"),
    "visits": _l("Visits"),
    "volunteers": _l("Volunteers"),
}
room = Room("administration", __name__, url_prefix="/administration", template_folder="templates")


@room.get("/rights", permission=permissions.may_read_rights)
def rights_table() -> str:
    """Who may do what, where: as the code declares it."""
    by_room: dict[str, list[Right]] = {}
    for entry in rights():
        by_room.setdefault(entry.name.split(".")[0], []).append(entry)
    return render_template(
        "accounts/rights.html",
        by_room={ROOM_WORDS.get(name, name): entries for name, entries in by_room.items()},
        who_where=_who_where,
        meaning_of=_,
    )


def _who_where(entry: Right) -> list[str]:
    """The roles of a right, those with the same scope together: "own area: coordinator, supervisor"."""
    together: dict[str, list[str]] = {}
    for role, scope in entry.scopes.items():
        together.setdefault(scope, []).append(role_name(role))
    return [
        _("%(place)s: %(roles)s", place=SCOPE_WORDS.get(scope, scope), roles=_(", ").join(roles))
        for scope, roles in together.items()
    ]


# --- audit ----------------------------------------------------------------------------------------------------


@room.get("/audit", permission=permissions.may_read_audit)
def audit_log() -> str:
    """The audit log, newest first; filters stand in the address bar."""
    filters = audit_filters()
    rows = audit_rows(filters)
    total = db.session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0
    page, pages, skipped = place(total)
    found = db.session.scalars(rows.limit(PER_PAGE).offset(skipped)).all()
    actors = {row.actor_id for row in found if row.actor_id}
    return render_template(
        "accounts/audit.html",
        deed=deed,
        rows=found,
        names={user.id: user.sign_in_name for user in db.session.scalars(select(User).where(User.id.in_(actors)))},
        seen=set(
            db.session.scalars(
                visible_rows(require_actor(), User).where(User.id.in_(actors)).with_only_columns(User.id)
            )
        ),
        actions=db.session.scalars(select(AuditRow.action).distinct().order_by(AuditRow.action)).all(),
        filters=filters,
        total=total,
        page=page,
        pages=pages,
        checked=audit.broken_at(db.session()) if request.args.get("check") else "unasked",
        shown_detail=lambda detail: ", ".join(f"{key}: {_short(value)}" for key, value in detail.items()),
    )


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def audit_filters() -> dict[str, str]:
    """What the address bar narrows the log to."""
    return {name: request.args.get(name, "").strip()[:60] for name in ("action", "who", "subject", "from", "to")}


def audit_rows(filters: dict[str, str]) -> Select[AuditRow]:
    """The log under these filters, newest first."""
    rows = select(AuditRow).order_by(AuditRow.number.desc())
    if filters["action"]:
        rows = rows.where(AuditRow.action == filters["action"])
    if filters["who"]:
        user = find_user_by_name(filters["who"])
        rows = rows.where(AuditRow.actor_id == (user.id if user else uuid.UUID(int=0)))
    if filters["subject"]:
        rows = rows.where(AuditRow.subject_id == filters["subject"])
    first, last = _moment(filters["from"]), _moment(filters["to"])
    if first is not None:
        rows = rows.where(AuditRow.at >= first)
    if last is not None:
        rows = rows.where(AuditRow.at < last + timedelta(days=1))
    return rows


def _moment(day: str) -> datetime | None:
    try:
        return at_minutes(datetime.strptime(day, "%Y-%m-%d").date(), 0)  # noqa: DTZ007
    except ValueError:
        return None


# --- rules ----------------------------------------------------------------------------------------------------


@room.get("/rules", permission=permissions.may_set_rules)
def rules() -> str:
    """Each clock, threshold and parameter with the value that holds today, and what comes later."""
    today = local_date(request_now())
    entries = []
    for name, rows in rulesets.histories().items():
        if name in rulesets.DEFAULTS:
            held = next((row for row in rows if row.holds(today)), None)
            later = next((row for row in reversed(rows) if row.valid_from > today), None)
            entries.append((name, held, later, rulesets.DEFAULTS[name]))
    return render_template("accounts/rules.html", entries=entries, said=said, title=title, words=_)


@room.get("/rules/<name>", permission=permissions.may_set_rules)
def rule(name: str) -> str:
    today = local_date(request_now())
    if name not in rulesets.DEFAULTS:
        raise NotFound("")
    first = {"value": _short(rulesets.rule(name, today)), "valid_from": today + timedelta(days=1)}
    return _rule_page(name, Form(None, None, first))


def _rule_page(name: str, form: Form) -> str:
    return render_template(
        "accounts/rule.html",
        name=name,
        form=form,
        default=said(name, rulesets.DEFAULTS[name][0]),
        title=title(name),
        bounds=rulesets.BOUNDS.get(name),
        source=rulesets.DEFAULTS[name][1],
        history=rulesets.history(name),
        today=local_date(request_now()),
        said=said,
        words=_,
    )


@room.post("/rules/<name>", permission=permissions.may_set_rules)
def add_rule(name: str) -> ResponseReturnValue:
    actor = require_actor()
    if name not in rulesets.DEFAULTS:
        raise NotFound("")
    form = Form(RuleSchema(), request.form)
    try:
        data = form.demand()
        rulesets.add_value(
            name,
            _read_value(name, data["value"]),
            valid_from=data["valid_from"],
            source=data["source"],
            by=actor.user_id,
            now=request_now(),
        )
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        return _rule_page(name, form), 422
    flash(_("The new value is stored."), "ok")
    return go("administration.rule", name=name)


def _read_value(name: str, typed: str) -> Any:
    """A text rule takes what was typed; every other kind is read as JSON."""
    if isinstance(rulesets.DEFAULTS[name][0], str):
        return typed
    try:
        return json.loads(typed)
    except ValueError as error:
        raise InvalidInput(_("This value cannot be read; see the one that holds now."), field="value") from error
