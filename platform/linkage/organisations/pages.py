"""Organisations: list, page, entering and changing one."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _

from linkage.areas.queries import areas_where
from linkage.areas.schemas import shown_position
from linkage.core.clock import local_date
from linkage.core.forms import Form
from linkage.core.paging import paginate
from linkage.core.web import Room, can, go, request_now, require_actor
from linkage.organisations import operations, permissions, queries, words
from linkage.organisations.models import Organisation
from linkage.organisations.queries import get_organisation
from linkage.organisations.schemas import OrganisationForm
from linkage.services.queries import paper_state

room = Room("organisations", __name__, url_prefix="/organisations", template_folder="templates")


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    actor, today = require_actor(), local_date(request_now())
    page = paginate(queries.find_organisations(actor, request.args.get("q", "")[:60]))
    return render_template(
        "organisations/listing.html",
        page=page,
        today=today,
        paper_state=paper_state,
        carers=queries.carer_numbers([row.id for row in page.rows], today),
        expiring=queries.expiring_counts(actor, today) if can(permissions.may_see_carers) else {},
    )


@room.get("/<uuid:organisation_id>", permission=permissions.may_see, subject=get_organisation)
def page(organisation: Organisation) -> str:
    actor, today = require_actor(), local_date(request_now())
    carers = (
        queries.find_carers(actor, today, organisation_id=organisation.id) if can(permissions.may_see_carers) else None
    )
    return render_template(
        "organisations/page.html",
        organisation=organisation,
        carers=None if carers is None else queries.with_papers(carers, today),
        today=today,
        words=words,
        paper_state=paper_state,
        position=shown_position(organisation.lat, organisation.lon),
    )


@room.get("/new", permission=permissions.may_register)
def new() -> str:
    return _form_page(Form(), None)


@room.post("/new", permission=permissions.may_register)
def register() -> Any:
    form = Form(OrganisationForm(), request.form)
    if form.passes(lambda data: operations.register_organisation(data["draft"], by=require_actor(), now=request_now())):
        organisation = form.result
        flash(_("The organisation is registered. Add its carers next."), "ok")
        return go("organisations.page", organisation_id=organisation.id)
    return _form_page(form, None), form.status


@room.get("/<uuid:organisation_id>/edit", permission=permissions.may_change, subject=get_organisation)
def edit(organisation: Organisation) -> str:
    initial = {column.name: getattr(organisation, column.name) for column in Organisation.__table__.columns}
    initial["position"] = shown_position(organisation.lat, organisation.lon)
    return _form_page(Form(initial=initial), organisation)


@room.post("/<uuid:organisation_id>/edit", permission=permissions.may_change, subject=get_organisation)
def change(organisation: Organisation) -> Any:
    form = Form(OrganisationForm(), request.form)
    if form.passes(
        lambda data: operations.change_organisation(organisation, **data, by=require_actor(), now=request_now())
    ):
        flash(_("The change is saved."), "ok")
        return go("organisations.page", organisation_id=organisation.id)
    return _form_page(form, organisation), form.status


@room.post("/<uuid:organisation_id>/close", permission=permissions.may_close, subject=get_organisation)
def close(organisation: Organisation) -> Any:
    now = request_now()
    operations.close_organisation(organisation, on=local_date(now), by=require_actor(), now=now)
    flash(_("The organisation is closed."), "ok")
    return go("organisations.page", organisation_id=organisation.id)


def _form_page(form: Form, organisation: Organisation | None) -> str:
    levels = ("city", "district", "street")
    areas = areas_where(require_actor(), permissions.may_register, levels)
    if organisation is not None and organisation.area not in areas:
        areas = [organisation.area, *areas]
    return render_template(
        "organisations/form.html",
        form=form,
        organisation=organisation,
        areas=[(area.id, "\u3000" * levels.index(area.level) + area.name) for area in areas],
        ratings=[(rating, rating) for rating in words.RATINGS],
    )
