"""The day as it goes (当日调度): what is late, missed, without a check-in, without anyone, given back, replaced."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from linkage.core.clock import at_minutes
from linkage.core.extensions import db
from linkage.core.formats import format_time
from linkage.core.paging import Page, page_of
from linkage.core.tasks import Reader, Row
from linkage.visits import queries, status
from linkage.visits.models import Assignment, Visit
from linkage.visits.status import Seen, Status
from linkage.visits.tasks import Item, rows_of

GIVEN_BACK = ("withdrew", "absent", "died", "papers", "replaced")
# Sections in the order of the board: kind, heading, icon, tone.
SECTIONS: tuple[tuple[str, Any, str, str], ...] = (
    ("missed", _l("Nobody came"), "x-octagon-fill", "bad"),
    ("late", _l("Late"), "alarm-fill", "bad"),
    ("gone_by", _l("The time passed without anyone"), "clock-history", "bad"),
    ("given_back", _l("Given back, nobody yet"), "person-x-fill", "bad"),
    ("nobody", _l("Without anyone"), "person-x-fill", "bad"),
    ("half", _l("One of two is missing"), "circle-half", "warn"),
    ("not_in", _l("Should be there by now"), "hourglass-split", "warn"),
    ("no_check_out", _l("Without a check-out"), "exclamation-triangle-fill", "warn"),
    ("asked", _l("A volunteer is asked"), "hourglass-split", "info"),
    ("replaced", _l("Somebody else goes"), "arrow-left-right", "ok"),
)


SHOWN = 20  # rows of a section on the whole board; its own page has all of them


@dataclass(frozen=True)
class Section:
    """One part of the board: its first rows, and how many there are."""

    kind: str
    title: Any
    icon: str
    tone: str
    rows: list[Row]
    count: int


@dataclass(frozen=True)
class Board:
    """Today: its sections, and how many visits are in each state."""

    sections: list[Section]
    states: dict[Status, int]
    part: Page[Row] | None = None  # a page of the one section asked for

    @property
    def to_look_at(self) -> int:
        return sum(section.count for section in self.sections)

    @property
    def visits(self) -> int:
        return sum(self.states.values())


def board_of(reader: Reader, only: str | None = None) -> Board:
    """The board of today's visits that the reader may see; cancelled ones are left out.

    `only`: the kind of one section, of which the page of rows is read that the address asks for, and no other.
    """
    wanted = queries.visible(reader.actor).where(Visit.day == reader.today, Visit.cancelled_at.is_(None))
    seen = status.survey(wanted, reader.now)
    released = _released(reader, {one.id: one for one in seen})
    items: dict[str, list[Item]] = defaultdict(list)
    states: dict[Status, int] = defaultdict(int)
    for one in seen:
        states[one.state] += 1
        kind = _kind(one, released, reader)
        if kind is not None:
            items[kind].append(Item(one.id, one.starts_at or _last_start(one), kind))
    for rows in items.values():
        rows.sort(key=lambda item: (item.deadline, str(item.visit_id)))
    sections = []
    for kind, title, icon, tone in SECTIONS:
        if found := items[kind]:
            shown = found[: 0 if only else SHOWN]
            sections.append(Section(kind, title, icon, tone, rows_of(reader, shown, released), len(found)))
    return Board(sections, states, _part(reader, items[only], released) if only else None)


def _part(reader: Reader, found: list[Item], released: dict[uuid.UUID, str]) -> Page[Row]:
    """The page of these that the address asks for."""
    page = page_of(found)
    return Page(rows_of(reader, page.rows, released), page.number, page.pages, page.total)


def _last_start(seen: Seen) -> Any:
    return seen.latest_at - timedelta(minutes=seen.duration_minutes)


def _kind(seen: Seen, released: dict[uuid.UUID, str], reader: Reader) -> str | None:
    """The first section that fits, None where all goes well."""
    match seen.state:
        case Status.MISSED:
            return "missed"
        case Status.LATE:
            return "late"
        case Status.UNMET:
            return "gone_by"
        case Status.OPEN:
            return "given_back" if seen.id in released else "nobody"
        case Status.HALF:
            return "half"
        case Status.ASKED:
            return "asked"
        case Status.IN_SERVICE:
            over = (seen.starts_at or reader.now) + timedelta(minutes=seen.duration_minutes + 30) < reader.now
            return "no_check_out" if over else None
        case Status.BOOKED | Status.ACCEPTED:
            if seen.starts_at is not None and seen.starts_at <= reader.now:
                return "not_in"
            return "replaced" if seen.id in released else None
    return None


def _released(reader: Reader, seen: dict[uuid.UUID, Seen]) -> dict[uuid.UUID, str]:
    """Visit → who gave it back, and when; of yesterday and today."""
    if not seen:
        return {}
    since = at_minutes(reader.today - timedelta(days=1), 0)
    rows = db.session.scalars(
        select(Assignment)
        .join(Visit, Visit.id == Assignment.visit_id)
        .where(
            Visit.day == reader.today,
            Assignment.released_at >= since,
            Assignment.release_reason.in_(GIVEN_BACK),
        )
        .options(joinedload(Assignment.person))
        .order_by(Assignment.released_at)
    )
    return {
        row.visit_id: _("%(name)s gave it back at %(time)s", name=row.person.name, time=format_time(row.released_at))
        for row in rows
        if row.visit_id in seen and row.released_at is not None
    }
