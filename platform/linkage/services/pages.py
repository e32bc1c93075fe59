"""The catalogue: read by everybody, changed by an administrator of the whole installation."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _

from linkage.core.clock import local_date
from linkage.core.forms import Form
from linkage.core.web import Room, go, request_now, require_actor
from linkage.services import operations, queries, words
from linkage.services.models import GROUPS, PROVIDER_KINDS, UNITS, Qualification, Service
from linkage.services.permissions import may_change, may_see
from linkage.services.queries import get_qualification, get_service
from linkage.services.schemas import ChangedServiceForm, NewServiceForm, QualificationForm

room = Room("services", __name__, url_prefix="/services", template_folder="templates")
ICONS = (
    "cup-hot", "droplet-half", "stars", "hospital", "chat-heart", "heart-pulse", "person-arms-up", "bag-check",
    "chat-square-heart", "bandaid", "people", "envelope-paper", "lightning-charge", "heart", "house-heart", "tools",
    "book", "telephone", "scissors", "bicycle",
)  # fmt: skip


@room.get("/", permission=may_see)
def listing() -> str:
    today = local_date(request_now())
    shown = request.args.get("state", "offered")
    wanted = queries.catalogue()
    if shown == "offered":
        wanted = wanted.where(Service.on(today))
    elif shown == "ended":
        wanted = wanted.where(Service.valid_to < today)
    group = request.args.get("group", "")
    if group in GROUPS:
        wanted = wanted.where(Service.group == group)
    rows = queries.rows(wanted)
    return render_template(
        "services/listing.html",
        rows=rows,
        shown=shown,
        group=group,
        today=today,
        words=words,
        must={row.id: queries.named_codes(row.qualifications) for row in rows},
    )


@room.get("/<uuid:service_id>", permission=may_see, subject=get_service)
def page(service: Service) -> str:
    return render_template(
        "services/page.html",
        service=service,
        today=local_date(request_now()),
        words=words,
        must={
            "paid": queries.named_codes(service.qualifications),
            "volunteer": queries.named_codes(service.volunteer_qualifications),
        },
    )


@room.get("/new", permission=may_change)
def new() -> str:
    today = local_date(request_now())
    return _form_page(
        Form(initial={"valid_from": today, "unit": "minutes", "charge_each_person": True, "icon": "heart"}), None
    )


@room.post("/new", permission=may_change)
def add() -> Any:
    form = Form(NewServiceForm(), request.form)
    if form.passes(
        lambda data: operations.add_service(data["code"], data["draft"], by=require_actor(), now=request_now())
    ):
        service = form.result
        flash(_("The service is in the catalogue."), "ok")
        return go("services.page", service_id=service.id)
    return _form_page(form, None), form.status


@room.get("/<uuid:service_id>/edit", permission=may_change, subject=get_service)
def edit(service: Service) -> str:
    initial = {column.name: getattr(service, column.name) for column in Service.__table__.columns}
    initial["mixes"] = ["+".join(pair) for pair in service.mixes]
    return _form_page(Form(initial=initial), service)


@room.post("/<uuid:service_id>/edit", permission=may_change, subject=get_service)
def change(service: Service) -> Any:
    form = Form(ChangedServiceForm(), request.form)
    if form.passes(
        lambda data: operations.change_service(
            service,
            data["draft"],
            row_version=data["row_version"],
            by=require_actor(),
            now=request_now(),
        )
    ):
        flash(_("The change is saved."), "ok")
        return go("services.page", service_id=service.id)
    return _form_page(form, service), form.status


def _form_page(form: Form, service: Service | None) -> str:
    pairs = ["+".join(pair) for pair in combinations_with_replacement(PROVIDER_KINDS, 2)]
    return render_template(
        "services/form.html",
        form=form,
        service=service,
        groups=[(group, words.GROUP_WORDS[group]) for group in GROUPS],
        units=[(unit, words.UNIT_WORDS[unit]) for unit in UNITS],
        kinds=[(kind, words.KIND_WORDS[kind]) for kind in PROVIDER_KINDS],
        pairs=[(pair, words.pair_words(pair.split("+"))) for pair in pairs],
        qualifications=[(row.code, words.named(row)) for row in queries.qualifications()],
        risks=list(words.RISK_WORDS.items()),
        twos=list(words.TWO_PEOPLE_WORDS.items()),
        icons=ICONS,
    )


@room.get("/qualifications", permission=may_change)
def qualifications() -> str:
    return _qualifications_page(Form())


@room.post("/qualifications", permission=may_change)
def save_qualification() -> Any:
    form = Form(QualificationForm(), request.form)
    if not form.valid:
        return _qualifications_page(form), form.status
    operations.save_qualification(**form.data, by=require_actor(), now=request_now())
    flash(_("The change is saved."), "ok")
    return go("services.qualifications")


@room.get("/qualifications/<code>", permission=may_change)
def edit_qualification(code: str) -> str:
    row = get_qualification(code)
    initial = {} if row is None else {name: getattr(row, name) for name in ("code", "name_zh", "name_en")}
    return _qualifications_page(Form(initial=initial), row)


def _qualifications_page(form: Form, chosen: Qualification | None = None) -> str:
    return render_template(
        "services/qualifications.html", form=form, rows=queries.qualifications(), chosen=chosen,
        needed=queries.services_needing(),
    )  # fmt: skip
