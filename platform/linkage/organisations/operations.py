"""Registering organisations, employing carers, and what ends an employment."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from flask_babel import lazy_gettext as _l
from stdnum.cn import uscc

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.organisations import queries
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.words import CARER_KIND_WORDS, RATINGS
from linkage.people.models import Person, WorkException
from linkage.people.names import name_keys
from linkage.people.operations import PersonDraft, add_absence, change_person, find_or_register
from linkage.people.words import TRAVEL_WORDS

ADULT_YEARS = 16  # the labour law's working age


@dataclass(frozen=True)
class OrganisationDraft:
    """What the form says of an organisation. `position`: (lat, lon) in WGS-84 degrees, where its carers set out."""

    name: str
    short_name: str
    uscc: str
    area_id: int
    rating: str = ""
    rating_valid_to: date | None = None
    telephone: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True)
class EmploymentDraft:
    """Kind, dates of employment, minutes of service and travel in a week, and how the carer travels."""

    kind: str
    weekly_minutes: int
    travel_mode: str
    valid_from: date
    valid_to: date | None = None


def normal_uscc(text: str) -> str:
    """The unified social credit code in normal form (GB 32100).  Raises InvalidInput."""
    try:
        return str(uscc.validate(text.upper()))
    except uscc.ValidationError as error:
        raise InvalidInput(
            _l("This is no unified social credit code: one of its 18 characters is wrong."),
            field="uscc",
            remedy=_l("Copy it from the registration certificate; it has no I, O, S, V or Z."),
        ) from error


def register_organisation(draft: OrganisationDraft, *, by: Actor, now: datetime) -> Organisation:
    """Enter a social organisation.  Raises InvalidInput, NotAllowed where its area is outside of the actor's."""
    values = _values(draft)
    if queries.by_uscc(values["uscc"]) is not None:
        raise InvalidInput(_l("An organisation with this code is registered already."), field="uscc")
    area = db.session.get(Area, draft.area_id)
    if area is None or not may(by, "organisations.register", area):
        raise NotAllowed("", remedy="organisations.register")
    organisation = Organisation(**values, created_at=now)
    db.session.add(organisation)
    db.session.flush()
    audit.record("organisations.register", organisation, by=by.user_id, now=now)
    return organisation


def change_organisation(
    organisation: Organisation, draft: OrganisationDraft, *, row_version: int, by: Actor, now: datetime
) -> None:
    """Change an organisation's data.  Raises InvalidInput, StaleVersion."""
    if organisation.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this organisation in the meantime."))
    values = _values(draft)
    other = queries.by_uscc(values["uscc"])
    if other is not None and other is not organisation:
        raise InvalidInput(_l("An organisation with this code is registered already."), field="uscc")
    area = db.session.get(Area, draft.area_id)
    if area is None or (area.id != organisation.area_id and not may(by, "organisations.register", area)):
        raise InvalidInput(_l("Choose one of the offered areas."), field="area_id")
    changed = [name for name, value in values.items() if getattr(organisation, name) != value]
    for name in changed:
        setattr(organisation, name, values[name])
    if changed:
        organisation.row_version += 1
        audit.record("organisations.change", organisation, by=by.user_id, now=now, fields=changed)


def _values(draft: OrganisationDraft) -> dict[str, Any]:
    if draft.rating not in ("", *RATINGS):
        raise InvalidInput(_l("This value is not possible."), field="rating")
    if draft.rating and draft.rating_valid_to is None:
        raise InvalidInput(_l("A rating holds for five years: until when?"), field="rating_valid_to")
    values = asdict(draft) | {"uscc": normal_uscc(draft.uscc), "name_keys": name_keys(draft.name)[:400]}
    return values if draft.rating else values | {"rating_valid_to": None}


def employ(
    organisation: Organisation, person: PersonDraft, terms: EmploymentDraft, *, by: Actor, now: datetime
) -> Carer:
    """Add a carer or social worker: a new person, or the one with this ID number.

    Raises
    ------
    InvalidInput
        a field of person or terms is wrong, or they work for this organisation already
    """
    check_terms(terms)
    if organisation.closed_on is not None:
        raise Conflict(_l("This organisation is closed already."))
    human, linked = find_or_register(person, by=by, now=now)
    _check_age(human, terms)
    if queries.employments(human.id, organisation.id, terms.valid_from, terms.valid_to):
        raise InvalidInput(_l("This person works for the organisation in that time already."), field="id_number")
    carer = Carer(
        person_id=human.id, person=human, organisation_id=organisation.id, organisation=organisation, linked=linked,
        created_at=now, **asdict(terms),
    )  # fmt: skip
    db.session.add(carer)
    db.session.flush()
    audit.record("organisations.employ", carer, by=by.user_id, now=now, organisation_id=organisation.id)
    return carer


