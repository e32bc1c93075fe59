"""What waits for somebody (待办): each room says what it has, the today pages show it.

A room's `tasks.py` says ``@task("visits.late", …)`` over a function that finds, for a reader, how many there are
and their rows, best first. A row names whom it concerns, why, until when, and its one next action. The desk
draws them all alike, so that a number on a today page always leads to exactly its rows. What ends on a day
(papers, insurance, tags) gives `dates`, too: the page of what expires counts them by 90, 60, 30 and 7 days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Select, func, select

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role

T = TypeVar("T")
WARN_DAYS = (90, 60, 30, 7)


class Urgency(StrEnum):
    """The three groups of a today page: cannot wait, get in touch with the household, in the next days."""

    NOW = "now"
    ASK = "ask"
    SOON = "soon"


@dataclass(frozen=True)
class Action:
    """The one next thing to do with a row: a link to where it is done."""

    label: Any
    url: str
    icon: str = "arrow-right"


@dataclass(frozen=True)
class Row:
    """One thing to do. `look`: (kind, key) of core/look.py and a word that says it exactly (or None).

    `deadline` is shown under the state: a moment, a day, or words. `span`: when it is, after `what`.
    """

    who: Any
    what: Any
    look: tuple[str, str]
    action: Action
    word: Any = None
    deadline: Any = None
    who_note: Any = None
    why: Any = None
    span: tuple[datetime, datetime] | None = None
    url: str | None = None


@dataclass(frozen=True)
class Found:
    """What there is of a kind: how many, a page of its rows, and for dated kinds the days, soonest first."""

    count: int
    page: Callable[[int, int], list[Row]]
    dates: Sequence[date] = ()

    def within(self, last: date) -> int:
        """How many end on or before `last` (the first so many rows)."""
        return bisect_right(self.dates, last)


NOTHING = Found(0, lambda _limit, _offset: [])


@dataclass(frozen=True)
class Reader:
    """Who looks, and when. `memo` keeps what several kinds read together, for this page."""

    actor: Actor
    now: datetime
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return local_date(self.now)

    def once(self, key: str, make: Callable[[], T]) -> T:
        if key not in self.memo:
            self.memo[key] = make()
        found: T = self.memo[key]
        return found


Find = Callable[[Reader], Found]


@dataclass(frozen=True)
class Kind:
    """A kind of work. `bulk`: counted as one thing to do, however many rows it has (a register to tidy up)."""

    name: str
    title: Any
    urgency: Urgency
    icon: str
    roles: frozenset[Role]
    find: Find
    dated: bool = False
    bulk: bool = False


_kinds: dict[str, Kind] = {}


def task(
    name: str,
    title: Any,
    *,
    urgency: Urgency,
    icon: str,
    roles: Iterable[Role],
    dated: bool = False,
    bulk: bool = False,
) -> Callable[[Find], Find]:
    """Decorator: a room's kind of work, shown on the today pages of these roles in the order of registration."""

    def register(find: Find) -> Find:
        _kinds[name] = Kind(name, title, urgency, icon, frozenset(roles), find, dated, bulk)
        return find

    return register


def kinds(actor: Actor) -> list[Kind]:
    """The kinds of work that concern the actor, in the order of the groups and then of registration."""
    mine = [kind for kind in _kinds.values() if actor.has(*kind.roles)]
    return sorted(mine, key=lambda kind: list(Urgency).index(kind.urgency))


def kind_named(actor: Actor, name: str) -> Kind | None:
    """The kind, if it concerns the actor."""
    kind = _kinds.get(name)
    return kind if kind is not None and actor.has(*kind.roles) else None


def from_select(wanted: Select[T], render: Callable[[Sequence[T]], Iterable[Row]]) -> Found:
    """Rows of a select in its own order; counted and paged in SQL."""
    count = db.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0

    def page(limit: int, offset: int) -> list[Row]:
        return list(render(db.session.scalars(wanted.limit(limit).offset(offset)).unique().all())) if limit else []

    return Found(count, page)


def dated_from_select(wanted: Select[T], ends: Any, render: Callable[[Sequence[T]], Iterable[Row]]) -> Found:
    """Rows that end on the day in the column `ends`, soonest first."""
    key = wanted.column_descriptions[0]["entity"].id
    ordered = wanted.order_by(None).order_by(ends, key)
    found = db.session.execute(ordered.options().with_only_columns(ends, key, maintain_column_froms=True)).all()

    def page(limit: int, offset: int) -> list[Row]:
        ids = [one for _end, one in found[offset : offset + limit]]
        return list(render(db.session.scalars(ordered.where(key.in_(ids))).unique().all())) if ids else []

    return Found(len(found), page, [end for end, _one in found])


def from_list(items: Sequence[T], render: Callable[[Sequence[T]], Iterable[Row]]) -> Found:
    """Rows of things that are at hand already (ids, sums), rendered a page at a time."""
    return Found(len(items), lambda limit, offset: list(render(items[offset : offset + limit])))
