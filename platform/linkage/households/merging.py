"""Two records are one household (合并): everything of the lost one is the kept one's, and both stay on record.

The lost household is closed and points to the kept one; its number, addresses, consents and membership rows stay. The
rows that came over are listed in the `HouseholdMerge`, so that each can be explained later. The rooms above take over
their own rows by `PeopleMerged` and `HouseholdsMerged`.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict
from linkage.core.events import ConsentWithdrawn, HouseholdsMerged, PeopleMerged, announce, note_moved
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.households import duplicates, rhythm
from linkage.households.models import (
    PURPOSES,
    Assessment,
    Consent,
    HomeCheck,
    Household,
    HouseholdMerge,
    Member,
    Paper,
    Tag,
)
from linkage.people.models import Person

Moved = dict[str, list[str]]
DAY = timedelta(days=1)


def merge_households(
    kept: Household, lost: Household, *, found_by: str, versions: tuple[int, int], by: Actor, now: datetime
) -> HouseholdMerge:
    """Make `lost` part of `kept`; people who are in both become one (see `duplicates.counterparts`).

    Parameters
    ----------
    versions : row versions of kept and lost, as they were looked at

    Raises
    ------
    Conflict
        one of the two is closed or merged already or was changed since, or what both hold cannot be one (two
        volunteers, two bookings at one time).
    """
    today = local_date(now)
    _lock(kept, lost)
    if kept.id == lost.id or any(row.merged_into_id or row.closed_on for row in (kept, lost)):
        raise Conflict(_l("One of the two records is closed or was merged already."))
    if (kept.row_version, lost.row_version) != versions:
        raise Conflict(_l("Somebody changed one of the records meanwhile."), remedy=_l("Look at both again."))
    moved: Moved = {}
    people = []
    for person, other, _way in duplicates.counterparts(kept, lost, today):
        merge_people(person, other, moved=moved, by=by, now=now)
        people.append([str(person.id), str(other.id)])
    lost_number, lost_area = lost.number, lost.area_id
    _close(lost, kept, today)
    _take_members(kept, lost, moved, today)
    _take_tags(kept, lost, moved)
    withdrawn = _take_consents(kept, lost, moved, now)
    _take_rows(kept, lost, moved)
    kept.row_version += 1
    db.session.flush()
    merge = HouseholdMerge(
        kept_id=kept.id,
        lost_id=lost.id,
        found_by=found_by,
        kept_number=kept.number,
        lost_number=lost_number,
        lost_area_id=lost_area,
        moved={},
        people=people,
        recorded_by=by.user_id,
        created_at=now,
    )
    db.session.add(merge)
    db.session.flush()  # the unique lost_id decides a race
    audit.record("households.merge", kept, by=by.user_id, now=now, lost=lost.id, people=len(people), found_by=found_by)
    announce(HouseholdsMerged(by.user_id, now, kept.id, lost.id, moved))
    for purpose in withdrawn:
        announce(ConsentWithdrawn(by.user_id, now, kept.id, purpose))
    merge.moved = moved
    db.session.flush()
    db.session.expire(kept, ["members", "tags", "consents"])
    _follow_level(kept, lost, today, now)
    return merge


def _lock(kept: Household, lost: Household) -> None:
    """Both rows in the order of their ids, with what stands there now."""
    wanted = sorted((kept.id, lost.id))
    rows = select(Household).where(Household.id.in_(wanted)).order_by(Household.id)
    db.session.scalars(rows.with_for_update().execution_options(populate_existing=True)).all()


def merge_people(kept: Person, lost: Person, *, moved: Moved, by: Actor, now: datetime) -> None:
    """Two records are one human being: `lost` points to `kept`, which takes over what it lacks.

    The lost row keeps its sealed telephone and ID number, but is no longer found by them.
    Raises Conflict for two ID numbers, or for somebody merged already.
    """
    ids = sorted((kept.id, lost.id))
    rows = select(Person).where(Person.id.in_(ids)).order_by(Person.id)
    db.session.scalars(rows.with_for_update().execution_options(populate_existing=True)).all()
    if kept.merged_into_id is not None or lost.merged_into_id is not None:
        raise Conflict(_l("One of the two people was merged already."))
    if kept.id_number_exact and lost.id_number_exact:
        raise Conflict(_l("Two ID numbers are two people."))
    number, telephone = lost.id_number, lost.telephone
    lost.merged_into_id = kept.id
    lost.id_number_exact = lost.id_number_last4 = lost.telephone_exact = lost.telephone_last4 = None
    lost.row_version += 1
    db.session.flush()
    kept.id_number = kept.id_number or number
    kept.telephone = kept.telephone or telephone
    kept.birth_date, kept.sex = kept.birth_date or lost.birth_date, kept.sex or lost.sex
    kept.languages = list(dict.fromkeys([*kept.languages, *lost.languages]))
    kept.row_version += 1
    audit.record("people.merge", kept, by=by.user_id, now=now, lost=lost.id)
    _take_personal(kept, lost, moved)
    db.session.flush()
    announce(PeopleMerged(by.user_id, now, kept.id, lost.id, moved))


def _take_personal(kept: Person, lost: Person, moved: Moved) -> None:
    """Tags, assessments and memberships elsewhere (as somebody's family); those in this home: see `_take_members`."""
    models: tuple[Any, ...] = (Tag, Assessment)
    for model in models:
        rows = db.session.scalars(select(model).where(model.person_id == lost.id).order_by(model.id)).all()
        for row in rows:
            row.person_id = kept.id
        note_moved(moved, rows)
    elsewhere = select(Member).where(Member.person_id == lost.id, Member.relation == "contact").order_by(Member.id)
    contacts = db.session.scalars(elsewhere).all()
    for member in contacts:
        member.person_id = kept.id
    note_moved(moved, contacts)


def _close(lost: Household, kept: Household, today: date) -> None:
    lost.merged_into_id = kept.id
    lost.closed_on = today
    lost.visit_class = lost.check_due_at = None
    lost.row_version += 1


def _take_members(kept: Household, lost: Household, moved: Moved, today: date) -> None:
    """Who lived in the lost record only is a member of the kept one from today; there, each membership has ended."""
    known = {row.person_id for row in kept.members if row.holds(today)}
    position = max((row.position for row in kept.members), default=-1)
    for row in list(lost.members):
        if not row.holds(today):
            continue
        row.valid_to = max(row.valid_from, today - DAY)
        person = row.person if row.person.merged_into_id is None else None
        if person is None or person.id in known:
            continue
        position += 1
        fresh = Member(
            household_id=kept.id,
            person_id=person.id,
            relation="other" if row.relation == "self" else row.relation,
            position=position,
            assess_due_on=row.assess_due_on,
            valid_from=today,
            valid_to=None,
        )
        db.session.add(fresh)
        known.add(person.id)
        note_moved(moved, [fresh])


def _take_tags(kept: Household, lost: Household, moved: Moved) -> None:
    """Every tag, with its dates; one that the kept record has in that time already stays where it is."""
    held = [(tag.tag, tag.person_id, tag.valid_from, tag.valid_to or date.max) for tag in kept.tags]
    taken = []
    for tag in list(lost.tags):
        first, last = tag.valid_from, tag.valid_to or date.max
        if any(code == tag.tag and who == tag.person_id and a <= last and first <= b for code, who, a, b in held):
            continue
        tag.household_id = kept.id
        taken.append(tag)
    note_moved(moved, taken)


def _take_consents(kept: Household, lost: Household, moved: Moved, now: datetime) -> list[str]:
    """Both records' consents are the same people's: their last word on each purpose holds.

    Returns the purposes whose consent is gone by that: the last word, in whichever record, was a withdrawal.
    """
    today, gone = local_date(now), []
    for purpose in PURPOSES:
        both = [row for row in (*kept.consents, *lost.consents) if row.purpose == purpose]
        valid = [row for row in both if row.holds(today)]
        withdrawn = max((row.withdrawn_at for row in both if row.withdrawn_at), default=None)
        if valid and withdrawn is not None and withdrawn > max(row.created_at for row in valid):
            for row in valid:
                row.withdrawn_at = now
            gone.append(purpose)
    rows: list[Consent] = list(lost.consents)
    for row in rows:
        row.household_id = kept.id
    note_moved(moved, rows)
    return gone


def _take_rows(kept: Household, lost: Household, moved: Moved) -> None:
    """Assessments, look-ins and missing papers. What is sealed stays sealed under the lost record's key."""
    models: tuple[Any, ...] = (Assessment, HomeCheck, Paper)
    for model in models:
        rows = db.session.scalars(select(model).where(model.household_id == lost.id).order_by(model.id)).all()
        for row in rows:
            row.household_id = kept.id
        note_moved(moved, rows)
    for name in ("health", "hazard", "registered_address", "usual_address"):
        if not getattr(kept, name) and getattr(lost, name):
            setattr(kept, name, getattr(lost, name))


def _follow_level(kept: Household, lost: Household, today: date, now: datetime) -> None:
    if rhythm.is_assessed(kept, today):
        level = rhythm.level_of(kept, today)
        kept.care_level = "" if level == "intact" else level
    elif not kept.care_level:
        kept.care_level = lost.care_level
    rhythm.refresh(kept, now=now)


def merges_of(household: Household) -> list[HouseholdMerge]:
    """The records that became part of this household, the latest first."""
    found = select(HouseholdMerge).where(HouseholdMerge.kept_id == household.id)
    return list(db.session.scalars(found.order_by(HouseholdMerge.created_at.desc())))


def get_merge(household: Household, merge_id: uuid.UUID) -> HouseholdMerge | None:
    return next((merge for merge in merges_of(household) if merge.id == merge_id), None)


def end_of_chain(household: Household) -> Household:
    """The record that this one has become part of, directly or over others; itself where it was not merged."""
    while household.merged_into_id is not None:
        household = db.session.get_one(Household, household.merged_into_id)
    return household
