"""Registering and changing people, their week and its exceptions. One human being is one Person."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit, privacy
from linkage.core.clock import at_minutes, local_date
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.events import AbsenceRecorded, announce
from linkage.core.extensions import db
from linkage.core.models import AccessRow
from linkage.core.permissions import Actor
from linkage.people import queries, schedule
from linkage.people.identity import (
    birth_date_of,
    id_number_fault,
    normalise_id_number,
    normalise_telephone,
    sex_of,
    telephone_fault,
)
from linkage.people.models import LANGUAGES, SEXES, Person, WorkException, WorkPattern
from linkage.people.names import name_keys
from linkage.people.scopes import is_strange

ID_NUMBER_FAULTS = {
    "length": _l("An ID number has 18 characters."),
    "province": _l("The first two figures of this ID number are no province."),
    "date": _l("The birth date inside this ID number is no real day."),
    "checksum": _l("One character of this ID number is mistyped: its check digit does not fit."),
}
ABSENCE_REASONS = ("ill", "leave", "training", "family", "other")
LONGEST_DAY = 2160
LONGEST_EXCEPTION = timedelta(days=400)
DAY_MINUTES = 1440
WEEK_MINUTES = 7 * DAY_MINUTES


@dataclass(frozen=True)
class PersonDraft:
    """What is known of a person before they are stored. Birth date and sex follow from the ID number if it is given."""

    name: str
    birth_date: date | None = None
    sex: str | None = None
    telephone: str | None = None
    id_number: str | None = None
    languages: tuple[str, ...] = ("mandarin",)


@dataclass(frozen=True)
class WeekSpan:
    """One stretch of a week: minutes from midnight of `weekday` (0 Monday); past 1,440 it is the next morning."""

    weekday: int
    start_minute: int
    end_minute: int
    area_id: int
    break_from: int | None = None
    break_minutes: int = 0
    field: str = field(default="", compare=False)  # where a form asks for it: errors are told there


def checked(draft: PersonDraft) -> PersonDraft:
    """The draft in normal form, with birth date and sex from the ID number.

    Raises
    ------
    InvalidInput
        with every field that is wrong and its sentence.
    """
    errors: dict[str, list[Any]] = {}
    # Without what cannot be seen: characters that turn the direction of writing, or have no width.
    name = " ".join("".join(c for c in draft.name if c.isspace() or unicodedata.category(c)[0] != "C").split())
    if not name:
        errors["name"] = [_l("Please fill in the name.")]
    if draft.sex not in (None, "", *SEXES):
        errors["sex"] = [_l("This value is not possible.")]
    if not set(draft.languages) <= set(LANGUAGES):
        errors["languages"] = [_l("This value is not possible.")]
    if draft.telephone and telephone_fault(draft.telephone):
        errors["telephone"] = [_l("This is no telephone number of China, such as 13800138000 or 0592-2051234.")]
    number = normalise_id_number(draft.id_number or "")
    born, sex = draft.birth_date, draft.sex or None
    if number:
        fault = id_number_fault(number)
        if fault:
            errors["id_number"] = [ID_NUMBER_FAULTS[fault]]
        elif born not in (None, birth_date_of(number)):
            errors["birth_date"] = [_l("The ID number says another birth date.")]
        elif sex not in (None, sex_of(number)):
            errors["sex"] = [_l("The ID number says another sex.")]
        else:
            born, sex = birth_date_of(number), sex_of(number)
    if errors:
        raise InvalidInput(_l("Please check what you entered."), errors=errors)
    telephone = normalise_telephone(draft.telephone) if draft.telephone else None
    return replace(draft, name=name, birth_date=born, sex=sex, telephone=telephone, id_number=number or None)


def register_person(draft: PersonDraft, *, by: Actor | None, now: datetime) -> Person:
    """Store a new person.

    Raises
    ------
    InvalidInput
        a field is wrong (see `checked`), or a person with this ID number exists already.
    """
    draft = checked(draft)
    if draft.birth_date is not None and draft.birth_date > local_date(now):
        raise InvalidInput(_l("This day is still to come."), field="birth_date")
    if draft.id_number:
        _must_be_free(draft.id_number, None)
    person = Person(
        key_id=privacy.new_key("person", now),
        name=draft.name,
        name_keys=name_keys(draft.name),
        birth_date=draft.birth_date,
        sex=draft.sex,
        languages=list(draft.languages),
        created_at=now,
    )
    person.telephone, person.id_number = draft.telephone, draft.id_number
    db.session.add(person)
    db.session.flush()
    audit.record("people.register", person, by=by.user_id if by else None, now=now)
    return person


class Found(NamedTuple):
    """A person, and whether they are only linked: registered by others whom the actor does not see."""

    person: Person
    linked: bool


def find_or_register(draft: PersonDraft, *, by: Actor | None, now: datetime) -> Found:
    """The person with the draft's ID number, else a new one. A missing telephone is filled in, nothing else changes;
    of somebody whom `by` does not see (`is_strange`) nothing at all.

    Raises
    ------
    InvalidInput
        a field is wrong, or the ID number belongs to somebody of another name.
    """
    draft = checked(draft)
    known = queries.find_by_id_number(draft.id_number) if draft.id_number else None
    if known is None:
        return Found(register_person(draft, by=by, now=now), False)
    if known.name != draft.name:
        raise InvalidInput(
            _l("This ID number belongs to somebody of another name."),
            field="id_number",
            remedy=_l("Compare number and name with the card."),
        )
    if by is not None and is_strange(known, by):
        audit.record("people.link", known, by=by.user_id, now=now)
        return Found(known, True)
    if draft.telephone and not known.telephone:
        known.telephone = draft.telephone
        known.row_version += 1
        audit.record("people.change", known, by=by.user_id if by else None, now=now, fields=["telephone"])
    return Found(known, False)


def change_person(
    person: Person, draft: PersonDraft, *, row_version: int, linked: bool = False, by: Actor, now: datetime
) -> list[str]:
    """Make the person what the draft says; return the names of the fields that changed.

    Raises
    ------
    StaleVersion, InvalidInput
        as `register_person`; or something would change of who is only `linked` (see `is_strange`).
    """
    if person.row_version != row_version:
        raise StaleVersion(
            _l("Somebody else changed this person in the meantime."),
            remedy=_l("Open it again: what is there now may be what you wanted."),
        )
    draft = checked(draft)
    if draft.id_number:
        _must_be_free(draft.id_number, person)
    wanted = {
        "name": draft.name,
        "birth_date": draft.birth_date,
        "sex": draft.sex,
        "languages": list(draft.languages),
        "telephone": draft.telephone,
        "id_number": draft.id_number,
    }
    changed = [name for name, value in wanted.items() if getattr(person, name) != value]
    if changed and linked:
        raise InvalidInput(
            _l("This person was registered elsewhere: what is known of them is changed there."), field=changed[0]
        )
    for name in changed:
        setattr(person, name, wanted[name])
    if "name" in changed:
        person.name_keys = name_keys(person.name)
    if changed:
        person.row_version += 1
        audit.record("people.change", person, by=by.user_id, now=now, fields=changed)
    return changed


def _must_be_free(id_number: str, person: Person | None) -> None:
    known = queries.find_by_id_number(id_number)
    if known is not None and known is not person:
        raise InvalidInput(
            _l("A person with this ID number is registered already."),
            field="id_number",
            remedy=_l("Choose that person instead."),
        )


def set_week_pattern(
    person: Person,
    kind: str,
    week: Sequence[WeekSpan],
    *,
    valid_from: date,
    organisation_id: uuid.UUID | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """From `valid_from` on the person's week of this `kind` ("shift", "available") is `week`; before, what it was.

    Raises
    ------
    InvalidInput
        two stretches of a day overlap, a stretch ends before it begins, or a break lies outside it.
    """
    check_week(week)
    stored = db.session.scalars(
        select(WorkPattern).where(
            WorkPattern.person_id == person.id,
            WorkPattern.kind == kind,
            WorkPattern.organisation_id == organisation_id,
            WorkPattern.within(valid_from, date.max),
        )
    ).all()
    for row in stored:
        if row.valid_from >= valid_from:
            db.session.delete(row)
        else:
            row.valid_to = valid_from - timedelta(days=1)
    for span in week:
        db.session.add(
            WorkPattern(
                person_id=person.id,
                kind=kind,
                organisation_id=organisation_id,
                area_id=span.area_id,
                weekday=span.weekday,
                start_minute=span.start_minute,
                end_minute=span.end_minute,
                break_from=span.break_from,
                break_minutes=span.break_minutes,
                valid_from=valid_from,
                valid_to=None,
            )
        )
    db.session.flush()
    audit.record("people.week", person, by=by.user_id, now=now, kind=kind, valid_from=valid_from, spans=len(week))


def check_week(week: Sequence[WeekSpan]) -> None:
    """Raise InvalidInput, with each stretch that overlaps another or ends before it begins."""
    errors: dict[str, list[Any]] = {}
    busy_until = max((_in_week(span)[1] for span in week), default=0) - WEEK_MINUTES  # of the Sunday before
    for span in sorted(week, key=_in_week):
        start, end = _in_week(span)
        where = span.field or f"day{span.weekday}_from"
        if not 0 <= span.start_minute < span.end_minute <= LONGEST_DAY:
            errors[where] = [_l("The end must lie after the beginning.")]
        elif start < busy_until:
            errors[where] = [_l("Two stretches of the week overlap.")]
        elif span.break_minutes and not _break_fits(span):
            said = _l("The break must lie within the working hours of each day.")
            errors[where.replace("_from", "_break_from")] = [said]
        busy_until = max(busy_until, end)
    if errors:
        raise InvalidInput(_l("Please check what you entered."), errors=errors)


def _in_week(span: WeekSpan) -> tuple[int, int]:
    """Beginning and end in minutes from Monday's midnight."""
    midnight = span.weekday * DAY_MINUTES
    return midnight + span.start_minute, midnight + span.end_minute


