"""Whom a need's news concerns: who posted it, who called, the household's people with an account, the area's staff."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from linkage.accounts.models import Grant, User
from linkage.areas.models import Area
from linkage.areas.queries import ancestors
from linkage.core import outbox
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.needs.models import Need


def poster(need: Need) -> uuid.UUID | None:
    """The person whose account posted the need."""
    return (
        None if need.posted_by is None else db.session.scalar(select(User.person_id).where(User.id == need.posted_by))
    )


def family(household_id: uuid.UUID, on: date) -> set[uuid.UUID]:
    """The people with an account for this household."""
    return _people(and_(Grant.household_id == household_id, Grant.role == Role.HOUSEHOLD.value), on)


def staff(area: Area, roles: Iterable[Role], on: date) -> set[uuid.UUID]:
    """The people with one of these roles on the nearest level at or above `area` that has any."""
    for level in reversed(ancestors(area)):
        found = _people(and_(Grant.area_id == level.id, Grant.role.in_([role.value for role in roles])), on)
        if found:
            return found
    return set()


def managers(organisation_id: uuid.UUID, on: date) -> set[uuid.UUID]:
    """The managers of an organisation who have an account."""
    return _people(and_(Grant.organisation_id == organisation_id, Grant.role == Role.MANAGER.value), on)


def _people(where: ColumnElement[bool], on: date) -> set[uuid.UUID]:
    found = select(User.person_id).join(Grant, Grant.user_id == User.id)
    return set(
        db.session.scalars(found.where(where, Grant.on(on), Grant.revoked_at.is_(None), User.disabled_at.is_(None)))
    )


def interested(need: Need, on: date) -> set[uuid.UUID]:
    """Poster, caller and family: who hears what became of a request."""
    people = family(need.household_id, on) | {need.caller_person_id, poster(need)}
    return {person for person in people if person is not None}


def tell_interested(need: Need, kind: str, *, now: datetime, but: uuid.UUID | None = None, **params: Any) -> None:
    """Queue one message each for poster, caller and family, except `but` (who did it knows)."""
    for person_id in sorted(interested(need, local_date(now)) - {but}):
        outbox.tell(person_id, kind, now=now, need_id=need.id, **params)
