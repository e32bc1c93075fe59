"""From the publication to the deadline: what is frozen, questions, clarifications that move the deadline, an end."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core import audit, outbox
from linkage.core.clock import at_minutes, local, local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import DEFAULTS, rule
from linkage.organisations.models import Organisation
from linkage.procurement import queries
from linkage.procurement.models import Clarification, Question, Tender
from linkage.procurement.models.bids import OFFICERS
from linkage.procurement.models.tender import POINTS
from linkage.procurement.sealing import chain
from linkage.procurement.states import state_of

FROZEN = (
    "number", "title", "summary", "method", "rule", "most_lots", "most_share_permille", "least_suppliers",
    "budget_fen", "least_quality", "least_rating", "bid_bond_fen", "performance_bond_fen", "ties", "standstill",
    "contract_starts_on", "contract_ends_on",
)  # fmt: skip


@dataclass(frozen=True)
class Demand:
    """What must hold before a tender can be published: said as a sentence, and whether it holds."""

    key: str
    words: Any
    holds: bool


def published_on(tender: Tender, now: datetime) -> date:
    """The day whose rules hold for the tender: that of its publication; today for a draft."""
    return local_date(tender.published_at or now)


def tender_rule(tender: Tender, name: str, now: datetime) -> Any:
    """The value of ``procurement.<name>`` that holds for this tender; those by method end in its name."""
    whole = f"procurement.{name}"
    return rule(whole if whole in DEFAULTS else f"{whole}.{tender.method}", published_on(tender, now))


def demands(tender: Tender, now: datetime) -> list[Demand]:
    """The check list before the publication, in the order of the page."""
    return [*_of_lots(tender), *_of_criteria(tender, now), *_of_terms(tender, now), _of_officers(tender)]


def _of_lots(tender: Tender) -> list[Demand]:
    ceilings = sum(lot.ceiling_fen for lot in tender.lots)
    return [
        Demand("lots", _l("There is at least one lot."), bool(tender.lots)),
        Demand(
            "ceilings", _l("The ceilings of all lots together stay within the budget."), ceilings <= tender.budget_fen
        ),
    ]


def _of_criteria(tender: Tender, now: datetime) -> list[Demand]:
    low = tender_rule(tender, "least_price_weight", now)
    high = tender_rule(tender, "most_price_weight", now)
    weight = queries.price_weight(tender)
    span = _l("The price counts between %(low)s and %(high)s points.", low=low // 100, high=high // 100)
    return [
        Demand(
            "weights", _l("The criteria make exactly 100 points."), sum(one.weight for one in tender.criteria) == POINTS
        ),
        Demand("price", span, low <= weight <= high),
        Demand(
            "quality", _l("The quality demanded can be reached."), 0 <= tender.least_quality <= POINTS - weight
        ),
    ]  # fmt: skip


def _of_terms(tender: Tender, now: datetime) -> list[Demand]:
    days = tender_rule(tender, "notice_days", now)
    years = tender_rule(tender, "contract_years", now)
    earliest = local_date(now) + timedelta(days=days)
    longest = _years_later(tender.contract_starts_on, years)
    bond = tender.budget_fen * tender_rule(tender, "bid_bond_permille", now)
    performance = tender.budget_fen * tender_rule(tender, "performance_bond_permille", now)
    return [
        Demand(
            "deadline",
            _l("The deadline lies at least %(days)s days after the publication.", days=days),
            local_date(tender.deadline_at) >= earliest,
        ),
        Demand(
            "length",
            _l("The contract lasts at most %(years)s years.", years=years),
            tender.contract_ends_on < longest,
        ),
        Demand("bid_bond", _l("The bid bond stays within 2 % of the budget."), tender.bid_bond_fen * 1000 <= bond),
        Demand(
            "performance_bond",
            _l("The performance bond stays within 10 % of the budget."),
            tender.performance_bond_fen * 1000 <= performance,
        ),
    ]


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, month=3, day=1)


def _of_officers(tender: Tender) -> Demand:
    ready = [one for one in queries.officers_of(tender.id) if one.drilled_at is not None]
    words = _l("Three opening officers have made their keys and proved in a drill that they open.")
    return Demand("officers", words, len(ready) == OFFICERS)


def frozen_text(tender: Tender) -> str:
    """The canonical JSON of what bidders may rely on: terms, lots and criteria (keys sorted, no spaces)."""
    terms = {name: getattr(tender, name) for name in FROZEN}
    lots = [
        {
            "position": lot.position, "name": lot.name, "service": lot.service.code, "area": lot.area.code,
            "quantity": lot.quantity, "unit": lot.service.unit, "ceiling_fen": lot.ceiling_fen,
            "eligible_tags": sorted(lot.eligible_tags), "monthly_quota": lot.monthly_quota,
        }
        for lot in tender.lots
    ]  # fmt: skip
    criteria = [
        {"position": row.position, "kind": row.kind, "name": row.name, "standard": row.standard, "weight": row.weight}
        for row in tender.criteria
    ]
    documents = sorted((row.name, row.sha256) for row in tender.documents)
    whole = {"terms": terms, "lots": lots, "criteria": criteria, "documents": documents}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def frozen_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_as_published(tender: Tender) -> bool:
    """Terms, lots and criteria are still what was published, to the letter."""
    return frozen_hash(tender.frozen) == tender.criteria_hash and frozen_text(tender) == tender.frozen


_published: list[Callable[[Tender, str, datetime], None]] = []


def on_transition(call: Callable[[Tender, str, datetime], None]) -> Callable[[Tender, str, datetime], None]:
    """Decorator: called in the same transaction with (tender, what happened, now): the OCDS release is made so."""
    if call not in _published:
        _published.append(call)
    return call


def passed(tender: Tender, what: str, now: datetime) -> None:
    """Say that the tender went a step further."""
    db.session.flush()
    for call in _published:
        call(tender, what, now)


def publish(tender: Tender, *, by: Actor, now: datetime) -> None:
    """Publish a draft: everything is frozen and hashed.  State: draft → published.  Raises Conflict, InvalidInput."""
    queries.lock(tender)
    _must_be(tender, now, "draft")
    missing = [demand.words for demand in demands(tender, now) if not demand.holds]
    if missing:
        raise InvalidInput(_l("Something is missing before the publication."), errors={"": missing})
    tender.frozen = frozen_text(tender)
    tender.criteria_hash = frozen_hash(tender.frozen)
    tender.chain_head = chain.start_of(str(tender.id), tender.criteria_hash)
    tender.published_at = now
    tender.row_version += 1
    audit.record("procurement.publish", tender, by=by.user_id, now=now, hash=tender.criteria_hash)
    passed(tender, "published", now)


def _must_be(tender: Tender, now: datetime, *states: str) -> None:
    if state_of(tender, now) not in states:
        raise Conflict(_l("The tender has gone on in the meantime: this is no longer possible."))


def ask(tender: Tender, organisation: Organisation, text: str, *, by: Actor, now: datetime) -> Question:
    """An organisation asks while bids are taken.  Raises Conflict, InvalidInput."""
    _must_be(tender, now, "published")
    if not text.strip():
        raise InvalidInput(_l("Please fill this in."), field="text")
    question = Question(organisation_id=organisation.id, asked_by=by.user_id, text=text.strip(), created_at=now)
    tender.questions.append(question)
    db.session.flush()
    audit.record("procurement.ask", question, by=by.user_id, now=now, tender_id=tender.id)
    return question


def answer(question: Question, text: str, *, by: Actor, now: datetime) -> None:
    """Answer for all to read; who asked stays untold.  Raises Conflict when answered or after the deadline."""
    tender = question.tender
    queries.lock(tender)
    _must_be(tender, now, "published", "suspended")
    if question.answered_at is not None:
        raise Conflict(_l("This question is answered already."))
    if not text.strip():
        raise InvalidInput(_l("Please fill this in."), field="answer")
    question.answer, question.answered_at, question.answered_by = text.strip(), now, by.user_id
    audit.record("procurement.answer", question, by=by.user_id, now=now, tender_id=tender.id)
    _tell(tender, [question.organisation_id], "procurement.answered", now)
    passed(tender, "answered", now)


def least_deadline(tender: Tender, now: datetime) -> datetime:
    """The earliest deadline after a clarification now that touches bids: today's, or so many days from now on."""
    days = tender_rule(tender, "clarification_days", now)
    minutes = local(tender.deadline_at).hour * 60 + local(tender.deadline_at).minute
    return max(tender.deadline_at, at_minutes(local_date(now) + timedelta(days=days), minutes))