def _break_fits(span: WeekSpan) -> bool:
    return (
        span.break_from is not None
        and span.start_minute <= span.break_from
        and span.break_from + span.break_minutes <= span.end_minute
    )


def add_absence(
    person: Person,
    first: date,
    last: date,
    *,
    reason: str,
    start_minute: int | None = None,
    end_minute: int | None = None,
    by: Actor,
    now: datetime,
) -> WorkException:
    """The person is away on first..last: the whole days, or the same hours of each.  Announces AbsenceRecorded.

    Raises InvalidInput.
    """
    if reason not in ABSENCE_REASONS:
        raise InvalidInput(_l("Choose a reason."), field="ex_reason")
    _check_stretch(first, last, start_minute, end_minute)
    row = _exception(person, "absent", first, last, start_minute, end_minute, by, now)
    row.reason = reason
    db.session.flush()
    audit.record("people.absence", person, by=by.user_id, now=now, first=first, last=last, reason=reason)
    for starts_at, ends_at in _moments(row):
        announce(AbsenceRecorded(by.user_id, now, person.id, starts_at, ends_at))
    return row


def add_extra(
    person: Person,
    kind: str,
    first: date,
    last: date,
    *,
    start_minute: int,
    end_minute: int,
    area_id: int,
    organisation_id: uuid.UUID | None = None,
    by: Actor,
    now: datetime,
) -> WorkException:
    """The person works these hours, too, on each day of first..last.  Raises InvalidInput."""
    _check_stretch(first, last, start_minute, end_minute)
    row = _exception(person, "extra", first, last, start_minute, end_minute, by, now)
    row.work_kind, row.area_id, row.organisation_id = kind, area_id, organisation_id
    db.session.flush()
    audit.record("people.extra", person, by=by.user_id, now=now, first=first, last=last, kind=kind)
    return row


