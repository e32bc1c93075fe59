"""What visits ask of their area's staff: late, missed, without anyone, to confirm (each with its one action)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import pgettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from linkage.core.clock import at_minutes, local_date
from linkage.core.extensions import db
from linkage.core.formats import format_duration
from linkage.core.permissions import Role, holds
from linkage.core.rulesets import rule
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, from_list, task
from linkage.households.about import about, shown_name
from linkage.households.models import Household
from linkage.services.words import listed, named
from linkage.visits import queries, status
from linkage.visits.models import Assignment, Visit
from linkage.visits.status import Seen, Status
from linkage.visits.words import LOOKS

DAY = timedelta(days=1)
LOOKED_BACK = timedelta(days=7)
NOT_LEFT_AFTER = timedelta(minutes=30)  # so long after the planned end a missing check-out is worth a question
STAFF = (Role.COMMUNITY, Role.OPERATOR, Role.COORDINATOR)
ASKING = (*status.TROUBLE, Status.ASKED, Status.IN_SERVICE, Status.DONE)
Reasons = Callable[[Collection[uuid.UUID]], Mapping[uuid.UUID, str]]
_reasons: list[Reasons] = []


class Item(NamedTuple):
    """A visit that asks for somebody's hand, until when, and how."""

    visit_id: uuid.UUID
    deadline: datetime
    kind: str


def reasons_by(reasons: Reasons) -> Reasons:
    """Decorator: the room above says why a visit has nobody, in words."""
    _reasons[:] = [reasons]
    return reasons


def items(reader: Reader) -> dict[str, list[Item]]:
    """Kind → what there is of it, the most urgent first; read once for all kinds of a page."""
    return reader.once("visits", lambda: _items(reader))


def _items(reader: Reader) -> dict[str, list[Item]]:
    first, last = reader.today - LOOKED_BACK, reader.today + 3 * DAY
    wanted = queries.visible(reader.actor).where(
        Visit.latest_at >= at_minutes(first, 0),
        Visit.latest_at < at_minutes(last, 0),
        Visit.cancelled_at.is_(None),
        Visit.confirmed_at.is_(None),
    )
    found: dict[str, list[Item]] = defaultdict(list)
    for seen in status.survey(wanted, reader.now, ASKING):
        item = _item(seen, reader.now)
        if item is not None:
            found[item.kind].append(item)
    for rows in found.values():
        rows.sort(key=lambda item: (item.deadline, str(item.visit_id)))
    return found


def _item(seen: Seen, now: datetime) -> Item | None:
    """What one visit asks for, if anything."""
    today = local_date(now)
    last_start = seen.latest_at - timedelta(minutes=seen.duration_minutes)
    starts = seen.starts_at or last_start
    match seen.state:
        case Status.LATE:
            return Item(seen.id, starts + timedelta(minutes=rule("visits.missed_minutes", today)), "late")
        case Status.MISSED | Status.UNMET:
            recent = local_date(seen.latest_at) >= today - DAY
            kind = "missed" if seen.state is Status.MISSED else "gone_by"
            return Item(seen.id, seen.latest_at, kind) if recent else None
        case Status.OPEN | Status.HALF:
            kind = "nobody" if seen.state is Status.OPEN else "half"
            urgent = local_date(last_start) <= today + DAY
            return Item(seen.id, last_start, kind if urgent else f"{kind}_soon")
        case Status.ASKED:
            return Item(seen.id, last_start, "asked") if last_start - now < DAY else None
        case Status.IN_SERVICE:
            over = starts + timedelta(minutes=seen.duration_minutes) + NOT_LEFT_AFTER < now
            return Item(seen.id, starts, "no_check_out") if over else None
        case Status.DONE:
            return Item(seen.id, starts, "confirm")
    return None


def _of(reader: Reader, kind: str) -> Found:
    return from_list(items(reader)[kind], lambda part: rows_of(reader, part))


def rows_of(reader: Reader, part: Sequence[Item], why: Mapping[uuid.UUID, str] | None = None) -> list[Row]:
    """The rows of these items, in their order; `why` says it instead of the kind's own words."""
    visits = _loaded([item.visit_id for item in part])
    booked = queries.active_of(visits)
    reasons: dict[uuid.UUID, str] = {}
    if _reasons and any("nobody" in item.kind for item in part):
        reasons |= _reasons[0](list(visits))
    reasons |= why or {}
    return [
        _row(reader, item, visits[item.visit_id], booked[item.visit_id], reasons.get(item.visit_id)) for item in part
    ]


def _loaded(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Visit]:
    rows = db.session.scalars(
        select(Visit)
        .where(Visit.id.in_(ids))
        .options(
            joinedload(Visit.person),
            joinedload(Visit.service),
            joinedload(Visit.household).selectinload(Household.tags),
            selectinload(Visit.slots),
        )
    )
    return {row.id: row for row in rows}


