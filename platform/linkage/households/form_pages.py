"""Forms that write: register and change a household, its tags, its consent, a move, a death."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext as _

from linkage.areas.models import Area
from linkage.areas.schemas import shown_position
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, DomainError, InvalidInput, NotFound
from linkage.core.forms import Form
from linkage.core.permissions import Actor
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households import operations, permissions, queries, rhythm
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft, TagDraft
from linkage.households.models import CONSENT_TEXT_VERSION, Household
from linkage.households.pages import common, get_member
from linkage.households.schemas import (
    ChangeSchema,
    ConsentSchema,
    DeathSchema,
    HouseholdForm,
    MoveSchema,
    RegisterSchema,
    TagDatesSchema,
    TagSchema,
)
from linkage.people.operations import PersonDraft

room = Room("household_forms", __name__, url_prefix="/households", template_folder="templates")
Answer = Any


@room.get("/new", permission=permissions.may_register)
def new() -> Answer:
    return _new_form(HouseholdForm(RegisterSchema(), initial={"given_on": local_date(request_now())}))


@room.post("/new", permission=permissions.may_register)
def register() -> Answer:
    actor, now = require_actor(), request_now()
    form = HouseholdForm(RegisterSchema(), request.form)
    if "more" in request.form:
        form.errors = {}
        form.more()
        return _new_form(form)
    if not form.members:
        form.add(InvalidInput(_("Name at least one person who lives there."), field="m-0-name"))
    if form.valid:
        try:
            household = operations.register_household(_draft(form, actor), by=actor, now=now)
        except DomainError as error:
            _add(form, error)
        else:
            flash(_("%(name)s is registered.", name=household.members[0].person.name), "ok")
            return go("households.page", household_id=household.id)
    return _new_form(form), 422


def _new_form(form: HouseholdForm) -> str:
    actor = require_actor()
    return render_template(
        "households/new.html",
        form=form,
        communities=queries.communities(actor, permissions.may_register),
        **common(actor),
    )


def _draft(form: HouseholdForm, actor: Actor) -> HouseholdDraft:
    sent = form.data
    given_on = sent["given_on"] or local_date(request_now())
    return HouseholdDraft(
        place=_place(sent, actor, permissions.may_register),
        members=tuple(_member(row) for row in form.members),
        tags=tuple(TagDraft(tag, sent["tag_source"]) for tag in sent.get("tags", [])),
        consents=tuple(
            ConsentDraft(purpose, given_on, sent["expires_on"], sent["method"]) for purpose in sent.get("purposes", [])
        ),
        **{
            name: sent[name]
            for name in ("number", "care_level", "health", "hazard", "registered_address", "usual_address", "password")
        },
    )


def _place(sent: dict[str, Any], actor: Actor, right_name: str) -> PlaceDraft:
    area = next((row for row in queries.communities(actor, right_name) if row.id == sent["area_id"]), None)
    if area is None:
        raise InvalidInput(_("Choose a community."), field="area_id")
    return PlaceDraft(area, sent["address"], sent["door_note"], sent["position"], access_minutes=sent["access_minutes"])


def _person(row: dict[str, Any]) -> PersonDraft:
    return PersonDraft(
        name=row["name"],
        birth_date=row["birth_date"],
        sex=row["sex"],
        telephone=row["telephone"],
        id_number=row["id_number"],
        languages=tuple(row.get("languages") or ("mandarin",)),
    )


def _member(row: dict[str, Any]) -> MemberDraft:
    return MemberDraft(_person(row), row["relation"])


def _add(form: HouseholdForm, error: DomainError) -> None:
    """A fault of a person is shown at the row where they are typed."""
    if not isinstance(error, operations.MemberRefused):
        form.add(error)
        return
    for name, sentences in error.errors.items():
        form.errors.setdefault(form.row_field(error.member, name), []).extend(sentences)


@room.get("/<uuid:household_id>/edit", permission=permissions.may_change, subject=queries.get_household)
def edit(household: Household) -> Answer:
    return _edit_form(household, HouseholdForm(ChangeSchema(), initial=_facts(household)))


@room.post("/<uuid:household_id>/edit", permission=permissions.may_change, subject=queries.get_household)
def change(household: Household) -> Answer:
    form = HouseholdForm(ChangeSchema(), request.form)
    if "more" in request.form:
        form.errors = {}
        form.more()
        return _edit_form(household, form)
    if form.valid:
        try:
            _change(household, form)
        except DomainError as error:
            _add(form, error)
        else:
            flash(_("Saved."), "ok")
            return go("households.page", household_id=household.id)
    return _edit_form(household, form), 422


def _change(household: Household, form: HouseholdForm) -> None:
    actor, now, sent = require_actor(), request_now(), form.data
    names = ("hazard", "registered_address", "usual_address", "door_note", "access_minutes")
    facts = {name: sent[name] for name in names}
    if "care_level" in request.form:  # where it follows from an assessment, the form does not ask for it
        facts["care_level"] = sent["care_level"]
    facts["number"] = sent["number"] or household.number
    facts |= {name: sent[name] for name in ("health", "password") if sent[name]}
    operations.change_household(household, row_version=sent["row_version"], by=actor, now=now, **facts)
    if sent["position"] is not None:
        operations.pin_household(household, sent["position"], by=actor, now=now)
    for place, row in enumerate(form.members):
        try:
            _change_member(household, row, actor, now)
        except (InvalidInput, Conflict) as error:
            raise operations.MemberRefused(place, error) from error


def _change_member(household: Household, row: dict[str, Any], actor: Actor, now: datetime) -> None:
    """A row without a member is a new one. Empty telephone and ID number keep what is sealed."""
    if row["member_id"] is None:
        operations.add_member(household, _member(row), by=actor, now=now)
        return
    member = get_member(household, row["member_id"])
    kept = {name: row[name] or getattr(member.person, name) for name in ("telephone", "id_number")}
    version = row["row_version"]
    operations.change_member(
        member, _person(row | kept), relation=row["relation"], row_version=version, by=actor, now=now
    )


def _facts(household: Household) -> dict[str, Any]:
    """What the form shows at first. Sealed numbers and health are not shown: an empty field keeps them."""
    facts: dict[str, Any] = {
        "row_version": household.row_version,
        "number": household.number,
        "care_level": household.care_level,
        "hazard": household.hazard,
        "registered_address": household.registered_address,
        "usual_address": household.usual_address,
        "door_note": household.place.door_note,
        "access_minutes": household.place.access_minutes,
        "position": _pinned(household),
    }
    today = local_date(request_now())
    for number, member in enumerate(row for row in household.members if row.holds(today)):
        person = member.person
        facts |= {
            f"m-{number}-member_id": member.id,
            f"m-{number}-row_version": person.row_version,
            f"m-{number}-name": person.name,
            f"m-{number}-relation": member.relation,
            f"m-{number}-sex": person.sex,
            f"m-{number}-birth_date": person.birth_date,
            f"m-{number}-languages": person.languages,
        }
    return facts


def _pinned(household: Household) -> str:
    """The pin, if staff set one; a position learnt from the estate is not shown, lest saving it makes it a pin."""
    place = household.place
    return shown_position(*place.position) if place.position_source == "pin" and place.position else ""


def _edit_form(household: Household, form: HouseholdForm) -> str:
    actor = require_actor()
    members = {str(member.id): member for member in household.members}
    return render_template(
        "households/edit.html",
        household=household,
        form=form,
        members=members,
        computed_level=rhythm.is_assessed(household, local_date(request_now())),
        **common(actor),
    )


@room.post(
    "/<uuid:household_id>/members/<uuid:member_id>/leave",
    permission=permissions.may_change,
    subject=queries.get_household,
)
def leave(household: Household, member_id: uuid.UUID) -> Answer:
    member = get_member(household, member_id)
    operations.end_membership(member, by=require_actor(), now=request_now())
    flash(_("%(name)s no longer belongs to the household from tomorrow on.", name=member.person.name), "ok")
    return go("households.page", household_id=household.id)


@room.get("/<uuid:household_id>/move", permission=permissions.may_change, subject=queries.get_household)
def move(household: Household) -> Answer:
    initial = {"area_id": household.area_id, "row_version": household.row_version, "access_minutes": 3}
    return _move_form(household, Form(initial=initial))


@room.post("/<uuid:household_id>/move", permission=permissions.may_change, subject=queries.get_household)
def save_move(household: Household) -> Answer:
    actor = require_actor()
    form = Form(MoveSchema(), request.form)
    if form.valid:
        try:
            place = _place(form.data, actor, permissions.may_change)
            version = form.data["row_version"]
            operations.move_household(household, place, row_version=version, by=actor, now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The new address holds from today."), "ok")
            return go("households.page", household_id=household.id)
    return _move_form(household, form), 422


def _move_form(household: Household, form: Form) -> str:
    actor = require_actor()
    places: list[Area] = queries.communities(actor, permissions.may_change)
    return render_template(
        "households/move.html", household=household, form=form, communities=places, **_named(household)
    )


def _named(household: Household) -> dict[str, Any]:
    return {"head": queries.head_of(household, local_date(request_now())), **common(require_actor())}


@room.get("/<uuid:household_id>/tags", permission=permissions.may_tag, subject=queries.get_household)
def tags(household: Household) -> Answer:
    return _tags_form(household, Form(initial={"valid_from": local_date(request_now())}))


@room.post("/<uuid:household_id>/tags", permission=permissions.may_tag, subject=queries.get_household)
def add_tag(household: Household) -> Answer:
    form = Form(TagSchema(), request.form)
    if form.valid:
        draft = TagDraft(**{name: form.data[name] for name in ("tag", "source", "valid_from", "valid_to", "member")})
        try:
            if draft.member is not None and not 0 <= draft.member < len(household.members):
                raise InvalidInput(_("Choose a person."), field="member")
            operations.add_tag(household, draft, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("Saved."), "ok")
            return go("household_forms.tags", household_id=household.id)
    return _tags_form(household, form), 422


@room.post("/<uuid:household_id>/tags/<uuid:tag_id>", permission=permissions.may_tag, subject=queries.get_household)
def change_tag(household: Household, tag_id: uuid.UUID) -> Answer:
    tag = next((row for row in household.tags if row.id == tag_id), None)
    if tag is None:
        raise NotFound("")
    sent = Form(TagDatesSchema(), request.form).demand()
    operations.change_tag(tag, household, by=require_actor(), now=request_now(), **sent)
    flash(_("Saved."), "ok")
    return go("household_forms.tags", household_id=household.id)


def _tags_form(household: Household, form: Form) -> str:
    return render_template("households/tags.html", household=household, form=form, **_named(household))


@room.get("/<uuid:household_id>/consent", permission=permissions.may_consent, subject=queries.get_household)
def consent(household: Household) -> Answer:
    return _consent_form(household, Form(initial={"given_on": local_date(request_now()), "method": "signed"}))


@room.post("/<uuid:household_id>/consent", permission=permissions.may_consent, subject=queries.get_household)
def record_consent(household: Household) -> Answer:
    form = Form(ConsentSchema(), request.form)
    if form.valid:
        sent = form.data
        try:
            for purpose in sent["purposes"]:
                draft = ConsentDraft(
                    purpose, sent["given_on"], sent["expires_on"], sent["method"], sent["text_version"]
                )
                operations.record_consent(household, draft, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The consent is recorded."), "ok")
            return go("households.page", household_id=household.id)
    return _consent_form(household, form), 422


@room.post("/<uuid:household_id>/consent/withdraw", permission=permissions.may_consent, subject=queries.get_household)
def withdraw_consent(household: Household) -> Answer:
    purpose = request.form.get("purpose", "")
    operations.withdraw_consent(household, purpose, by=require_actor(), now=request_now())
    flash(_("The consent is withdrawn, from this moment."), "ok")
    return go("household_forms.consent", household_id=household.id)


def _consent_form(household: Household, form: Form) -> str:
    return render_template(
        "households/consent.html",
        household=household,
        form=form,
        text_version=CONSENT_TEXT_VERSION,
        **_named(household),
    )


@room.get(
    "/<uuid:household_id>/members/<uuid:member_id>/death",
    permission=permissions.may_change,
    subject=queries.get_household,
)
def death(household: Household, member_id: uuid.UUID) -> Answer:
    form = Form(initial={"died_on": local_date(request_now())})
    return _death_form(household, get_member(household, member_id), form)


@room.post(
    "/<uuid:household_id>/members/<uuid:member_id>/death",
    permission=permissions.may_change,
    subject=queries.get_household,
)
def record_death(household: Household, member_id: uuid.UUID) -> Answer:
    member = get_member(household, member_id)
    form = Form(DeathSchema(), request.form)
    if form.valid:
        try:
            day = form.data["died_on"]
            operations.record_death(member.person, household, on=day, by=require_actor(), now=request_now())
        except DomainError as error:
            form.add(error)
        else:
            flash(_("Recorded. Everything that was planned for %(name)s is ended.", name=member.person.name), "ok")
            return go("households.page", household_id=household.id)
    return _death_form(household, member, form), 422


def _death_form(household: Household, member: Any, form: Form) -> str:
    return render_template("households/death.html", household=household, member=member, form=form, **_named(household))
