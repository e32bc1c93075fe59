"""Carers and social workers: list, record, qualifications, absences."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from flask import flash, render_template, request, url_for
from flask_babel import gettext as _

from linkage.areas.queries import planning_areas
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, NotFound
from linkage.core.forms import Form
from linkage.core.paging import order, paginate
from linkage.core.permissions import demand
from linkage.core.web import Room, can, go, request_now, require_actor
from linkage.organisations import operations, permissions, queries, words
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.queries import get_carer, get_organisation
from linkage.organisations.schemas import AbsenceForm, CarerForm
from linkage.people import permissions as people_permissions
from linkage.people import week
from linkage.people.identity import show_telephone
from linkage.people.models import Person, WorkException
from linkage.people.operations import PersonDraft, cancel_exception
from linkage.people.queries import exceptions_from, get_exception, week_pattern
from linkage.people.revealing import open_asked, passing
from linkage.people.week import WeekSchema
from linkage.people.words import ABSENCE_WORDS, EXCEPTION_WORDS, LANGUAGE_WORDS, REVEAL_WORDS, SEX_WORDS, TRAVEL_WORDS
from linkage.services import operations as catalogue
from linkage.services.queries import get_held, held_by, paper_state, qualification_names, qualifications
from linkage.services.schemas import HeldForm
from linkage.services.words import named

room = Room("carers", __name__, url_prefix="/carers", template_folder="templates")
REVEALED = ("telephone", "id_number")


@room.get("/", permission=permissions.may_see_carers)
def listing() -> str:
    actor, today = require_actor(), local_date(request_now())
    args = request.args
    wanted = queries.find_carers(
        actor,
        today,
        text=args.get("q", "")[:60],
        organisation_id=_uuid(args.get("organisation", "")),
        kind=args.get("kind", ""),
        state=args.get("state") or "working",
        expiring_days=args.get("expiring", type=int),
    )
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


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@room.get("/<uuid:carer_id>", permission=permissions.may_see_carers, subject=get_carer)
def page(carer: Carer) -> str:
    return _page(carer, Form())


def _page(carer: Carer, form: Form, opened: dict[str, Any] | None = None) -> str:
    today = local_date(request_now())
    exceptions = exceptions_from(carer.person_id, today)
    return render_template(
        "organisations/carer.html",
        carer=carer,
        form=form,
        opened=opened or {},
        week=week,
        pattern=week_pattern(carer.person_id, "shift", today, organisation_id=carer.organisation_id),
        exceptions=exceptions,
        cancellable=_cancellable(carer, exceptions),
        cancel_url=_cancel_url(carer),
        held=held_by([carer.person_id])[carer.person_id],
        names=qualification_names(),
        choices=[(row.code, named(row)) for row in qualifications()],
        end_url=lambda row: url_for("carers.end_qualification", carer_id=carer.id, held_id=row.id),
        paper_state=paper_state,
        today=today,
        words=words,
        travel_words=TRAVEL_WORDS,
        sex_words=SEX_WORDS,
        languages=[LANGUAGE_WORDS[language] for language in carer.person.languages],
        reveal_words=list(REVEAL_WORDS.items()),
        exception_words=EXCEPTION_WORDS,
        absence_words=ABSENCE_WORDS,
    )


def _cancellable(carer: Carer, exceptions: Sequence[WorkException]) -> list[WorkException]:
    """Absences by who reports them, additional hours by who plans the week."""
    absences, extras = can(permissions.may_report_absence, carer), can(permissions.may_plan_week, carer)
    return [row for row in exceptions if (absences if row.kind == "absent" else extras)]


def _cancel_url(carer: Carer) -> Callable[[WorkException], str]:
    return lambda row: url_for("carers.cancel", carer_id=carer.id, exception_id=row.id)


@room.post("/<uuid:carer_id>/reveal", permission=permissions.may_see_carers, subject=get_carer)
def reveal(carer: Carer) -> Any:
    """Show telephone or ID number for ten minutes; who, when and why is written down."""
    demand(require_actor(), people_permissions.may_reveal, carer.person)
    opened = open_asked(carer.person, REVEALED)
    if opened.get("telephone"):
        opened["telephone"] = show_telephone(opened["telephone"])
    return passing(_page(carer, Form(), opened), url_for("carers.page", carer_id=carer.id))


@room.get("/<uuid:carer_id>/week", permission=permissions.may_plan_week, subject=get_carer)
def edit_week(carer: Carer) -> str:
    today = local_date(request_now())
    initial = week.initial_values(carer.person_id, "shift", today, organisation_id=carer.organisation_id)
    return _week_page(carer, Form(initial=initial))


@room.post("/<uuid:carer_id>/week", permission=permissions.may_plan_week, subject=get_carer)
def set_week(carer: Carer) -> Any:
    form, now = Form(WeekSchema(), request.form), request_now()
    if form.valid:
        try:
            changed = week.save_week(
                carer.person,
                "shift",
                form.data,
                areas=[area.id for area in planning_areas()],
                organisation_id=carer.organisation_id,
                by=require_actor(),
                today=local_date(now),
                now=now,
            )
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The week is saved.") if changed else _("Nothing was changed."), "ok" if changed else "info")
            return go("carers.page", carer_id=carer.id)
    return _week_page(carer, form), form.status


def _week_page(carer: Carer, form: Form) -> str:
    today = local_date(request_now())
    return render_template(
        "organisations/week.html",
        carer=carer,
        form=form,
        week=week,
        areas=[(area.id, area.name) for area in planning_areas()],
        exceptions=exceptions_from(carer.person_id, today),
        cancel_url=_cancel_url(carer),
        today=today,
        exception_words=EXCEPTION_WORDS,
        absence_words=ABSENCE_WORDS,
    )


@room.get("/<uuid:carer_id>/absence", permission=permissions.may_report_absence, subject=get_carer)
def absence(carer: Carer) -> str:
    return _absence_page(carer, Form(initial={"first": local_date(request_now()), "reason": "ill"}))


@room.post("/<uuid:carer_id>/absence", permission=permissions.may_report_absence, subject=get_carer)
def report_absence(carer: Carer) -> Any:
    form = Form(AbsenceForm(), request.form)
    if form.valid:
        try:
            operations.report_absence(carer, **form.data, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
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
    row = get_exception(exception_id)
    if row is None or row.person_id != carer.person_id:
        raise NotFound("")
    if row.kind == "extra":
        demand(require_actor(), permissions.may_plan_week, carer)
    cancel_exception(row, carer.person, by=require_actor(), now=request_now())
    flash(_("It is cancelled."), "ok")
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
    if form.valid:
        try:
            carer = operations.employ(
                organisation, _person_draft(form.data), form.data["terms"], by=require_actor(), now=request_now()
            )
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The carer is entered. Set the week and the qualifications next."), "ok")
            return go("carers.page", carer_id=carer.id)
    return _form_page(form, organisation, None), form.status


@room.get("/<uuid:carer_id>/edit", permission=permissions.may_employ, subject=get_carer)
def edit(carer: Carer) -> str:
    person = carer.person
    initial = {column.name: getattr(carer, column.name) for column in Carer.__table__.columns} | {
        "name": person.name,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "languages": person.languages,
        "weekly_hours": f"{carer.weekly_minutes / 60:g}",
        "person_version": person.row_version,
    }
    return _form_page(Form(initial=initial), carer.organisation, carer)


@room.post("/<uuid:carer_id>/edit", permission=permissions.may_employ, subject=get_carer)
def change(carer: Carer) -> Any:
    form = Form(CarerForm(), request.form)
    if form.valid:
        try:
            operations.change_carer(
                carer,
                _person_draft(form.data, carer.person),
                form.data["terms"],
                row_version=form.data["row_version"],
                person_version=form.data["person_version"],
                by=require_actor(),
                now=request_now(),
            )
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The change is saved."), "ok")
            return go("carers.page", carer_id=carer.id)
    return _form_page(form, carer.organisation, carer), form.status


def _person_draft(data: dict[str, Any], known: Person | None = None) -> PersonDraft:
    """Numbers that were left empty stay as they are: they are not shown in clear on the form."""
    return PersonDraft(
        name=data["name"],
        birth_date=data["birth_date"],
        sex=data["sex"],
        telephone=data["telephone"] or (known.telephone if known else None),
        id_number=data["id_number"] or (known.id_number if known else None),
        languages=tuple(data["languages"]),
    )


def _form_page(form: Form, organisation: Organisation, carer: Carer | None) -> str:
    return render_template(
        "organisations/carer_form.html",
        form=form,
        organisation=organisation,
        carer=carer,
        kinds=list(words.CARER_KIND_WORDS.items()),
        travel=list(TRAVEL_WORDS.items()),
        sexes=list(SEX_WORDS.items()),
        languages=list(LANGUAGE_WORDS.items()),
    )


@room.post("/<uuid:carer_id>/qualifications", permission=permissions.may_employ, subject=get_carer)
def add_qualification(carer: Carer) -> Any:
    form = Form(HeldForm(), request.form)
    if form.valid:
        try:
            catalogue.add_held(carer.person_id, **form.data, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The qualification is entered."), "ok")
            return go("carers.page", carer_id=carer.id)
    return _page(carer, form), form.status


@room.post("/<uuid:carer_id>/qualifications/<uuid:held_id>/end", permission=permissions.may_employ, subject=get_carer)
def end_qualification(carer: Carer, held_id: uuid.UUID) -> Any:
    held = get_held(held_id)
    if held is None or held.person_id != carer.person_id:
        raise NotFound("")
    now = request_now()
    catalogue.end_held(held, on=local_date(now), by=require_actor(), now=now)
    flash(_("The qualification ends today."), "ok")
    return go("carers.page", carer_id=carer.id)