def _row(reader: Reader, item: Item, visit: Visit, booked: Sequence[Assignment], reason: str | None) -> Row:
    key, word = _look(item, booked, reader.now)
    return Row(
        who=shown_name(visit.person, reader.actor),
        who_note=about(visit.household, visit.person, reader.today),
        what=service_of(visit),
        span=(booked[0].starts_at, booked[0].ends_at) if booked else (visit.earliest_at, visit.latest_at),
        why=_why(item, visit, booked, reason),
        look=("visit", key),
        word=word,
        deadline=None if item.kind in ("confirm", "no_check_out", "replaced") else item.deadline,
        action=_action(reader, item),
        url=url_for("households.page", household_id=visit.household_id),
    )


def service_of(visit: Visit) -> str:
    """The service, and that two people go."""
    name = named(visit.service)
    return _("%(service)s (two people)", service=name) if visit.people == 2 else name


def _look(item: Item, booked: Sequence[Assignment], now: datetime) -> tuple[str, Any]:
    match item.kind.removesuffix("_soon"):
        case "late":
            minutes = int((now - booked[0].starts_at).total_seconds() // 60) if booked else 0
            return "late", _("Late by %(time)s", time=format_duration(minutes))
        case "nobody":
            return "unstaffed", _("Nobody yet")
        case "gone_by":
            return "missed", _("Nobody was found")
        case "half":
            return LOOKS[Status.HALF], None
        case "not_in":
            return "next", _("Not checked in yet")
        case "given_back":
            return "unstaffed", _("Given back")
        case "replaced":
            return "booked", _("Somebody else goes")
        case "confirm":
            return LOOKS[Status.DONE], None
        case other:
            return other, None


def _why(item: Item, visit: Visit, booked: Sequence[Assignment], reason: str | None) -> str:
    names = listed(one.person.name for one in booked)
    match item.kind.removesuffix("_soon"):
        case "given_back" | "replaced":
            return reason or ""
        case "late" | "not_in":
            return _("%(name)s has not checked in yet", name=names)
        case "missed":
            return _("%(name)s has not checked in; nobody knows whether somebody came", name=names)
        case "gone_by":
            return _("The time has passed")
        case "nobody":
            return reason or _("Takes %(time)s", time=format_duration(visit.duration_minutes))
        case "half":
            return _("%(name)s comes; one more is needed", name=names)
        case "asked":
            return _("A volunteer was asked")
        case "no_check_out":
            return _("%(name)s checked in", name=names)
    minutes = max((one.attendance.minutes or 0 for one in booked if one.attendance), default=0)
    left = _("%(name)s has checked out", name=names)
    return left + (pgettext("clause", ", ") + format_duration(minutes) if minutes else "")


def _action(reader: Reader, item: Item) -> Action:
    page = url_for("visits.page", visit_id=item.visit_id)
    match item.kind.removesuffix("_soon"):
        case "late" | "not_in":
            return Action(_("Ask where they are"), page, "telephone")
        case "missed" | "gone_by":
            return Action(_("Ring and record"), page, "telephone")
        case "nobody" | "half" | "given_back":
            finding = holds(reader.actor, "desk.find")
            return Action(
                _("Find somebody"), url_for("desk.who", visit_id=item.visit_id) if finding else page, "person-plus"
            )
        case "asked" | "replaced":
            return Action(pgettext("household", "See the visit"), page, "eye")
        case "no_check_out":
            return Action(_("Enter the time"), page, "pencil")
    return Action(_("Confirm"), page, "check-lg")


def _register(kind: str, title: Any, urgency: Urgency, icon: str, roles: Iterable[Role] = STAFF) -> None:
    task(f"visits.{kind}", title, urgency=urgency, icon=icon, roles=roles)(lambda reader: _of(reader, kind))


WITH_MANAGER = (*STAFF, Role.MANAGER)
_register("late", _l("Late: not checked in"), Urgency.NOW, "alarm-fill", WITH_MANAGER)
_register("missed", _l("Nobody came"), Urgency.NOW, "x-octagon-fill", WITH_MANAGER)
_register("nobody", _l("Without anyone, by tomorrow"), Urgency.NOW, "person-x-fill")
_register("half", _l("One of two is missing, by tomorrow"), Urgency.NOW, "circle-half", WITH_MANAGER)
_register("gone_by", _l("The time passed without anyone"), Urgency.NOW, "clock-history")
_register("confirm", _l("To confirm with the household"), Urgency.ASK, "question-circle-fill")
_register("no_check_out", _l("Without a check-out"), Urgency.ASK, "exclamation-triangle-fill")
_register("asked", _l("Asked, no answer yet, within a day"), Urgency.SOON, "hourglass-split")
_register("nobody_soon", _l("Without anyone, the day after tomorrow"), Urgency.SOON, "person-x")
_register("half_soon", _l("One of two is missing, the day after tomorrow"), Urgency.SOON, "circle-half", WITH_MANAGER)
