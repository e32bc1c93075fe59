"""Reading contracts, lines and their ledger."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import contains_eager, selectinload

from linkage.areas.models import Area
from linkage.contracts.capacity import Capacity, capacity_snapshot, cost_fen, month_days
from linkage.contracts.models import EFFECTS, Contract, ContractLine, LedgerEntry, LineMonth, LineService, PersonMonth
from linkage.contracts.words import STATES
from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.core.rulesets import rule
from linkage.organisations.models import Organisation
from linkage.people.identity import mask_name
from linkage.people.models import Person
from linkage.services.models import Service

PEOPLE_SHOWN = 50


def visible(actor: Actor) -> Select[Contract]:
    """The contracts that the actor may see."""
    return visible_rows(actor, Contract).join(Contract.organisation).options(contains_eager(Contract.organisation))


def visible_lines(actor: Actor) -> Select[ContractLine]:
    """The lines whose capacity the actor may see, with contract and organisation."""
    return (
        visible_rows(actor, ContractLine)
        .join(ContractLine.contract)
        .join(Contract.organisation)
        .options(
            contains_eager(ContractLine.contract).contains_eager(Contract.organisation),
            selectinload(ContractLine.services),
            selectinload(ContractLine.areas),
        )
    )


def get_contract(contract_id: uuid.UUID) -> Contract | None:
    return db.session.get(Contract, contract_id)


def get_line(line_id: uuid.UUID) -> ContractLine | None:
    return db.session.get(ContractLine, line_id)


def by_number(number: str) -> Contract | None:
    return db.session.scalars(select(Contract).where(Contract.number == number)).one_or_none()


def find_contracts(
    actor: Actor,
    now: datetime,
    today: date,
    *,
    text: str = "",
    organisation_id: uuid.UUID | None = None,
    state: str = "",
) -> Select[Contract]:
    """Contracts by number, title or organisation; `state`: running, future, ended, suspended or all ('')."""
    wanted = visible(actor)
    if text.strip():
        typed = text.strip()
        wanted = wanted.where(
            or_(
                Contract.number.contains(typed, autoescape=True),
                Contract.title.contains(typed, autoescape=True),
                Organisation.name.contains(typed, autoescape=True),
                Organisation.name_keys.contains("|" + typed.replace(" ", "").lower(), autoescape=True),
            )
        )
    if organisation_id is not None:
        wanted = wanted.where(Contract.organisation_id == organisation_id)
    ended = or_(Contract.ends_on < today, func.coalesce(Contract.terminated_at <= now, False))
    conditions = {
        "running": [~ended, Contract.starts_on <= today, Contract.suspended_at.is_(None)],
        "future": [~ended, Contract.starts_on > today, Contract.suspended_at.is_(None)],
        "suspended": [~ended, Contract.suspended_at.is_not(None)],
        "ended": [ended],
    }
    return wanted.where(*conditions.get(state, []))


def state_of(contract: Contract, now: datetime, today: date) -> str:
    """running, future, suspended or ended."""
    if contract.ends_on < today or (contract.terminated_at is not None and contract.terminated_at <= now):
        return "ended"
    if contract.suspended_at is not None:
        return "suspended"
    return "future" if contract.starts_on > today else "running"


def was_used(line_id: uuid.UUID) -> bool:
    used = exists().where(LedgerEntry.line_id == line_id, LedgerEntry.kind != "amend")
    return bool(db.session.scalar(select(used)))


def months_from(line_id: uuid.UUID, month: str) -> Sequence[LineMonth]:
    """The months from `month` on in which the line was drawn on."""
    wanted = select(LineMonth).where(LineMonth.line_id == line_id, LineMonth.month >= month)
    return db.session.scalars(wanted.order_by(LineMonth.month)).all()


@dataclass(frozen=True)
class LineView:
    """A line as its row shows it: names of services and areas, and its month."""

    line: ContractLine
    services: list[Service]
    areas: list[Area]
    capacity: Capacity
    percent: int
    state: str  # key of the "line" look


def line_views(lines: Sequence[ContractLine], month: str, today: date) -> list[LineView]:
    """The lines with their month, in the order given."""
    capacities = capacity_snapshot(lines, [month], by_person=False)
    ids = {row.service_id for line in lines for row in line.services}
    services = {row.id: row for row in db.session.scalars(select(Service).where(Service.id.in_(ids)))}
    area_ids = {row.area_id for line in lines for row in line.areas}
    areas = {row.id: row for row in db.session.scalars(select(Area).where(Area.id.in_(area_ids)))}
    limits = rule("contracts.warn_percent", today), rule("contracts.task_percent", today)
    return [
        LineView(
            line,
            sorted((services[row.service_id] for row in line.services), key=lambda one: one.position),
            sorted((areas[row.area_id] for row in line.areas), key=lambda one: one.code),
            capacity := capacities[line.id, month],
            percent_of(capacity),
            line_state(line, capacity, month, limits),
        )
        for line in lines
    ]


def percent_of(capacity: Capacity) -> int:
    """How much of the cap is used, rounded down, so that 100 means 100."""
    return 100 * capacity.used // capacity.cap if capacity.cap else 100


def line_state(line: ContractLine, capacity: Capacity, month: str, limits: tuple[int, int]) -> str:
    """How the line stands in `month`: ended, future, enough, tight (80 %), critical (95 %), used_up."""
    if f"{line.ends_on:%Y-%m}" < month:
        return "ended"
    if f"{line.starts_on:%Y-%m}" > month:
        return "future"
    percent = percent_of(capacity)
    if capacity.left <= 0:
        return "used_up"
    if percent >= limits[1]:
        return "critical"
    return "tight" if percent >= limits[0] else "enough"


def find_lines(
    actor: Actor, month: str, *, organisation_id: uuid.UUID | None = None, service_id: uuid.UUID | None = None
) -> Sequence[ContractLine]:
    """The lines that can be drawn on in a month, by organisation and place in their contract."""
    first, last = month_days(month)
    wanted = visible_lines(actor).where(
        ContractLine.starts_on <= last, ContractLine.ends_on >= first, Contract.terminated_at.is_(None)
    )
    if organisation_id is not None:
        wanted = wanted.where(ContractLine.organisation_id == organisation_id)
    if service_id is not None:
        wanted = wanted.where(
            ContractLine.id.in_(select(LineService.line_id).where(LineService.service_id == service_id))
        )
    order = (Organisation.name_keys, Contract.number, ContractLine.position, ContractLine.id)
    return db.session.scalars(wanted.order_by(*order)).unique().all()


def entries(
    line_id: uuid.UUID, month: str | None = None, state: str = "", visit_id: uuid.UUID | None = None
) -> Select[LedgerEntry]:
    """A line's entries, the latest first; `state`: only those that moved what is reserved, committed or delivered."""
    wanted = select(LedgerEntry).where(LedgerEntry.line_id == line_id)
    if month:
        wanted = wanted.where(LedgerEntry.month == month)
    if state in STATES:
        wanted = wanted.where(LedgerEntry.kind.in_(kind for kind in EFFECTS if EFFECTS[kind][STATES.index(state)]))
    if visit_id is not None:
        wanted = wanted.where(LedgerEntry.visit_id == visit_id)
    return wanted.order_by(LedgerEntry.id.desc())


