"""What is known of a household before it is stored: frozen values that forms and the importer hand to operations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date

from linkage.areas.models import Area
from linkage.people.operations import PersonDraft


@dataclass(frozen=True)
class MemberDraft:
    """A person of the household. With `person_id` an existing person is meant, and `person` is not read."""

    person: PersonDraft
    relation: str = "self"
    person_id: uuid.UUID | None = None


@dataclass(frozen=True)
class PlaceDraft:
    """A door. `position`: (lat, lon) in WGS-84 degrees with its source, or None: its estate's, if known,
    else the area's centre, approximate."""

    area: Area
    address: str
    door_note: str | None = None
    position: tuple[float, float] | None = None
    position_source: str = "pin"
    access_minutes: int = 3


@dataclass(frozen=True)
class TagDraft:
    """Why the household (or its member number `member`) is entitled to help; both dates included."""

    tag: str
    source: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    member: int | None = None


@dataclass(frozen=True)
class ConsentDraft:
    """Consent to one purpose: when it was given, until when, and how (signed, spoken, guardian)."""

    purpose: str
    given_on: date
    expires_on: date | None = None
    method: str = "signed"
    text_version: str | None = None


@dataclass(frozen=True)
class HouseholdDraft:
    """A household to be registered. `number` None: the next free one of its community; `password` None: drawn."""

    place: PlaceDraft
    members: tuple[MemberDraft, ...]
    number: str | None = None
    care_level: str = ""
    health: str | None = None
    hazard: str | None = None
    registered_address: str | None = None
    usual_address: str | None = None
    password: str | None = None
    tags: tuple[TagDraft, ...] = field(default=())
    consents: tuple[ConsentDraft, ...] = field(default=())
    source: str = "counter"
