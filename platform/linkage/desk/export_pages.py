"""Every list as a file: choose the form, say why where personal facts leave in clear, take it.

Each registered export (`core/exports.py`) has three routes under the right of its own list, so that the walk over the
map covers it: the page, the request (noted in the audit log) and the file, which streams row by row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, current_app, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup

from linkage.core import audit, exports
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.exports import EXPORTS, Export, name_file
from linkage.core.forms import Form
from linkage.core.permissions import holds
from linkage.core.web import Room, request_now, require_actor
from linkage.people.words import REVEAL_WORDS

room = Room("exports", __name__, url_prefix="/exports", template_folder="templates")
SECONDS = 600
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_FILTERS = ("page", "sort", "token", "format")


def _filters() -> dict[str, Any]:
    """What the address bar narrows the list to."""
    return {name: values for name, values in request.args.lists() if name not in NOT_FILTERS and any(values)}


def _page(export: Export, form: Form) -> str:
    actor, now = require_actor(), request_now()
    filters = _filters()
    return render_template(
        "exports/form.html",
        export=export,
        form=form,
        filters=filters,
        total=exports.count(export, actor, now),
        most=exports.MOST_ROWS,
        has_personal=any(column.masked is not None for column in export.columns),
        may_open=export.may_open(actor),
        reasons=list(REVEAL_WORDS.items()),
        to=url_for(f"exports.{export.name}_ask", **filters),
    )


def _ask(export: Export) -> Any:
    """Note the request, then send the browser to the file."""
    actor, now = require_actor(), request_now()
    personal = bool(request.form.get("personal")) and export.may_open(actor)
    purpose, kind = request.form.get("purpose", ""), request.form.get("format", "")
    form = Form(None, request.form)
    if kind not in ("xlsx", "csv"):
        form.add(InvalidInput(_("Choose a form of file."), field="format"))
    if personal and purpose not in REVEAL_WORDS:
        form.add(InvalidInput(_("Choose a reason."), field="purpose"))
    if form.errors:
        return _page(export, form), 422
    filters = _filters()
    audit.record(
        "exports.make",
        ("export", export.name),
        by=actor.user_id,
        now=now,
        format=kind,
        personal=personal,
        purpose=purpose if personal else None,
        filters=sorted(filters),
        rows=exports.count(export, actor, now),
    )
    said = {"list": export.name, "user": str(actor.user_id), "personal": personal, "args": _digest(filters)}
    token = _signer().dumps(said)
    return redirect(url_for(f"exports.{export.name}_file", format=kind, token=token, **filters), code=303)


def _digest(filters: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).hexdigest()[:16]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="exports")


def _file(export: Export) -> Any:
    """The file that was asked for a moment ago, by the same person under the same filters."""
    actor, now = require_actor(), request_now()
    export.rows(actor, now)  # says no where the list itself would
    try:
        said = _signer().loads(request.args.get("token", ""), max_age=SECONDS)
    except BadSignature:
        said = {}
    filters, kind = _filters(), request.args.get("format", "")
    same = said.get("list") == export.name and said.get("user") == str(actor.user_id)
    if not same or said.get("args") != _digest(filters) or kind not in ("xlsx", "csv"):
        return redirect(url_for(f"exports.{export.name}", **filters), code=303)
    rows = exports.lines(export, actor, now, personal=bool(said["personal"]))

    def content() -> Iterator[bytes]:
        if kind == "csv":
            yield from exports.as_csv(rows)
        else:
            yield exports.as_xlsx(rows, str(export.title), [column.width for column in export.columns])

    answer = Response(stream_with_context(content()), mimetype=XLSX if kind == "xlsx" else "text/csv")
    name = f"{export.title} {local_date(now).isoformat()}.{kind}"
    name_file(answer, name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _bound(call: Callable[..., Any], export: Export, *more: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: call(export, *(make() for make in more))


for _export in EXPORTS.values():
    room.get(f"/{_export.name}", permission=_export.right, endpoint=_export.name)(_bound(_page, _export, Form))
    room.post(f"/{_export.name}", permission=_export.right, endpoint=f"{_export.name}_ask")(_bound(_ask, _export))
    room.get(f"/{_export.name}/file", permission=_export.right, endpoint=f"{_export.name}_file")(_bound(_file, _export))


@room.app_template_global("export_buttons")
def export_buttons(*names: str, **more: Any) -> Markup:
    """Where the list that is shown leaves as a file, under the filters of the address bar."""
    actor = require_actor()
    shown = [EXPORTS[name] for name in names if holds(actor, EXPORTS[name].right)]
    links = [(one, url_for(f"exports.{one.name}", **{**_filters(), **more})) for one in shown]
    return Markup(render_template("exports/_buttons.html", links=links))  # a template's own output
