"""Named events: announced by a lower room, carried out by higher ones, in the same transaction.

An event is a frozen dataclass below; a room registers its effect with `effect`. One command prints the table.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Event:
    """What happened, who said so, and when."""

    by: uuid.UUID | None
    now: datetime


@dataclass(frozen=True)
class PersonDied(Event):
    person_id: uuid.UUID
    on: date


@dataclass(frozen=True)
class AbsenceRecorded(Event):
    """A carer or volunteer is away: whole days first..last, or minutes start..end of one day."""

    person_id: uuid.UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class QualificationEnded(Event):
    """A paper of a person ends earlier than was known."""

    person_id: uuid.UUID


@dataclass(frozen=True)
class NeedPosted(Event):
    """A new need: its visits are made."""

    need_id: uuid.UUID


@dataclass(frozen=True)
class NeedChanged(Event):
    """A need was edited: future visits that nobody has accepted follow it."""

    need_id: uuid.UUID


@dataclass(frozen=True)
class NeedWithdrawn(Event):
    """`keep_until`: visits up to this day still take place (the person leaves tomorrow)."""

    need_id: uuid.UUID
    keep_until: date | None = None


@dataclass(frozen=True)
class ConsentWithdrawn(Event):
    household_id: uuid.UUID
    purpose: str


@dataclass(frozen=True)
class HouseholdMoved(Event):
    household_id: uuid.UUID


@dataclass(frozen=True)
class MemberLeft(Event):
    """A person no longer lives in the household after `last_day`: nothing is planned for them there."""

    household_id: uuid.UUID
    person_id: uuid.UUID
    last_day: date


@dataclass(frozen=True)
class PeopleMerged(Event):
    """Two records are one human being: each room makes its rows of `lost_id` rows of `kept_id`.

    `moved`: {table: [ids]}: each room adds the rows that it took over.
    """

    kept_id: uuid.UUID
    lost_id: uuid.UUID
    moved: dict[str, list[str]]


@dataclass(frozen=True)
class HouseholdsMerged(Event):
    """Two records are one household; as `PeopleMerged`, which comes before it for everybody in both records."""

    kept_id: uuid.UUID
    lost_id: uuid.UUID
    moved: dict[str, list[str]]


@dataclass(frozen=True)
class VisitCancelled(Event):
    visit_id: uuid.UUID
    reason: str


@dataclass(frozen=True)
class SlotReleased(Event):
    """Somebody who was booked or asked no longer comes."""

    slot_id: uuid.UUID
    person_id: uuid.UUID
    reason: str


_effects: dict[type[Event], list[tuple[str, Callable[[Any], None]]]] = defaultdict(list)


def effect(kind: type[Event], room: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Decorator: `room` carries this out when an event of `kind` is announced."""

    def register(handler: Callable[[Any], None]) -> Callable[[Any], None]:
        entry = (room, handler)
        if entry not in _effects[kind]:
            _effects[kind].append(entry)
        return handler

    return register


def order_effects(rooms: Sequence[str]) -> None:
    """Put the effects into the order of their rooms, lowest first, whichever was imported first."""
    place = {room: number for number, room in enumerate(rooms)}
    for entries in _effects.values():
        entries.sort(key=lambda entry: place.get(entry[0], len(place)))


def announce(event: Event) -> None:
    """Carry out every room's effect of `event` now, in the caller's transaction."""
    for _, handler in _effects[type(event)]:
        handler(event)


def table() -> list[tuple[str, str, str]]:
    """(event, room, handler) for the printed table."""
    return sorted(
        (kind.__name__, room, handler.__name__) for kind, entries in _effects.items() for room, handler in entries
    )


def note_moved(moved: dict[str, list[str]], rows: Sequence[Any]) -> None:
    """Remember which rows a merge has taken over, by table."""
    for row in rows:
        known = moved.setdefault(row.__tablename__, [])
        if str(row.id) not in known:
            known.append(str(row.id))
