"""A person's data as a file, and erasure with proof (查阅复制、删除)."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

from flask import Response, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from linkage.core import audit
from linkage.core.clock import local
from linkage.core.errors import DomainError, NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.permissions import scoped, visible_rows
from linkage.core.web import Room, go, request_now, require_actor
from linkage.people import queries as people
from linkage.people.models import Person
from linkage.people.queries import get_person
from linkage.upkeep import dossier, erasing, permissions, words
from linkage.upkeep.models import ERASURE_REASONS, FILE_REASONS, DataRequest
from linkage.upkeep.schemas import EraseSchema, FileSchema

room = Room("data_requests", __name__, url_prefix="/administration/data-requests", template_folder="templates")
MOST_FOUND = 20
READABLE_FOR = timedelta(hours=1)


def get_request(request_id: uuid.UUID) -> DataRequest | None:
    return db.session.get(DataRequest, request_id)


@room.get("/", permission=permissions.may_answer)
def listing() -> str:
    """Whose data are asked for (search), and what was answered so far."""
    actor = require_actor()
    typed = request.args.get("q", "").strip()[:60]
    found = []
    if typed:
        rows = people.search(scoped(actor, permissions.may_answer, Person), typed)
        found = list(db.session.scalars(rows.order_by(Person.name, Person.birth_date).limit(MOST_FOUND)))
    done = db.session.scalars(
        visible_rows(actor, DataRequest).order_by(DataRequest.created_at.desc(), DataRequest.id).limit(50)
    ).all()
    return render_template("upkeep/data_requests.html", q=typed, found=found, done=done, words=words)


@room.get("/of/<uuid:person_id>", permission=permissions.may_answer, subject=get_person)
def person(person: Person) -> str:
    """What is held about a person, by table; the file, and the erasure with what stands in its way."""
    return _person_page(person)


def _person_page(person: Person, form: Form | None = None) -> str:
    gone, stays = erasing.outlook(person.id)
    return render_template(
        "upkeep/person.html",
        person=person,
        gone=gone,
        stays=stays,
        holds=erasing.holds(person.id, request_now()),
        companions=len(erasing.subjects_with(person.id)) - 1,
        form=form or Form(None, None, {}),
        file_reasons=[(code, words.reason(code)) for code in FILE_REASONS],
        erasure_reasons=[(code, words.reason(code)) for code in ERASURE_REASONS],
        words=words,
    )


@room.post("/of/<uuid:person_id>/file", permission=permissions.may_answer, subject=get_person)
def make_file(person: Person) -> ResponseReturnValue:
    """Note who opens everything that is held, and why; the file can be fetched for an hour."""
    form = Form(FileSchema(), request.form)
    if not form.valid:
        return _person_page(person, form), 422
    now, actor = request_now(), require_actor()
    made = DataRequest(
        kind="file", subject_kind="person", subject_id=person.id, reason=form.data["reason"], done_by=actor.user_id,
        created_at=now, proof={},
    )  # fmt: skip
    db.session.add(made)
    audit.record("privacy.reveal_all", person, by=actor.user_id, now=now, reason=made.reason)
    return go("data_requests.answer", request_id=made.id)


@room.post("/of/<uuid:person_id>/erase", permission=permissions.may_answer, subject=get_person)
def erase(person: Person) -> ResponseReturnValue:
    """Erase for good."""
    form = Form(EraseSchema(), request.form)
    try:
        data = form.demand()
        made = erasing.erase_person(person.id, reason=data["reason"], by=require_actor().user_id, now=request_now())
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        return _person_page(person, form), 422
    flash(_("The person is erased."), "ok")
    return go("data_requests.answer", request_id=made.id)


@room.get("/<uuid:request_id>", permission=permissions.may_answer, subject=get_request)
def answer(made: DataRequest) -> str:
    """The proof of an erasure, or where the file is fetched."""
    return render_template("upkeep/answer.html", made=made, fetchable=_fetchable(made), words=words, translate=_)


def _fetchable(made: DataRequest) -> bool:
    """By whoever asked for it, for an hour, while there is somebody to tell about."""
    mine = made.done_by == require_actor().user_id
    return made.kind == "file" and mine and request_now() - made.created_at < READABLE_FOR


@room.get("/<uuid:request_id>/<any(json,html):form>", permission=permissions.may_answer, subject=get_request)
def file(made: DataRequest, form: str) -> Response:
    """Everything that is held about the person, for machines (JSON) or to read."""
    if not _fetchable(made):
        raise NotFound("")
    told = dossier.dossier(made.subject_kind, made.subject_id, now=local(request_now()))
    name = f"personal-data-{local(made.created_at):%Y%m%d-%H%M}.{form}"
    if form == "json":
        content, kind = json.dumps(told, ensure_ascii=False, indent=1), "application/json"
    else:
        content, kind = render_template("upkeep/dossier.html", told=told, words=words, shown=_shown), "text/html"
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