def clarify(
    tender: Tender, text: str, touches_bids: bool, *, by: Actor, now: datetime, deadline_at: datetime | None = None
) -> Clarification:
    """Publish a clarification. One that touches bids moves a deadline that is too near, and sealed bids need
    reconfirming.  Raises Conflict after the deadline, InvalidInput for a deadline that is too early.
    """
    queries.lock(tender)
    _must_be(tender, now, "published", "suspended")
    if tender.deadline_at <= now:
        raise Conflict(_l("The deadline has passed: nothing is clarified any more."))
    if not text.strip():
        raise InvalidInput(_l("Please fill this in."), field="text")
    earliest = least_deadline(tender, now) if touches_bids else tender.deadline_at
    if deadline_at is not None and deadline_at < earliest:
        raise InvalidInput(_l("The deadline can only move to a later day, and leaves bidders enough time."),
                           field="deadline")  # fmt: skip
    before, tender.deadline_at = tender.deadline_at, deadline_at or earliest
    clarification = Clarification(
        number=queries.last_clarification(tender.id) + 1,
        text=text.strip(),
        touches_bids=touches_bids,
        deadline_before=before,
        deadline_after=tender.deadline_at,
        by=by.user_id,
        created_at=now,
    )
    tender.clarifications.append(clarification)
    if touches_bids:
        for bid in queries.live_bids(tender.id):
            bid.reconfirm_asked_at = now
    db.session.flush()
    audit.record("procurement.clarify", clarification, by=by.user_id, now=now, tender_id=tender.id)
    kind = "procurement.reconfirm" if touches_bids else "procurement.clarified"
    _tell(tender, queries.those_concerned(tender), kind, now)
    passed(tender, "clarified", now)
    return clarification


