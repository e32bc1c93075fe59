"""Post a need: who, what, when on one page; beside it, while typing, who could come."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from linkage.core.clock import local_date
from linkage.core.errors import Conflict, DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.ids import uuid_or_none
from linkage.core.permissions import Actor, Role, scoped
from linkage.core.web import go, request_now, require_actor
from linkage.desk import choices
from linkage.desk.room import room
from linkage.desk.schemas import PostForm, asked_for
from linkage.desk.values import common
from linkage.households import queries as households
from linkage.households.models import Household, Member
from linkage.needs import checks, priority, recurrence
from linkage.needs.models import Need
from linkage.needs.operations import NeedRequest
from linkage.needs.operations import post_need as post
from linkage.needs.permissions import may_post
from linkage.needs.queries import first_open
from linkage.needs.schemas import FIELDS
from linkage.people.words import LANGUAGE_WORDS
from linkage.planning.urgent import tell_if_urgent
from linkage.services.models import Service
from linkage.services.queries import get_service, services_on
from linkage.services.words import hint_of, named
from linkage.visits.models import Visit
from linkage.visits.words import CHANNEL_WORDS, PRIORITY_REASON_WORDS, PRIORITY_WORDS

MOST_FOUND = 8
LENGTHS = (30, 45, 60, 90, 120, 150, 180, 240, 300, 360)
EARLY, LATE = "08:00", "18:00"


@dataclass(frozen=True)
class Draft:
    """What stands in the form, as far as it can be understood."""

    household: Household
    service: Service
    request: NeedRequest
    first: Need | None  # an open need for the same, which this one would repeat


def postable(actor: Actor) -> Any:
    """The households for which the actor may post."""
    return scoped(actor, may_post, Household)


def _household(household_id: uuid.UUID | None) -> Household | None:
    if household_id is None:
        return None
    return db.session.scalars(postable(require_actor()).where(Household.id == household_id)).one_or_none()


@room.get("/needs/new", permission=may_post)
def post_need() -> str:
    """The form, empty or for the household of the address."""
    now = request_now()
    first = {
        "household": request.args.get("household", ""),
        "service": request.args.get("service", ""),
        "starts_on": local_date(now),
        "from": EARLY,
        "to": LATE,
        "repeats": "once",
        "channel": "hotline" if require_actor().has(Role.OPERATOR) else "counter",
    }
    return _page(Form(initial=first))


def _page(form: Form) -> str:
    actor, today = require_actor(), local_date(request_now())
    household = _household(uuid_or_none(form.value("household")))
    members = households.served_members(household, today) if household else []
    return render_template(
        "desk/post_need.html",
        form=form,
        household=household,
        members=members,
        services=services_on(today),
        named=named,
        languages=_languages(members),
        language_words=LANGUAGE_WORDS,
        lengths=LENGTHS,
        channels=CHANNEL_WORDS,
        priorities=PRIORITY_WORDS,
        **_answer(form, actor),
        **common(actor),
    )


def _languages(members: Sequence[Member]) -> list[str]:
    """What the people of the household speak besides Mandarin; Minnan where it is not known."""
    found = [code for member in members for code in member.person.languages if code != "mandarin"]
    return list(dict.fromkeys(found)) or ["minnan"]


@room.get("/needs/new/find", permission=may_post)
def find_household() -> str:
    """Households for what is typed: name, pinyin, number or telephone."""
    actor, today = require_actor(), local_date(request_now())
    text = request.args.get("q", "").strip()[:60]
    found = found_households(actor, text, today) if text else []
    return render_template("desk/_found.html", found=found, text=text, **common(actor))


def found_households(actor: Actor, text: str, today: date) -> list[Household]:
    """Households of one's own scope that fit what is typed."""
    allowed = postable(actor).with_only_columns(Household.id)
    rows = households.found(actor, households.Filters(text=text), today).where(Household.id.in_(allowed))
    return households.page_of(rows, 1, MOST_FOUND)


@room.post("/needs/new/answer", permission=may_post, own_transactions=True)
def answer_need() -> str:
    """What is asked while typing: nothing is written. By POST, so that what is typed stands in no address."""
    actor = require_actor()
    form = Form(PostForm(), request.form)
    return render_template(
        "desk/_answer.html", form=form, refresh=True, named=named, **_answer(form, actor), **common(actor)
    )


def _answer(form: Form, actor: Actor) -> dict[str, Any]:
    """What the page says beside the form about what stands in it."""
    service = get_service(key) if (key := uuid_or_none(form.value("service"))) else None
    draft, faults = _draft(form)
    tier = _suggested(draft) if draft else None
    return {
        "service": service,
        "hint": hint_of(service) if service else "",
        "draft": draft,
        "faults": faults,
        "suggested": (PRIORITY_WORDS[tier[0]], PRIORITY_REASON_WORDS[tier[1]]) if tier else None,
        "panel": _panel(draft),
        "summary": choices.summary,
        "times": _times(draft.request) if draft else 0,
        "spoken": recurrence.describe(draft.request.recurrence) if draft else "",
    }


