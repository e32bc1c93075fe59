"""What everybody may read without an account: tenders, their documents, clarifications, answers and results.

Nothing personal stands here. Who has signed in for an organisation can also ask.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _

from linkage.core.errors import NotFound
from linkage.core.exports import name_file
from linkage.core.forms import Form
from linkage.core.paging import order, paginate
from linkage.core.permissions import holds
from linkage.core.web import PUBLIC, Room, current_actor, go, request_now, require_actor
from linkage.organisations.models import Organisation
from linkage.procurement import clocks, ocds, permissions, publication, queries, words
from linkage.procurement.models import Tender
from linkage.procurement.queries import get_published
from linkage.procurement.schemas import TextForm
from linkage.procurement.states import state_of

room = Room("tenders", __name__, url_prefix="/tenders", template_folder="templates")


def _layout() -> dict[str, Any]:
    """Which frame stands around a public page: the signed-in one, or the plain one."""
    plain = current_actor() is None
    return {"plain": plain, "layout": "base_plain.html" if plain else "base.html"}


@room.get("/", permission=PUBLIC)
def listing() -> str:
    now = request_now()
    state = request.args.get("state", "")
    counts = queries.counts_by_state(queries.published(), now)
    wanted = queries.find(queries.published(), now, state=state, text=request.args.get("q", "")[:60])
    columns = {"deadline": Tender.deadline_at, "published": Tender.published_at}
    page = paginate(wanted.order_by(*order(columns, "-published", Tender.id)))
    return render_template(
        "procurement/public_listing.html",
        page=page,
        open_now=counts.get("published", 0),
        state=state,
        pills=words.state_pills(counts, state),
        state_of=lambda tender: state_of(tender, now),
        words=words,
        **_layout(),
    )  # fmt: skip


@room.get("/<uuid:tender_id>", permission=PUBLIC)
def page(tender_id: uuid.UUID) -> str:
    return _page(_published(tender_id), Form())


def _published(tender_id: uuid.UUID) -> Tender:
    tender = get_published(tender_id)
    if tender is None:
        raise NotFound("")
    return tender


def _page(tender: Tender, form: Form) -> str:
    actor, now = current_actor(), request_now()
    state = state_of(tender, now)
    return render_template(
        "procurement/public_page.html",
        tender=tender,
        state=state,
        form=form,
        may_ask=actor is not None and holds(actor, permissions.may_bid) and state == "published",
        awards=clocks.awards_of(tender.id) if tender.noticed_at is not None else [],
        challenge_ends=clocks.challenge_ends(tender, now) if tender.noticed_at is not None else None,
        words=words,
        **_layout(),
    )


@room.get("/<uuid:tender_id>/documents/<uuid:document_id>", permission=PUBLIC)
def document(tender_id: uuid.UUID, document_id: uuid.UUID) -> Response:
    found = queries.document_of(_published(tender_id), document_id)
    if found is None:
        raise NotFound("")
    answer = Response(found.content, mimetype="application/octet-stream")
    name_file(answer, found.name)
    return answer


@room.get("/<uuid:tender_id>/terms.json", permission=PUBLIC)
def terms(tender_id: uuid.UUID) -> Response:
    """What was frozen at the publication, to the letter: its SHA-256 stands on the page."""
    return Response(_published(tender_id).frozen, mimetype="application/json")


@room.get("/<uuid:tender_id>/releases.json", permission=PUBLIC)
def releases(tender_id: uuid.UUID) -> Response:
    """All OCDS releases of the tender."""
    return _open_data(ocds.release_package(_released(tender_id), request.base_url))


@room.get("/<uuid:tender_id>/record.json", permission=PUBLIC)
def record(tender_id: uuid.UUID) -> Response:
    """The OCDS record with the compiled release."""
    return _open_data(ocds.record_package(_released(tender_id), request.base_url))


def _released(tender_id: uuid.UUID) -> Tender:
    """The tender, if it has a release: one that was published before there was open data has none."""
    tender = _published(tender_id)
    if not ocds.releases_of(tender):
        raise NotFound("")
    return tender


def _open_data(package: dict[str, Any]) -> Response:
    return Response(ocds.as_json(package), mimetype="application/json")


@room.post("/<uuid:tender_id>/ask", permission=permissions.may_bid, subject=get_published)
def ask(tender: Tender) -> Any:
    form, actor = Form(TextForm(), request.form), require_actor()
    organisation = _own_organisation()
    if form.passes(lambda data: publication.ask(tender, organisation, data["text"], by=actor, now=request_now())):
        flash(_("Your question is with the buyer. The answer is published here, without your name."), "ok")
        return go("tenders.page", tender_id=tender.id)
    return _page(tender, form), form.status  # fmt: skip


def _own_organisation() -> Organisation:
    """The organisation that the signed-in manager acts for."""
    found = queries.organisation_of(require_actor())
    if found is None:
        raise NotFound("")
    return found
