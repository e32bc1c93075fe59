"""Recurrence (重复) of a need: an iCalendar RRULE (RFC 5545) without DTSTART, expanded by dateutil.

The first day belongs to the need (`starts_on`), and so does the last (`ends_on`), so a rule never holds either.
A rule is bounded: days, weeks or months, at most one day a day; and so is every expansion of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput
from linkage.core.formats import format_weekday

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
PARTS = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT"}
LONGEST_EXPANSION_DAYS = 800
LARGEST = {"INTERVAL": 12, "COUNT": 400}
NOT_UNDERSTOOD = _l("This repetition is not understood.")


def weekly(weekdays: Iterable[int], *, every: int = 1) -> str | None:
    """The rule for "every (second …) week on these days" (0 Monday); None without a day."""
    names = [WEEKDAYS[day] for day in sorted(set(weekdays))]
    if not names:
        return None
    interval = f";INTERVAL={every}" if every > 1 else ""
    return f"FREQ=WEEKLY;BYDAY={','.join(names)}{interval}"  # spelt as `normalise` spells it


def weekdays_of(rule: str | None) -> list[int]:
    """The weekdays that a rule names (0 Monday); [] for a rule without."""
    names = _parts(rule).get("BYDAY", "").split(",") if rule else []
    return [WEEKDAYS.index(name[-2:]) for name in names if name[-2:] in WEEKDAYS]


def interval_of(rule: str | None) -> int:
    return int(_parts(rule).get("INTERVAL", "1")) if rule else 1


def normalise(rule: str | None) -> str | None:
    """The rule in one spelling, or None for once.

    Raises
    ------
    InvalidInput
        not a rule, finer than days, with its own dates, or without bounds (field ``recurrence``).
    """
    text = "".join((rule or "").split()).upper().removeprefix("RRULE:").strip(";")
    if not text:
        return None
    parts = _parts(text)
    if parts.keys() - PARTS or parts.get("FREQ") not in FREQUENCIES:
        raise InvalidInput(
            NOT_UNDERSTOOD,
            field="recurrence",
            remedy=_l("It may repeat by days, weeks or months; first and last day have fields of their own."),
        )
    for name, largest in LARGEST.items():
        if name in parts and not (parts[name].isdigit() and 1 <= int(parts[name]) <= largest):
            raise InvalidInput(_l("This number is too large."), field="recurrence")
    normal = ";".join(f"{name}={parts[name]}" for name in ("FREQ", *sorted(parts.keys() - {"FREQ"})))
    try:
        rrulestr(normal, dtstart=datetime(2026, 1, 1))  # noqa: DTZ001 (a calendar without zones)
    except (ValueError, TypeError) as error:
        raise InvalidInput(NOT_UNDERSTOOD, field="recurrence") from error
    if len(normal) > 200:
        raise InvalidInput(NOT_UNDERSTOOD, field="recurrence")
    return normal


def _parts(rule: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in rule.split(";") if part]
    return {name: value for name, _equals, value in pairs}


def days(starts_on: date, rule: str | None, ends_on: date | None, *, first: date, last: date) -> list[date]:
    """The days of the need within first..last (both included), in order; `first` at most 800 days before `last`.

    A need that does not repeat has one, its first day.
    """
    first, last = max(first, starts_on), min(last, ends_on or last)
    if first > last:
        return []
    if rule is None:
        return [starts_on] if first <= starts_on <= last else []
    last = min(last, first + timedelta(days=LONGEST_EXPANSION_DAYS))
    series = _series(starts_on, rule)
    return [moment.date() for moment in series.between(_midnight(first), _midnight(last), inc=True)]


def _series(starts_on: date, rule: str) -> rrule:
    series = rrulestr(rule, dtstart=_midnight(starts_on))
    assert isinstance(series, rrule)
    return series


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def is_over(starts_on: date, rule: str | None, ends_on: date | None, flexible_days: int, *, on: date) -> bool:
    """Whether the last day of the need lies before `on`."""
    if rule is None:
        return starts_on + timedelta(days=flexible_days - 1) < on
    first = max(on, starts_on)
    last = min(first + timedelta(days=LONGEST_EXPANSION_DAYS), ends_on or date.max)
    coming = _series(starts_on, rule).after(_midnight(first), inc=True)
    return coming is None or coming.date() > last


def describe(rule: str | None) -> str:
    """ "every week on Tue, Thu" in the reader's language; "once" for None."""
    if rule is None:
        return _("once")
    parts, every = _parts(rule), interval_of(rule)
    if parts["FREQ"] == "DAILY":
        return _("every day") if every == 1 else _("every %(n)s days", n=every)
    if parts["FREQ"] == "MONTHLY":
        return _("every month") if every == 1 else _("every %(n)s months", n=every)
    days = weekdays_of(rule)
    if not days:
        return _("every week") if every == 1 else _("every %(n)s weeks", n=every)
    if len(days) == len(WEEKDAYS) and every == 1:
        return _("every day")
    if every == 1:
        return _("every week on %(days)s", days=_named(days))
    return _("every %(n)s weeks on %(days)s", n=every, days=_named(days))


def _named(days: list[int]) -> str:
    """周一、周四; or 周一至周五 for three and more in a row."""
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return _("%(first)s to %(last)s", first=weekday_name(days[0]), last=weekday_name(days[-1]))
    return _(", ").join(weekday_name(day) for day in days)


def weekday_name(day: int) -> str:
    """Short name of a weekday (0 Monday)."""
    return format_weekday(date(2026, 11, 23) + timedelta(days=day))
