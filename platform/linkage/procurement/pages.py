"""The buyer's pages: tenders of one's area, a draft with its check list, what is due, until the deadline."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _

from linkage.areas.queries import areas_where, is_under
from linkage.core.clock import at_minutes, local, local_date
from linkage.core.errors import NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.ids import uuid_or_none
from linkage.core.look import with_args
from linkage.core.paging import order, paginate
from linkage.core.permissions import may, scoped
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.words import TAG_WORDS
from linkage.organisations.words import RATINGS
from linkage.procurement import clocks, operations, permissions, publication, queries, words
from linkage.procurement.models import Lot, PurchasePlan, Tender
from linkage.procurement.queries import get_tender
from linkage.procurement.schemas import (
    MOST_CRITERIA_ROWS,
    ClarifyForm,
    LotForm,
    SuspendForm,
    TenderForm,
    TextForm,
    criteria_initial,
    lot_draft,
    lot_initial,
    read_criteria,
    tender_initial,
)
from linkage.procurement.states import state_of
from linkage.services.models import Service
from linkage.services.queries import services_on
from linkage.services.words import named

room = Room("procurement", __name__, url_prefix="/procurement", template_folder="templates")
room.add_app_template_filter(words.points, "points")
room.add_app_template_filter(words.lot_quantity, "lot_quantity")


@room.get("/", permission=permissions.may_follow)
def listing() -> str:
    actor, now = require_actor(), request_now()
    state = request.args.get("state", "")
    mine = scoped(actor, permissions.may_follow, Tender)
    counts = queries.counts_by_state(mine, now)
    wanted = queries.find(mine, now, state=state, text=request.args.get("q", "")[:60])
    columns = {"number": Tender.number, "deadline": Tender.deadline_at}
    page = paginate(wanted.order_by(*order(columns, "-deadline", Tender.id)))
    return render_template(
        "procurement/listing.html",
        page=page,
        state=state,
        pills=words.state_pills(counts, state),
        state_of=lambda tender: state_of(tender, now),
        next_of=lambda tender: next(iter(clocks.duties(tender, now)), None),
        words=words,
    )


@room.get("/due", permission=permissions.may_follow)
def due() -> str:
    """What is due in all tenders of one's area, by whom, by when."""
    now = request_now()
    found = clocks.running_duties(scoped(require_actor(), permissions.may_follow, Tender), now)
    who = request.args.get("who", "")
    counts = {key: sum(duty.who == key for _tender, duty in found) for key in clocks.WHO}
    shown = [row for row in found if not who or row[1].who == who]
    return render_template(
        "procurement/due.html",
        rows=shown,
        total=len(found),
        today=local_date(now),
        who=who,
        provisional=any(duty.due.provisional for _tender, duty in shown),
        pills=[
            {"label": clocks.WHO[key], "url": with_args(who=key), "active": key == who, "count": count}
            for key, count in counts.items()
            if count
        ],
    )


@room.get("/new", permission=permissions.may_prepare)
def new() -> str:
    plan = _plan_asked()
    initial: dict[str, Any] = {"method": "open", "rule": "by_rank", "standstill": True, "deadline_time": "09:00"}
    if plan is not None:
        initial |= {"title": plan.title, "buyer_area_id": plan.buyer_area_id}
    return _terms_page(Form(initial=initial), None, plan)


def _plan_asked() -> PurchasePlan | None:
    """The purchasing plan of the address (``?plan=``), if one may see it."""
    plan_id = uuid_or_none(request.values.get("plan", ""))
    plan = queries.get_plan(plan_id) if plan_id else None
    return plan if plan is not None and may(require_actor(), permissions.may_plan, plan) else None


@room.post("/new", permission=permissions.may_prepare)
def start() -> Any:
    form, plan = Form(TenderForm(), request.form), _plan_asked()
    if form.passes(
        lambda data: operations.start_tender(data["draft"], by=require_actor(), now=request_now(), plan=plan)
    ):
        flash(_("The draft is stored. Now its lots and criteria."), "ok")
        return go("procurement.page", tender_id=form.result.id)
    return _terms_page(form, None, plan), form.status


@room.get("/<uuid:tender_id>/edit", permission=permissions.may_prepare, subject=get_tender)
def edit(tender: Tender) -> str:
    return _terms_page(Form(initial=tender_initial(tender)), tender, None)


@room.post("/<uuid:tender_id>/edit", permission=permissions.may_prepare, subject=get_tender)
def change(tender: Tender) -> Any:
    form = Form(TenderForm(), request.form)
    if form.passes(lambda data: operations.change_tender(tender, **data, by=require_actor(), now=request_now())):
        flash(_("The change is saved."), "ok")
        return go("procurement.page", tender_id=tender.id)
    return _terms_page(form, tender, None), form.status