def cancel(tender: Tender, reason: str, *, by: Actor, now: datetime) -> None:
    """End a published tender without a result (终止).  State: published … noticed → cancelled.  Raises Conflict."""
    queries.lock(tender)
    if tender.published_at is None or state_of(tender, now) in ("done", "withdrawn", "cancelled"):
        raise Conflict(_l("Only a published tender that still runs can be cancelled."))
    if not reason.strip():
        raise InvalidInput(_l("Please give the reason; it is published."), field="reason")
    tender.cancelled_at, tender.ending_reason = now, reason.strip()
    tender.row_version += 1
    audit.record("procurement.cancel", tender, by=by.user_id, now=now)
    _tell(tender, queries.those_concerned(tender), "procurement.cancelled", now)
    passed(tender, "cancelled", now)


def suspend(tender: Tender, until: datetime, reason: str, *, by: Actor, now: datetime) -> None:
    """Hold a published tender up to `until`; a deadline that has not passed moves by as long.  Raises Conflict."""
    queries.lock(tender)
    if tender.published_at is None or state_of(tender, now) in ("done", "withdrawn", "cancelled", "suspended"):
        raise Conflict(_l("Only a published tender that still runs can be suspended."))
    if until <= now:
        raise InvalidInput(_l("Choose a later day."), field="until")
    if not reason.strip():
        raise InvalidInput(_l("Please give the reason; it is published."), field="reason")
    if tender.deadline_at > now:
        tender.deadline_at += until - now
    tender.suspended_at, tender.suspended_until, tender.ending_reason = now, until, reason.strip()
    tender.row_version += 1
    audit.record("procurement.suspend", tender, by=by.user_id, now=now, until=until)
    _tell(tender, queries.those_concerned(tender), "procurement.suspended", now)
    passed(tender, "suspended", now)


def resume(tender: Tender, *, by: Actor, now: datetime) -> None:
    """Go on before the suspension's end; the moved deadline stays.  Raises Conflict."""
    queries.lock(tender)
    _must_be(tender, now, "suspended")
    tender.suspended_until = now
    tender.row_version += 1
    audit.record("procurement.resume", tender, by=by.user_id, now=now)
    _tell(tender, queries.those_concerned(tender), "procurement.resumed", now)
    passed(tender, "resumed", now)


def _tell(tender: Tender, organisation_ids: list[uuid.UUID], kind: str, now: datetime) -> None:
    for person_id in queries.managers_of(organisation_ids, local_date(now)):
        outbox.tell(person_id, kind, now=now, tender_id=tender.id, number=tender.number)
