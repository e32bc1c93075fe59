"""Bringing in a file: choose it, see what was understood, correct, see what will change, take in."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, InvalidInput, NotFound
from linkage.core.exports import name_file
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.paging import PER_PAGE, page_of
from linkage.core.web import Room, go, request_now, require_actor
from linkage.imports import giving_back, operations, permissions, queries, schemas, views, writing
from linkage.imports.kinds import KINDS, Kind
from linkage.imports.models import Upload
from linkage.imports.reading import FileRefused, Sheet, read_sheets

MOST_CHANGES = 200
room = Room("imports", __name__, url_prefix="/imports", template_folder="templates")
Answer = Any
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@room.get("/", permission=permissions.may_see)
def home() -> str:
    return _home(Form(), request.args.get("kind", ""))


def _home(form: Form, name: str) -> str:
    actor = require_actor()
    kinds = permissions.kinds_of(actor)
    kind = next((one for one in kinds if one.name == name), kinds[0])
    uploads = queries.open_uploads(actor, request_now())
    return render_template(
        "imports/home.html",
        form=form,
        kind=kind,
        kinds=kinds,
        areas=queries.areas_for(actor, kind.right),
        uploads=[(upload, operations.kind_of(upload), queries.counts_of(upload)) for upload in uploads],
    )


@room.get("/template/<kind>.xlsx", permission=permissions.may_see)
def template_file(kind: str) -> Response:
    """The template of a kind of file."""
    found = _kind(kind)
    actor, today = require_actor(), local_date(request_now())
    areas = queries.areas_for(actor, found.right)
    scene = found.scene(areas[0], actor, today) if areas else None
    return _download(writing.template(found, today, scene), _("%(kind)s-template.xlsx", kind=found.title))


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound("")
    return KINDS[name]


def _download(content: bytes, name: str) -> Response:
    answer = make_response(content)
    answer.mimetype = XLSX
    name_file(answer, name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@room.post("/", permission=permissions.may_see)
def upload_file() -> Answer:
    actor, now = require_actor(), request_now()
    form = Form(schemas.UploadSchema(), request.form)
    try:
        content, name, sheets = _sent_file()
        sent = form.demand()
        kind = _kind(sent["kind"])
        area = db.session.get(Area, sent["area_id"])
        if area is None:
            raise InvalidInput(_("Choose where the file is of."), field="area_id")
        upload = operations.receive(sheets, content, name, kind, area, by=actor, now=now, later=True)
    except DomainError as error:
        form.add(error)
        return _home(form, request.form.get("kind", "")), 422
    if upload.summary.get("reading"):
        return go("imports.done", upload_id=upload.id)
    unknown = _common(upload, 2)["unknown"]
    return go("imports.columns" if unknown else "imports.page", upload_id=upload.id)


def _sent_file() -> tuple[bytes, str, list[Sheet]]:
    """The file of the form, parsed. No transaction is open while the child works."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise FileRefused("none", _("Choose a file."))
    file.stream.seek(0)
    content = file.stream.read()
    db.session.rollback()
    return content, file.filename, read_sheets(content, file.filename)


@room.get("/<uuid:upload_id>", permission=permissions.may_see, subject=queries.get_upload)
def page(upload: Upload) -> Answer:
    """Where this upload stands: at its faults, at what it will change, or at its end."""
    job = queries.job_of(upload)
    counts = queries.counts_of(upload)
    if job is not None and job.status in ("waiting", "running"):
        step = "imports.done"
    elif counts.bad:
        step = "imports.faults"
    else:
        step = "imports.changes" if counts.good else "imports.done"
    return redirect(url_for(step, upload_id=upload.id))


def _common(upload: Upload, step: int) -> dict[str, Any]:
    kind = operations.kind_of(upload)
    return {
        "upload": upload,
        "kind": kind,
        "count": kind.count,
        "counts": queries.counts_of(upload),
        "headings": operations.headings_of(upload),
        "unknown": [words for heading in upload.columns for _letter, words, name in heading["columns"] if not name],
        "step": step,
        "steps": [_("Choose the file"), _("Columns"), _("Correct the faults"), _("See what changes"), _("Finish")],
    }