def effect_on(entry: LedgerEntry, state: str) -> int:
    """What an entry added to (or took from) a state; the whole that is used where `state` is none of them."""
    effect = EFFECTS.get(entry.kind, (0, 0, 0))
    return entry.quantity * (effect[STATES.index(state)] if state in STATES else sum(effect))


def delivered_fen(lines: Iterable[ContractLine]) -> dict[uuid.UUID, int]:
    """What each line has delivered so far costs, in fen."""
    by_id = {line.id: line for line in lines}
    sums = (
        select(LineMonth.line_id, func.sum(LineMonth.delivered))
        .where(LineMonth.line_id.in_(by_id))
        .group_by(LineMonth.line_id)
    )
    found: Mapping[uuid.UUID, int] = {row[0]: int(row[1]) for row in db.session.execute(sums)}
    return {line_id: cost_fen(line, found.get(line_id, 0)) for line_id, line in by_id.items()}


def worst_states(views: Iterable[LineView]) -> dict[uuid.UUID, str]:
    """By contract: the state of the line that is used most this month."""
    urgency = ("used_up", "critical", "tight", "enough", "future", "ended")
    worst: dict[uuid.UUID, str] = {}
    for view in views:
        known = worst.get(view.line.contract_id, "ended")
        worst[view.line.contract_id] = min(known, view.state, key=urgency.index)
    return worst


def counts_by_state(views: Iterable[LineView]) -> dict[str, int]:
    return dict(Counter(view.state for view in views))


def months_of(contract: Contract, month: str) -> tuple[str | None, str | None]:
    """The months before and after `month` within the contract's dates; None beyond."""
    first, last = month_days(month)
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    return (
        f"{before:%Y-%m}" if before >= contract.starts_on else None,
        f"{after:%Y-%m}" if after <= contract.ends_on else None,
    )


def areas_of(line: ContractLine) -> Sequence[Area]:
    """The areas that a line serves."""
    wanted = select(Area).where(Area.id.in_(row.area_id for row in line.areas))
    return db.session.scalars(wanted.order_by(Area.code)).all()


@dataclass(frozen=True)
class PersonUse:
    """What one person used of a line in a month, and the quota."""

    name: str
    used: int
    quota: int | None


def people_named(line: ContractLine, month: str) -> list[PersonUse]:
    """Whom the line served in a month, masked (the ledger is read above the community), most first."""
    wanted = (
        select(Person.name, PersonMonth.used, PersonMonth.quota)
        .join(Person, Person.id == PersonMonth.person_id)
        .where(PersonMonth.line_id == line.id, PersonMonth.month == month, PersonMonth.used > 0)
        .order_by(PersonMonth.used.desc(), PersonMonth.id)
        .limit(PEOPLE_SHOWN)
    )
    return [PersonUse(mask_name(name), used, quota) for name, used, quota in db.session.execute(wanted)]
