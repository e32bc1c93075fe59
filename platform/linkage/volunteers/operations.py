"""Registering volunteers, what they offer, pausing and leaving."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.areas.models import Area
from linkage.areas.operations import new_place
from linkage.core import audit
from linkage.core.clock import at_minutes, local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.events import AbsenceRecorded, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.core.rulesets import rule
from linkage.core.sequences import next_number
from linkage.people.models import Person
from linkage.people.operations import PersonDraft, change_person, find_or_register
from linkage.people.words import TRAVEL_WORDS
from linkage.volunteers import queries
from linkage.volunteers.models import Volunteer, VolunteerService

# Who leaves is away from everything that lies ahead, at most so far as visits are ever made.
AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class RecordDraft:
    """Where a volunteer lives, insurance, consent (志愿者记录). `home_position`: (lat, lon) in WGS-84 degrees."""

    area_id: int
    insured_to: date | None = None
    guardian_consent_on: date | None = None
    home_address: str = ""
    home_position: tuple[float, float] | None = None


@dataclass(frozen=True)
class OfferDraft:
    """What a volunteer offers: services, how far from home, how much a week, and how they travel."""

    services: tuple[uuid.UUID, ...]
    radius_metres: int = 2000
    weekly_minutes: int = 480
    travel_mode: str = "walk"


def register_volunteer(
    person: PersonDraft, record: RecordDraft, offer: OfferDraft, *, by: Actor, now: datetime
) -> Volunteer:
    """Enter a volunteer: a new person or the one with this ID number; who had left comes back with the old number.

    Raises
    ------
    InvalidInput
        a field is wrong, a minor without consent, or somebody who is registered already
    NotAllowed
        the area lies outside of the actor's
    """
    area = db.session.get(Area, record.area_id)
    if area is None or not may(by, "volunteers.register", area):
        raise NotAllowed("", remedy="volunteers.register")
    human, linked = find_or_register(person, by=by, now=now)
    check_record(human, record, offer, local_date(now), has_telephone=bool(human.telephone))
    known = queries.of_person(human.id)
    if known is not None and known.left_at is None:
        raise InvalidInput(_l("This person is registered as a volunteer already."), field="id_number")
    volunteer = known or Volunteer(
        person_id=human.id,
        person=human,
        number=f"V{next_number('volunteer'):06d}",
        joined_on=local_date(now),
        created_at=now,
    )
    volunteer.left_at, volunteer.paused_from, volunteer.paused_to = None, None, None
    volunteer.linked = linked
    if linked:
        volunteer.home_place_id, volunteer.home = None, None  # the address that others wrote down
    db.session.add(volunteer)
    _write_record(volunteer, record, now)
    _write_offer(volunteer, offer)
    db.session.flush()
    audit.record("volunteers.register", volunteer, by=by.user_id, now=now, returned=known is not None)
    return volunteer


def change_record(
    volunteer: Volunteer,
    person: PersonDraft,
    record: RecordDraft,
    *,
    row_version: int,
    person_version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Change the person's facts, where they live, insurance and consent.  Raises StaleVersion, InvalidInput."""
    _same_version(volunteer, row_version)
    change_person(volunteer.person, person, row_version=person_version, linked=volunteer.linked, by=by, now=now)
    person_has = bool(volunteer.person.telephone)
    today = local_date(now)
    check_record(volunteer.person, record, offer_of(volunteer, today), today, has_telephone=person_has)
    area = db.session.get(Area, record.area_id)
    if area is None or (area.id != volunteer.area_id and not may(by, "volunteers.register", area)):
        raise InvalidInput(_l("Choose a community."), field="area_id")
    _write_record(volunteer, record, now)
    volunteer.row_version += 1
    audit.record("volunteers.change", volunteer, by=by.user_id, now=now)


def change_offer(volunteer: Volunteer, offer: OfferDraft, *, row_version: int, by: Actor, now: datetime) -> None:
    """Change what the volunteer offers, for what is asked from now on.  Raises StaleVersion, InvalidInput."""
    _same_version(volunteer, row_version)
    _check_offer(volunteer.person, offer, local_date(now))
    _write_offer(volunteer, offer)
    volunteer.row_version += 1
    audit.record("volunteers.offer", volunteer, by=by.user_id, now=now, services=len(offer.services))


def check_record(person: Person, record: RecordDraft, offer: OfferDraft, today: date, *, has_telephone: bool) -> None:
    """Raise InvalidInput, with every fault at its field, where the record of a volunteer is not complete."""
    faults: dict[str, list[Any]] = {}
    age = person.age_on(today)
    if age is None:
        faults["birth_date"] = [_l("A volunteer's record needs the birth date, or the ID number.")]
    elif age < rule("volunteers.youngest_years", today):
        faults["birth_date"] = [_l("So young a child cannot be registered.")]
    elif age < rule("volunteers.adult_years", today) and record.guardian_consent_on is None:
        faults["guardian_consent_on"] = [_l("A minor takes part with a guardian's consent: when was it given?")]
    if not has_telephone:
        faults["telephone"] = [_l("A volunteer is asked by telephone, too: fill in the number.")]
    if person.sex is None:
        faults["sex"] = [_l("A volunteer's record needs the sex, or the ID number.")]
    if record.guardian_consent_on is not None and record.guardian_consent_on > today:
        faults["guardian_consent_on"] = [_l("This day is still to come.")]
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)
    _check_offer(person, offer, today)


