"""Every clock of a tender, on the calendar of working days: what is due, by whom, by when.

A date that reaches into a year without its official table is provisional: shown as such; nothing is decided on it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.workdays import Due, add_working_days
from linkage.procurement.models import Award, Challenge, Tender
from linkage.procurement.publication import tender_rule
from linkage.procurement.states import state_of

OFFICERS, PANEL, BUYER, BIDDERS, AUTHORITY = "officers", "panel", "buyer", "bidders", "authority"
WHO: dict[str, Any] = {
    OFFICERS: _l("the opening officers"),
    PANEL: _l("the panel"),
    BUYER: _l("the buyer"),
    BIDDERS: _l("the bidders"),
    AUTHORITY: _l("the supervising authority"),
}


@dataclass(frozen=True)
class Duty:
    """Something due. `moment`: to the minute, where there is one; `waits`: it cannot be done before `due`."""

    key: str
    words: Any
    who: str
    due: Due
    moment: datetime | None = None
    waits: bool = False
    challenge_id: uuid.UUID | None = None
    award_id: uuid.UUID | None = None

    @property
    def who_words(self) -> Any:
        return WHO[self.who]


def working(start: date, tender: Tender, name: str, now: datetime) -> Due:
    """So many working days after `start`, by the rule ``procurement.<name>_working_days`` that holds for the tender."""
    return add_working_days(start, tender_rule(tender, f"{name}_working_days", now))


def fixed(day: date) -> Due:
    """A day counted by the calendar alone, which no notice changes."""
    return Due(day, provisional=False)


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return local_date(moment)


def notice_ends(tender: Tender, now: datetime) -> Due:
    """The last day of the result notice (中标公告期限)."""
    return working(_day(tender.noticed_at), tender, "notice_period", now)


def challenge_ends(tender: Tender, now: datetime) -> Due:
    """The last day on which the result can be challenged: 7 working days from the notice's end."""
    end = notice_ends(tender, now)
    due = working(end.day, tender, "challenge", now)
    return Due(due.day, end.provisional or due.provisional)


def complaint_ends(challenge: Challenge, now: datetime) -> Due:
    """The last day to complain: 15 working days after the answer, or after the day it was due."""
    answered = challenge.answered_at
    if answered is not None:
        return working(local_date(answered), challenge.tender, "complaint", now)
    due = answer_due(challenge, now)
    later = working(due.day, challenge.tender, "complaint", now)
    return Due(later.day, due.provisional or later.provisional)


def answer_due(challenge: Challenge, now: datetime) -> Due:
    return working(local_date(challenge.created_at), challenge.tender, "answer", now)


def decision_due(challenge: Challenge, now: datetime) -> Due:
    return working(_day(challenge.complained_at), challenge.tender, "decision", now)


def duties(tender: Tender, now: datetime) -> list[Duty]:
    """What is due in this tender now, the next first."""
    state = state_of(tender, now)
    found = [*_of_the_state(tender, state, now)]
    if state not in ("draft", "withdrawn", "cancelled"):
        found += _of_challenges(tender, now)
    return sorted(found, key=lambda duty: (duty.due.day, duty.key))


def running_duties(tenders: Select[Tender], now: datetime) -> list[tuple[Tender, Duty]]:
    """What is due in those of these tenders that still run, the next first."""
    running = tenders.where(Tender.done_at.is_(None), Tender.cancelled_at.is_(None), Tender.withdrawn_at.is_(None))
    found = [(tender, duty) for tender in db.session.scalars(running) for duty in duties(tender, now)]
    return sorted(found, key=lambda pair: (pair[1].due.day, pair[0].number, pair[1].key))


def _of_the_state(tender: Tender, state: str, now: datetime) -> list[Duty]:
    if state == "draft":
        return [_draft_duty(tender, now)]
    if state == "published":
        bids = Duty("bids", _l("Seal the bids"), BIDDERS, fixed(_day(tender.deadline_at)), tender.deadline_at)
        asked = [row for row in tender.questions if row.answered_at is None]
        answer = Duty("questions", _l("Answer the questions"), BUYER, fixed(_day(tender.deadline_at)))
        return [bids, answer] if asked else [bids]
    if state == "closed":
        return [Duty("open", _l("Open the bids"), OFFICERS, fixed(_day(tender.deadline_at)), tender.deadline_at)]
    if state == "opened":
        due = working(_day(tender.opened_at), tender, "report", now)
        return [Duty("evaluate", _l("Evaluate and hand in the report"), PANEL, due)]
    if state == "evaluated":
        due = working(_day(tender.evaluated_at), tender, "choose", now)
        return [Duty("decide", _l("Decide who wins each lot"), BUYER, due)]
    if state == "decided":
        due = working(_day(tender.decided_at), tender, "notice", now)
        return [Duty("notice", _l("Publish the result"), BUYER, due)]
    return _after_the_notice(tender, now) if state == "noticed" else []


def _draft_duty(tender: Tender, now: datetime) -> Duty:
    days = tender_rule(tender, "notice_days", now)
    latest = _day(tender.deadline_at) - timedelta(days=days)
    return Duty("publish", _l("Publish the tender"), BUYER, fixed(latest))


def _after_the_notice(tender: Tender, now: datetime) -> list[Duty]:
    end, latest = (
        challenge_ends(tender, now),
        _day(tender.noticed_at) + timedelta(days=tender_rule(tender, "contract_days", now)),
    )
    found = [] if end.day < local_date(now) else [Duty("challenge", _l("Challenge the result"), BIDDERS, end)]
    for award in awards_of(tender.id):
        if award.signed_at is None:
            waits = tender.standstill and end.day >= local_date(now)
            found.append(
                Duty("sign", _l("Sign the contract"), BUYER, fixed(latest), waits=waits, award_id=award.id)
            )  # fmt: skip
        elif award.contract_published_at is None:
            due = working(_day(award.signed_at), tender, "publish_contract", now)
            found.append(Duty("contract", _l("Publish the contract"), BUYER, due, award_id=award.id))
    return found


def awards_of(tender_id: uuid.UUID) -> list[Award]:
    """The awards that stand, by lot."""
    wanted = select(Award).where(Award.tender_id == tender_id, Award.cancelled_at.is_(None))
    return sorted(db.session.scalars(wanted), key=lambda award: award.lot.position)


def challenges_of(tender_id: uuid.UUID) -> list[Challenge]:
    wanted = select(Challenge).where(Challenge.tender_id == tender_id)
    return list(db.session.scalars(wanted.order_by(Challenge.created_at, Challenge.id)))


def _of_challenges(tender: Tender, now: datetime) -> list[Duty]:
    found = []
    for one in challenges_of(tender.id):
        if one.decided_at is not None:
            continue
        if one.complained_at is not None:
            found.append(
                Duty("decide_complaint", _l("Decide the complaint"), AUTHORITY, decision_due(one, now),
                     challenge_id=one.id)
            )  # fmt: skip
        elif one.answered_at is None:
            found.append(
                Duty("answer_challenge", _l("Answer the challenge"), BUYER, answer_due(one, now), challenge_id=one.id)
            )  # fmt: skip
    return found
