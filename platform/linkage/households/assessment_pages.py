"""The ability assessment on a page: the form of 26 items, the history, one assessment as it was answered."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _
from marshmallow import fields

from linkage.core.clock import local_date
from linkage.core.errors import DomainError, NotFound
from linkage.core.forms import Form, FormSchema, between
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households import assessing, assessment, permissions, queries, words
from linkage.households.assessment import EVENTS, ITEMS, Factors
from linkage.households.models import Household
from linkage.households.pages import common, get_member

room = Room("assessments", __name__, url_prefix="/households", template_folder="templates")
Answer = Any
MOST_EVENTS = 99


class FactsSchema(FormSchema):
    """Everything of the form but the 26 answers. A total that is sent along is not read."""

    reason = fields.String(load_default="")
    assessed_on = fields.Date(required=True)
    coma = fields.Boolean(load_default=False)
    dementia = fields.Boolean(load_default=False)
    disorder = fields.Boolean(load_default=False)


AssessmentSchema: Any = FactsSchema.from_dict(
    {
        **{f"event_{kind}": fields.Integer(load_default=0, validate=between(0, MOST_EVENTS)) for kind in EVENTS},
        **{
            f"item_{code}": fields.Integer(load_default=-1, validate=between(-1, item.top))
            for code, item in ITEMS.items()
        },
    },
    name="AssessmentSchema",
)


@room.get(
    "/<uuid:household_id>/members/<uuid:member_id>/assessment",
    permission=permissions.may_assess,
    subject=queries.get_household,
)
def new(household: Household, member_id: uuid.UUID) -> Answer:
    member = get_member(household, member_id)
    before = assessing.history(member.person_id)
    initial = {"assessed_on": local_date(request_now()), "reason": "" if before else "first"}
    return _form(household, member, Form(initial=initial))


@room.post(
    "/<uuid:household_id>/members/<uuid:member_id>/assessment",
    permission=permissions.may_assess,
    subject=queries.get_household,
)
def record(household: Household, member_id: uuid.UUID) -> Answer:
    member = get_member(household, member_id)
    form = Form(AssessmentSchema(), request.form)
    if form.valid:
        try:
            row = _record(member, form.data)
        except DomainError as error:
            form.add(error)
            form.errors = {f"item_{name}" if name in ITEMS else name: said for name, said in form.errors.items()}
        else:
            level = words.LEVEL_WORDS[row.level]
            flash(_("Saved: %(total)d of 90 points, %(level)s.", total=row.facts["total"], level=level), "ok")
            return go("assessments.page", household_id=household.id, assessment_id=row.id)
    return _form(household, member, form), form.status


def _record(member: Any, sent: dict[str, Any]) -> Any:
    scores = {code: sent[f"item_{code}"] for code in ITEMS}
    factors = Factors(
        coma=sent["coma"],
        dementia=sent["dementia"],
        disorder=sent["disorder"],
        events={kind: sent[f"event_{kind}"] for kind in EVENTS},
    )
    return assessing.record_assessment(
        member,
        scores,
        factors,
        reason=sent["reason"],
        on=sent["assessed_on"],
        by=require_actor(),
        now=request_now(),
    )


def _form(household: Household, member: Any, form: Form) -> str:
    today = local_date(request_now())
    labels = {f"item_{code}": item.name for code, item in ITEMS.items()}
    return render_template(
        "households/assessment.html",
        household=household,
        member=member,
        form=form,
        labels={**labels, "assessed_on": _("Assessed on"), "reason": _("Why now")},
        parts=assessment.PARTS,
        before=assessing.history(member.person_id),
        agreed=queries.consent_for(household, "health", today) is not None,
        **common(require_actor()),
    )


@room.get(
    "/<uuid:household_id>/assessments/<uuid:assessment_id>",
    permission=permissions.may_see_scores,
    subject=queries.get_household,
)
def page(household: Household, assessment_id: uuid.UUID) -> Answer:
    """One assessment and those before and after it. Without the consent to health facts, levels and dates only."""
    row = assessing.get_assessment(assessment_id)
    if row is None or row.household_id != household.id:
        raise NotFound("")
    today = local_date(request_now())
    return render_template(
        "households/assessed.html",
        household=household,
        row=row,
        facts=row.facts if queries.consent_for(household, "health", today) else None,
        member=next((m for m in queries.served_members(household, today) if m.person_id == row.person_id), None),
        history=assessing.history(row.person_id),
        parts=assessment.PARTS,
        top=assessment.TOP,
        **common(require_actor()),
    )
