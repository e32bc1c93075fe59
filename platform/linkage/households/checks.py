"""Looking in (走访): staff met somebody, or tried to; and the papers that are still missing (容缺)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.households import queries, rhythm
from linkage.households.models import (
    CHECK_OUTCOMES,
    CHECK_REASONS,
    CHECK_WAYS,
    PAPER_KINDS,
    REACHED,
    HomeCheck,
    Household,
    Paper,
)

LONGEST_MINUTES = 600


@dataclass(frozen=True)
class CheckDraft:
    """What came of a look-in. `reason` is needed where nobody was met or they declined."""

    day: date
    outcome: str
    way: str = "visit"
    reason: str = ""
    minutes: int | None = None
    note: str | None = None


def record_check(household: Household, draft: CheckDraft, *, by: Actor, now: datetime) -> HomeCheck:
    """Note a look-in. Who was met is due again by the household's rhythm; "worse" makes an assessment due today.

    Raises InvalidInput with every fault at its field; Conflict for a closed household.
    """
    today = local_date(now)
    if household.closed_on is not None and household.closed_on <= today:
        raise Conflict(_l("This household is closed."))
    _check(draft, today)
    row = HomeCheck(
        key_id=household.key_id,
        household_id=household.id,
        day=draft.day,
        way=draft.way,
        outcome=draft.outcome,
        reason=draft.reason if draft.outcome in CHECK_REASONS else "",
        minutes=draft.minutes,
        recorded_by=by.user_id,
        created_at=now,
    )
    row.note = draft.note
    db.session.add(row)
    db.session.flush()
    if draft.outcome in REACHED:
        household.check_due_at = None
    if draft.outcome == "worse":
        for member in queries.served_members(household, today):
            member.assess_due_on = min(member.assess_due_on or today, today)
    rhythm.refresh(household, now=now)
    household.row_version += 1
    audit.record("households.check", household, by=by.user_id, now=now, outcome=draft.outcome, reason=row.reason)
    return row


def _check(draft: CheckDraft, today: date) -> None:
    errors: dict[str, list[Any]] = {}
    if draft.outcome not in CHECK_OUTCOMES:
        errors["outcome"] = [_l("Choose what came of it.")]
    elif draft.outcome in CHECK_REASONS and draft.reason not in CHECK_REASONS[draft.outcome]:
        errors["reason"] = [_l("Choose a reason.")]
    if draft.way not in CHECK_WAYS:
        errors["way"] = [_l("This value is not possible.")]
    if draft.day > today:
        errors["day"] = [_l("This day is still to come.")]
    if draft.minutes is not None and not 0 < draft.minutes <= LONGEST_MINUTES:
        errors["minutes"] = [_l("From 1 to 600 minutes.")]
    if errors:
        raise InvalidInput(_l("Please check what you entered."), errors=errors)


def checks_of(household: Household, limit: int = 50) -> list[HomeCheck]:
    """The latest first."""
    return list(
        db.session.scalars(
            select(HomeCheck)
            .where(HomeCheck.household_id == household.id)
            .order_by(HomeCheck.day.desc(), HomeCheck.created_at.desc())
            .limit(limit)
        )
    )


def ask_for_paper(household: Household, kind: str, due_on: date, *, by: Actor, now: datetime) -> Paper:
    """A paper is missing; the household is served meanwhile (green channel).  Raises InvalidInput."""
    today = local_date(now)
    if kind not in PAPER_KINDS:
        raise InvalidInput(_l("Choose a paper."), field="kind")
    if due_on < today:
        raise InvalidInput(_l("This day has passed."), field="due_on")
    if any(paper.kind == kind and paper.kind != "other" for paper in papers_of(household) if paper.is_open):
        raise InvalidInput(_l("This paper is on the list already."), field="kind")
    paper = Paper(
        household_id=household.id,
        kind=kind,
        due_on=due_on,
        first_due_on=due_on,
        recorded_by=by.user_id,
        created_at=now,
    )
    db.session.add(paper)
    db.session.flush()
    audit.record("households.ask_paper", household, by=by.user_id, now=now, kind=kind, due_on=due_on)
    return paper


def settle_paper(paper: Paper, household: Household, *, came: bool, by: Actor, now: datetime) -> None:
    """The paper has come (`came`), or is not needed after all.  Raises Conflict when that is settled already."""
    _must_be_open(paper)
    if came:
        paper.received_on = local_date(now)
    else:
        paper.dropped_on = local_date(now)
    audit.record("households.settle_paper", household, by=by.user_id, now=now, kind=paper.kind, came=came)


def postpone_paper(paper: Paper, household: Household, due_on: date, *, by: Actor, now: datetime) -> None:
    """Give it more time; the first date stays on record.  Raises InvalidInput, Conflict."""
    _must_be_open(paper)
    if due_on < local_date(now):
        raise InvalidInput(_l("This day has passed."), field="due_on")
    paper.due_on = due_on
    audit.record("households.postpone_paper", household, by=by.user_id, now=now, kind=paper.kind, due_on=due_on)


def _must_be_open(paper: Paper) -> None:
    if not paper.is_open:
        raise Conflict(_l("This is recorded already."))


def papers_of(household: Household) -> list[Paper]:
    """Missing papers, open ones first, by date."""
    rows = db.session.scalars(select(Paper).where(Paper.household_id == household.id).order_by(Paper.due_on, Paper.id))
    return sorted(rows, key=lambda paper: not paper.is_open)


def get_paper(household: Household, paper_id: uuid.UUID) -> Paper | None:
    return next((paper for paper in papers_of(household) if paper.id == paper_id), None)
