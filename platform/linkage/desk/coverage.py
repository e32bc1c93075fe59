"""Where is someone left without help? Visits by street, community and state; worst first (兜底覆盖)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.visits import queries, status
from linkage.visits.status import Status

# Columns of the table: the filter of the list of visits that shows the same rows.
COLUMNS = ("trouble", "open", "half", "late", "missed", "unmet", "asked", "done", "confirmed")


@dataclass
class Line:
    """One community (or a street's sum): how many visits are in each state."""

    area: Area
    states: dict[str, int] = field(default_factory=dict)

    @property
    def visits(self) -> int:
        return sum(number for state, number in self.states.items() if state != Status.CANCELLED)

    @property
    def trouble(self) -> int:
        """Nobody yet, one of two missing, late, nobody came, or gone by without anyone."""
        return sum(self.states.get(state.value, 0) for state in status.TROUBLE)

    def number(self, column: str) -> int:
        return self.trouble if column == "trouble" else self.states.get(column, 0)

    def add(self, states: dict[str, int]) -> None:
        for state, number in states.items():
            self.states[state] = self.states.get(state, 0) + number


@dataclass
class Street:
    """A street with its communities, worst first. `most`: so many of them are shown at once; None: all."""

    total: Line
    communities: list[Line]
    most: int | None = None

    @property
    def shown(self) -> list[Line]:
        return self.communities[: self.most]

    @property
    def left_out(self) -> int:
        return len(self.communities) - len(self.shown)


MANY_STREETS, SHOWN_OF_MANY = 6, 3  # of a whole city or district each street shows its worst communities at first


def table(actor: Actor, first: date, last: date, now: datetime, street_id: int | None = None) -> list[Street]:
    """Streets and their communities by trouble, then by number of visits; areas without a visit are left out.

    `street_id`: that street alone, with all of its communities.
    """
    counts = queries.counts(actor, first, last, now)
    areas = {area.id: area for area in db.session.scalars(select(Area).where(Area.id.in_(counts)))}
    lines: dict[int, Line] = {}
    for area_id, states in counts.items():
        community = _up(areas[area_id], "community")
        lines.setdefault(community.id, Line(community)).add(states)
    streets: dict[int, Street] = {}
    for line in lines.values():
        street = _up(line.area, "street")
        found = streets.setdefault(street.id, Street(Line(street), []))
        found.total.add(line.states)
        found.communities.append(line)
    for street_row in streets.values():
        street_row.communities.sort(key=_worst)
    found_streets = [one for one in streets.values() if street_id in (None, one.total.area.id)]
    for one in found_streets:
        one.most = SHOWN_OF_MANY if len(found_streets) > MANY_STREETS else None
    return sorted(found_streets, key=lambda one: _worst(one.total))


def _worst(line: Line) -> tuple[int, int, str]:
    return -line.trouble, -line.visits, line.area.code


def _up(area: Area, level: str) -> Area:
    """The area of this level at or around `area`; `area` itself where there is none."""
    around: Area | None = area
    while around is not None and around.level != level:
        around = around.parent
    return around or area
