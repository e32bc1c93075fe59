"""The list of needs and a need's page: what was asked for, met of due, its visits; change, withdraw.

They stand in this room because they show visits beside needs.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from linkage.accounts.models import User
from linkage.areas.models import Area
from linkage.areas.queries import under
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.paging import paginate
from linkage.core.permissions import may
from linkage.core.readings import begins_with
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.permissions import names_in_full
from linkage.needs import operations, permissions, queries
from linkage.needs.models import Need
from linkage.needs.schemas import FIELDS, NeedForm, initial_of, request_of
from linkage.people.models import Person
from linkage.people.queries import search
from linkage.people.words import LANGUAGE_WORDS, SEX_WORDS
from linkage.services.models import Service
from linkage.services.words import named
from linkage.visits import status, words
from linkage.visits.models import Visit
from linkage.visits.queries import accepted_ahead, active_of, met_of_due

room = Room("needs", __name__, url_prefix="/needs", template_folder="templates")
STATES = ("open", "repeated", "withdrawn", "all")
LOOK_BACK = timedelta(days=28)


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    actor, now = require_actor(), request_now()
    found = paginate(filtered(queries.visible(actor), local_date(now)))
    first, last = local_date(now) - LOOK_BACK, local_date(now) + LOOK_BACK
    ids = [need.id for need in found.rows]
    return render_template(
        "needs/listing.html",
        found=found,
        met=met_of_due(ids, first, last, now),
        nobody=_without_anyone(ids),
        services=db.session.scalars(select(Service).order_by(Service.position)).all(),
        areas=_areas(queries.visible(actor)),
        shown=request.args.get("state", "open"),
        **_common(),
    )


def filtered(wanted: Select[Need], today: date) -> Select[Need]:
    """The list under the filters of the address bar."""
    shown, args = request.args.get("state", "open"), request.args
    if shown == "withdrawn":
        wanted = wanted.where(Need.withdrawn_at.is_not(None))
    elif shown == "repeated":
        wanted = wanted.where(queries.may_be_open(today), Need.repeats_id.is_not(None))
    elif shown != "all":
        wanted = wanted.where(queries.may_be_open(today))
    area = db.session.get(Area, args.get("area", 0, type=int))
    if area is not None:
        wanted = wanted.where(Need.area_id.in_(under(area.path)))
    service = args.get("service", "")[:30]
    if service:
        wanted = wanted.join(Service, Service.id == Need.service_id).where(Service.code == service)
    text = args.get("q", "").strip()[:40]
    if text:
        named_so = search(select(Person.id), text, masked=not names_in_full(require_actor()))
        wanted = wanted.where(or_(begins_with(Need.number, text.upper()), Need.person_id.in_(named_so)))
    options = (joinedload(Need.person), joinedload(Need.service))
    return wanted.options(*options).order_by(Need.priority, Need.created_at.desc(), Need.id)


def _areas(wanted: Select[Need]) -> list[Area]:
    return list(
        db.session.scalars(select(Area).where(Area.id.in_(wanted.with_only_columns(Need.area_id))).order_by(Area.code))
    )


def _without_anyone(need_ids: list[Any]) -> dict[Any, int]:
    """Need id → coming visits for which nobody is booked or asked."""
    now = request_now()
    rows = db.session.scalars(
        select(Visit.need_id).where(
            Visit.need_id.in_(need_ids),
            Visit.latest_at > now,
            Visit.day <= local_date(now) + timedelta(days=7),
            status.column(now).in_([status.Status.OPEN.value, status.Status.HALF.value]),
        )
    ).all()
    return {need_id: list(rows).count(need_id) for need_id in set(rows)}


def _common() -> dict[str, Any]:
    actor = require_actor()
    return {
        "words": words,
        "named": named,
        "service_options": words.service_options,
        "area_choices": words.area_choices,
        "languages": LANGUAGE_WORDS,
        "sexes": SEX_WORDS,
        "full_names": names_in_full(actor),
    }


@room.get("/<uuid:need_id>", permission=permissions.may_see, subject=queries.get_need)
def page(need: Need) -> str:
    actor, now = require_actor(), request_now()
    visits = db.session.scalars(
        select(Visit).where(Visit.need_id == need.id).order_by(Visit.day.desc()).limit(60)
    ).all()
    first, last = local_date(now) - LOOK_BACK, local_date(now) + LOOK_BACK
    return render_template(
        "needs/page.html",
        need=need,
        ahead=sorted((one for one in visits if one.latest_at > now), key=lambda one: (one.day, one.number)),
        past=[one for one in visits if one.latest_at <= now],
        coming=active_of([visit.id for visit in visits]),
        states=status.statuses(visits, now),
        met=met_of_due([need.id], first, last, now)[need.id],
        repeats=queries.repeats(need),
        first=db.session.get(Need, need.repeats_id) if need.repeats_id else None,
        area=db.session.get(Area, need.area_id),
        poster=_poster(need),
        can={
            "change": need.withdrawn_at is None and may(actor, permissions.may_change, need),
            "withdraw": need.withdrawn_at is None and may(actor, permissions.may_withdraw, need),
        },
        **_common(),
    )


def _poster(need: Need) -> str:
    user = db.session.get(User, need.posted_by) if need.posted_by else None
    return user.person.name if user else ""


@room.get("/<uuid:need_id>/edit", permission=permissions.may_change, subject=queries.get_need)
def edit(need: Need) -> str:
    return _edit_page(need, Form(initial={**initial_of(need), "row_version": need.row_version}))


def _edit_page(need: Need, form: Form) -> str:
    return render_template(
        "needs/edit.html", need=need, form=form, stay=accepted_ahead(need, request_now()), **_common()
    )


@room.post("/<uuid:need_id>/edit", permission=permissions.may_change, subject=queries.get_need)
def change(need: Need) -> Any:
    form, now = Form(NeedForm(), request.form), request_now()
    if form.valid:
        try:
            operations.change_need(
                need,
                request_of(form.data, need.person_id, need.caller_person_id),
                row_version=request.form.get("row_version", 0, type=int),
                by=require_actor(),
                now=now,
            )
            stay = len(accepted_ahead(need, now))
            flash(_("The need was changed; visits that nobody has accepted follow it."), "ok")
            if stay:
                flash(
                    ngettext(
                        "%(num)d accepted visit stays as it is; cancel it by itself if it must not take place.",
                        "%(num)d accepted visits stay as they are; cancel them one by one if they must not take place.",
                        stay,
                    ),
                    "warn",
                )
            return go("needs.page", need_id=need.id)
        except InvalidInput as error:
            add_faults(form, error)
    return Response(_edit_page(need, form), status=422)


def add_faults(form: Form, error: InvalidInput) -> None:
    """Show the faults of `needs.checks` at the fields of `NeedForm`."""
    named_faults = {FIELDS.get(name, name): sentences for name, sentences in error.errors.items()}
    form.add(InvalidInput(error.message, errors=named_faults))


@room.get("/<uuid:need_id>/withdraw", permission=permissions.may_withdraw, subject=queries.get_need)
def withdrawing(need: Need) -> str:
    return _withdraw_page(need, Form())


def _withdraw_page(need: Need, form: Form) -> str:
    now = request_now()
    return render_template(
        "needs/withdraw.html",
        need=need,
        form=form,
        ahead=_ahead(need),
        stay=accepted_ahead(need, now),
        **_common(),
    )


def _ahead(need: Need) -> int:
    rows = select(Visit.id).where(
        Visit.need_id == need.id, Visit.latest_at > request_now(), Visit.cancelled_at.is_(None)
    )
    return len(db.session.scalars(rows).all())


@room.post("/<uuid:need_id>/withdraw", permission=permissions.may_withdraw, subject=queries.get_need)
def withdraw(need: Need) -> Any:
    reason = request.form.get("reason", "")
    if reason not in words.WITHDRAW_WORDS:
        form = Form(None, request.form)
        form.add(InvalidInput(_("Please choose a reason."), field="reason"))
        return Response(_withdraw_page(need, form), status=422)
    operations.withdraw_need(need, reason, by=require_actor(), now=request_now())
    flash(_("The need was withdrawn; its coming visits are cancelled and whoever would have come is told."), "ok")
    return go("needs.page", need_id=need.id)