def _suggested(draft: Draft) -> tuple[int, str]:
    return priority.suggest(draft.household, draft.request.person_id, draft.service, local_date(request_now()))


def first_visit(need: Need) -> Visit:
    """The first visit that posting has made."""
    return db.session.scalars(select(Visit).where(Visit.need_id == need.id).order_by(Visit.day).limit(1)).one()


def _panel(draft: Draft | None) -> choices.Panel | None:
    now = request_now()
    asked = choices.draft_of(draft.household, draft.service, draft.request, now) if draft else None
    return choices.panel(asked, draft.request, now) if draft and asked else None


def _draft(form: Form) -> tuple[Draft | None, list[str]]:
    """The request as far as it is complete, and what is wrong with it."""
    if form.sent is None or form.errors:
        return None, []
    try:
        draft = _read(form)
        checks.demand(draft.household, draft.service, draft.request, today=local_date(request_now()))
    except InvalidInput as error:
        sentences = [str(sentence) for found in error.errors.values() for sentence in found]
        return None, sentences or [str(error.message)]
    return draft, []


def _read(form: Form) -> Draft:
    """The loaded form with its household and service; InvalidInput where one is not there."""
    data, today = form.data, local_date(request_now())
    household, service = _household(data["household"]), get_service(data["service"])
    if household is None:
        raise InvalidInput(_("Please choose who needs help."), field="household")
    if service is None:
        raise InvalidInput(_("Please choose what is needed."), field="service")
    members = households.served_members(household, today)
    person_id = data["person"] or (members[0].person_id if members else household.members[0].person_id)
    asked = asked_for(data, household, service, person_id)
    return Draft(household, service, asked, first_open(household.id, service.id, today))


def _times(asked: NeedRequest) -> int:
    """How many visits the request means in the 13 weeks after its first day (all of them where it ends before)."""
    last = asked.ends_on or date.fromordinal(asked.starts_on.toordinal() + 90)
    return len(recurrence.days(asked.starts_on, asked.recurrence, asked.ends_on, first=asked.starts_on, last=last))


@room.post("/needs/new", permission=may_post)
def post_new() -> ResponseReturnValue:
    """Post it; with a chosen row, book or ask exactly these people for the first visit."""
    actor, now = require_actor(), request_now()
    form = Form(PostForm(), request.form)
    if form.valid:
        try:
            draft = _read(form)
            need = post(draft.household, draft.service, draft.request, by=actor, now=now)
            came = _take(need, draft, form.data["choice"], actor)
            waits = [] if came else tell_if_urgent(need, by=actor.user_id, now=now)
        except InvalidInput as error:
            form.add(InvalidInput(error.message, errors={FIELDS.get(k, k): v for k, v in error.errors.items()}))
        except DomainError as error:
            form.add(error)
        else:
            _say(need, draft, came, urgent=bool(waits))
            return go("needs.page", need_id=need.id)
    return _page(form), 422


def _take(need: Need, draft: Draft, key: str, actor: Actor) -> str:
    """Book or ask the people of the chosen row for the first visit; what was done, in words ('': nobody chosen).

    Raises Conflict where the row is no longer possible: nothing is posted then, and the page shows who can come now.
    """
    now = request_now()
    asked = choices.draft_of(draft.household, draft.service, draft.request, now)
    if not key or asked is None:
        return ""
    visit = first_visit(need)
    try:
        return choices.take(visit, asked, key, by=actor, now=now)
    except DomainError as error:
        sentence = _("In the meantime this has become impossible; look at who can come now.")
        raise Conflict(sentence, field="") from error


@room.post("/needs/new/adjust", permission=may_post, own_transactions=True)
def adjust_need() -> str:
    """The form again with the smallest change in it; nothing is posted yet."""
    sent = MultiDict(request.form)
    day, start, end = (request.form.get("adjust", "").split() + ["", "", ""])[:3]
    wanted = _day(day)
    sent["from"], sent["to"] = start, end
    sent.poplist("preferred")
    if sent.get("repeats", "once") == "once":
        sent["starts_on"] = day
    elif wanted is not None:
        sent.setlist("days", [str(wanted.weekday())])
    return _page(Form(PostForm(), sent))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _say(need: Need, draft: Draft, came: str, *, urgent: bool) -> None:
    if came:
        flash(_("Posted as %(number)s. For the first visit: %(came)s.", number=need.number, came=came), "ok")
    if draft.first is not None:
        number = draft.first.number
        flash(
            _("Posted as %(number)s. It repeats %(first)s, whose poster is told.", number=need.number, first=number),
            "ok",
        )
    if urgent:
        flash(_("%(number)s cannot wait for the next plan: the coordinator has been told.", number=need.number), "info")
    elif not came and draft.first is None:
        flash(_("Posted as %(number)s. The plan looks for somebody.", number=need.number), "ok")
