"""Contract lines, budgets and quotas of a snapshot."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import selectinload

import matching.instance as m
from linkage.areas.models import Area
from linkage.contracts.models import ContractLine, LineMonth, PersonMonth
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.households.models import Tag
from linkage.planning.demand import Demand, ServiceFacts
from linkage.planning.horizon import Horizon, where_in
from linkage.planning.sites import Sites
from linkage.visits.models import Visit


class Cover(NamedTuple):
    """Where a line applies: below which areas, to which tags (empty: all), for which services."""

    paths: tuple[str, ...]
    tags: frozenset[str]
    services: frozenset[uuid.UUID]


class Capacity:
    """The lines in force in the horizon that cover the planning area or a part of it, in the order of their rank."""

    def __init__(self, area: Area, horizon: Horizon, sites: Sites, demand: Demand) -> None:
        self.horizon, self.areas, self.demand = horizon, sites.areas, demand
        rows = db.session.scalars(
            select(ContractLine)
            .where(ContractLine.starts_on <= horizon.last, ContractLine.ends_on >= horizon.first)
            .options(
                selectinload(ContractLine.services),
                selectinload(ContractLine.areas),
                selectinload(ContractLine.contract),
            )
            .order_by(ContractLine.rank, ContractLine.created_at, ContractLine.id)
        )
        self.lines = [row for row in rows if _in_force(row) and self._touches(row, area.path)]
        self.covers = [self._cover(row) for row in self.lines]
        self.months = self._read(LineMonth)
        # By household and, for what entitles one person only (单人保), that person; support tapers after a tag's end.
        self.tags: dict[tuple[uuid.UUID, uuid.UUID | None], set[str]] = defaultdict(set)
        ended = horizon.first - timedelta(days=rule("households.taper_days", horizon.first))
        wanted = {row.household_id for row in demand.rows} | ({demand.included} if demand.included else set())
        for tag in where_in(Tag, Tag.household_id, wanted):
            if tag.valid_from <= horizon.first and (tag.valid_to is None or tag.valid_to >= ended):
                self.tags[tag.household_id, tag.person_id].add(tag.tag)

    def _read(self, model: type[LineMonth]) -> dict[tuple[uuid.UUID, str], LineMonth]:
        wanted = [month for month, _, _ in self.horizon.months()]
        rows = where_in(model, model.line_id, [row.id for row in self.lines], model.month.in_(wanted))
        return {(row.line_id, row.month): row for row in rows}

    def _touches(self, line: ContractLine, path: str) -> bool:
        paths = [self.areas[row.area_id].path for row in line.areas]
        return any(path.startswith(other) or other.startswith(path) for other in paths)

    def organisations(self, also: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        ordered = sorted({row.organisation_id for row in self.lines} | set(also), key=str)
        return {organisation_id: f"o{number}" for number, organisation_id in enumerate(ordered)}

    def _cover(self, line: ContractLine) -> Cover:
        paths = tuple(self.areas[row.area_id].path for row in line.areas)
        return Cover(paths, frozenset(line.eligible_tags), frozenset(row.service_id for row in line.services))

    def of_visit(self, visit: Visit, service: ServiceFacts) -> Iterable[str]:
        """The lines that may pay for a visit, in order: they cover the area, the service and the household's tags."""
        path = self.areas[visit.area_id].path
        tags = self.tags[visit.household_id, None] | self.tags[visit.household_id, visit.person_id]
        for number, cover in enumerate(self.covers):
            entitled = not cover.tags or bool(tags & cover.tags)
            if entitled and service.id in cover.services and path.startswith(cover.paths):
                yield f"l{number}"

    def to_lines(self, organisations: dict[uuid.UUID, str]) -> tuple[m.ContractLine, ...]:
        return tuple(
            m.ContractLine(
                id=f"l{number}",
                organisation_id=organisations[row.organisation_id],
                service_ids=tuple(f"s-{self.demand.services[s.service_id].code}" for s in row.services),
                first_day=self.horizon.day_index(row.starts_on),
                last_day=self.horizon.day_index(row.ends_on),
                unit=m.Unit(row.unit),
                # The contract prices minutes by the hour; the engine counts whole fen per unit.
                price_fen=round(row.price_fen / 60) if row.unit == "minutes" else row.price_fen,
            )
            for number, row in enumerate(self.lines)
        )

    def to_budgets(self) -> Iterable[m.Budget]:
        for number, line in enumerate(self.lines):
            for month, first, last in self.horizon.months():
                row = self.months.get((line.id, month))
                used = row.reserved + row.committed + row.delivered if row else 0
                yield m.Budget(
                    id=f"b{number}-{month}",
                    line_id=f"l{number}",
                    first_day=self.horizon.day_index(first),
                    last_day=self.horizon.day_index(last),
                    cap=row.cap if row else line.monthly_cap,
                    unit=m.Unit(line.unit),
                    used=max(0, used - self.demand.own_charge(line.id, month)),
                )

    def to_quotas(self) -> Iterable[m.Quota]:
        for number, line in enumerate(self.lines):
            if line.monthly_quota is None:
                continue
            for month, first, last in self.horizon.months():
                used = self._used(line, month)
                for person_id, recipient in self.demand.recipients.keys.items():
                    yield m.Quota(
                        id=f"q{number}-{month}-{recipient}",
                        person_id=f"r{recipient}",
                        first_day=self.horizon.day_index(first),
                        last_day=self.horizon.day_index(last),
                        cap=line.monthly_quota,
                        line_id=f"l{number}",
                        unit=m.Unit(line.unit),
                        used=max(0, used[person_id] - self.demand.own_charge(line.id, month, person_id)),
                    )

    @staticmethod
    def _used(line: ContractLine, month: str) -> dict[uuid.UUID, int]:
        rows = db.session.scalars(select(PersonMonth).where(PersonMonth.line_id == line.id, PersonMonth.month == month))
        return defaultdict(int, {row.person_id: row.used for row in rows})


def _in_force(line: ContractLine) -> bool:
    return line.contract.suspended_at is None and line.contract.terminated_at is None
