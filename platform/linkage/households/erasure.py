"""Forgetting a household: its key goes, and with it everything sealed under it."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select, update

from linkage.core import privacy
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.households.models import Assessment, HomeCheck, Household, HouseholdMerge, Member, Tag


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Drop the key of an erased household and overwrite what stands in clear beside it (number, sources of tags)."""
    if kind != "household":
        db.session.execute(update(Tag).where(Tag.person_id == subject_id).values(source=""))
        mine = update(Assessment).where(Assessment.person_id == subject_id)
        db.session.execute(mine.values(level="", facts_sealed=None))
        return
    household = db.session.get(Household, subject_id)
    if household is None:
        return
    for row in (household, *_doubles(household.id)):
        _overwrite(row, now)
    merges = or_(HouseholdMerge.kept_id == household.id, HouseholdMerge.lost_id == household.id)
    db.session.execute(update(HouseholdMerge).where(merges).values(kept_number="", lost_number=""))


def _overwrite(household: Household, now: datetime) -> None:
    privacy.forget_key(household.key_id, now)
    household.number = f"erased-{household.id.hex[:12]}"
    household.care_level, household.closed_on = "", household.closed_on or local_date(now)
    household.visit_class = household.check_due_at = None
    for name in ("health", "hazard", "door_code", "password", "registered_address", "usual_address"):
        setattr(household, f"{name}_sealed", None)
    for tag in household.tags:
        tag.source = ""
    here = HomeCheck.household_id == household.id
    db.session.execute(update(HomeCheck).where(here).values(note_sealed=None, outcome="", reason=""))
    tested = update(Assessment).where(Assessment.household_id == household.id)
    db.session.execute(tested.values(level="", facts_sealed=None))


def _doubles(household_id: uuid.UUID) -> list[Household]:
    """The records that were merged into this one: what came from them is still sealed under their keys."""
    return list(db.session.scalars(select(Household).where(Household.merged_into_id == household_id)))


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
    overwrites=("households", "tags", "assessments", "home_checks", "household_merges"),
    keeps={
        "members": _l("that a person without a name belonged to a household"),
        "consents": _l("that and when there was consent, as proof of having acted by right"),
        "missing_papers": _l("which kinds of papers were asked for, and when"),
        "not_the_same": _l("that two records without names were told apart"),
        "residences": _l("dates of moves; the addresses are gone"),
    },
)