@room.get("/<uuid:upload_id>/columns", permission=permissions.may_see, subject=queries.get_upload)
def columns(upload: Upload) -> Answer:
    return render_template("imports/columns.html", form=Form(), **_common(upload, 2))


@room.post("/<uuid:upload_id>/columns", permission=permissions.may_see, subject=queries.get_upload)
def save_columns(upload: Upload) -> Answer:
    form = Form(None, request.form)
    try:
        chosen = schemas.sent_columns(request.form.items(multi=True))
        operations.set_columns(upload, chosen, by=require_actor(), now=request_now())
    except DomainError as error:
        db.session.rollback()
        form.add(error)
        return render_template("imports/columns.html", form=form, **_common(upload, 2)), 422
    return go("imports.page", upload_id=upload.id)


@room.get("/<uuid:upload_id>/faults", permission=permissions.may_see, subject=queries.get_upload)
def faults(upload: Upload) -> Answer:
    return _faults(upload, Form())


def _faults(upload: Upload, form: Form) -> str:
    everything = bool(request.args.get("all"))
    groups = views.headline_groups(upload, everything=everything)
    page = page_of(groups)
    sheet = views.sheet_view(upload, page.rows, by=require_actor(), today=local_date(request_now()))
    edited = [group.edited_at for group in upload.groups if group.edited_at and group.taken_at is None]
    return render_template(
        "imports/faults.html",
        form=form,
        sheet=sheet,
        everything=everything,
        total=page.total,
        page=page.number,
        pages=page.pages,
        repairs=queries.repairs_of(upload),
        repair_words=views.REPAIR_WORDS,
        edited_at=max(edited, default=None),
        **_common(upload, 3),
    )


@room.post("/<uuid:upload_id>/cells", permission=permissions.may_see, subject=queries.get_upload)
def save_cells(upload: Upload) -> Answer:
    """Keep every cell that was typed; carry out a pressed fix or way back; examine again."""
    actor, now = require_actor(), request_now()
    edits = schemas.sent_cells(request.form.items(multi=True))
    fix = schemas.sent_fix(request.form.get("fix", ""))
    if fix is not None:
        edits[fix[0]] = fix[1]
    back = schemas.edit_key(request.form.get("undo", ""))
    if back is not None:
        edits.pop(back, None)
    before = queries.counts_of(upload).bad
    operations.set_cells(upload, edits, by=actor, now=now)
    if back is not None:
        operations.undo_cell(upload, back, by=actor, now=now)
    right = before - queries.counts_of(upload).bad
    if right > 0:
        flash(_("%(number)d more put right.", number=right), "ok")
    if not queries.bad_groups(upload):
        return go("imports.changes", upload_id=upload.id)
    arguments = {name: request.args[name] for name in ("all", "page") if name in request.args}
    return go("imports.faults", upload_id=upload.id, **arguments)


@room.post("/<uuid:upload_id>/again", permission=permissions.may_see, subject=queries.get_upload)
def upload_again(upload: Upload) -> Answer:
    """Corrected rows as a file: they take the place of the faulty ones."""
    upload_id = upload.id
    try:
        _content, _name, sheets = _sent_file()
        again = queries.get_upload(upload_id)
        if again is None:
            raise NotFound("")
        replaced, added = operations.replace_rows(again, sheets, by=require_actor(), now=request_now())
    except InvalidInput as error:
        db.session.rollback()
        form = Form(None, request.form)
        form.add(error)
        stored = db.session.get_one(Upload, upload_id)
        return _faults(stored, form), 422
    flash(_("%(replaced)d households corrected, %(added)d added.", replaced=replaced, added=added), "ok")
    return go("imports.page", upload_id=upload_id)


