"""The smallest change that would serve a visit, who is asked for it and what it costs, in words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.contracts.models import ContractLine
from linkage.core.extensions import db
from linkage.core.formats import format_datetime, format_duration, format_money
from linkage.people.models import Person

Fix = Mapping[str, Any]

ASKED = {
    "move_other_visit": _l("inside the hours that household gave"),
    "hand_over_visit": _l("inside the hours that household gave"),
    "shift_window": _l("ask the household first"),
    "other_day": _l("ask the household first"),
    "relax_wish": _l("ask the household first"),
    "welcome_new_face": _l("ask the household first"),
    "extend_shift": _l("ask first"),
    "widen_radius": _l("ask first"),
    "take_on_household": _l("ask first"),
    "release_pin": _l("ask those who agreed first"),
    "more_hours": _l("the organisation decides"),
    "add_caregiver": _l("the organisation decides"),
    "borrow_on_line": _l("the buyer decides"),
    "raise_quota": _l("the buyer decides"),
}
"""Who has to agree."""


def fix_text(fix: Fix) -> str:
    """The smallest change, as it stands on its button or in its sentence."""
    return _TEXTS[fix["code"]](fix)


def fix_effect(fix: Fix) -> str:
    """Who would then come, who has to agree, and what it costs others."""
    who = _(", ").join(_name(person) for person in fix.get("people", []))
    asked = str(ASKED[fix["code"]])
    first = _("%(who)s could come; %(asked)s", who=who, asked=asked) if who else asked
    return _("; ").join([first, *_price(fix.get("price") or {})])


def _price(price: Fix) -> list[str]:
    """What is worth saying of the price: money, road, and how many people hear of it."""
    found = []
    if price.get("cost_fen", 0) > 0:
        found.append(_("costs %(money)s", money=format_money(round(price["cost_fen"]))))
    if price.get("travel_minutes", 0) >= 1:
        found.append(_("%(minutes)s more on the road", minutes=format_duration(round(price["travel_minutes"]))))
    if price.get("people_told"):
        number = int(price["people_told"])
        found.append(ngettext("%(num)d other must be told", "%(num)d others must be told", number))
    return found


def _move(fix: Fix) -> str:
    return _("Move another visit by %(minutes)s", minutes=format_duration(round(abs(fix["minutes"]))))


def _hand_over(fix: Fix) -> str:
    if fix["to_caregiver"] == fix["caregiver"]:
        return _("Move another visit to %(when)s", when=_when(fix["to"]))
    return _("%(to)s takes over a visit of %(name)s", to=_name(fix["to_caregiver"]), name=_name(fix["caregiver"]))


def _release(fix: Fix) -> str:
    if "to_caregiver" not in fix:
        return _("Give up what is agreed about this visit")
    return _("Give up an agreement with %(name)s about another visit", name=_name(fix["caregiver"]))


def _another_time(fix: Fix) -> str:
    return _("Change to %(when)s", when=_when(fix["starts_at"]))


def _extend(fix: Fix) -> str:
    minutes = format_duration(round(fix["minutes"]))
    return _("%(name)s works %(minutes)s longer", name=_name(fix["caregiver"]), minutes=minutes)


def _more_hours(fix: Fix) -> str:
    name = _name(fix["caregiver"])
    if fix["unit"] == "visits":
        return _("%(name)s takes one visit more in the week", name=name)
    return _("%(name)s gets %(amount)s more hours in the week", name=name, amount=_amount(fix))


def _loan(fix: Fix) -> str:
    return _("Add %(amount)s to the contract line %(line)s", amount=_amount(fix), line=_line(fix["line"]))


def _wish(fix: Fix) -> str:
    if fix.get("wish") == "gender":
        return _("Let a person of either sex come")
    return _("Let a person come who speaks another language")


def _one_more(fix: Fix) -> str:
    when = _when(fix["starts_at"])
    if fix["kind"] == "volunteer":
        return _("One more volunteer at %(when)s", when=when)
    if fix["kind"] == "social_worker":
        return _("One more social worker at %(when)s", when=when)
    if fix["qualifications"]:
        return _("One more carer with the papers for it at %(when)s", when=when)
    return _("One more carer at %(when)s", when=when)


_TEXTS: dict[str, Callable[[Fix], str]] = {
    "move_other_visit": _move,
    "hand_over_visit": _hand_over,
    "shift_window": _another_time,
    "other_day": _another_time,
    "extend_shift": _extend,
    "widen_radius": lambda fix: _("%(name)s goes a little farther", name=_name(fix["caregiver"])),
    "more_hours": _more_hours,
    "take_on_household": lambda fix: _("%(name)s takes on one household more", name=_name(fix["caregiver"])),
    "borrow_on_line": _loan,
    "relax_wish": _wish,
    "welcome_new_face": lambda fix: _("The household lets one new face more come"),
    "raise_quota": lambda fix: _("Raise the person's quota by %(amount)s", amount=_amount(fix)),
    "release_pin": _release,
    "add_caregiver": _one_more,
}


def _when(moment: str) -> str:
    return format_datetime(datetime.fromisoformat(moment))


def _name(person_id: str) -> str:
    person = db.session.get(Person, uuid.UUID(person_id))
    return person.name if person is not None else ""


def _line(line_id: str) -> str:
    line = db.session.get(ContractLine, uuid.UUID(line_id))
    return line.name if line is not None else ""


def _amount(fix: Fix) -> str:
    amount = round(float(fix["amount"]))
    if fix.get("unit") == "minutes":
        return format_duration(amount)
    if fix.get("unit") == "fen":
        return format_money(amount)
    return ngettext("%(num)d visit", "%(num)d visits", amount)