def change_carer(
    carer: Carer,
    person: PersonDraft,
    terms: EmploymentDraft,
    *,
    row_version: int,
    person_version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Change the person's facts and the terms of employment.  Raises StaleVersion, InvalidInput."""
    if carer.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this carer in the meantime."))
    check_terms(terms)
    change_person(carer.person, person, row_version=person_version, linked=carer.linked, by=by, now=now)
    _check_age(carer.person, terms)
    overlapping = queries.employments(carer.person_id, carer.organisation_id, terms.valid_from, terms.valid_to)
    if any(other is not carer for other in overlapping):
        raise InvalidInput(_l("This person works for the organisation in that time already."), field="valid_from")
    changed = [name for name, value in asdict(terms).items() if getattr(carer, name) != value]
    for name in changed:
        setattr(carer, name, getattr(terms, name))
    if changed:
        carer.row_version += 1
        audit.record("organisations.change_carer", carer, by=by.user_id, now=now, fields=changed)


def check_terms(terms: EmploymentDraft) -> None:
    """Raise InvalidInput where the terms of an employment are wrong."""
    if terms.kind not in CARER_KIND_WORDS:
        raise InvalidInput(_l("This value is not possible."), field="kind")
    if terms.travel_mode not in TRAVEL_WORDS:
        raise InvalidInput(_l("This value is not possible."), field="travel_mode")
    if not 0 < terms.weekly_minutes <= 60 * 60:
        raise InvalidInput(_l("A week has at most 60 working hours."), field="weekly_hours")
    if terms.valid_to is not None and terms.valid_to < terms.valid_from:
        raise InvalidInput(_l("The last day lies before the first."), field="valid_to")


def _check_age(person: Person, terms: EmploymentDraft) -> None:
    age = person.age_on(terms.valid_from)
    if age is not None and age < ADULT_YEARS:
        raise InvalidInput(_l("Who is employed must be at least 16."), field="birth_date")


def report_absence(
    carer: Carer,
    *,
    first: date,
    last: date | None,
    start: time | None,
    end: time | None,
    reason: str,
    by: Actor,
    now: datetime,
) -> WorkException:
    """The carer is away from `first` to `last` (None: one day), the whole days or from `start` to `end` of each.

    Announces AbsenceRecorded, so that what they are booked for is given to others.  Raises InvalidInput.
    """
    if (last or first) < local_date(now):
        raise InvalidInput(_l("What is past stays as it was: choose today or later."), field="first")
    try:
        return add_absence(
            carer.person,
            first,
            last or first,
            reason=reason,
            start_minute=None if start is None else start.hour * 60 + start.minute,
            end_minute=None if end is None else end.hour * 60 + end.minute,
            by=by,
            now=now,
        )
    except InvalidInput as error:
        names = {"absent_last": "last", "absent_from": "start", "absent_reason": "reason"}
        raise InvalidInput(error.message, field=names.get(error.field or "", "first")) from error


def end_employments(person_id: uuid.UUID, on: date, *, by: uuid.UUID | None, now: datetime) -> None:
    """Every employment of the person ends on `on` at the latest (a death)."""
    for carer in queries.employments_of(person_id):
        if carer.valid_to is None or carer.valid_to > on:
            carer.valid_to = max(on, carer.valid_from)
            carer.row_version += 1
            audit.record("organisations.end_employment", carer, by=by, now=now)


def close_organisation(organisation: Organisation, *, on: date, by: Actor, now: datetime) -> None:
    """The organisation ends its work: it takes no new carers.  Raises Conflict while somebody still works for it."""
    if organisation.closed_on is not None:
        raise Conflict(_l("This organisation is closed already."))
    still = [row for row in queries.carers_of(organisation.id) if row.valid_to is None or row.valid_to > on]
    if still:
        raise Conflict(
            _l("Somebody still works for this organisation after that day."),
            remedy=_l("End the employments first."),
        )
    organisation.closed_on = max(on, local_date(organisation.created_at))
    organisation.row_version += 1
    audit.record("organisations.close", organisation, by=by.user_id, now=now)