@room.get("/<uuid:upload_id>/rows.xlsx", permission=permissions.may_see, subject=queries.get_upload)
def faulty_rows(upload: Upload) -> Response:
    """The households that wait for corrections, as a file."""
    groups, headings = queries.bad_groups(upload), operations.headings_of(upload)
    examined = operations.examined_groups(upload, groups, by=require_actor(), today=local_date(request_now()))
    pairs = [(operations.rows_of(group, headings), found) for group, found in zip(groups, examined, strict=True)]
    return _download(writing.faulty_rows(operations.kind_of(upload), pairs), _("to-correct.xlsx"))


@room.get("/<uuid:upload_id>/changes", permission=permissions.may_see, subject=queries.get_upload)
def changes(upload: Upload) -> Answer:
    good = [group for group in queries.waiting_groups(upload) if not group.faults]
    # What somebody must decide comes first.
    changed = sorted(
        (group for group in good if group.counts["state"] == "changed"), key=lambda group: -group.counts["edited"]
    )
    new = [group for group in good if group.counts["state"] == "new"]
    shown = changed[:MOST_CHANGES] + new[:PER_PAGE]
    by, today = require_actor(), local_date(request_now())
    examined = dict(
        zip(
            (group.id for group in shown),
            operations.examined_groups(upload, shown, by=by, today=today),
            strict=True,
        )
    )
    return render_template(
        "imports/changes.html",
        changed=changed[:MOST_CHANGES],
        new=new[:PER_PAGE],
        more_changed=max(0, len(changed) - MOST_CHANGES),
        more_new=max(0, len(new) - PER_PAGE),
        examined=examined,
        edited=sum(group.counts["edited"] for group in changed),
        **_common(upload, 4),
    )


@room.post("/<uuid:upload_id>/take", permission=permissions.may_see, subject=queries.get_upload)
def take(upload: Upload) -> Answer:
    actor, now = require_actor(), request_now()
    operations.demand_idle(upload)
    ticks = schemas.sent_ticks(request.form.items(multi=True))
    operations.tick(upload, ticks, by=actor, now=now)
    operations.take_later(upload, by=actor, now=now)
    return go("imports.done", upload_id=upload.id)


@room.get("/<uuid:upload_id>/done", permission=permissions.may_see, subject=queries.get_upload)
def done(upload: Upload) -> Answer:
    job = queries.job_of(upload)
    running = job is not None and job.status in ("waiting", "running")
    now = request_now()
    answer = make_response(
        render_template(
            "imports/done.html",
            job=job,
            running=running,
            undo_until=giving_back.undo_until(upload, now),
            undoable=len(queries.undoable(upload)),
            stays=queries.stays(upload),
            **_common(upload, 5),
        )
    )
    if running:
        answer.headers["Refresh"] = "2"  # the page may be closed meanwhile: the worker goes on
    return answer


@room.post("/<uuid:upload_id>/undo", permission=permissions.may_see, subject=queries.get_upload)
def undo(upload: Upload) -> Answer:
    giving_back.undo_later(upload, by=require_actor(), now=request_now())
    return go("imports.done", upload_id=upload.id)


@room.post("/<uuid:upload_id>/stop", permission=permissions.may_see, subject=queries.get_upload)
def stop(upload: Upload) -> Answer:
    """Stop the worker: what is in stays in, what waits goes on waiting; a file that was only being read is dropped."""
    if operations.stop(upload, by=require_actor(), now=request_now()):
        flash(_("Reading is stopped; the file is deleted."), "ok")
        return go("imports.home")
    flash(_("Stopped. What is in is in; the rest waits."), "ok")
    return go("imports.done", upload_id=upload.id)


@room.post("/<uuid:upload_id>/drop", permission=permissions.may_see, subject=queries.get_upload)
def drop(upload: Upload) -> Answer:
    operations.drop(upload, by=require_actor().user_id, now=request_now())
    flash(_("The rows that were waiting are deleted. What was taken in stays."), "ok")
    return go("imports.home")
