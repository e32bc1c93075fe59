"""Post, change and withdraw a need. Visits are made, moved and cancelled by the room above (see core/events)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, StaleVersion
from linkage.core.events import NeedChanged, NeedPosted, NeedWithdrawn, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.sequences import next_number
from linkage.households.models import Household
from linkage.needs import checks, priority, recurrence, telling
from linkage.needs.models import Need
from linkage.needs.queries import count_repeats, first_open
from linkage.services.models import Service

WITHDRAW_REASONS = ("not_needed", "died", "moved", "hospital", "declined", "mistake", "consent")


@dataclass(frozen=True)
class NeedRequest:
    """What is asked for; the fields mean what they mean in `Need`.

    `priority` None: as suggested from care level, tags and service. `wishes`: {"gender", "gender_hard",
    "language", "language_hard"}, each may be missing. `caller_person_id`: who called, if somebody else.
    """

    person_id: uuid.UUID
    starts_on: date
    window_start: int
    window_end: int
    duration_minutes: int
    recurrence: str | None = None
    ends_on: date | None = None
    flexible_days: int = 1
    preferred_start: int | None = None
    people: int = 1
    wishes: dict[str, Any] = field(default_factory=dict)
    priority: int | None = None
    priority_reason: str | None = None
    channel: str = "counter"
    note: str = ""
    caller_person_id: uuid.UUID | None = None


# The fields of a request that stand in the need under the same name.
COPIED = (
    "person_id",
    "starts_on",
    "window_start",
    "window_end",
    "duration_minutes",
    "recurrence",
    "ends_on",
    "flexible_days",
    "preferred_start",
    "people",
)


def post_need(
    household: Household,
    service: Service,
    request: NeedRequest,
    *,
    by: Actor | None,
    now: datetime,
    check_past: bool = True,
) -> Need:
    """Make a need; its visits up to four weeks ahead are made in the same transaction (NeedPosted).

    Status: none → open. A request for a service that this household still has an open need for is *linked* to
    the first one (`repeats_id`) as a possible escalation, and whoever posted that one is told; never dropped.

    Parameters
    ----------
    check_past : False lets a series have begun before today (an imported roster)

    Raises
    ------
    InvalidInput
        with every fault at its field (see `needs.checks`).
    """
    request = replace(request, recurrence=recurrence.normalise(request.recurrence))
    today = local_date(now)
    # Beside a closing or a merge of this record: what it says now counts, and it stays so until the commit.
    db.session.refresh(household, ["closed_on", "merged_into_id"], with_for_update={"read": True})
    checks.demand(household, service, request, today=today, past_ok=not check_past)
    first = first_open(household.id, service.id, today)
    need = Need(
        number=_number(today),
        key_id=household.key_id,
        household_id=household.id,
        service_id=service.id,
        area_id=household.area_id,
        channel=request.channel,
        caller_person_id=request.caller_person_id,
        posted_by=by and by.user_id,
        repeats_id=first and first.id,
        created_at=now,
    )
    _fill(need, household, service, request, today)
    db.session.add(need)
    db.session.flush()
    audit.record("needs.post", need, by=by and by.user_id, now=now, service=service.code, channel=need.channel)
    if first is not None:
        _escalate(first, need, by=by, now=now)
    announce(NeedPosted(by=by and by.user_id, now=now, need_id=need.id))
    return need


def change_need(need: Need, request: NeedRequest, *, row_version: int, by: Actor | None, now: datetime) -> Need:
    """Edit a need: its future visits that nobody has accepted follow; accepted ones stay as they are.

    `visits.queries.accepted_ahead(need, now)` lists those that stayed, for the page to show.

    Raises
    ------
    Conflict : the need was withdrawn.  StaleVersion : edited since the form was opened.  InvalidInput : as posting.
    """
    if need.withdrawn_at is not None:
        raise Conflict(_l("This need was withdrawn."))
    if need.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this need in the meantime."))
    request = replace(request, recurrence=recurrence.normalise(request.recurrence))
    today = local_date(now)
    begun = need.starts_on < today and request.starts_on == need.starts_on
    checks.demand(need.household, need.service, request, today=today, past_ok=begun)
    before = {name: getattr(need, name) for name in (*COPIED, "wishes", "priority")}
    _fill(need, need.household, need.service, request, today)
    need.row_version += 1
    changed = sorted(name for name, value in before.items() if getattr(need, name) != value)
    db.session.flush()
    audit.record("needs.change", need, by=by and by.user_id, now=now, fields=changed)
    announce(NeedChanged(by=by and by.user_id, now=now, need_id=need.id))
    return need


def withdraw_need(need: Need, reason: str, *, by: Actor | None, now: datetime, keep_until: date | None = None) -> None:
    """Open → withdrawn: every visit that has not begun is cancelled and whoever would have come is told.

    Visits up to the day `keep_until` still take place.

    Raises Conflict when it already was; ValueError for a reason that is not in WITHDRAW_REASONS.
    """
    if need.withdrawn_at is not None:
        raise Conflict(_l("This need was withdrawn."))
    if reason not in WITHDRAW_REASONS:
        raise ValueError(reason)
    need.withdrawn_at, need.withdrawn_reason = now, reason
    need.row_version += 1
    audit.record("needs.withdraw", need, by=by and by.user_id, now=now, reason=reason)
    announce(NeedWithdrawn(by=by and by.user_id, now=now, need_id=need.id, keep_until=keep_until))


def _number(today: date) -> str:
    return f"X{today:%Y%m%d}-{next_number(f'needs {today:%Y%m%d}'):04d}"


def _fill(need: Need, household: Household, service: Service, request: NeedRequest, today: date) -> None:
    for name in COPIED:
        setattr(need, name, getattr(request, name))
    need.wishes = {key: value for key, value in request.wishes.items() if value}
    need.note = request.note.strip()
    tier, reason = priority.suggest(household, request.person_id, service, today)
    need.priority = request.priority or tier
    chosen = "staff" if need.priority != tier else reason
    need.priority_reason = request.priority_reason or chosen


def _escalate(first: Need, need: Need, *, by: Actor | None, now: datetime) -> None:
    """Note that `need` repeats `first`, and tell whoever posted that one."""
    times = count_repeats(first.id)
    audit.record("needs.repeat", first, by=by and by.user_id, now=now, need_id=need.id, times=times)
    poster = telling.poster(first)
    if poster is not None and poster != (by and by.person_id):
        outbox.tell(poster, "needs.repeated", now=now, need_id=first.id, number=first.number, times=times)
