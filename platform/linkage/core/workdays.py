"""Working days (工作日): Monday to Friday as the State Council's notice of each year changes them (放假调休).

Each year's table comes from the notice of 国务院办公厅, which appears in November of the year before. Without the
table of a year its working days are only Monday to Friday, and every answer that reaches into it is *provisional*:
shown as such, and never the ground on which somebody was late (`is_after` refuses).
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.kept import kept
from linkage.core.models import HolidayTable

SHIPPED = Path(__file__).resolve().parents[1] / "data" / "working_days.csv"
OFF, WORK = "off", "work"
ONE_DAY = timedelta(days=1)
MOST_DAYS = 5_000  # working days that are counted on from a day: twenty years


class Span(NamedTuple):
    """Days in a row that a notice gives off, or has worked (调休上班); both days included."""

    name: str
    first: date
    last: date
    kind: str

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


class Due(NamedTuple):
    """The end of a clock in working days. `provisional`: a year it runs through has no official table yet."""

    day: date
    provisional: bool


class ProvisionalDate(Conflict):
    """Whether something was late would be decided on a day that no official table confirms."""


@dataclass(frozen=True)
class WorkCalendar:
    """Every year's table as it holds: what each day named in a notice is, and which years have a table."""

    kinds: dict[date, str]
    years: frozenset[int]

    def is_working(self, day: date) -> bool:
        return self.kinds.get(day, WORK if day.weekday() < 5 else OFF) == WORK

    def lacks(self, first: date, last: date) -> bool:
        """A year of first..last has no official table."""
        return any(year not in self.years for year in range(first.year, last.year + 1))


def calendar() -> WorkCalendar:
    """What is stored."""
    return kept("working days", _read)


def _read() -> WorkCalendar:
    tables = current_tables()
    kinds = {day: span.kind for table in tables for span in spans_of(table) for day in span.days()}
    return WorkCalendar(kinds, frozenset(table.year for table in tables))


# --- the clocks -------------------------------------------------------------------------------------------------


def is_working_day(day: date) -> bool:
    """Whether offices work on `day`: by the year's notice, else (see `is_official`) Monday to Friday."""
    return calendar().is_working(day)


def is_official(day: date) -> bool:
    """The year of `day` has its official table."""
    return not calendar().lacks(day, day)


def add_working_days(start: date, days: int) -> Due:
    """The day that is the last of `days` working days after `start` (the first day of a period does not count).

    0: `start` itself, or the next working day.

    Raises
    ------
    ValueError
        `days` is negative, or beyond any calendar (`MOST_DAYS`).
    """
    if not 0 <= days <= MOST_DAYS:
        raise ValueError(f"{days} working days")
    known, day, left = calendar(), start, days
    while left or not known.is_working(day):
        day += ONE_DAY
        if left and known.is_working(day):
            left -= 1
    return Due(day, known.lacks(start, day))


def count_working_days(first: date, last: date) -> tuple[int, bool]:
    """(how many working days lie in first..last, both included; whether that is provisional)."""
    known = calendar()
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(known.is_working(day) for day in days), known.lacks(first, last) if first <= last else False


def is_after(day: date, due: Due) -> bool:
    """Whether `day` lies after the end of a clock: then what was due is late.

    Raises
    ------
    ProvisionalDate
        the end is provisional; nobody is found late on it.
    """
    if due.provisional:
        raise ProvisionalDate(
            _l("This deadline reaches into a year without its official table of working days: nothing is late by it."),
            remedy=_l("The administrator loads that year's holiday notice under “Working days”."),
        )
    return day > due.day


# --- the tables -------------------------------------------------------------------------------------------------


def spans_of(table: HolidayTable) -> list[Span]:
    return [Span(name, date.fromisoformat(a), date.fromisoformat(b), kind) for name, a, b, kind in table.spans]


