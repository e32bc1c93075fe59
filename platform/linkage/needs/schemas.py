"""The form of a need (who is chosen beside it): posting, and editing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import time
from typing import Any

from marshmallow import fields

from linkage.core.forms import FormSchema, at_most, between, one_of
from linkage.needs import recurrence
from linkage.needs.models import CHANNELS, PRIORITIES, Need
from linkage.needs.operations import NeedRequest
from linkage.people.models import LANGUAGES, SEXES

REPEATS = ("once", "weekly", "fortnightly", "daily")


class NeedForm(FormSchema):
    """What, when and how; `from`..`to` is the span in which the whole visit must lie.

    `repeats`: once, weekly or fortnightly on `days` (0 Monday; none: the first day's), daily; or "rule": as it is.
    """

    starts_on = fields.Date(required=True)
    ends_on = fields.Date(load_default=None)
    repeats = fields.String(load_default="once", validate=one_of([*REPEATS, "rule"]))
    rule = fields.String(load_default=None, validate=at_most(200))
    days = fields.List(fields.Integer(validate=between(0, 6)), load_default=[])
    flexible_days = fields.Integer(load_default=1)
    start = fields.Time(required=True, data_key="from", format="%H:%M")
    end = fields.Time(required=True, data_key="to", format="%H:%M")
    preferred = fields.Time(load_default=None, format="%H:%M")
    minutes = fields.Integer(required=True)
    people = fields.Integer(load_default=1)
    gender = fields.String(load_default=None, validate=one_of(SEXES))
    gender_hard = fields.Boolean(load_default=False)
    language = fields.String(load_default=None, validate=one_of(LANGUAGES))
    language_hard = fields.Boolean(load_default=False)
    priority = fields.Integer(load_default=None, validate=one_of(PRIORITIES))
    channel = fields.String(load_default="counter", validate=one_of(CHANNELS))
    note = fields.String(load_default="", validate=at_most(500))


def request_of(data: Mapping[str, Any], person_id: uuid.UUID, caller_person_id: uuid.UUID | None = None) -> NeedRequest:
    """What the loaded form asks for, for one person of the household."""
    wishes = {name: data[name] for name in ("gender", "gender_hard", "language", "language_hard") if data[name]}
    return NeedRequest(
        person_id=person_id,
        starts_on=data["starts_on"],
        ends_on=data["ends_on"] if data["repeats"] != "once" else None,
        recurrence=_rule(data),
        flexible_days=data["flexible_days"] if data["repeats"] == "once" else 1,
        window_start=_minutes(data["start"]),
        window_end=_minutes(data["end"]) or 24 * 60,
        preferred_start=None if data["preferred"] is None else _minutes(data["preferred"]),
        duration_minutes=data["minutes"],
        people=data["people"],
        wishes=wishes,
        priority=data["priority"],
        channel=data["channel"],
        note=data["note"],
        caller_person_id=caller_person_id,
    )


def _rule(data: Mapping[str, Any]) -> str | None:
    match data["repeats"]:
        case "daily":
            return "FREQ=DAILY"
        case "weekly" | "fortnightly":
            days = data["days"] or [data["starts_on"].weekday()]
            return recurrence.weekly(days, every=2 if data["repeats"] == "fortnightly" else 1)
        case "rule":
            return data["rule"]
    return None


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def initial_of(need: Need) -> dict[str, Any]:
    """The form's first values for editing `need`."""
    rule, every = need.recurrence, recurrence.interval_of(need.recurrence)
    days = recurrence.weekdays_of(rule)
    same = rule is not None and rule in (recurrence.weekly(days, every=every), "FREQ=DAILY")
    repeats = {None: "once", "FREQ=DAILY": "daily"}.get(rule, {1: "weekly", 2: "fortnightly"}.get(every, "rule"))
    return {
        "starts_on": need.starts_on,
        "ends_on": need.ends_on,
        "repeats": repeats if rule is None or same else "rule",
        "rule": rule,
        "days": days,
        "flexible_days": need.flexible_days,
        "from": _clock(need.window_start),
        "to": _clock(need.window_end),
        "preferred": None if need.preferred_start is None else _clock(need.preferred_start),
        "minutes": need.duration_minutes,
        "people": need.people,
        "priority": need.priority,
        "channel": need.channel,
        "note": need.note or "",
        **need.wishes,
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


# The field of the form at which a fault of `needs.checks` is shown, where it has another name.
FIELDS = {
    "window_start": "from",
    "window_end": "to",
    "preferred_start": "preferred",
    "duration_minutes": "minutes",
    "recurrence": "days",
    "person_id": "person",
    "household_id": "",
    "service_id": "service",
}
