"""Volunteers: list, record, what they offer and when; the volunteer's own page is the same record."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Select

from linkage.areas.models import Area
from linkage.areas.queries import areas_where, get_area, planning_area_of
from linkage.areas.schemas import shown_position
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, NotFound
from linkage.core.forms import Form
from linkage.core.ids import uuid_or_none
from linkage.core.paging import order, paginate
from linkage.core.permissions import Actor
from linkage.core.web import Room, go, request_now, require_actor
from linkage.people import records, week
from linkage.people.models import Person, WorkException
from linkage.people.revealing import passing
from linkage.people.week import WeekSchema
from linkage.people.words import (
    TRAVEL_WORDS,
)
from linkage.services.holding import end_held, enter_held, held_values
from linkage.services.models import Service
from linkage.services.queries import named_codes, paper_state
from linkage.services.words import listed, named
from linkage.volunteers import operations, permissions, queries
from linkage.volunteers.models import Volunteer
from linkage.volunteers.queries import get_volunteer
from linkage.volunteers.schemas import ChangeForm, OfferForm, PauseForm, RegisterForm

room = Room("volunteers", __name__, url_prefix="/volunteers", template_folder="templates")


@room.get("/", permission=permissions.may_list)
def listing() -> str:
    actor, today = require_actor(), local_date(request_now())
    wanted = filtered(actor, today)
    columns = {"name": Person.name_keys, "number": Volunteer.number, "insured": Volunteer.insured_to}
    page = paginate(wanted.order_by(*order(columns, "name", Volunteer.id)))
    return render_template(
        "volunteers/listing.html",
        page=page,
        services=queries.offered_services(page.rows),
        counts=queries.insurance_counts(actor, today),
        areas=[(row.id, row.name) for row in areas_where(actor, permissions.may_list, ("street", "community"))],
        choices=[(row.id, named(row)) for row in queries.open_to_volunteers(today)],
        status=lambda volunteer: queries.status(volunteer, today),
        paper_state=paper_state,
        today=today,
    )


def filtered(actor: Actor, today: date) -> Select[Volunteer]:
    """The list under the filters of the address bar."""
    args = request.args
    area = get_area(args.get("area", 0, type=int))
    return queries.find(
        actor,
        today,
        text=args.get("q", "")[:60],
        area_path=area.path if area is not None else "",
        service_id=uuid_or_none(args.get("service", "")),
        state=args.get("state", "active"),
        insurance=args.get("insurance", ""),
    )


@room.get("/me", permission=permissions.may_see_own)
def mine() -> Response:
    """The volunteer's own record."""
    volunteer = queries.of_person(require_actor().person_id)
    if volunteer is None:
        raise NotFound(_("You are not registered as a volunteer."), remedy=_("Your community can register you."))
    return go("volunteers.page", volunteer_id=volunteer.id)


@room.get("/<uuid:volunteer_id>", permission=permissions.may_see, subject=get_volunteer)
def page(volunteer: Volunteer) -> str:
    return _page(volunteer, Form(), Form())


def _page(volunteer: Volunteer, held_form: Form, pause_form: Form, opened: dict[str, Any] | None = None) -> str:
    today = local_date(request_now())
    person = volunteer.person
    return render_template(
        "volunteers/page.html",
        volunteer=volunteer,
        person=person,
        own=person.id == require_actor().person_id,
        status=queries.status(volunteer, today),
        services=queries.offered_services([volunteer])[volunteer.id],
        form=held_form,
        pause_form=pause_form,
        opened=opened or {},
        cancel_url=_cancel_url(volunteer),
        **records.record_values(person, "available", today),
        **held_values(
            person.id,
            lambda row: url_for("volunteers.end_qualification", volunteer_id=volunteer.id, held_id=row.id),
        ),
    )


def _cancel_url(volunteer: Volunteer) -> Callable[[WorkException], str]:
    return lambda row: url_for("volunteers.cancel", volunteer_id=volunteer.id, exception_id=row.id)


@room.post("/<uuid:volunteer_id>/reveal", permission=permissions.may_reveal, subject=get_volunteer)
def reveal(volunteer: Volunteer) -> Any:
    """Show telephone or ID number for ten minutes; who, when and why is written down."""
    opened = records.opened_number(volunteer.person)
    back = url_for("volunteers.page", volunteer_id=volunteer.id)
    return passing(_page(volunteer, Form(), Form(), opened), back)


