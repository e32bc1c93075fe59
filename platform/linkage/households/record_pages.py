"""Forms of what staff note about a household over time: looking in, and papers that are still missing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _
from marshmallow import fields

from linkage.core.clock import local_date
from linkage.core.errors import DomainError, NotFound
from linkage.core.forms import Form, FormSchema, at_most
from linkage.core.rulesets import rule
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households import checks, permissions, queries
from linkage.households.checks import CheckDraft
from linkage.households.models import CHECK_REASONS, Household, Paper
from linkage.households.pages import common

room = Room("household_records", __name__, url_prefix="/households", template_folder="templates")
Answer = Any


class CheckSchema(FormSchema):
    outcome = fields.String(load_default="")
    way = fields.String(load_default="visit")
    day = fields.Date(required=True)
    minutes = fields.Integer(load_default=None)
    note = fields.String(load_default=None, validate=at_most(500))
    declined = fields.String(load_default="")
    referred = fields.String(load_default="")
    not_reached = fields.String(load_default="")


class PaperSchema(FormSchema):
    kind = fields.String(load_default="")
    due_on = fields.Date(required=True)


class DateSchema(FormSchema):
    due_on = fields.Date(required=True)


@room.get("/<uuid:household_id>/check", permission=permissions.may_check, subject=queries.get_household)
def check(household: Household) -> Answer:
    wanted = request.args.get("outcome", "")
    return _check_form(household, Form(initial={"day": local_date(request_now()), "way": "visit", "outcome": wanted}))


@room.post("/<uuid:household_id>/check", permission=permissions.may_check, subject=queries.get_household)
def record_check(household: Household) -> Answer:
    form = Form(CheckSchema(), request.form)
    if form.valid:
        sent = form.data
        reason = sent.get(sent["outcome"], "") if sent["outcome"] in CHECK_REASONS else ""
        draft = CheckDraft(sent["day"], sent["outcome"], sent["way"], reason, sent["minutes"], sent["note"])
        try:
            checks.record_check(household, draft, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
            if "reason" in form.errors:
                form.errors[sent["outcome"]] = form.errors.pop("reason")
        else:
            flash(_("Noted."), "ok")
            return go("households.page", household_id=household.id)
    return _check_form(household, form), form.status


def _check_form(household: Household, form: Form) -> str:
    return render_template("households/check.html", form=form, reasons=CHECK_REASONS, **_named(household))


@room.get("/<uuid:household_id>/papers", permission=permissions.may_ask_papers, subject=queries.get_household)
def papers(household: Household) -> Answer:
    today = local_date(request_now())
    due = today + timedelta(days=rule("households.paper_days", today))
    return _papers_form(household, Form(initial={"due_on": due}))


@room.post("/<uuid:household_id>/papers", permission=permissions.may_ask_papers, subject=queries.get_household)
def ask_for_paper(household: Household) -> Answer:
    form = Form(PaperSchema(), request.form)
    if form.valid:
        try:
            checks.ask_for_paper(
                household, form.data["kind"], form.data["due_on"], by=require_actor(), now=request_now()
            )
        except DomainError as error:
            form.add(error)
        else:
            flash(_("On the list. The household is served meanwhile."), "ok")
            return go("household_records.papers", household_id=household.id)
    return _papers_form(household, form), form.status


def _papers_form(household: Household, form: Form) -> str:
    return render_template("households/papers.html", form=form, papers=checks.papers_of(household), **_named(household))


@room.post(
    "/<uuid:household_id>/papers/<uuid:paper_id>", permission=permissions.may_ask_papers, subject=queries.get_household
)
def settle_paper(household: Household, paper_id: uuid.UUID) -> Answer:
    """It has come, is not needed, or gets more time."""
    paper = _paper(household, paper_id)
    actor, now = require_actor(), request_now()
    if request.form.get("what") in ("came", "dropped"):
        checks.settle_paper(paper, household, came=request.form["what"] == "came", by=actor, now=now)
    else:
        sent = Form(DateSchema(), request.form).demand()
        checks.postpone_paper(paper, household, sent["due_on"], by=actor, now=now)
    flash(_("Noted."), "ok")
    return go("household_records.papers", household_id=household.id)


def _paper(household: Household, paper_id: uuid.UUID) -> Paper:
    paper = checks.get_paper(household, paper_id)
    if paper is None:
        raise NotFound("")
    return paper


def _named(household: Household) -> dict[str, Any]:
    actor = require_actor()
    head = queries.head_of(household, local_date(request_now()))
    return {"household": household, "head": head, **common(actor)}
