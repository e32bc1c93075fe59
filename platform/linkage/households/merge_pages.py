"""Records that may be one household: the worklist, two side by side, and what a merge has moved."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _
from marshmallow import fields

from linkage.core.clock import local_date
from linkage.core.errors import DomainError, NotFound
from linkage.core.extensions import db
from linkage.core.forms import Form, FormSchema
from linkage.core.permissions import may
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households import duplicates, merging, permissions, queries
from linkage.households.models import Household
from linkage.households.pages import common
from linkage.people.models import Person

room = Room("merges", __name__, url_prefix="/households", template_folder="templates")
Answer = Any
# How a merge says what it has moved; tables of the machine itself are left out.
SHOWN = ("needs", "visits", "assignments", "hours_entries", "tags", "members", "consents", "assessments", "home_checks")


class MergeSchema(FormSchema):
    keep = fields.UUID(required=True)
    found_by = fields.String(load_default="staff")
    version_one = fields.Integer(required=True)
    version_two = fields.Integer(required=True)


@room.get("/duplicates", permission=permissions.may_merge)
def listing() -> Answer:
    actor = require_actor()
    today = local_date(request_now())
    return render_template("households/duplicates.html", pairs=duplicates.pairs(actor, today), **common(actor))


@room.get("/<uuid:household_id>/merge/<uuid:other_id>", permission=permissions.may_merge, subject=queries.get_household)
def compare(household: Household, other_id: uuid.UUID) -> Answer:
    return _compare(household, _other(other_id), Form(initial={"keep": _suggested(household, _other(other_id)).id}))


@room.post(
    "/<uuid:household_id>/merge/<uuid:other_id>", permission=permissions.may_merge, subject=queries.get_household
)
def merge(household: Household, other_id: uuid.UUID) -> Answer:
    other = _other(other_id)
    form = Form(MergeSchema(), request.form)
    if form.valid:
        sent = form.data
        turned = sent["keep"] == other.id
        kept, lost = (other, household) if turned else (household, other)
        seen = (sent["version_one"], sent["version_two"])
        try:
            found_by = sent["found_by"] if sent["found_by"] in duplicates.WAYS else "staff"
            row = merging.merge_households(
                kept,
                lost,
                found_by=found_by,
                versions=seen[::-1] if turned else seen,
                by=require_actor(),
                now=request_now(),
            )
        except DomainError as error:
            form.add(error)
        else:
            flash(_("One record now. The number %(number)s leads here, too.", number=row.lost_number), "ok")
            return go("merges.page", household_id=kept.id, merge_id=row.id)
    return _compare(household, other, form), 409 if form.valid is False and form.data else 422


@room.post(
    "/<uuid:household_id>/merge/<uuid:other_id>/apart",
    permission=permissions.may_merge,
    subject=queries.get_household,
)
def apart(household: Household, other_id: uuid.UUID) -> Answer:
    duplicates.tell_apart(household, _other(other_id), by=require_actor(), now=request_now())
    flash(_("Noted: these are different people. They are not shown again."), "ok")
    return go("merges.listing")


def _other(other_id: uuid.UUID) -> Household:
    """The second record; to whom may not merge it, it looks absent."""
    other = queries.get_household(other_id)
    if other is None or not may(require_actor(), permissions.may_merge, other):
        raise NotFound("")
    return other


def _suggested(one: Household, two: Household) -> Household:
    """The one that is longer on record."""
    return min((one, two), key=lambda row: (row.created_at, str(row.id)))


def _compare(household: Household, other: Household, form: Form) -> str:
    today = local_date(request_now())
    return render_template(
        "households/compare.html",
        sides=[household, other],
        form=form,
        alike=duplicates.counterparts(household, other, today),
        can_merge=not any(row.closed_on or row.merged_into_id for row in (household, other)),
        way=request.args.get("way", form.value("found_by", "staff")),
        **common(require_actor()),
    )


@room.get(
    "/<uuid:household_id>/merges/<uuid:merge_id>", permission=permissions.may_merge, subject=queries.get_household
)
def page(household: Household, merge_id: uuid.UUID) -> Answer:
    row = merging.get_merge(household, merge_id)
    if row is None:
        raise NotFound("")
    people = [
        (db.session.get(Person, uuid.UUID(kept)), db.session.get(Person, uuid.UUID(lost))) for kept, lost in row.people
    ]
    return render_template(
        "households/merged.html",
        household=household,
        lost=queries.get_household(row.lost_id),
        merge=row,
        people=people,
        counts=[(name, len(row.moved.get(name, []))) for name in SHOWN if row.moved.get(name)],
        **common(require_actor()),
    )