# --- registering and changing the record ------------------------------------------------------------------------


@room.get("/new", permission=permissions.may_register)
def new() -> str:
    initial = {"languages": ["mandarin"], "radius": "2", "weekly_hours": "8", "travel_mode": "walk"}
    return _register_page(Form(initial=initial))


@room.post("/new", permission=permissions.may_register)
def register() -> Any:
    form = Form(RegisterForm(), request.form)
    if form.passes(
        lambda data: operations.register_volunteer(
            records.person_draft(data), data["record"], data["offer"], by=require_actor(), now=request_now()
        )
    ):
        volunteer = form.result
        flash(_("The volunteer is registered. Say when they have time next."), "ok")
        return go("volunteers.page", volunteer_id=volunteer.id)
    return _register_page(form), form.status


def _register_page(form: Form) -> str:
    return render_template("volunteers/register.html", form=form, **_person_choices(None), **_offer_choices())


@room.get("/<uuid:volunteer_id>/edit", permission=permissions.may_change, subject=get_volunteer)
def edit(volunteer: Volunteer) -> str:
    home = volunteer.home
    initial = {
        **records.person_initial(volunteer.person),
        "area_id": volunteer.area_id,
        "insured_to": volunteer.insured_to,
        "guardian_consent_on": volunteer.guardian_consent_on,
        "home_position": shown_position(*home.position) if home and home.position_source == "pin" else "",
        "row_version": volunteer.row_version,
    }
    return _edit_page(Form(initial=initial), volunteer)


@room.post("/<uuid:volunteer_id>/edit", permission=permissions.may_change, subject=get_volunteer)
def change(volunteer: Volunteer) -> Any:
    form = Form(ChangeForm(), request.form)
    if form.passes(
        lambda data: operations.change_record(
            volunteer,
            records.person_draft(data, volunteer.person),
            data["record"],
            row_version=data["row_version"],
            person_version=data["person_version"],
            by=require_actor(),
            now=request_now(),
        )
    ):
        flash(_("The change is saved."), "ok")
        return go("volunteers.page", volunteer_id=volunteer.id)
    return _edit_page(form, volunteer), form.status


def _edit_page(form: Form, volunteer: Volunteer) -> str:
    return render_template("volunteers/edit.html", form=form, **_person_choices(volunteer))


def _person_choices(volunteer: Volunteer | None) -> dict[str, Any]:
    areas: list[Area] = list(areas_where(require_actor(), permissions.may_register, ("community",)))
    if volunteer is not None and volunteer.area not in areas:
        areas.insert(0, volunteer.area)
    return {
        "volunteer": volunteer,
        "areas": [(area.id, area.name) for area in areas],
        **records.person_choices(),
    }


# --- what a volunteer says for themselves -----------------------------------------------------------------------


@room.get("/<uuid:volunteer_id>/offer", permission=permissions.may_offer, subject=get_volunteer)
def edit_offer(volunteer: Volunteer) -> str:
    initial = {
        "services": [row.service_id for row in volunteer.services],
        "radius": f"{volunteer.radius_metres / 1000:g}",
        "weekly_hours": f"{volunteer.weekly_minutes / 60:g}",
        "travel_mode": volunteer.travel_mode,
        "row_version": volunteer.row_version,
    }
    return _offer_page(Form(initial=initial), volunteer)


@room.post("/<uuid:volunteer_id>/offer", permission=permissions.may_offer, subject=get_volunteer)
def set_offer(volunteer: Volunteer) -> Any:
    form = Form(OfferForm(), request.form)
    if form.passes(lambda data: operations.change_offer(volunteer, **data, by=require_actor(), now=request_now())):
        flash(_("The change is saved."), "ok")
        return go("volunteers.page", volunteer_id=volunteer.id)
    return _offer_page(form, volunteer), form.status


def _offer_page(form: Form, volunteer: Volunteer) -> str:
    return render_template("volunteers/offer.html", form=form, volunteer=volunteer, **_offer_choices())


def _asked_of(service: Service) -> str:
    """What a service asks of a volunteer: certificates, insurance, to be grown up."""
    asked = [named(row) for row in named_codes(service.volunteer_qualifications)]
    asked += [_("accident insurance")] if service.risk == "raised" else []
    asked += [_("adults only")] if service.adults_only else []
    return listed(asked) if asked else ""