def _terms_page(form: Form, tender: Tender | None, plan: PurchasePlan | None) -> str:
    levels = ("city", "district", "street")
    return render_template(
        "procurement/terms.html",
        form=form,
        tender=tender,
        plan=plan,
        buyers=[(area.id, area.name) for area in areas_where(require_actor(), permissions.may_prepare, levels)],
        methods=list(words.METHOD_WORDS.items()),
        rules=list(words.RULE_WORDS.items()),
        ratings=[(rating, rating) for rating in RATINGS],
    )


@room.get("/<uuid:tender_id>", permission=permissions.may_follow, subject=get_tender)
def page(tender: Tender) -> str:
    return _page(tender, Form())


def _page(tender: Tender, form: Form, failed: str = "") -> str:
    """The tender's page; `form` with its faults belongs to the part `failed`."""
    now = request_now()
    state = state_of(tender, now)
    bids = queries.live_bids(tender.id)
    return render_template(
        "procurement/page.html",
        tender=tender,
        state=state,
        form=form,
        failed=failed,
        demands=publication.demands(tender, now) if state == "draft" else [],
        duties=clocks.duties(tender, now),
        today=local_date(now),
        intact=tender.published_at is None or publication.is_as_published(tender),
        bids=bids,
        waiting=[bid for bid in bids if bid.needs_reconfirming],
        officers=queries.officers_of(tender.id),
        least_deadline=publication.least_deadline(tender, now) if state in ("published", "suspended") else None,
        words=words,
    )


@room.post("/<uuid:tender_id>/publish", permission=permissions.may_prepare, subject=get_tender)
def publish(tender: Tender) -> Any:
    publication.publish(tender, by=require_actor(), now=request_now())
    flash(_("The tender is published. Its terms are frozen."), "ok")
    return go("procurement.page", tender_id=tender.id)


@room.post("/<uuid:tender_id>/withdraw", permission=permissions.may_prepare, subject=get_tender)
def withdraw(tender: Tender) -> Any:
    operations.withdraw(tender, by=require_actor(), now=request_now())
    flash(_("The draft is given up."), "ok")
    return go("procurement.listing")


# --- lots, criteria, documents ----------------------------------------------------------------------------------


@room.get("/<uuid:tender_id>/lots/new", permission=permissions.may_prepare, subject=get_tender)
def new_lot(tender: Tender) -> str:
    return _lot_page(Form(initial={"area_id": tender.buyer_area_id}), tender, None)


@room.post("/<uuid:tender_id>/lots/new", permission=permissions.may_prepare, subject=get_tender)
def add_lot(tender: Tender) -> Any:
    form = Form(LotForm(), request.form)
    if form.passes(lambda data: operations.add_lot(tender, _drafted(data), by=require_actor(), now=request_now())):
        return go("procurement.page", tender_id=tender.id, _anchor="lots")
    return _lot_page(form, tender, None), form.status  # fmt: skip


def _drafted(data: dict[str, Any]) -> operations.LotDraft:
    return lot_draft(data, db.session.get(Service, data["service_id"]))


@room.get("/<uuid:tender_id>/lots/<uuid:lot_id>", permission=permissions.may_prepare, subject=get_tender)
def edit_lot(tender: Tender, lot_id: uuid.UUID) -> str:
    lot = _lot(tender, lot_id)
    return _lot_page(Form(initial=lot_initial(lot)), tender, lot)


@room.post("/<uuid:tender_id>/lots/<uuid:lot_id>", permission=permissions.may_prepare, subject=get_tender)
def change_lot(tender: Tender, lot_id: uuid.UUID) -> Any:
    lot = _lot(tender, lot_id)
    form = Form(LotForm(), request.form)
    if form.passes(lambda data: operations.change_lot(lot, _drafted(data), by=require_actor(), now=request_now())):
        return go("procurement.page", tender_id=tender.id, _anchor="lots")
    return _lot_page(form, tender, lot), form.status


@room.post("/<uuid:tender_id>/lots/<uuid:lot_id>/remove", permission=permissions.may_prepare, subject=get_tender)
def remove_lot(tender: Tender, lot_id: uuid.UUID) -> Any:
    operations.remove_lot(_lot(tender, lot_id), by=require_actor(), now=request_now())
    return go("procurement.page", tender_id=tender.id, _anchor="lots")


def _lot(tender: Tender, lot_id: uuid.UUID) -> Lot:
    lot = queries.lot_of(tender, lot_id)
    if lot is None:
        raise NotFound("")
    return lot


def _lot_page(form: Form, tender: Tender, lot: Lot | None) -> str:
    levels = ("city", "district", "street", "community")
    offered = areas_where(require_actor(), permissions.may_prepare, levels)
    inside = [area for area in offered if is_under(area, tender.buyer.path)]
    wide = [area for area in inside if area.level != "community"]
    shown = inside if len(wide) <= 1 else wide
    return render_template(
        "procurement/lot.html",
        form=form,
        tender=tender,
        lot=lot,
        services=[(service.id, named(service)) for service in services_on(local_date(request_now()))],
        areas=[(area.id, area.name) for area in shown],
        tags=list(TAG_WORDS.items()),
    )


