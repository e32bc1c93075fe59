"""What waits for the reader (要办的事), of every kind that the rooms have registered; and each kind's own rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from linkage.core.paging import PER_PAGE, Page, place
from linkage.core.permissions import Actor, Role
from linkage.core.tasks import WARN_DAYS, Found, Kind, Reader, Row, Urgency, kind_named, kinds
from linkage.core.web import SIGNED_IN, require_actor
from linkage.desk.room import room
from linkage.desk.values import common

SHOWN, SHOWN_FOLDED = 5, 1  # rows of a kind on the first page: of a community's staff, and of those who look over many
DATED_SOON = timedelta(days=30)
HEADS: dict[Urgency, tuple[Any, str, str]] = {
    Urgency.NOW: (_l("Cannot wait"), "clock-fill", "bad"),
    Urgency.ASK: (_l("Get in touch with the household"), "chat-square-text-fill", "warn"),
    Urgency.SOON: (_l("In the next days"), "calendar-event-fill", "info"),
}


@dataclass(frozen=True)
class Part:
    """One kind of work as the first page shows it: its first rows, and how many more there are."""

    kind: Kind
    count: int
    rows: list[Row]

    @property
    def more(self) -> int:
        return self.count - len(self.rows)

    @property
    def things(self) -> int:
        return min(1, self.count) if self.kind.bulk else self.count


@dataclass(frozen=True)
class Todo:
    """All that waits, by urgency; kinds without anything are left out."""

    groups: dict[Urgency, list[Part]]

    def number(self, *urgencies: Urgency) -> int:
        """How many things wait in these groups (in all, without any)."""
        return sum(part.things for one in urgencies or tuple(Urgency) for part in self.groups.get(one, []))


def todo_of(reader: Reader, *, folded: bool) -> Todo:
    """Everything that waits for the reader. `folded`: a kind with several things is one line that leads to them."""
    groups: dict[Urgency, list[Part]] = {}
    for kind in kinds(reader.actor):
        part = _part(kind, reader, SHOWN_FOLDED if folded else SHOWN)
        if part is not None:
            groups.setdefault(kind.urgency, []).append(part)
    return Todo(groups)


def _part(kind: Kind, reader: Reader, most: int) -> Part | None:
    found = kind.find(reader)
    count = found.within(reader.today + DATED_SOON) if kind.dated else found.count
    if not count:
        return None
    return Part(kind, count, found.page(count if count <= most else 0 if kind.bulk or most == 1 else most, 0))


def folds(actor: Actor) -> bool:
    """Whoever looks over many communities sees kinds, not rows."""
    return not actor.has(Role.COMMUNITY, Role.OPERATOR)


@room.get("/todo/<name>", permission=SIGNED_IN)
def todo(name: str) -> ResponseReturnValue:
    """All things of one kind, each with its one next action; those that end on a day narrowed by ?within=30.

    A kind that is not the reader's (a colleague's link) leads to the reader's own first page.
    """
    reader = _reader()
    kind = kind_named(reader.actor, name)
    if kind is None:
        return redirect(url_for("desk.home"))
    found = kind.find(reader)
    days = _within()
    count = found.within(reader.today + timedelta(days=days)) if days is not None and kind.dated else found.count
    return render_template(
        "desk/todo.html", kind=kind, found=_page(found, count), days=days, warn_days=WARN_DAYS, **common(reader.actor)
    )


def _reader() -> Reader:
    actor = require_actor()
    return Reader(actor, actor.at)


def _within() -> int | None:
    days = request.args.get("within", type=int)
    return days if days == -1 or days in WARN_DAYS else None


def _page(found: Found, count: int) -> Page[Row]:
    number, pages, offset = place(count)
    return Page(found.page(min(PER_PAGE, count - offset), offset), number, pages, count)


@room.get("/expiring", permission=SIGNED_IN)
def expiring() -> str:
    """What ends in 90, 60, 30 and 7 days, and what has ended: papers, insurance, tags, consents; by kind."""
    reader = _reader()
    table = []
    for kind in kinds(reader.actor):
        if kind.dated:
            found = kind.find(reader)
            days = (-1, *reversed(WARN_DAYS))
            table.append((kind, [(one, found.within(reader.today + timedelta(days=one))) for one in days]))
    return render_template("desk/expiring.html", table=table, warn_days=WARN_DAYS, **common(reader.actor))
