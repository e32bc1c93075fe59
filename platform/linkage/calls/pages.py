"""The call desk: the calls of a household with what is to be told, writing one down; and the list of all."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _

from linkage.calls import operations, permissions, queries, words
from linkage.calls.models import Call
from linkage.calls.schemas import CallForm
from linkage.core.clock import SHANGHAI, at_minutes, local_date
from linkage.core.errors import DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.paging import paginate
from linkage.core.permissions import Actor, may
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.about import about, shown_name
from linkage.households.models import Household
from linkage.households.parts import part
from linkage.households.queries import get_household, head_of
from linkage.needs.models import Need
from linkage.needs.queries import get_need
from linkage.services.words import listed, named
from linkage.visits.queries import active_of

room = Room("calls", __name__, url_prefix="/calls", template_folder="templates")


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    """All calls in one's scope, newest first; those to return above them."""
    actor, now = require_actor(), request_now()
    found = paginate(queries.newest(actor))
    waiting = list(db.session.scalars(queries.to_return(actor).limit(50)).unique())
    today = queries.number_today(actor, at_minutes(local_date(now), 0))
    return render_template("calls/listing.html", found=found, waiting=waiting, number=today, **_common(actor, now))


def _common(actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "actor": actor,
        "today": local_date(now),
        "words": words,
        "named": named,
        "about": about,
        "head_of": head_of,
        "shown_name": shown_name,
        "times_called": queries.times_called,
        "people_of": lambda booked: listed(one.person.name for one in booked),
    }


@room.get("/of/<uuid:household_id>", permission=permissions.may_see, subject=get_household)
def household(household: Household) -> str:
    """What to tell, the form of a call, and the calls before."""
    return _household_page(household, Form())


def _household_page(household: Household, form: Form) -> str:
    actor, now = require_actor(), request_now()
    calls, told = queries.of_household(household), queries.told_of(household)
    outcomes = queries.outcomes(actor, now, household.id)
    users = {call.answered_by for call in calls} | {row.told_by for row, _need in told}
    return render_template(
        "calls/household.html",
        household=household,
        form=form,
        calls=calls,
        told=told,
        outcomes=outcomes,
        booked=active_of([one.visit.id for one in outcomes]),
        needs=queries.open_needs(household, actor),
        names=queries.names_of_users(user for user in users if user is not None),
        records=may(actor, permissions.may_record, household),
        **_common(actor, now),
    )


@room.post("/of/<uuid:household_id>", permission=permissions.may_record, subject=get_household)
def record(household: Household) -> Any:
    """Write a call down."""
    form = Form(CallForm(), request.form)
    if form.valid:
        try:
            call = operations.record_call(household, _facts(form.data), by=require_actor(), now=request_now())
        except InvalidInput as error:
            form.add(error)
        else:
            times = queries.times_called(call)
            said = (
                _("Written down; this is call %(number)d about it.", number=times) if times > 1 else _("Written down.")
            )
            flash(said, "warn" if times > 1 else "ok")
            return go("calls.household", household_id=household.id)
    return Response(_household_page(household, form), status=422)


def _facts(data: dict[str, Any]) -> operations.Facts:
    day, time = data["call_back_day"], data["call_back_time"]
    at = None
    if day is not None:
        at = datetime.combine(day, time, SHANGHAI) if time else at_minutes(day, 18 * 60)
    return operations.Facts(
        caller=data["caller"],
        about=data["about"],
        need_id=data["need"],
        note=data["note"],
        call_back_at=at,
        telephone=data["telephone"],
    )


@room.post("/of/<uuid:household_id>/back", permission=permissions.may_record, subject=get_household)
def called_back(household: Household) -> Any:
    """The call named in the form was returned."""
    call = db.session.get(Call, request.form.get("call", uuid.UUID(int=0), type=uuid.UUID))
    if call is None or call.household_id != household.id:
        raise InvalidInput(_("This call is not known."))
    operations.call_back(call, by=require_actor(), now=request_now())
    flash(_("Noted that you called back."), "ok")
    return go("calls.household", household_id=household.id)


@room.post("/told/<uuid:need_id>", permission=permissions.may_record, subject=get_need)
def tell(need: Need) -> Any:
    """Whoever asked was told the outcome."""
    try:
        operations.tell_outcome(need, request.form.get("outcome", ""), by=require_actor(), now=request_now())
    except DomainError as error:
        flash(error.message, "bad")
    else:
        flash(_("Noted that the outcome was told."), "ok")
    return go("calls.household", household_id=need.household_id)


@part("actions")
def _calls_button(household: Household, actor: Actor, now: datetime) -> str:
    """On the household's page: to its calls."""
    allowed = may(actor, permissions.may_see, household)
    return render_template("calls/_button.html", household=household) if allowed else ""
