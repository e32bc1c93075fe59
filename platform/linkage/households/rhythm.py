"""How often staff look in (走访频次): the class of a household by rule, and when the next look-in is due.

High risk weekly and within 24 hours of a change, key monthly, general quarterly (DOMAIN.md section 2). Class and due
date stand in the household's row, so that lists can ask for them; `refresh` computes them anew after each fact that
counts, and each night.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.households import queries
from linkage.households.assessment import LEVELS
from linkage.households.models import REACHED, VISIT_CLASSES, Assessment, HomeCheck, Household

END_OF_DAY = 1440


def level_of(household: Household, today: date) -> str:
    """The worst level among those who live there, by their latest assessments; as registered where there is none."""
    people = {member.person_id for member in queries.served_members(household, today)}
    levels = [row.level for row in latest_of(people)]
    return max(levels, key=LEVELS.index, default=household.care_level or "intact")


def is_assessed(household: Household, today: date) -> bool:
    """Somebody who lives there has an assessment: the care level follows from it and is not typed."""
    return bool(latest_of({member.person_id for member in queries.served_members(household, today)}))


def follow_people(household: Household, gone: uuid.UUID, *, on: date, now: datetime) -> None:
    """Somebody left or died: where the care level was theirs, it follows those who stay."""
    if latest_of({gone}):
        stay = {member.person_id for member in queries.served_members(household, on)} - {gone}
        level = max((row.level for row in latest_of(stay)), key=LEVELS.index, default="intact")
        household.care_level = "" if level == "intact" else level
    refresh(household, now=now)


def latest_of(person_ids: set[uuid.UUID]) -> Sequence[Assessment]:
    """The latest assessment of each of these people."""
    rows = db.session.scalars(
        select(Assessment)
        .where(Assessment.person_id.in_(list(person_ids)))
        .order_by(Assessment.assessed_on.desc(), Assessment.created_at.desc(), Assessment.id)
    )
    found: dict[uuid.UUID, Assessment] = {}
    for row in rows:
        found.setdefault(row.person_id, row)
    return list(found.values())


def class_of(household: Household, today: date) -> str:
    """high, key or general: the strictest that the level or a tag asks for."""
    by_level = rule("households.class_of_level", today)[level_of(household, today)]
    tags = queries.tag_codes(household, today)
    by_tag = [name for name, codes in rule("households.class_of_tags", today).items() if tags & set(codes)]
    return min([by_level, *by_tag], key=VISIT_CLASSES.index)


def last_reached(household: Household) -> HomeCheck | None:
    """The last time that staff met somebody there."""
    return db.session.scalars(
        select(HomeCheck)
        .where(HomeCheck.household_id == household.id, HomeCheck.outcome.in_(REACHED))
        .order_by(HomeCheck.day.desc(), HomeCheck.created_at.desc())
        .limit(1)
    ).one_or_none()


def refresh(household: Household, *, now: datetime, changed: bool = False) -> None:
    """Compute class and due date anew.  `changed`: something got worse just now, so high risk is due in 24 hours."""
    today = local_date(now)
    before = household.visit_class
    if household.closed_on is not None and household.closed_on <= today:
        household.visit_class = household.check_due_at = None
        return
    household.visit_class = found = class_of(household, today)
    last = last_reached(household)
    since = last.day if last is not None else local_date(household.created_at)
    due = at_minutes(since + timedelta(days=rule("households.visit_days", today)[found]), END_OF_DAY)
    if found == "high":
        if changed or before in ("key", "general"):
            due = min(due, now + timedelta(hours=rule("households.visit_after_change_hours", today)))
        if household.check_due_at is not None and before == "high":
            due = min(due, household.check_due_at)  # 24 hours that run go on until somebody was met (see `checks`)
    household.check_due_at = due


def refresh_all(household_ids: Sequence[uuid.UUID], *, now: datetime) -> int:
    """The same for many, each night: tags that end or begin change the class.  Returns how many changed."""
    changed = 0
    for household in db.session.scalars(
        select(Household).where(Household.id.in_(household_ids)).order_by(Household.id)
    ):
        before = household.visit_class, household.check_due_at
        refresh(household, now=now)
        if before != (household.visit_class, household.check_due_at):
            changed += 1
            audit.record("households.rhythm", household, by=None, now=now, visit_class=household.visit_class)
    return changed
