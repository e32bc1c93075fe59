"""Recording an ability assessment: the server adds up, and what follows from the level follows at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.households import assessment, queries, rhythm
from linkage.households.assessment import Factors
from linkage.households.models import ASSESSMENT_REASONS, Assessment, Household, Member

NO_CONSENT = _l("The household has not agreed that its health facts are used; record that consent first.")


def record_assessment(
    member: Member,
    scores: Mapping[str, int],
    factors: Factors,
    *,
    reason: str,
    on: date,
    by: Actor,
    now: datetime,
) -> Assessment:
    """Store the 26 answers with the total and the level that follow from them; set care level, rhythm and next date.

    Raises
    ------
    InvalidInput
        an answer is missing, the day is to come, or a first assessment where there is one already.
    Conflict
        there is no consent to the use of health facts, or the person does not live there.
    """
    household, today = member.household, local_date(now)
    if member not in queries.served_members(household, today):
        raise Conflict(_l("This person does not live in the household."))
    if queries.consent_for(household, "health", today) is None:
        raise Conflict(NO_CONSENT)
    _check(member, scores, reason, on, today)
    total = sum(assessment.part_sums(scores))
    level = assessment.final_level(total, factors)
    row = Assessment(
        key_id=member.person.key_id,
        household_id=household.id,
        person_id=member.person_id,
        reason=reason,
        assessed_on=on,
        due_on=on + timedelta(days=rule("households.assess_again_days", on)),
        level=level,
        recorded_by=by.user_id,
        created_at=now,
    )
    row.facts = {
        "scores": {code: scores[code] for code in assessment.ITEMS},
        "parts": assessment.part_sums(scores),
        "total": total,
        **asdict(factors),
        "events": {kind: number for kind, number in (factors.events or {}).items() if number},
    }
    db.session.add(row)
    db.session.flush()
    audit.record("households.assess", household, by=by.user_id, now=now, person_id=member.person_id, reason=reason)
    _follow(member, row, now)
    return row


def _check(member: Member, scores: Mapping[str, int], reason: str, on: date, today: date) -> None:
    errors: dict[str, list[Any]] = {code: [_l("Choose one answer.")] for code in assessment.missing(scores)}
    if reason not in ASSESSMENT_REASONS:
        errors["reason"] = [_l("Choose a reason.")]
    elif (reason == "first") != (not history(member.person_id)):
        known = _l("There is an assessment already; this is not the first.")
        errors["reason"] = [known if reason == "first" else _l("There is none before; this is the first.")]
    if on > today:
        errors["assessed_on"] = [_l("This day is still to come.")]
    if errors:
        raise InvalidInput(_l("Please check what you entered."), errors=errors)


def _follow(member: Member, row: Assessment, now: datetime) -> None:
    """Care level, next assessment and rhythm; one that is entered late and not the latest changes none of them."""
    household, today = member.household, local_date(now)
    if history(member.person_id)[0] is not row:
        return
    member.assess_due_on = row.due_on
    before = household.care_level or "intact"
    level = rhythm.level_of(household, today)
    household.care_level = "" if level == "intact" else level
    household.row_version += 1
    worse = assessment.LEVELS.index(level) > assessment.LEVELS.index(before)
    rhythm.refresh(household, now=now, changed=worse)


def history(person_id: uuid.UUID) -> list[Assessment]:
    """A person's assessments, the latest first."""
    return list(
        db.session.scalars(
            select(Assessment)
            .where(Assessment.person_id == person_id)
            .order_by(Assessment.assessed_on.desc(), Assessment.created_at.desc(), Assessment.id)
        )
    )


def latest(household: Household, today: date) -> list[Assessment]:
    """The latest assessment of each who lives there, the worst first."""
    rows = rhythm.latest_of({member.person_id for member in queries.served_members(household, today)})
    return sorted(rows, key=lambda row: -assessment.LEVELS.index(row.level))


def get_assessment(assessment_id: uuid.UUID) -> Assessment | None:
    return db.session.get(Assessment, assessment_id)


def of_household(household: Household) -> list[Assessment]:
    """Every assessment that was made in this household."""
    rows = select(Assessment).where(Assessment.household_id == household.id).order_by(Assessment.assessed_on)
    return list(db.session.scalars(rows))
