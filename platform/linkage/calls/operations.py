"""Record a call, return it, note that an outcome was told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l

from linkage.calls import queries
from linkage.calls.models import ABOUT, CALLERS, OUTCOMES, Call, OutcomeTold
from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.households.models import Household
from linkage.needs.models import Need


@dataclass(frozen=True)
class Facts:
    """What the operator writes down while speaking."""

    caller: str = "self"
    about: str = "other"
    need_id: uuid.UUID | None = None
    note: str = ""
    call_back_at: datetime | None = None
    telephone: str = ""


def record_call(household: Household, facts: Facts, *, by: Actor, now: datetime) -> Call:
    """A new call; linked to the last one about the same of the last 30 days.

    Raises InvalidInput: an unknown caller or subject, a call-back in the past, another household's need.
    """
    if facts.caller not in CALLERS or facts.about not in ABOUT:
        raise InvalidInput(_l("Please choose one of the answers."), field="about")
    if facts.call_back_at is not None and facts.call_back_at < now:
        raise InvalidInput(_l("Choose a time that is still to come."), field="call_back_day")
    need = db.session.get(Need, facts.need_id) if facts.need_id else None
    if facts.need_id and (need is None or need.household_id != household.id):
        raise InvalidInput(_l("This request belongs to somebody else."), field="need")
    before = queries.earlier(household.id, facts.need_id, facts.about, now)
    call = Call(
        key_id=household.key_id,
        household_id=household.id,
        need_id=facts.need_id,
        earlier_id=before.id if before else None,
        caller=facts.caller,
        about=facts.about,
        answered_by=by.user_id,
        call_back_at=facts.call_back_at,
        created_at=now,
    )
    call.note, call.telephone = facts.note.strip() or None, facts.telephone.strip() or None
    db.session.add(call)
    db.session.flush()
    audit.record("calls.record", call, by=by.user_id, now=now, about=facts.about, repeated=before is not None)
    return call


def call_back(call: Call, *, by: Actor, now: datetime) -> None:
    """Promised → returned.  Raises Conflict where somebody has returned it already."""
    if call.call_back_at is None or call.called_back_at is not None:
        raise Conflict(_l("Somebody has called back already."))
    call.called_back_at, call.called_back_by = now, by.user_id
    audit.record("calls.call_back", call, by=by.user_id, now=now)


def tell_outcome(need: Need, outcome: str, *, by: Actor, now: datetime) -> OutcomeTold:
    """Whoever asked has been told: the outcome leaves the list of what is to be told."""
    if outcome not in OUTCOMES:
        raise InvalidInput(_l("Please choose one of the answers."), field="outcome")
    told = OutcomeTold(need_id=need.id, outcome=outcome, told_at=now, told_by=by.user_id)
    db.session.add(told)
    db.session.flush()
    audit.record("calls.tell", need, by=by.user_id, now=now, outcome=outcome)
    return told
