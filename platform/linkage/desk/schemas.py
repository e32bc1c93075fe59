"""The form for posting a need: who and what beside the when and how of `needs.schemas`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from linkage.core.forms import at_most, one_of
from linkage.households.models import Household
from linkage.needs.checks import needed_people
from linkage.needs.operations import NeedRequest
from linkage.needs.schemas import NeedForm, request_of
from linkage.people.models import LANGUAGES, SEXES
from linkage.services.models import Service

TWO = "two"
EVERY = ("once", "weekly", "fortnightly")


class PostForm(NeedForm):
    """`minutes` empty: as long as the service usually takes. `wishes`: "two", a sex, a language; `must`: only so.

    `choice`: the row of people and time that was chosen (see `desk.choices`).
    """

    household = fields.UUID(required=True)
    person = fields.UUID(load_default=None)
    service = fields.UUID(required=True)
    minutes = fields.Integer(load_default=None)
    repeats = fields.String(load_default="once", validate=one_of(EVERY))
    wishes = fields.List(fields.String(validate=one_of((TWO, *SEXES, *LANGUAGES))), load_default=[])
    must = fields.Boolean(load_default=False)
    choice = fields.String(load_default="", validate=at_most(400))


def asked_for(data: dict[str, Any], household: Household, service: Service, person_id: Any) -> NeedRequest:
    """What the loaded form asks for. Two people go where the service needs two, even if nobody ticked it."""
    wishes = data["wishes"]
    sex = next((one for one in wishes if one in SEXES), None)
    language = next((one for one in wishes if one in LANGUAGES), None)
    wants_two = TWO in wishes or needed_people(household, service) == 2
    whole = {
        **data,
        "minutes": data["minutes"] or service.default_minutes,
        "people": 2 if wants_two else 1,
        "gender": sex,
        "gender_hard": bool(sex and data["must"]),
        "language": language,
        "language_hard": bool(language and data["must"]),
    }
    return request_of(whole, person_id)
