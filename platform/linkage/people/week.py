"""The week of a person with its exceptions on one form: fields, first values, and what saving it does.

Used by organisations (shifts) and volunteers (availability); the macros stand in `people/_week.html`. The form
has up to six stretches, each with its weekdays, hours, planning area and break, the day from which the week
holds, and one exception (away, or works in addition).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate

from linkage.core.errors import InvalidInput
from linkage.core.formats import format_duration
from linkage.core.forms import FormSchema
from linkage.core.permissions import Actor
from linkage.people import queries
from linkage.people.models import Person, WorkPattern
from linkage.people.operations import ABSENCE_REASONS, WeekSpan, add_absence, add_extra, set_week_pattern

STRETCHES = 6
DAY_MINUTES = 1440
BREAK_CHOICES = (0, 30, 45, 60, 90)


def _stretch_fields(number: int) -> dict[str, fields.Field[Any]]:
    prefix = f"s{number}_"
    return {
        prefix + "days": fields.List(fields.Integer(validate=validate.Range(0, 6))),
        prefix + "from": fields.Time(),
        prefix + "to": fields.Time(),
        prefix + "area": fields.Integer(),
        prefix + "break_from": fields.Time(),
        prefix + "break_minutes": fields.Integer(validate=validate.OneOf(BREAK_CHOICES)),
    }


WeekSchema: type[FormSchema] = FormSchema.from_dict(  # type: ignore[assignment]
    {
        **{name: field for number in range(STRETCHES) for name, field in _stretch_fields(number).items()},
        "valid_from": fields.Date(required=True),
        "exception": fields.String(validate=validate.OneOf(["absent", "extra"])),
        "ex_first": fields.Date(),
        "ex_last": fields.Date(),
        "ex_from": fields.Time(),
        "ex_to": fields.Time(),
        "ex_area": fields.Integer(),
        "ex_reason": fields.String(validate=validate.OneOf(ABSENCE_REASONS)),
    },
    name="WeekSchema",
)


def initial_values(
    person_id: uuid.UUID, kind: str, on: date, *, organisation_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """What the form shows first: the week that holds on `on`, equal days of it together."""
    values: dict[str, Any] = {"valid_from": on, "ex_reason": "leave"}
    rows = queries.week_pattern(person_id, kind, on, organisation_id=organisation_id)
    for number, (row, days) in enumerate(grouped(rows)[:STRETCHES]):
        prefix = f"s{number}_"
        values |= {
            prefix + "days": days,
            prefix + "from": _clock(row.start_minute),
            prefix + "to": _clock(row.end_minute),
            prefix + "area": row.area_id,
            prefix + "break_from": None if row.break_from is None else _clock(row.break_from),
            prefix + "break_minutes": row.break_minutes,
        }
    return values


def grouped(rows: Iterable[WorkPattern]) -> list[tuple[WorkPattern, list[int]]]:
    """Stretches of equal hours, place and break with the weekdays on which they hold, in order of their first."""
    groups: dict[tuple[Any, ...], tuple[WorkPattern, list[int]]] = {}
    for row in rows:
        key = (row.start_minute, row.end_minute, row.area_id, row.break_from, row.break_minutes)
        groups.setdefault(key, (row, []))[1].append(row.weekday)
    return list(groups.values())


def break_options() -> list[tuple[int, str]]:
    """Lengths of a break to choose from, in words."""
    return [(minutes, format_duration(minutes)) for minutes in BREAK_CHOICES if minutes]


def shown_stretches(values: Any) -> range:
    """How many stretches the form shows: those filled in and one more (`values`: the Form's own `value`)."""
    filled = [number for number in range(STRETCHES) if values(f"s{number}_from") or values(f"s{number}_to")]
    return range(min(STRETCHES, max(filled, default=-1) + 2))


def save_week(
    person: Person,
    kind: str,
    data: dict[str, Any],
    *,
    areas: Collection[int],
    organisation_id: uuid.UUID | None = None,
    by: Actor,
    today: date,
    now: datetime,
) -> list[str]:
    """Store what the form says; return what changed: "week", "exception" (several, one or nothing).

    Parameters
    ----------
    kind : "shift" or "available"
    areas : ids of the planning areas that may be chosen; with one, the form need not ask

    Raises
    ------
    InvalidInput
        with each field that is wrong.
    """
    week = week_of(data, areas)
    starts = data["valid_from"]
    changed = []
    stored = queries.week_pattern(person.id, kind, starts, organisation_id=organisation_id)
    if set(week) != {_as_span(row) for row in stored}:
        if starts < today:
            raise InvalidInput(_l("What is past stays as it was: choose today or later."), field="valid_from")
        set_week_pattern(person, kind, week, valid_from=starts, organisation_id=organisation_id, by=by, now=now)
        changed.append("week")
    if data.get("exception"):
        _save_exception(person, kind, data, areas=areas, organisation_id=organisation_id, by=by, now=now)
        changed.append("exception")
    return changed


def week_of(data: dict[str, Any], areas: Collection[int]) -> list[WeekSpan]:
    """The stretches that the form says, one per weekday.  An end at or before the beginning lies on the next day.

    Raises InvalidInput with each field that is wrong.
    """
    errors: dict[str, list[Any]] = {}
    week: list[WeekSpan] = []
    for number in range(STRETCHES):
        prefix = f"s{number}_"
        days, start, end = data.get(prefix + "days"), data.get(prefix + "from"), data.get(prefix + "to")
        if not (days or start or end):
            continue
        area = data.get(prefix + "area") or (next(iter(areas)) if len(areas) == 1 else None)
        if not days:
            errors[prefix + "days"] = [_l("Choose at least one day.")]
        elif start is None or end is None:
            errors[prefix + "from"] = [_l("Give both hours.")]
        elif area is None or area not in areas:
            errors[prefix + "area"] = [_l("Choose an area.")]
        else:
            week += _spans(prefix, days, start, end, area, data)
    if errors:
        raise InvalidInput(_l("Please check what you entered."), errors=errors)
    return week


def _spans(prefix: str, days: Sequence[int], start: time, end: time, area: int, data: dict[str, Any]) -> list[WeekSpan]:
    first, last = _minutes(start), _minutes(end)
    begins, length = data.get(prefix + "break_from"), data.get(prefix + "break_minutes") or 0
    pause = _minutes(begins) if begins is not None and length > 0 else None
    if pause is not None and pause < first:
        pause += DAY_MINUTES
    return [
        WeekSpan(
            day,
            first,
            last if last > first else last + DAY_MINUTES,
            area,
            break_from=pause,
            break_minutes=0 if pause is None else length,
            field=prefix + "from",
        )
        for day in sorted(set(days))
    ]


def _as_span(row: WorkPattern) -> WeekSpan:
    return WeekSpan(row.weekday, row.start_minute, row.end_minute, row.area_id, row.break_from, row.break_minutes)


def _save_exception(
    person: Person,
    kind: str,
    data: dict[str, Any],
    *,
    areas: Collection[int],
    organisation_id: uuid.UUID | None,
    by: Actor,
    now: datetime,
) -> None:
    first = data.get("ex_first")
    if first is None:
        raise InvalidInput(_l("Give the first day."), field="ex_first")
    last = data.get("ex_last") or first
    start, end = _hours(data.get("ex_from"), data.get("ex_to"))
    if data["exception"] == "absent":
        reason = data.get("ex_reason", "other")
        add_absence(person, first, last, reason=reason, start_minute=start, end_minute=end, by=by, now=now)
        return
    area = data.get("ex_area") or (next(iter(areas)) if len(areas) == 1 else None)
    if start is None or end is None:
        raise InvalidInput(_l("Give both hours."), field="ex_from")
    if area is None or area not in areas:
        raise InvalidInput(_l("Choose an area."), field="ex_area")
    add_extra(
        person,
        kind,
        first,
        last,
        start_minute=start,
        end_minute=end,
        area_id=area,
        organisation_id=organisation_id,
        by=by,
        now=now,
    )


def _hours(start: time | None, end: time | None) -> tuple[int | None, int | None]:
    first, last = (None if moment is None else _minutes(moment) for moment in (start, end))
    if first is not None and last is not None and last <= first:
        last += DAY_MINUTES
    return first, last


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _clock(minutes: int) -> time:
    return time(minutes % DAY_MINUTES // 60, minutes % 60)