def current_tables() -> Sequence[HolidayTable]:
    """The table of each year that holds (the last one loaded), the oldest year first."""
    latest = select(HolidayTable.year, func.max(HolidayTable.version).label("version")).group_by(HolidayTable.year)
    last = latest.subquery()
    found = select(HolidayTable).join(
        last, (HolidayTable.year == last.c.year) & (HolidayTable.version == last.c.version)
    )
    return db.session.scalars(found.order_by(HolidayTable.year)).all()


def all_tables() -> Sequence[HolidayTable]:
    """Every table that was ever loaded, the latest year first and its last version first."""
    return db.session.scalars(
        select(HolidayTable).order_by(HolidayTable.year.desc(), HolidayTable.version.desc())
    ).all()


def faults(year: int, spans: Sequence[Span]) -> list[tuple[int | None, str, dict[str, str]]]:
    """What is wrong with a year's table: (place in `spans` or None for the whole, code, values of the sentence)."""
    found: list[tuple[int | None, str, dict[str, str]]] = []
    kinds: dict[date, str] = {}
    for place, span in enumerate(spans):
        code = _fault_of(year, span, kinds)
        if code:
            found.append((place, code, {"day": span.first.isoformat(), "year": str(year)}))
            continue
        kinds |= dict.fromkeys(span.days(), span.kind)
    if not found:
        found = [
            (None, "missing", {"day": f"{year}-{month:02d}-{day:02d}", "year": str(year)})
            for month, day in ALWAYS_OFF
            if kinds.get(date(year, month, day)) != OFF
        ]
    return found


# 全国年节及纪念日放假办法 (2024): the holidays whose date the law itself names.
ALWAYS_OFF = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
LONGEST = 15


def _fault_of(year: int, span: Span, known: dict[date, str]) -> str:
    if span.last < span.first:
        return "turned"
    if (span.last - span.first).days >= LONGEST:
        return "long"
    # New Year's holiday may begin in the last days of the year before, and one of them may be worked for it.
    if span.first < date(year - 1, 12, 15) or span.last.year > year:
        return "year"
    if any(day in known for day in span.days()):
        return "twice"
    if span.kind == WORK and any(day.weekday() < 5 for day in span.days()):
        return "weekday"
    return ""


def store(year: int, spans: Sequence[Span], *, source: str, by: uuid.UUID | None, now: datetime) -> HolidayTable:
    """The year's table is this from now on; an earlier one stays in the history.

    Raises
    ------
    InvalidInput
        something is wrong with it (see `faults`), or its source is missing.
    """
    if faults(year, spans) or not spans:
        raise InvalidInput(_l("This table of working days has mistakes."))
    if not source.strip():
        raise InvalidInput(_l("Name the notice, with its number and date."), field="source")
    versions = db.session.scalar(select(func.max(HolidayTable.version)).where(HolidayTable.year == year)) or 0
    table = HolidayTable(
        year=year,
        version=versions + 1,
        source=source.strip()[:200],
        spans=[[span.name[:40], span.first.isoformat(), span.last.isoformat(), span.kind] for span in spans],
        loaded_by=by,
        created_at=now,
    )
    db.session.add(table)
    db.session.flush()
    audit.record("calendar.load", table, by=by, now=now, year=year, version=table.version)
    return table


def read_shipped() -> dict[tuple[int, str], list[Span]]:
    """(year, notice) → its days, as they come with the program."""
    found: dict[tuple[int, str], list[Span]] = {}
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            span = Span(line["name"], date.fromisoformat(line["first"]), date.fromisoformat(line["last"]), line["kind"])
            found.setdefault((int(line["year"]), line["source"]), []).append(span)
    return found


def load_shipped(*, now: datetime) -> int:
    """Store the tables that come with the program, of years that have none; return how many."""
    known = {table.year for table in current_tables()}
    fresh = {key: spans for key, spans in read_shipped().items() if key[0] not in known}
    for (year, source), spans in fresh.items():
        store(year, spans, source=source, by=None, now=now)
    return len(fresh)


def missing_years(first: date, last: date, years: Iterable[int] | None = None) -> list[int]:
    """The years of first..last without an official table."""
    known = set(calendar().years if years is None else years)
    return [year for year in range(first.year, last.year + 1) if year not in known]