def _check_offer(person: Person, offer: OfferDraft, today: date) -> None:
    offered = {row.id: row for row in queries.open_to_volunteers(today)}
    faults: dict[str, list[Any]] = {}
    if not set(offer.services) <= set(offered):
        faults["services"] = [_l("Volunteers cannot do one of these.")]
    age = person.age_on(today)
    if age is not None and age < rule("volunteers.adult_years", today):
        grown = [offered[key] for key in offer.services if key in offered and offered[key].adults_only]
        if grown:
            faults["services"] = [_l("One of these is for adults only.")]
    if offer.travel_mode not in TRAVEL_WORDS:
        faults["travel_mode"] = [_l("This value is not possible.")]
    if not 100 <= offer.radius_metres <= 50_000:
        faults["radius"] = [_l("From 0.1 to 50 km.")]
    if not 30 <= offer.weekly_minutes <= 40 * 60:
        faults["weekly_hours"] = [_l("From half an hour to 40 hours a week.")]
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)


def offer_of(volunteer: Volunteer, today: date) -> OfferDraft:
    """What the volunteer offers of what volunteers may still do (a service may have ended since)."""
    possible = {row.id for row in queries.open_to_volunteers(today)}
    return OfferDraft(
        tuple(row.service_id for row in volunteer.services if row.service_id in possible),
        volunteer.radius_metres,
        volunteer.weekly_minutes,
        volunteer.travel_mode,
    )


def _write_record(volunteer: Volunteer, record: RecordDraft, now: datetime) -> None:
    volunteer.area_id = record.area_id
    volunteer.insured_to, volunteer.guardian_consent_on = record.insured_to, record.guardian_consent_on
    home = volunteer.home
    given = record.home_address or record.home_position
    if not given or (home is not None and _is_same(home, record)):
        return
    place = new_place(
        key_id=volunteer.person.key_id,
        area_id=record.area_id,
        address=record.home_address or (home.address if home is not None else "") or "",
        position=record.home_position,
        now=now,
    )
    db.session.flush()
    volunteer.home_place_id, volunteer.home = place.id, place


def _is_same(home: Any, record: RecordDraft) -> bool:
    same_door = not record.home_address or record.home_address == home.address
    same_pin = record.home_position is None or list(record.home_position) == home.position
    return same_door and same_pin and home.area_id == record.area_id


def _write_offer(volunteer: Volunteer, offer: OfferDraft) -> None:
    wanted = set(offer.services)
    kept = [row for row in volunteer.services if row.service_id in wanted]
    missing = wanted - {row.service_id for row in kept}
    volunteer.services = kept + [VolunteerService(service_id=service_id) for service_id in sorted(missing)]
    volunteer.radius_metres, volunteer.weekly_minutes = offer.radius_metres, offer.weekly_minutes
    volunteer.travel_mode = offer.travel_mode


def pause(volunteer: Volunteer, first: date, last: date | None, *, by: Actor, now: datetime) -> None:
    """Nothing is asked of the volunteer from `first` to `last` (None: until resumed); what was accepted stays.

    Raises InvalidInput, Conflict for who has left.
    """
    _must_take_part(volunteer)
    if first < local_date(now):
        raise InvalidInput(_l("What is past stays as it was: choose today or later."), field="paused_from")
    if last is not None and last < first:
        raise InvalidInput(_l("The last day lies before the first."), field="paused_to")
    volunteer.paused_from, volunteer.paused_to = first, last
    volunteer.row_version += 1
    audit.record("volunteers.pause", volunteer, by=by.user_id, now=now, first=first, last=last)


def resume(volunteer: Volunteer, *, by: Actor, now: datetime) -> None:
    """The volunteer is asked again, from now on.  Raises Conflict where no pause is set."""
    _must_take_part(volunteer)
    if volunteer.paused_from is None:
        raise Conflict(_l("No pause is set."))
    volunteer.paused_from, volunteer.paused_to = None, None
    volunteer.row_version += 1
    audit.record("volunteers.resume", volunteer, by=by.user_id, now=now)


def leave(volunteer: Volunteer, *, by: Actor, now: datetime) -> None:
    """The volunteer stops: nothing is asked any more, and what was accepted goes to others.  Raises Conflict.

    The record of service stays.  Announces AbsenceRecorded for all that lies ahead.
    """
    _must_take_part(volunteer)
    volunteer.left_at = now
    volunteer.row_version += 1
    audit.record("volunteers.leave", volunteer, by=by.user_id, now=now)
    db.session.flush()
    announce(AbsenceRecorded(by.user_id, now, volunteer.person_id, now, at_minutes(local_date(now) + AHEAD, 0)))


def end_by_death(person_id: uuid.UUID, *, by: uuid.UUID | None, now: datetime) -> None:
    """Nothing is asked of the dead."""
    volunteer = queries.of_person(person_id)
    if volunteer is not None and volunteer.left_at is None:
        volunteer.left_at = now
        volunteer.row_version += 1
        audit.record("volunteers.leave", volunteer, by=by, now=now)


def _must_take_part(volunteer: Volunteer) -> None:
    if volunteer.left_at is not None:
        raise Conflict(_l("This volunteer has left."), remedy=_l("Register them again to take part."))


def _same_version(volunteer: Volunteer, row_version: int) -> None:
    if volunteer.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this volunteer in the meantime."))
