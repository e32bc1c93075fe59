"""The days planned at once, the way back from surrogate ids, and small helpers that the snapshot's parts share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.rulesets import rule

DAY = 1440  # minutes


@dataclass(frozen=True)
class Horizon:
    """The days that are planned at once, first..last, and the moment of the snapshot."""

    first: date
    last: date
    now: datetime
    _rules: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        return clock.at_minutes(self.first, 0)

    @property
    def ends(self) -> datetime:
        return clock.at_minutes(self.last, DAY)

    def minute(self, moment: datetime) -> int:
        """Minutes from local midnight of the first day (may be negative)."""
        return clock.minutes_of_day(moment, self.first)

    def moment(self, minute: float) -> datetime:
        return clock.at_minutes(self.first, round(minute))

    def day_index(self, day: date) -> int:
        return (day - self.first).days

    def rule(self, name: str) -> Any:
        """The rule's value on the first day, read once."""
        if name not in self._rules:
            self._rules[name] = rule(name, self.first)
        return self._rules[name]

    def months(self) -> list[tuple[str, date, date]]:
        """The months that the horizon touches: ("2026-11", first day within, last day within)."""
        parts, start = [], self.first
        while start <= self.last:
            next_month = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
            end = min(self.last, next_month - timedelta(days=1))
            parts.append((start.strftime("%Y-%m"), start, end))
            start = next_month
        return parts


@dataclass
class Names:
    """Surrogate → real: the number in a surrogate id ("v12", "c3", "l0") is an index into these lists."""

    visits: list[uuid.UUID] = field(default_factory=list)
    people: list[uuid.UUID] = field(default_factory=list)
    lines: list[uuid.UUID] = field(default_factory=list)

    def to_json(self) -> dict[str, list[str]]:
        return {kind: [str(value) for value in getattr(self, kind)] for kind in ("visits", "people", "lines")}

    @classmethod
    def from_json(cls, stored: dict[str, list[str]]) -> Names:
        return cls(**{kind: [uuid.UUID(value) for value in values] for kind, values in stored.items()})

    def visit(self, surrogate: str) -> uuid.UUID:
        return self.visits[int(surrogate[1:])]

    def person(self, surrogate: str) -> uuid.UUID:
        return self.people[int(surrogate[1:])]

    def line(self, surrogate: str | None) -> uuid.UUID | None:
        return self.lines[int(surrogate[1:])] if surrogate else None


class Numbers:
    """Surrogate numbers in order of first use: ``numbers.of(key)``."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.keys = prefix, dict[Any, int]()

    def of(self, key: Any) -> str:
        return f"{self.prefix}{self.keys.setdefault(key, len(self.keys))}"


def where_in(model: Any, column: Any, values: Iterable[Any], *conditions: Any) -> Iterable[Any]:
    """Rows whose column is one of many values, 500 at a time (databases limit the number of parameters)."""
    ordered = sorted(values, key=str)
    for start in range(0, len(ordered), 500):
        yield from db.session.scalars(select(model).where(column.in_(ordered[start : start + 500]), *conditions))
