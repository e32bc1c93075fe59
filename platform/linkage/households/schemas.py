"""The forms of a household: one page with its members as rows, tags, consent, a move, a death."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from linkage.areas.schemas import Position
from linkage.core.forms import Form, FormSchema
from linkage.households.models import CARE_LEVELS, METHODS, PURPOSES, RELATIONS, TAGS
from linkage.households.words import CONSENT_TEXTS
from linkage.people.identity import id_number_fault, telephone_fault
from linkage.people.models import LANGUAGES, SEXES
from linkage.people.operations import ID_NUMBER_FAULTS

NOT_POSSIBLE = _l("This value is not possible.")
FIELD_LABELS = {
    "area_id": _l("Community"),
    "address": _l("Address"),
    "door_note": _l("Door note"),
    "position": _l("Position (WGS-84)"),
    "access_minutes": _l("From the street to the door"),
    "number": _l("Household number"),
    "password": _l("Password of a visitor"),
    "given_on": _l("Given on"),
    "expires_on": _l("Until"),
}
MEMBER_LABELS = {
    "name": _l("Name"),
    "relation": _l("Relation"),
    "id_number": _l("ID number"),
    "birth_date": _l("Birth date"),
    "sex": _l("Sex"),
    "telephone": _l("Telephone"),
}
ROW = re.compile(r"m-(\d{1,2})-name")
MOST_MEMBERS = 12


def one_of(values: Any) -> validate.OneOf:
    return validate.OneOf(values, error=NOT_POSSIBLE)


def at_most(characters: int) -> validate.Length:
    return validate.Length(max=characters, error=_l("At most %(number)s characters.", number=characters))


def _id_number(text: str) -> None:
    fault = id_number_fault(text)
    if fault is not None:
        raise ValidationError([ID_NUMBER_FAULTS[fault]])  # in a list: a lazy text alone would be taken letter by letter


def _telephone(text: str) -> None:
    if telephone_fault(text) is not None:
        raise ValidationError([_l("This is no telephone number of China, such as 13800138000 or 0592-2051234.")])


class MemberSchema(FormSchema):
    """One row of the members."""

    member_id = fields.UUID(load_default=None)
    row_version = fields.Integer(load_default=1)
    name = fields.String(required=True, validate=at_most(40))
    relation = fields.String(load_default="self", validate=one_of(RELATIONS))
    sex = fields.String(load_default=None, validate=one_of(SEXES))
    birth_date = fields.Date(load_default=None)
    id_number = fields.String(load_default=None, validate=_id_number)
    telephone = fields.String(load_default=None, validate=_telephone)
    languages = fields.List(fields.String(validate=one_of(LANGUAGES)))


class PlaceSchema(FormSchema):
    area_id = fields.Integer(required=True)
    address = fields.String(required=True, validate=at_most(120))
    door_note = fields.String(load_default=None, validate=at_most(300))
    position = Position(load_default=None)
    access_minutes = fields.Integer(load_default=3, validate=validate.Range(0, 60, error=_l("From 0 to 60 minutes.")))


class FactsSchema(FormSchema):
    """What is known of the household itself."""

    number = fields.String(load_default=None, validate=at_most(30))
    care_level = fields.String(load_default="", validate=one_of(("", *CARE_LEVELS)))
    health = fields.String(load_default=None, validate=at_most(1000))
    hazard = fields.String(load_default=None, validate=at_most(300))
    registered_address = fields.String(load_default=None, validate=at_most(120))
    usual_address = fields.String(load_default=None, validate=at_most(120))
    password = fields.String(load_default=None, validate=at_most(12))


class RegisterSchema(PlaceSchema, FactsSchema):
    tags = fields.List(fields.String(validate=one_of(TAGS)))
    tag_source = fields.String(load_default="", validate=at_most(60))
    purposes = fields.List(fields.String(validate=one_of(PURPOSES)))
    method = fields.String(load_default="signed", validate=one_of(METHODS))
    given_on = fields.Date(load_default=None)
    expires_on = fields.Date(load_default=None)


class ChangeSchema(FactsSchema):
    row_version = fields.Integer(required=True)
    door_note = fields.String(load_default=None, validate=at_most(300))
    access_minutes = PlaceSchema().fields["access_minutes"]
    position = Position(load_default=None)


class MoveSchema(PlaceSchema):
    row_version = fields.Integer(required=True)


class TagSchema(FormSchema):
    tag = fields.String(required=True, validate=one_of(TAGS))
    source = fields.String(load_default="", validate=at_most(60))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None)
    member = fields.Integer(load_default=None)


class TagDatesSchema(FormSchema):
    source = fields.String(load_default="", validate=at_most(60))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(load_default=None)


class ConsentSchema(FormSchema):
    purposes = fields.List(
        fields.String(validate=one_of(PURPOSES)),
        required=True,
        validate=validate.Length(min=1, error=_l("Tick at least one purpose.")),
    )
    method = fields.String(required=True, validate=one_of(METHODS))
    given_on = fields.Date(required=True)
    expires_on = fields.Date(load_default=None)
    text_version = fields.String(required=True, validate=one_of(tuple(CONSENT_TEXTS)))


class DeathSchema(FormSchema):
    died_on = fields.Date(required=True)


class RevealSchema(FormSchema):
    field = fields.String(required=True)
    purpose = fields.String(required=True)


class HouseholdForm(Form):
    """A form with rows of members below it: ``m-0-name``, ``m-0-birth_date`` …; empty rows are dropped.

    Attributes
    ----------
    members : the loaded rows (only where `valid`)
    numbers : the numbers of the rows to draw, in order
    """

    def __init__(self, schema: FormSchema, sent: MultiDict[str, str] | None = None, initial: Any = None) -> None:
        super().__init__(schema, sent, initial)
        self.members: list[dict[str, Any]] = []
        self.row_of: list[int] = []
        self.numbers = self._numbers()
        if sent is not None:
            for number in self.numbers:
                self._load(number, sent)

    def _numbers(self) -> list[int]:
        keys = (self.sent if self.sent is not None else self.initial) or {}
        found = sorted(int(match[1]) for match in map(ROW.fullmatch, keys) if match)
        return found[:MOST_MEMBERS] or [0]

    def _load(self, number: int, sent: MultiDict[str, str]) -> None:
        prefix = f"m-{number}-"
        row = MultiDict(
            (key.removeprefix(prefix), value) for key, value in sent.items(multi=True) if key.startswith(prefix)
        )
        if not any(row.get(name, "").strip() for name in ("name", "id_number", "telephone", "birth_date", "member_id")):
            return
        form = Form(MemberSchema(), row)
        for name, sentences in form.errors.items():
            self.errors[prefix + name] = sentences
        self.members.append(form.data)
        self.row_of.append(number)

    def labels(self) -> dict[str, Any]:
        """What the fields are called in the summary of errors; of a row with the person's name or number."""
        named = dict(FIELD_LABELS)
        for number in self.numbers:
            who = self.value(f"m-{number}-name") or _l("Person %(number)d", number=number + 1)
            for name, label in MEMBER_LABELS.items():
                named[f"m-{number}-{name}"] = f"{who} {label}"
        return named

    def row_field(self, member: int, name: str) -> str:
        """The name of a field of the `member`-th loaded row."""
        return f"m-{self.row_of[member]}-{name}"

    def more(self) -> None:
        """One more empty row."""
        if len(self.numbers) < MOST_MEMBERS:
            self.numbers.append(max(self.numbers) + 1)
