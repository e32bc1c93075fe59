"""Forgetting a household: its key goes, and with it everything sealed under it."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from linkage.core import privacy
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.households.models import Household, Member, Tag


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the key of an erased household and overwrite what stands in clear beside it (number, sources of tags)."""
    if kind != "household":
        db.session.execute(update(Tag).where(Tag.person_id == subject_id).values(source=""))
        return
    household = db.session.get(Household, subject_id)
    if household is None:
        return
    privacy.forget_key(household.key_id, now)
    household.number = f"erased-{household.id.hex[:12]}"
    household.care_level, household.closed_on = "", household.closed_on or local_date(now)
    for name in ("health", "hazard", "door_code", "password", "registered_address"):
        setattr(household, f"{name}_sealed", None)
    for tag in household.tags:
        tag.source = ""


def _key_of(household_id: uuid.UUID) -> uuid.UUID | None:
    household = db.session.get(Household, household_id)
    return None if household is None else household.key_id


def alone_in(person_id: uuid.UUID) -> list[tuple[str, uuid.UUID]]:
    """The households in which nobody else lives or has lived."""
    mine = select(Member.household_id).where(Member.person_id == person_id, Member.relation != "contact")
    others = select(Member.household_id).where(Member.person_id != person_id, Member.relation != "contact")
    found = select(Household.id).where(Household.id.in_(mine), Household.id.not_in(others)).order_by(Household.id)
    return [("household", ident) for ident in db.session.scalars(found)]


privacy.register_owner("household", _key_of)
privacy.register_companions(alone_in)
privacy.register_eraser(
    "households",
    erase,
    overwrites=("households", "tags"),
    keeps={
        "members": _l("that a person without a name belonged to a household"),
        "consents": _l("that and when there was consent, as proof of having acted by right"),
        "residences": _l("dates of moves; the addresses are gone"),
    },
)