@room.get("/<uuid:tender_id>/criteria", permission=permissions.may_prepare, subject=get_tender)
def criteria(tender: Tender) -> str:
    return _criteria_page(Form(initial=criteria_initial(tender)), tender)


@room.post("/<uuid:tender_id>/criteria", permission=permissions.may_prepare, subject=get_tender)
def set_criteria(tender: Tender) -> Any:
    form = Form(None, request.form)
    drafts = read_criteria(form, request.form, str(_("Price of the bid")))
    if form.passes(lambda _data: operations.set_criteria(tender, drafts, by=require_actor(), now=request_now())):
        return go("procurement.page", tender_id=tender.id, _anchor="criteria")
    return _criteria_page(form, tender), form.status  # fmt: skip


def _criteria_page(form: Form, tender: Tender) -> str:
    filled = sum(row.kind == "quality" for row in tender.criteria)
    return render_template(
        "procurement/criteria.html", form=form, tender=tender, rows=range(MOST_CRITERIA_ROWS), shown=max(4, filled + 1)
    )


@room.post("/<uuid:tender_id>/documents", permission=permissions.may_prepare, subject=get_tender)
def add_document(tender: Tender) -> Any:
    file = request.files.get("file")
    name, media, content = (file.filename or "", file.mimetype, file.read()) if file else ("", "", b"")
    form = Form(None, request.form)
    if form.passes(
        lambda _data: operations.add_document(tender, name, media, content, by=require_actor(), now=request_now())
    ):
        return go("procurement.page", tender_id=tender.id, _anchor="documents")
    return _page(tender, form, "documents"), form.status


@room.post(
    "/<uuid:tender_id>/documents/<uuid:document_id>/remove", permission=permissions.may_prepare, subject=get_tender
)
def remove_document(tender: Tender, document_id: uuid.UUID) -> Any:
    document = queries.document_of(tender, document_id)
    if document is None:
        raise NotFound("")
    operations.remove_document(tender, document, by=require_actor(), now=request_now())
    return go("procurement.page", tender_id=tender.id, _anchor="documents")


# --- until the deadline -----------------------------------------------------------------------------------------


@room.post("/<uuid:tender_id>/clarify", permission=permissions.may_prepare, subject=get_tender)
def clarify(tender: Tender) -> Any:
    form = Form(ClarifyForm(), request.form)

    def act(data: dict[str, Any]) -> None:
        at = local(tender.deadline_at)
        day = data.pop("deadline_day")
        moved = None if day is None else at_minutes(day, at.hour * 60 + at.minute)
        publication.clarify(tender, **data, deadline_at=moved, by=require_actor(), now=request_now())

    if form.passes(act):
        flash(_("The clarification is published; those concerned are told."), "ok")
        return go("procurement.page", tender_id=tender.id, _anchor="clarifications")
    return _page(tender, form, "clarify"), form.status


@room.post(
    "/<uuid:tender_id>/questions/<uuid:question_id>/answer", permission=permissions.may_prepare, subject=get_tender
)
def answer(tender: Tender, question_id: uuid.UUID) -> Any:
    question = queries.question_of(tender, question_id)
    if question is None:
        raise NotFound("")
    form = Form(TextForm(), request.form)
    if form.passes(lambda data: publication.answer(question, data["text"], by=require_actor(), now=request_now())):
        return go("procurement.page", tender_id=tender.id, _anchor="questions")
    return _page(tender, form, str(question_id)), form.status  # fmt: skip


@room.post("/<uuid:tender_id>/cancel", permission=permissions.may_prepare, subject=get_tender)
def cancel(tender: Tender) -> Any:
    form = Form(TextForm(), request.form)
    if form.passes(lambda data: publication.cancel(tender, data["text"], by=require_actor(), now=request_now())):
        flash(_("The tender is cancelled; the reason is published."), "ok")
        return go("procurement.page", tender_id=tender.id)
    return _page(tender, form, "cancel"), form.status


@room.post("/<uuid:tender_id>/suspend", permission=permissions.may_prepare, subject=get_tender)
def suspend(tender: Tender) -> Any:
    form = Form(SuspendForm(), request.form)
    if form.passes(
        lambda data: publication.suspend(
            tender, at_minutes(data["until"], 0), data["text"], by=require_actor(), now=request_now()
        )
    ):
        flash(_("The tender is suspended; those concerned are told."), "ok")
        return go("procurement.page", tender_id=tender.id)
    return _page(tender, form, "suspend"), form.status


@room.post("/<uuid:tender_id>/resume", permission=permissions.may_prepare, subject=get_tender)
def resume(tender: Tender) -> Any:
    publication.resume(tender, by=require_actor(), now=request_now())
    flash(_("The tender goes on."), "ok")
    return go("procurement.page", tender_id=tender.id)