def _exception(
    person: Person,
    kind: str,
    first: date,
    last: date,
    start_minute: int | None,
    end_minute: int | None,
    by: Actor,
    now: datetime,
) -> WorkException:
    row = WorkException(
        person_id=person.id,
        kind=kind,
        first_day=first,
        last_day=last,
        start_minute=start_minute,
        end_minute=end_minute,
        created_by=by.user_id,
        created_at=now,
    )
    db.session.add(row)
    return row


def _check_stretch(first: date, last: date, start: int | None, end: int | None) -> None:
    if last < first:
        raise InvalidInput(_l("The last day lies before the first."), field="ex_last")
    if last - first > LONGEST_EXCEPTION:
        raise InvalidInput(_l("This is longer than a year: give it in parts."), field="ex_last")
    if (start is None) != (end is None):
        raise InvalidInput(_l("Give both hours, or none for the whole day."), field="ex_from")
    if start is not None and end is not None and not 0 <= start < end <= LONGEST_DAY:
        raise InvalidInput(_l("The end must lie after the beginning."), field="ex_from")


def _moments(row: WorkException) -> list[tuple[datetime, datetime]]:
    if row.start_minute is None or row.end_minute is None:
        return [(at_minutes(row.first_day, 0), at_minutes(row.last_day + timedelta(days=1), 0))]
    days = (row.last_day - row.first_day).days + 1
    return [
        (at_minutes(day, row.start_minute), at_minutes(day, row.end_minute))
        for day in (row.first_day + timedelta(days=number) for number in range(days))
    ]


def cancel_exception(row: WorkException, person: Person, *, by: Actor, now: datetime) -> None:
    """The absence or the extra stretch does not take place. The hours of an extra stretch become an absence, since
    somebody may be booked in them: announces AbsenceRecorded.  Raises Conflict if it was cancelled already.
    """
    if row.cancelled_at is not None:
        raise Conflict(_l("This was cancelled already."))
    row.cancelled_at = now
    db.session.flush()
    audit.record("people.cancel_exception", person, by=by.user_id, now=now, exception_id=row.id)
    if row.kind == "extra":
        for starts_at, ends_at in schedule.no_longer_worked(row):
            announce(AbsenceRecorded(by.user_id, now, person.id, starts_at, ends_at))


def open_field(subject: Any, name: str, *, purpose: str, by: Actor, now: datetime) -> Any:
    """Give the value of a sealed field and note who opened it, when and what for (audit and access log)."""
    audit.record(f"{subject.__tablename__}.reveal", subject, by=by.user_id, now=now, field=name, purpose=purpose)
    db.session.add(
        AccessRow(
            at=now,
            user_id=by.user_id,
            endpoint=f"reveal/{name}/{purpose}"[:80],
            subject_kind=subject.__tablename__,
            subject_id=str(subject.id),
        )
    )
    return getattr(subject, name)
