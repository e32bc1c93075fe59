"""A volunteer's pages: today, one offer with its two equal answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, flash, render_template
from flask_babel import gettext as _

from linkage.core.clock import at_minutes, local_date
from linkage.core.rulesets import rule
from linkage.core.web import Room, go, request_now, require_actor
from linkage.needs import telling
from linkage.needs.recurrence import describe
from linkage.offers import operations, permissions, queries, why
from linkage.offers.errors import OfferClosed
from linkage.offers.models import Offer
from linkage.people.models import Person
from linkage.services.words import RISK_WORDS, named
from linkage.visits.queries import mine as my_visits
from linkage.visits.queries import minutes_given

room = Room("offers", __name__, url_prefix="/offers", template_folder="templates")


@room.get("/", permission=permissions.may_answer)
def today() -> str:
    """My next commitment, and at most three questions, each with why me, how far, how long."""
    actor, now = require_actor(), request_now()
    waiting = queries.waiting_for(actor, now)
    shown = waiting[: rule("offers.shown", local_date(now))]
    day = at_minutes(local_date(now), 0)
    coming = [
        one
        for one in my_visits(actor, day, now + timedelta(days=365))
        if one.ends_at > now and (one.attendance is None or one.attendance.checked_out_at is None)
    ]
    return render_template(
        "offers/today.html",
        coming=coming,
        offers=[(offer, queries.preview(offer)) for offer in shown],
        more=len(waiting) - len(shown),
        given=minutes_given(actor.person_id),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"named": named, "risks": RISK_WORDS, "worded": why.worded, "describe": describe}


@room.get("/<uuid:offer_id>", permission=permissions.may_see, subject=queries.get_offer)
def page(offer: Offer) -> str:
    actor, now = require_actor(), request_now()
    waiting = [one.id for one in queries.waiting_for(actor, now)]
    place = waiting.index(offer.id) if offer.id in waiting else None
    return render_template(
        "offers/page.html",
        offer=offer,
        preview=queries.preview(offer),
        poster=_poster(offer),
        place=place,
        waiting=waiting,
        state=queries.state_of(offer),
        mine=offer.person_id == actor.person_id,
        assignment=queries.assignment_of(offer),
        **_words(),
    )


def _poster(offer: Offer) -> str:
    """Which colleague of the community asks; a volunteer never learns from it who is helped."""
    person_id = telling.poster(offer.slot.visit.need)
    person = queries.db.session.get(Person, person_id) if person_id else None
    return person.name if person else ""


@room.post("/<uuid:offer_id>/accept", permission=permissions.may_answer, subject=queries.get_offer)
def accept(offer: Offer) -> Any:
    try:
        assignment = operations.accept_offer(offer, by=require_actor(), now=request_now())
    except OfferClosed as closed:
        return _closed(closed)
    flash(_("Thank you! Here is who expects you, and where."), "ok")
    return go("me.visit", assignment_id=assignment.id)


@room.post("/<uuid:offer_id>/decline", permission=permissions.may_answer, subject=queries.get_offer)
def decline(offer: Offer) -> Any:
    try:
        operations.decline_offer(offer, by=require_actor(), now=request_now())
    except OfferClosed as closed:
        return _closed(closed)
    flash(_("Noted. Others are asked; nothing is held against you."), "ok")
    return go("offers.today")


def _closed(closed: OfferClosed) -> Response:
    return Response(render_template("offers/closed.html", closed=closed), status=409)