def _offer_choices() -> dict[str, Any]:
    open_services = queries.open_to_volunteers(local_date(request_now()))
    return {
        "services": [(row.id, named(row), row.icon) for row in open_services],
        "asking": [(named(row), _asked_of(row)) for row in open_services if _asked_of(row)],
        "travel": list(TRAVEL_WORDS.items()),
    }


@room.get("/<uuid:volunteer_id>/week", permission=permissions.may_offer, subject=get_volunteer)
def edit_week(volunteer: Volunteer) -> str:
    initial = week.initial_values(volunteer.person_id, "available", local_date(request_now()))
    return _week_page(volunteer, Form(initial=initial))


@room.post("/<uuid:volunteer_id>/week", permission=permissions.may_offer, subject=get_volunteer)
def set_week(volunteer: Volunteer) -> Any:
    form = Form(WeekSchema(), request.form)
    if records.save_week(form, volunteer.person, "available", _planning_areas(volunteer)):
        return go("volunteers.page", volunteer_id=volunteer.id)
    return _week_page(volunteer, form), form.status


def _planning_areas(volunteer: Volunteer) -> list[Area]:
    """The one in which they live; elsewhere they are not asked."""
    area = planning_area_of(volunteer.area)
    return [] if area is None else [area]


def _week_page(volunteer: Volunteer, form: Form) -> str:
    return render_template(
        "volunteers/week.html",
        volunteer=volunteer,
        form=form,
        areas=[(area.id, area.name) for area in _planning_areas(volunteer)],
        cancel_url=_cancel_url(volunteer),
        **records.week_values(volunteer.person_id, local_date(request_now())),
    )


@room.post(
    "/<uuid:volunteer_id>/exceptions/<uuid:exception_id>/cancel",
    permission=permissions.may_offer,
    subject=get_volunteer,
)
def cancel(volunteer: Volunteer, exception_id: uuid.UUID) -> Any:
    records.cancel(records.own_exception(volunteer.person, exception_id), volunteer.person)
    return go("volunteers.page", volunteer_id=volunteer.id)


@room.post("/<uuid:volunteer_id>/pause", permission=permissions.may_offer, subject=get_volunteer)
def pause(volunteer: Volunteer) -> Any:
    form = Form(PauseForm(), request.form)
    if form.valid:
        first, last = form.data["paused_from"], form.data["paused_to"]
        try:
            operations.pause(volunteer, first, last, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("Nothing is asked in that time; what was accepted stays."), "ok")
            return go("volunteers.page", volunteer_id=volunteer.id)
    return _page(volunteer, Form(), form), form.status


@room.post("/<uuid:volunteer_id>/resume", permission=permissions.may_offer, subject=get_volunteer)
def resume(volunteer: Volunteer) -> Any:
    operations.resume(volunteer, by=require_actor(), now=request_now())
    flash(_("The pause has ended."), "ok")
    return go("volunteers.page", volunteer_id=volunteer.id)


@room.post("/<uuid:volunteer_id>/leave", permission=permissions.may_offer, subject=get_volunteer)
def leave(volunteer: Volunteer) -> Any:
    operations.leave(volunteer, by=require_actor(), now=request_now())
    flash(_("Thank you for all that was done. The record of service stays."), "ok")
    return go("volunteers.page", volunteer_id=volunteer.id)


# --- qualifications ---------------------------------------------------------------------------------------------


@room.post("/<uuid:volunteer_id>/qualifications", permission=permissions.may_change, subject=get_volunteer)
def add_qualification(volunteer: Volunteer) -> Any:
    form = enter_held(volunteer.person_id)
    if form.result:
        return go("volunteers.page", volunteer_id=volunteer.id)
    return _page(volunteer, form, Form()), form.status


@room.post(
    "/<uuid:volunteer_id>/qualifications/<uuid:held_id>/end",
    permission=permissions.may_change,
    subject=get_volunteer,
)
def end_qualification(volunteer: Volunteer, held_id: uuid.UUID) -> Any:
    end_held(volunteer.person_id, held_id)
    return go("volunteers.page", volunteer_id=volunteer.id)
