"""When people work: week patterns, plus extra stretches, less absences (班次与空闲时间).

Minutes count from local midnight of a span's own day; a night shift goes on past 1,440.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select

from linkage.core.clock import at_minutes
from linkage.core.extensions import db
from linkage.people.models import Person, WorkException, WorkPattern

DAY_MINUTES = 1440


@dataclass(frozen=True)
class DaySpan:
    """One working stretch of one person: "shift" for an organisation, or "available" as a volunteer.

    A break of `break_minutes` begins at or after `break_from` (None: no break in this stretch).
    """

    day: date
    kind: str
    start_minute: int
    end_minute: int
    area_id: int
    organisation_id: uuid.UUID | None = None
    break_from: int | None = None
    break_minutes: int = 0


@dataclass(frozen=True)
class Away:
    """Minutes of a day taken away by an absence; `whole` also takes a shift that begins on that day."""

    start_minute: int
    end_minute: int
    whole: bool


def day_spans(
    first: date, last: date, *, person_ids: Collection[uuid.UUID] | None = None, area_id: int | None = None
) -> dict[uuid.UUID, list[DaySpan]]:
    """The working stretches of each person that begin on first..last, in order of time.

    Parameters
    ----------
    person_ids : only these people; None: everybody
    area_id : only stretches deployed to this planning area; None: anywhere

    Returns
    -------
    people without any stretch are left out; so is everything from a person's death on
    """
    patterns = _rows(WorkPattern.person_id, select(WorkPattern).where(WorkPattern.within(first, last)), person_ids)
    near = select(WorkException).where(
        WorkException.cancelled_at.is_(None),
        WorkException.first_day <= last + timedelta(days=2),
        WorkException.last_day >= first - timedelta(days=1),
    )
    exceptions = _rows(WorkException.person_id, near, person_ids)
    died = _deaths({*patterns, *exceptions})
    found = {}
    for person_id in sorted({*patterns, *exceptions}):
        spans = _of_person(patterns[person_id], exceptions[person_id], first, last)
        end = died.get(person_id, date.max)
        kept = [span for span in spans if span.day < end and area_id in (None, span.area_id)]
        if kept:
            found[person_id] = kept
    return found


def _rows(owner, statement: Select, person_ids: Collection[uuid.UUID] | None) -> dict[uuid.UUID, list]:  # type: ignore[no-untyped-def, type-arg]
    if person_ids is not None:
        statement = statement.where(owner.in_(list(person_ids)))
    grouped = defaultdict(list)
    for row in db.session.scalars(statement):
        grouped[row.person_id].append(row)
    return grouped


def _deaths(person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, date]:
    dead = select(Person.id, Person.died_on).where(Person.died_on.is_not(None))
    wanted = set(person_ids)
    return {person_id: day for person_id, day in db.session.execute(dead) if person_id in wanted and day is not None}


def _of_person(
    patterns: Sequence[WorkPattern], exceptions: Sequence[WorkException], first: date, last: date
) -> list[DaySpan]:
    spans: list[DaySpan] = []
    for day in _days(first, last):
        planned = [_span(row, day) for row in patterns if row.weekday == day.weekday() and row.holds(day)]
        for row in exceptions:
            if row.kind == "extra" and row.first_day <= day <= row.last_day:
                planned += _beside(_extra(row, day), planned)
        away = [part for row in exceptions if row.kind == "absent" for part in _away(row, day)]
        for span in planned:
            spans += _without(span, away)
    return sorted(spans, key=lambda span: (span.day, span.start_minute, span.end_minute))


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _span(row: WorkPattern, day: date) -> DaySpan:
    return DaySpan(
        day,
        row.kind,
        row.start_minute,
        row.end_minute,
        row.area_id,
        row.organisation_id,
        row.break_from if row.break_minutes else None,
        row.break_minutes if row.break_from is not None else 0,
    )


def _extra(row: WorkException, day: date) -> DaySpan:
    assert row.start_minute is not None and row.end_minute is not None
    assert row.work_kind is not None and row.area_id is not None
    return DaySpan(day, row.work_kind, row.start_minute, row.end_minute, row.area_id, row.organisation_id)


def _beside(extra: DaySpan, planned: Sequence[DaySpan]) -> list[DaySpan]:
    """What of an extra stretch is not worked anyway (of the same kind)."""
    same = [Away(span.start_minute, span.end_minute, False) for span in planned if span.kind == extra.kind]
    return _without(extra, same)


def no_longer_worked(cancelled: WorkException) -> list[tuple[datetime, datetime]]:
    """The moments of a cancelled extra stretch in which the person does not work anyway."""
    spans = day_spans(cancelled.first_day, cancelled.last_day, person_ids=[cancelled.person_id])
    left = []
    for day in _days(cancelled.first_day, cancelled.last_day):
        same_day = [span for span in spans.get(cancelled.person_id, []) if span.day == day]
        left += _beside(_extra(cancelled, day), same_day)
    return [(at_minutes(span.day, span.start_minute), at_minutes(span.day, span.end_minute)) for span in left]


def _away(row: WorkException, day: date) -> Iterator[Away]:
    """The minutes of `day` (and of the night after it) that an absence takes."""
    for offset in (-1, 0, 1):
        other = day + timedelta(days=offset)
        if not row.first_day <= other <= row.last_day:
            continue
        if row.start_minute is None or row.end_minute is None:
            yield Away(offset * DAY_MINUTES, (offset + 1) * DAY_MINUTES, offset == 0)
        else:
            yield Away(row.start_minute + offset * DAY_MINUTES, row.end_minute + offset * DAY_MINUTES, False)


def _without(span: DaySpan, away: Sequence[Away]) -> list[DaySpan]:
    """`span` less what is taken away; the break stays with the part in which it may begin."""
    if any(part.whole for part in away):
        return []
    pieces = [(span.start_minute, span.end_minute)]
    for part in away:
        pieces = [
            (start, end)
            for whole_start, whole_end in pieces
            for start, end in (
                (whole_start, min(whole_end, part.start_minute)),
                (max(whole_start, part.end_minute), whole_end),
            )
            if start < end
        ]
    return [_piece(span, start, end) for start, end in sorted(set(pieces))]


def _piece(span: DaySpan, start: int, end: int) -> DaySpan:
    begins = span.break_from
    keeps = begins is not None and start <= begins and begins + span.break_minutes <= end
    return replace(
        span,
        start_minute=start,
        end_minute=end,
        break_from=begins if keeps else None,
        break_minutes=span.break_minutes if keeps else 0,
    )
