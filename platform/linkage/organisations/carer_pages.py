"""Carers and social workers: list, record, qualifications, absences."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import flash, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Select

from linkage.areas.queries import planning_areas
from linkage.core.clock import local_date
from linkage.core.forms import Form
from linkage.core.ids import uuid_or_none
from linkage.core.paging import order, paginate
from linkage.core.permissions import Actor, demand
from linkage.core.web import Room, can, go, request_now, require_actor
from linkage.organisations import operations, permissions, queries, words
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.queries import get_carer, get_organisation
from linkage.organisations.schemas import AbsenceForm, CarerForm
from linkage.people import records, week
from linkage.people.models import Person, WorkException
from linkage.people.revealing import passing
from linkage.people.week import WeekSchema
from linkage.people.words import ABSENCE_WORDS, TRAVEL_WORDS
from linkage.services.holding import end_held, enter_held, held_values

room = Room("carers", __name__, url_prefix="/carers", template_folder="templates")


@room.get("/", permission=permissions.may_see_carers)
def listing() -> str:
    actor, today = require_actor(), local_date(request_now())
    wanted = filtered(actor, today)
    columns = {"name": Person.name_keys, "organisation": Organisation.name_keys, "since": Carer.valid_from}
    page = paginate(wanted.order_by(*order(columns, "name", Carer.id)))
    return render_template(
        "organisations/carers.html",
        page=page,
        papers=queries.papers_of([row.person_id for row in page.rows], today),
        organisations=[(row.id, row.short_name) for row in queries.organisation_choices(actor)],
        counts=queries.expiring_counts(actor, today),
        today=today,
        words=words,
    )


def filtered(actor: Actor, today: date) -> Select[Carer]:
    """The list under the filters of the address bar."""
    args = request.args
    return queries.find_carers(
        actor,
        today,
        text=args.get("q", "")[:60],
        organisation_id=uuid_or_none(args.get("organisation", "")),
        kind=args.get("kind", ""),
        state=args.get("state") or "working",
        expiring_days=args.get("expiring", type=int),
    )


@room.get("/<uuid:carer_id>", permission=permissions.may_see_carers, subject=get_carer)
def page(carer: Carer) -> str:
    return _page(carer, Form())


def _page(carer: Carer, form: Form, opened: dict[str, Any] | None = None) -> str:
    shown = records.record_values(carer.person, "shift", local_date(request_now()), carer.organisation_id)
    return render_template(
        "organisations/carer.html",
        carer=carer,
        form=form,
        opened=opened or {},
        cancellable=_cancellable(carer, shown["exceptions"]),
        cancel_url=_cancel_url(carer),
        words=words,
        **shown,
        **held_values(
            carer.person_id,
            lambda row: url_for("carers.end_qualification", carer_id=carer.id, held_id=row.id),
        ),
    )


def _cancellable(carer: Carer, exceptions: Sequence[WorkException]) -> list[WorkException]:
    """Absences by who reports them, additional hours by who plans the week."""
    absences, extras = can(permissions.may_report_absence, carer), can(permissions.may_plan_week, carer)
    return [row for row in exceptions if (absences if row.kind == "absent" else extras)]


def _cancel_url(carer: Carer) -> Callable[[WorkException], str]:
    return lambda row: url_for("carers.cancel", carer_id=carer.id, exception_id=row.id)


@room.post("/<uuid:carer_id>/reveal", permission=permissions.may_reveal, subject=get_carer)
def reveal(carer: Carer) -> Any:
    """Show telephone or ID number for ten minutes; who, when and why is written down."""
    opened = records.opened_number(carer.person)
    return passing(_page(carer, Form(), opened), url_for("carers.page", carer_id=carer.id))


@room.get("/<uuid:carer_id>/week", permission=permissions.may_plan_week, subject=get_carer)
def edit_week(carer: Carer) -> str:
    today = local_date(request_now())
    initial = week.initial_values(carer.person_id, "shift", today, organisation_id=carer.organisation_id)
    return _week_page(carer, Form(initial=initial))


@room.post("/<uuid:carer_id>/week", permission=permissions.may_plan_week, subject=get_carer)
def set_week(carer: Carer) -> Any:
    form = Form(WeekSchema(), request.form)
    if records.save_week(form, carer.person, "shift", list(planning_areas()), carer.organisation_id):
        return go("carers.page", carer_id=carer.id)
    return _week_page(carer, form), form.status


def _week_page(carer: Carer, form: Form) -> str:
    return render_template(
        "organisations/week.html",
        carer=carer,
        form=form,
        areas=[(area.id, area.name) for area in planning_areas()],
        cancel_url=_cancel_url(carer),
        **records.week_values(carer.person_id, local_date(request_now())),
    )


@room.get("/<uuid:carer_id>/absence", permission=permissions.may_report_absence, subject=get_carer)
def absence(carer: Carer) -> str:
    return _absence_page(carer, Form(initial={"first": local_date(request_now()), "reason": "ill"}))


@room.post("/<uuid:carer_id>/absence", permission=permissions.may_report_absence, subject=get_carer)
def report_absence(carer: Carer) -> Any:
    form = Form(AbsenceForm(), request.form)
    if form.passes(lambda data: operations.report_absence(carer, **data, by=require_actor(), now=request_now())):
        flash(_("The absence is noted. The visits of that time are free again and will be given to others."), "ok")
        return go("carers.page", carer_id=carer.id)
    return _absence_page(carer, form), form.status


def _absence_page(carer: Carer, form: Form) -> str:
    return render_template("organisations/absence.html", carer=carer, form=form, reasons=list(ABSENCE_WORDS.items()))


@room.post(
    "/<uuid:carer_id>/exceptions/<uuid:exception_id>/cancel",
    permission=permissions.may_report_absence,
    subject=get_carer,
)
def cancel(carer: Carer, exception_id: uuid.UUID) -> Any:
    row = records.own_exception(carer.person, exception_id)
    if row.kind == "extra":
        demand(require_actor(), permissions.may_plan_week, carer)
    records.cancel(row, carer.person)
    return go("carers.page", carer_id=carer.id)


@room.get("/new/<uuid:organisation_id>", permission=permissions.may_employ, subject=get_organisation)
def new(organisation: Organisation) -> str:
    initial = {
        "valid_from": local_date(request_now()),
        "weekly_hours": 40,
        "languages": ["mandarin"],
        "kind": "carer",
        "travel_mode": "ebike",
    }
    return _form_page(Form(initial=initial), organisation, None)


@room.post("/new/<uuid:organisation_id>", permission=permissions.may_employ, subject=get_organisation)
def employ(organisation: Organisation) -> Any:
    form = Form(CarerForm(), request.form)
    if form.passes(
        lambda data: operations.employ(
            organisation, records.person_draft(data), data["terms"], by=require_actor(), now=request_now()
        )
    ):
        carer = form.result
        flash(_("The carer is entered. Set the week and the qualifications next."), "ok")
        return go("carers.page", carer_id=carer.id)
    return _form_page(form, organisation, None), form.status


@room.get("/<uuid:carer_id>/edit", permission=permissions.may_employ, subject=get_carer)
def edit(carer: Carer) -> str:
    initial = {column.name: getattr(carer, column.name) for column in Carer.__table__.columns} | {
        **records.person_initial(carer.person),
        "weekly_hours": f"{carer.weekly_minutes / 60:g}",
    }
    return _form_page(Form(initial=initial), carer.organisation, carer)


@room.post("/<uuid:carer_id>/edit", permission=permissions.may_employ, subject=get_carer)
def change(carer: Carer) -> Any:
    form = Form(CarerForm(), request.form)
    if form.passes(
        lambda data: operations.change_carer(
            carer,
            records.person_draft(data, carer.person),
            data["terms"],
            row_version=data["row_version"],
            person_version=data["person_version"],
            by=require_actor(),
            now=request_now(),
        )
    ):
        flash(_("The change is saved."), "ok")
        return go("carers.page", carer_id=carer.id)
    return _form_page(form, carer.organisation, carer), form.status


def _form_page(form: Form, organisation: Organisation, carer: Carer | None) -> str:
    return render_template(
        "organisations/carer_form.html",
        form=form,
        organisation=organisation,
        carer=carer,
        kinds=list(words.CARER_KIND_WORDS.items()),
        travel=list(TRAVEL_WORDS.items()),
        **records.person_choices(),
    )


@room.post("/<uuid:carer_id>/qualifications", permission=permissions.may_employ, subject=get_carer)
def add_qualification(carer: Carer) -> Any:
    form = enter_held(carer.person_id)
    if form.result:
        return go("carers.page", carer_id=carer.id)
    return _page(carer, form), form.status


@room.post("/<uuid:carer_id>/qualifications/<uuid:held_id>/end", permission=permissions.may_employ, subject=get_carer)
def end_qualification(carer: Carer, held_id: uuid.UUID) -> Any:
    end_held(carer.person_id, held_id)
    return go("carers.page", carer_id=carer.id)
