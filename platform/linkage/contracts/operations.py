"""Entering contracts by hand, changing their lines, suspending and ending them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.areas.models import Area
from linkage.contracts import ledger, queries
from linkage.contracts.capacity import month_of
from linkage.contracts.models import Contract, ContractLine, LineArea, LineService
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.households.models import TAGS
from linkage.organisations.models import Organisation
from linkage.services.models import UNITS, Service


@dataclass(frozen=True)
class LineDraft:
    """One line: cap and quota in its unit (minutes, visits, meals); price in fen a unit (minutes: an hour)."""

    services: tuple[uuid.UUID, ...]
    areas: tuple[int, ...]
    unit: str
    price_fen: int
    monthly_cap: int
    starts_on: date
    ends_on: date
    name: str = ""
    eligible_tags: tuple[str, ...] = ()
    monthly_quota: int | None = None
    rank: int = 0


@dataclass(frozen=True)
class ContractDraft:
    """The head of a contract; money in fen."""

    organisation_id: uuid.UUID
    number: str
    title: str
    buyer_area_id: int
    signed_on: date
    starts_on: date
    ends_on: date
    value_fen: int


class LineFault(InvalidInput):
    """What is wrong in one line of several; `place`: which, from 0."""

    place = 0


def enter_contract(draft: ContractDraft, lines: Sequence[LineDraft], *, by: Actor, now: datetime) -> Contract:
    """Enter a signed contract with its lines.

    Raises
    ------
    InvalidInput
        with each field that is wrong; LineFault where it stands in a line
    NotAllowed
        the buying area lies outside of the actor's
    """
    _check_contract(draft, by)
    if queries.by_number(draft.number) is not None:
        raise InvalidInput(_l("A contract with this number is entered already."), field="number")
    if not lines:
        raise InvalidInput(_l("A contract has at least one line."), field="lines")
    buyer = db.session.get(Area, draft.buyer_area_id)
    if buyer is None or not may(by, "contracts.enter", buyer):
        raise NotAllowed("", remedy="contracts.enter")
    contract = Contract(**vars(draft), suspended_at=None, terminated_at=None, created_at=now)
    db.session.add(contract)
    db.session.flush()
    for place, line in enumerate(lines):
        try:
            _add(contract, line, place, by, now)
        except InvalidInput as error:
            fault = LineFault(error.message, field=error.field, remedy=error.remedy, errors=error.errors)
            fault.place = place
            raise fault from error
    db.session.flush()
    audit.record("contracts.enter", contract, by=by.user_id, now=now, lines=len(lines))
    return contract


def _check_contract(draft: ContractDraft, by: Actor) -> None:
    if draft.ends_on < draft.starts_on:
        raise InvalidInput(_l("The last day lies before the first."), field="ends_on")
    organisation = db.session.get(Organisation, draft.organisation_id)
    if organisation is None or organisation.closed_on is not None or not may(by, "organisations.see", organisation):
        raise InvalidInput(_l("This organisation is not known."), field="organisation_id")


def change_contract(
    contract: Contract,
    *,
    title: str,
    signed_on: date,
    ends_on: date,
    value_fen: int,
    row_version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Change title, date of signing, end and value.  Raises StaleVersion, InvalidInput."""
    _same_version(contract, row_version)
    if ends_on < max([contract.starts_on, *(line.ends_on for line in contract.lines)]):
        raise InvalidInput(_l("A line goes on after that day: change its last day first."), field="ends_on")
    values = {"title": title, "signed_on": signed_on, "ends_on": ends_on, "value_fen": value_fen}
    changed = [name for name, value in values.items() if getattr(contract, name) != value]
    for name in changed:
        setattr(contract, name, values[name])
    if changed:
        contract.row_version += 1
        audit.record("contracts.change", contract, by=by.user_id, now=now, fields=changed)


def add_line(contract: Contract, draft: LineDraft, *, by: Actor, now: datetime) -> ContractLine:
    """One more line of a contract that goes on.  Raises InvalidInput, Conflict."""
    _must_go_on(contract, now)
    place = max((line.position for line in contract.lines), default=-1) + 1
    line = _add(contract, draft, place, by, now)
    db.session.flush()
    audit.record("contracts.add_line", line, by=by.user_id, now=now, contract_id=contract.id)
    return line


def _add(contract: Contract, draft: LineDraft, place: int, by: Actor, now: datetime) -> ContractLine:
    services = check_line(contract, draft, by)
    line = ContractLine(
        organisation_id=contract.organisation_id,
        position=place,
        name=draft.name or "+".join(service.name_zh for service in services)[:80],
        unit=draft.unit,
        price_fen=draft.price_fen,
        starts_on=draft.starts_on,
        ends_on=draft.ends_on,
        monthly_cap=draft.monthly_cap,
        eligible_tags=list(draft.eligible_tags),
        monthly_quota=draft.monthly_quota,
        rank=draft.rank,
        created_at=now,
        services=[LineService(service_id=service.id) for service in services],
        areas=[LineArea(area_id=area_id) for area_id in dict.fromkeys(draft.areas)],
    )
    contract.lines.append(line)
    return line


