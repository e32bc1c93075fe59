"""The household's own page (适老): who comes and when, how to know them, three faces, a way to ask for help."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput, NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.permissions import Role, right
from linkage.core.rulesets import rule
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.models import Household
from linkage.households.queries import consent_for, served_members
from linkage.needs.checks import needed_people
from linkage.needs.operations import NeedRequest, post_need
from linkage.people.models import Person
from linkage.services.models import Service
from linkage.services.words import named
from linkage.visits import attendance, operations, queries, status, words
from linkage.visits.models import Assignment, Visit
from linkage.visits.schemas import PARTS_OF_DAY, AskForm
from linkage.visits.status import Status
from linkage.volunteers.models import Volunteer

room = Room("home", __name__, url_prefix="/home", template_folder="templates")
may_see_home = right("visits.home", "see one's own household's page", household="household")
AHEAD_DAYS = 14
PART_WORDS = ("any", "morning", "noon", "afternoon")


@dataclass(frozen=True)
class Expected:
    """One coming visit as the household reads it."""

    visit: Visit
    state: Status
    starts_at: datetime | None
    people: list[Assignment]
    badges: dict[uuid.UUID, str]

    @property
    def somebody_comes(self) -> bool:
        return bool(self.people)


@room.get("/", permission=may_see_home)
def page() -> str:
    return _page(_household(), Form())


def _household() -> Household:
    """The first household that the account is for."""
    ids = [grant.household_id for grant in require_actor().grants if grant.role == Role.HOUSEHOLD]
    household = db.session.get(Household, ids[0]) if ids else None
    if household is None:
        raise NotFound("")
    return household


def _page(household: Household, form: Form) -> str:
    actor, now = require_actor(), request_now()
    coming = _expected(household, now)
    first = next((one for one in coming if one.somebody_comes), coming[0] if coming else None)
    return render_template(
        "home/page.html",
        household=household,
        form=form,
        me=db.session.get(Person, actor.person_id),
        first=first,
        later=[one for one in coming if one is not first][:5],
        to_rate=_to_rate(household, now),
        today=local_date(now),
        can_ask=consent_for(household, "service", local_date(now)) is not None,
        **_common(),
    )


def _common() -> dict[str, Any]:
    return {"words": words, "named": named, "Status": Status, "service_options": words.service_options}


def _expected(household: Household, now: datetime) -> list[Expected]:
    visits = db.session.scalars(
        queries.visible(require_actor())
        .where(
            Visit.household_id == household.id,
            Visit.cancelled_at.is_(None),
            Visit.latest_at > now,
            Visit.day <= local_date(now) + timedelta(days=AHEAD_DAYS),
        )
        .order_by(Visit.day, Visit.earliest_at)
    ).all()
    booked, states = queries.active_of([visit.id for visit in visits]), status.statuses(visits, now)
    ahead = (*status.AHEAD, Status.LATE, Status.IN_SERVICE)
    found = [
        Expected(
            visit,
            states[visit.id],
            min((one.starts_at for one in booked[visit.id]), default=None),
            booked[visit.id],
            _badges(booked[visit.id]),
        )
        for visit in visits
        if states[visit.id] in ahead
    ]
    return sorted(found, key=lambda one: one.starts_at or one.visit.earliest_at)


def _badges(booked: list[Assignment]) -> dict[uuid.UUID, str]:
    """The public number on a volunteer's badge."""
    people = [one.person_id for one in booked if one.capacity == "volunteer"]
    rows = db.session.execute(select(Volunteer.person_id, Volunteer.number).where(Volunteer.person_id.in_(people)))
    return {row[0]: row[1] for row in rows}


def _to_rate(household: Household, now: datetime) -> Visit | None:
    """The latest finished visit that the household has not rated."""
    since = local_date(now) - timedelta(days=rule("visits.confirm_days", local_date(now)))
    return db.session.scalars(
        queries.visible(require_actor())
        .where(Visit.household_id == household.id, Visit.day >= since, status.column(now) == Status.DONE.value)
        .order_by(Visit.day.desc())
        .limit(1)
    ).one_or_none()


@room.post("/<uuid:visit_id>/rate", permission=may_see_home, subject=queries.get_visit)
def rate(visit: Visit) -> Any:
    form = Form(None, request.form)
    try:
        rating = request.form.get("rating", 0, type=int)
        attendance.confirm_with_household(visit, rating, by=require_actor(), now=request_now())
    except InvalidInput as error:
        form.add(error)
        return Response(_page(_household(), form), status=422)
    flash(_("Thank you for telling us."), "ok")
    return go("home.page")


@room.get("/<uuid:visit_id>/not-convenient", permission=may_see_home, subject=queries.get_visit)
def not_convenient(visit: Visit) -> str:
    return render_template(
        "home/not_convenient.html", visit=visit, today=local_date(request_now()), **_common(),
        booked=queries.active_of([visit.id])[visit.id],
    )  # fmt: skip


@room.post("/<uuid:visit_id>/not-convenient", permission=may_see_home, subject=queries.get_visit)
def cancel(visit: Visit) -> Any:
    operations.cancel_visit(visit, "not_convenient", by=require_actor(), now=request_now())
    operations.tell_staff(visit, "visits.cancelled_by_home", now=request_now())
    flash(_("Noted: nobody comes this time. The community has been told."), "ok")
    return go("home.page")


@room.get("/ask", permission=may_see_home)
def asking() -> str:
    tomorrow = local_date(request_now()) + timedelta(days=1)
    return _ask_page(Form(initial={"day": tomorrow, "part": "any"}))


def _ask_page(form: Form) -> str:
    today = local_date(request_now())
    household = _household()
    offered = db.session.scalars(select(Service).where(Service.on(today)).order_by(Service.position)).all()
    return render_template(
        "home/ask.html", form=form, household=household, services=offered, today=today, parts=_parts(), **_common()
    )


def _parts() -> list[tuple[str, str]]:
    names = {
        "any": _("Any time"),
        "morning": _("In the morning"),
        "noon": _("At noon"),
        "afternoon": _("In the afternoon"),
    }
    return [(key, names[key]) for key in PART_WORDS]


@room.post("/ask", permission=may_see_home)
def ask() -> Any:
    form, household = Form(AskForm(), request.form), _household()
    if form.valid:
        try:
            need = _post(household, form.data)
            flash(_("We have it (%(number)s). You hear from us as soon as somebody comes.", number=need.number), "ok")
            return go("home.page")
        except InvalidInput as error:
            fields = {"service_id": "service", "starts_on": "day", "window_end": "part", "duration_minutes": "service"}
            form.add(InvalidInput(error.message, errors={fields.get(k, k): v for k, v in error.errors.items()}))
    return Response(_ask_page(form), status=422)


def _post(household: Household, data: dict[str, Any]) -> Any:
    actor, now = require_actor(), request_now()
    service = db.session.scalars(
        select(Service).where(Service.code == data["service"], Service.on(local_date(now)))
    ).one_or_none()
    living = served_members(household, local_date(now))
    if service is None or not living:
        raise InvalidInput(_("This is not offered."), field="service")
    at_home = actor.person_id in {member.person_id for member in living}
    first, last = PARTS_OF_DAY[data["part"]]
    request_made = NeedRequest(
        person_id=actor.person_id if at_home else living[0].person_id,
        starts_on=data["day"],
        window_start=first * 60,
        window_end=last * 60,
        duration_minutes=service.default_minutes,
        people=needed_people(household, service),
        channel="online" if at_home else "family",
        note=data["note"],
        caller_person_id=actor.person_id,
    )
    return post_need(household, service, request_made, by=actor, now=now)
