"""Reading capacity: which lines fit a visit, in which order, and how much each has left.

A line fits by organisation, service, area, tags and day; of those that fit, the one with the lowest rank is
taken, lines for certain tags before lines for everybody, then by contract number and position.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import contains_eager, selectinload

from linkage.areas.models import Area
from linkage.contracts.models import EFFECTS, Contract, ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.core.extensions import db
from linkage.services.models import Service

LineKey = tuple[uuid.UUID, str]


def month_of(day: date) -> str:
    """The month a day is charged to: "2026-11"."""
    return f"{day:%Y-%m}"


def month_days(month: str) -> tuple[date, date]:
    """The first and the last day of a month "2026-11".  Raises ValueError."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def quantity_for(unit: str, minutes: int) -> int:
    """What one person's visit of `minutes` takes of a line in `unit`: its minutes, one visit, or one meal."""
    return minutes if unit == "minutes" else 1


def cost_fen(line: ContractLine, quantity: int) -> int:
    """The price of `quantity` in fen, half up (a line in minutes is priced per hour)."""
    return (quantity * line.price_fen + 30) // 60 if line.unit == "minutes" else quantity * line.price_fen


@dataclass(frozen=True)
class Capacity:
    """One line in one month, in the line's unit; `by_person` is what each person has used of it."""

    line_id: uuid.UUID
    month: str
    cap: int
    reserved: int = 0
    committed: int = 0
    delivered: int = 0
    quota: int | None = None
    by_person: Mapping[uuid.UUID, int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return self.reserved + self.committed + self.delivered

    @property
    def left(self) -> int:
        return self.cap - self.used

    def left_for(self, person_id: uuid.UUID | None) -> int:
        """What is left for this person: of the line, and of their quota where there is one."""
        if self.quota is None or person_id is None:
            return self.left
        return min(self.left, self.quota - self.by_person.get(person_id, 0))


def capacity_snapshot(
    lines: Iterable[ContractLine],
    months: Iterable[str],
    without_visits: Collection[uuid.UUID] = (),
    *,
    by_person: bool = True,
) -> dict[LineKey, Capacity]:
    """The capacity of each line in each month; a month without any entry yet has its line's cap.

    `without_visits`: visits whose minutes are counted as free, because they are about to be planned again.
    `by_person`: also what each person has used (a list of lines does not show it).
    """
    lines, months = list(lines), sorted(set(months))
    found = {(line.id, month): _fresh(line, month) for line in lines for month in months}
    ids = [line.id for line in lines]
    for row in db.session.scalars(select(LineMonth).where(LineMonth.line_id.in_(ids), LineMonth.month.in_(months))):
        found[row.line_id, row.month] = replace(
            found[row.line_id, row.month],
            cap=row.cap,
            reserved=row.reserved,
            committed=row.committed,
            delivered=row.delivered,
        )
    if by_person:
        found = _with_persons(found, ids, months)
    return _without(found, without_visits) if without_visits else found


def _with_persons(
    found: dict[LineKey, Capacity], ids: Collection[uuid.UUID], months: Collection[str]
) -> dict[LineKey, Capacity]:
    used: dict[LineKey, dict[uuid.UUID, int]] = defaultdict(dict)
    persons = select(PersonMonth).where(PersonMonth.line_id.in_(ids), PersonMonth.month.in_(months))
    for person in db.session.scalars(persons):
        used[person.line_id, person.month][person.person_id] = person.used
    return {key: replace(capacity, by_person=used.get(key, {})) for key, capacity in found.items()}


def _fresh(line: ContractLine, month: str) -> Capacity:
    return Capacity(line.id, month, cap=line.monthly_cap, quota=line.monthly_quota)


def _without(found: dict[LineKey, Capacity], visits: Collection[uuid.UUID]) -> dict[LineKey, Capacity]:
    """Give back what the entries of `visits` still hold as reserved or committed."""
    wanted = list(visits)
    for start in range(0, len(wanted), 500):
        held = (
            select(LedgerEntry.line_id, LedgerEntry.month, LedgerEntry.person_id, held_sum(0), held_sum(1))
            .where(LedgerEntry.visit_id.in_(wanted[start : start + 500]))
            .group_by(LedgerEntry.line_id, LedgerEntry.month, LedgerEntry.person_id)
        )
        for line_id, month, person_id, reserved, committed in db.session.execute(held):
            capacity = found.get((line_id, month))
            if capacity is not None:
                persons = dict(capacity.by_person)
                if person_id is not None:
                    persons[person_id] = persons.get(person_id, 0) - reserved - committed
                found[line_id, month] = replace(
                    capacity,
                    reserved=capacity.reserved - reserved,
                    committed=capacity.committed - committed,
                    by_person=persons,
                )
    return found


def held_sum(state: int) -> ColumnElement[int]:
    """SQL: what the entries add up to in a state (0 reserved, 1 committed, 2 delivered)."""
    signed = [(LedgerEntry.kind == kind, LedgerEntry.quantity * effect[state]) for kind, effect in EFFECTS.items()]
    return func.coalesce(func.sum(case(*signed, else_=0)), 0)


def remaining(line: ContractLine, month: str) -> int:
    """What the line has left in the month, in its unit."""
    return capacity_snapshot([line], [month])[line.id, month].left


@dataclass(frozen=True)
class _Entry:
    line: ContractLine
    services: frozenset[uuid.UUID]
    paths: tuple[str, ...]
    tags: frozenset[str]
    order: tuple[int, int, str, int, str]


class LineBook:
    """The lines that may be drawn on from `first` to `last`, read once, for many visits."""

    def __init__(self, first: date, last: date) -> None:
        lines = list(db.session.scalars(_open_lines(first, last)).unique())
        areas = {row.area_id for line in lines for row in line.areas}
        found = db.session.scalars(select(Area).where(Area.id.in_(areas)))
        paths = {area.id: area.path for area in found}
        self.entries = sorted((_entry(line, paths) for line in lines), key=lambda entry: entry.order)

    @property
    def lines(self) -> list[ContractLine]:
        return [entry.line for entry in self.entries]

    def candidates(
        self,
        service_id: uuid.UUID,
        area_path: str,
        tags: Collection[str],
        day: date,
        organisation_id: uuid.UUID | None = None,
    ) -> list[ContractLine]:
        """The lines that fit, best first. `tags`: those of the household and the person on `day`."""
        return [
            entry.line
            for entry in self.entries
            if service_id in entry.services
            and (organisation_id is None or entry.line.organisation_id == organisation_id)
            and entry.line.starts_on <= day <= entry.line.ends_on
            and area_path.startswith(entry.paths)
            and (not entry.tags or not entry.tags.isdisjoint(tags))
        ]


def _open_lines(first: date, last: date) -> Select[ContractLine]:
    return (
        select(ContractLine)
        .join(ContractLine.contract)
        .options(
            contains_eager(ContractLine.contract),
            selectinload(ContractLine.services),
            selectinload(ContractLine.areas),
        )
        .where(
            ContractLine.starts_on <= last,
            ContractLine.ends_on >= first,
            Contract.suspended_at.is_(None),
            Contract.terminated_at.is_(None),
        )
    )


def _entry(line: ContractLine, paths: Mapping[int, str]) -> _Entry:
    return _Entry(
        line,
        frozenset(row.service_id for row in line.services),
        tuple(paths[row.area_id] for row in line.areas),
        frozenset(line.eligible_tags),
        (line.rank, 0 if line.eligible_tags else 1, line.contract.number, line.position, str(line.id)),
    )


def choose_line(
    service: Service,
    area: Area,
    tags: Collection[str],
    day: date,
    organisation_id: uuid.UUID | None = None,
    *,
    quantity: int = 0,
    person_id: uuid.UUID | None = None,
) -> ContractLine | None:
    """The one line that a visit is charged to: the first that fits and has `quantity` left; None where none has."""
    month = month_of(day)
    fitting = LineBook(day, day).candidates(service.id, area.path, tags, day, organisation_id)
    if not quantity:
        return fitting[0] if fitting else None
    capacities = capacity_snapshot(fitting, [month])
    return next((line for line in fitting if capacities[line.id, month].left_for(person_id) >= quantity), None)