def check_line(contract: Contract, draft: LineDraft, by: Actor, known: Collection[int] = ()) -> list[Service]:
    """The line's services, or InvalidInput with every fault.

    It may serve where the actor enters contracts, and where it has served (`known`).
    """
    faults: dict[str, list[Any]] = {}
    services = [service for key in dict.fromkeys(draft.services) if (service := db.session.get(Service, key))]
    if not services:
        faults["services"] = [_l("Choose at least one service.")]
    elif draft.unit not in UNITS or any(service.unit != draft.unit for service in services):
        faults["unit"] = [_l("These services are charged in another unit: put them on a line of their own.")]
    if not draft.areas or not all(_may_serve(area_id, by) for area_id in draft.areas if area_id not in known):
        faults["areas"] = [_l("Choose at least one area.")]
    if draft.ends_on < draft.starts_on:
        faults["ends_on"] = [_l("The last day lies before the first.")]
    elif draft.starts_on < contract.starts_on or draft.ends_on > contract.ends_on:
        faults["starts_on"] = [_l("The line must lie within the contract's dates.")]
    if draft.price_fen < 0:
        faults["price"] = [_l("The price cannot be below 0.")]
    if draft.monthly_cap <= 0:
        faults["cap"] = [_l("The cap must be above 0.")]
    elif draft.monthly_quota is not None and not 0 < draft.monthly_quota <= draft.monthly_cap:
        faults["quota"] = [_l("The quota of a person lies between 0 and the cap.")]
    if not set(draft.eligible_tags) <= set(TAGS):
        faults["tags"] = [_l("This tag is not known.")]
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)
    return services


def _may_serve(area_id: int, by: Actor) -> bool:
    area = db.session.get(Area, area_id)
    return area is not None and may(by, "contracts.enter", area)


def change_line(line: ContractLine, draft: LineDraft, *, row_version: int, by: Actor, now: datetime) -> None:
    """Change a line: cap and quota from this month on (months past keep theirs), the rest for new visits.

    Raises
    ------
    StaleVersion, InvalidInput
        as `add_line`; the unit of a line that was used cannot change
    CapacityConflict
        a month that is already used beyond the new cap
    """
    _same_version(line, row_version)
    services = check_line(line.contract, draft, by, [row.area_id for row in line.areas])
    if draft.unit != line.unit and queries.was_used(line.id):
        raise InvalidInput(_l("The line was used already: its unit stays."), field="unit")
    changed = _changed(line, draft, services)
    if not changed:
        return
    this_month = month_of(local_date(now))
    for row in queries.months_from(line.id, this_month):
        ledger.amend_cap(line, row.month, draft.monthly_cap, by=by, now=now)
        ledger.amend_quota(line, row.month, draft.monthly_quota)
    _cover(line, {service.id for service in services}, set(draft.areas))
    for name in ("unit", "price_fen", "starts_on", "ends_on", "monthly_cap", "monthly_quota", "rank"):
        setattr(line, name, getattr(draft, name))
    line.name = draft.name or line.name
    line.eligible_tags = list(draft.eligible_tags)
    line.row_version += 1
    audit.record("contracts.change_line", line, by=by.user_id, now=now, fields=changed)


def _cover(line: ContractLine, services: set[uuid.UUID], areas: set[int]) -> None:
    """Make the line's services and areas these; rows that stay are kept (their pairs are unique)."""
    kept = [row for row in line.services if row.service_id in services]
    missing = services - {row.service_id for row in kept}
    line.services = kept + [LineService(service_id=service_id) for service_id in sorted(missing)]
    held = [row for row in line.areas if row.area_id in areas]
    line.areas = held + [LineArea(area_id=area_id) for area_id in sorted(areas - {row.area_id for row in held})]


def _changed(line: ContractLine, draft: LineDraft, services: Sequence[Service]) -> list[str]:
    plain = ("unit", "price_fen", "starts_on", "ends_on", "monthly_cap", "monthly_quota", "rank")
    changed = [name for name in plain if getattr(line, name) != getattr(draft, name)]
    if draft.name and draft.name != line.name:
        changed.append("name")
    if set(line.eligible_tags) != set(draft.eligible_tags):
        changed.append("tags")
    if {row.service_id for row in line.services} != {service.id for service in services}:
        changed.append("services")
    if {row.area_id for row in line.areas} != set(draft.areas):
        changed.append("areas")
    return changed


def suspend(contract: Contract, *, by: Actor, now: datetime) -> None:
    """Nothing new is booked on the contract until it is resumed; what is booked stays.  Raises Conflict."""
    _must_go_on(contract, now)
    if contract.suspended_at is not None:
        raise Conflict(_l("This contract is suspended already."))
    contract.suspended_at = now
    contract.row_version += 1
    audit.record("contracts.suspend", contract, by=by.user_id, now=now)


def resume(contract: Contract, *, by: Actor, now: datetime) -> None:
    """A suspended contract goes on.  Raises Conflict."""
    _must_go_on(contract, now)
    if contract.suspended_at is None:
        raise Conflict(_l("This contract is not suspended."))
    contract.suspended_at = None
    contract.row_version += 1
    audit.record("contracts.resume", contract, by=by.user_id, now=now)


def terminate(contract: Contract, *, by: Actor, now: datetime) -> None:
    """The contract ends before its time: nothing new is booked on it, for good.  Raises Conflict."""
    _must_go_on(contract, now)
    contract.terminated_at = now
    contract.row_version += 1
    audit.record("contracts.terminate", contract, by=by.user_id, now=now)


def _must_go_on(contract: Contract, now: datetime) -> None:
    if contract.terminated_at is not None or contract.ends_on < local_date(now):
        raise Conflict(_l("This contract has ended."))


def _same_version(row: Contract | ContractLine, row_version: int) -> None:
    if row.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this contract in the meantime."))
