"""Moving capacity: reserve, commit, deliver and back. A conditional UPDATE decides, never a read before a write.

Each movement changes the guarded sums of the line's month and of the person's month, then appends its entry.
Rows are locked in one order: the line's month, then the person's; who moves many lines in one transaction calls
`lock_months` first. Reserved (the fallback behind an asked volunteer), committed (a booked paid visit) and
delivered are disjoint states of the same minutes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Update, bindparam, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from linkage.contracts.capacity import held_sum, month_of, remaining
from linkage.contracts.models import EFFECTS, SUMMARY, Contract, ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.contracts.words import month_name
from linkage.contracts.words import quantity as in_words
from linkage.core import audit
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.permissions import Actor


class CapacityConflict(Conflict):
    """A movement that does not fit.

    `reason`: "cap" (the line's month is full), "quota" (the person's), "closed" (contract suspended, ended or
    not begun), "not-held" (nothing of that kind to give back). `left`, `asked`: in the line's unit.
    """

    def __init__(self, message: str, *, reason: str, line_id: uuid.UUID, month: str, asked: int, left: int) -> None:
        super().__init__(message)
        self.reason, self.line_id, self.month, self.asked, self.left = reason, line_id, month, asked, left


@dataclass(frozen=True)
class Charge:
    """What one slot of one visit takes of a line, in the line's unit (> 0), on behalf of the person helped.

    `summary`: what the ledger's page shows of the visit (keys of `models.SUMMARY`; no names).
    """

    line_id: uuid.UUID
    day: date
    quantity: int
    person_id: uuid.UUID
    visit_id: uuid.UUID | None = None
    slot_id: uuid.UUID | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)

    @property
    def month(self) -> str:
        return month_of(self.day)


def reserve(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Hold minutes for a fallback behind an asked volunteer.  Raises CapacityConflict."""
    return _take("reserve", charge, by, now)


def unreserve(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Give back what was reserved for the slot."""
    return _move("unreserve", charge, charge.quantity, by, now)


def commit(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Bind minutes to a booked paid visit.  Raises CapacityConflict."""
    return _take("commit", charge, by, now)


def commit_reserved(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Turn the reservation of the slot into a commitment (the fallback is booked)."""
    _open_line(charge, now)
    _move("unreserve", charge, charge.quantity, by, now)
    return _move("commit", charge, charge.quantity, by, now)


def uncommit(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Give back what was committed for the slot."""
    return _move("uncommit", charge, charge.quantity, by, now)


def deliver(charge: Charge, *, by: Actor | None, now: datetime, delivered: int | None = None) -> LedgerEntry | None:
    """The committed visit took place; of its commitment `delivered` (None: all, 0: nothing) was given.

    What was not given is free again; more than was committed is committed first and must fit.
    Returns the delivery's entry, None where nothing was delivered.  Raises CapacityConflict.
    """
    given = charge.quantity if delivered is None else delivered
    if given > charge.quantity:
        _move("commit", charge, given - charge.quantity, by, now)
    elif given < charge.quantity:
        _move("uncommit", charge, charge.quantity - given, by, now)
    return _move("deliver", charge, given, by, now) if given else None


def undeliver(charge: Charge, *, by: Actor | None, now: datetime) -> LedgerEntry:
    """Take a delivery back to committed: a correction in good faith; both entries stay."""
    return _move("undeliver", charge, charge.quantity, by, now)


def amend_cap(line: ContractLine, month: str, cap: int, *, by: Actor, now: datetime) -> LedgerEntry | None:
    """Give the line another cap in a month.  Raises CapacityConflict where more than `cap` is already used."""
    row = line_month(line, month)
    if row.cap == cap:
        return None
    used = LineMonth.reserved + LineMonth.committed + LineMonth.delivered
    changed = (
        update(LineMonth)
        .where(LineMonth.id == row.id, used <= cap)
        .values(cap=cap)
        .returning(LineMonth.id)
        .execution_options(synchronize_session="fetch")
    )
    was = row.cap
    if db.session.execute(changed).scalar_one_or_none() is None:
        taken = remaining(line, month)
        message = _(
            "%(used)s are already used in %(month)s; the cap cannot be lower.",
            used=in_words(was - taken, line.unit),
            month=month_name(month),
        )
        raise CapacityConflict(message, reason="cap", line_id=line.id, month=month, asked=cap, left=taken)
    entry = LedgerEntry(
        line_id=line.id, month=month, kind="amend", quantity=abs(cap - was), person_id=None, visit_id=None,
        slot_id=None, summary={"from": was, "to": cap}, at=now, by=by.user_id,
    )  # fmt: skip
    db.session.add(entry)
    audit.record("contracts.amend", line, by=by.user_id, now=now, month=month, cap=cap)
    return entry


def amend_quota(line: ContractLine, month: str, quota: int | None) -> None:
    """Give every person's row of a month the line's new quota; who has used more keeps what was used, not more."""
    db.session.execute(
        update(PersonMonth)
        .where(PersonMonth.line_id == line.id, PersonMonth.month == month)
        .values(quota=None if quota is None else _greatest(PersonMonth.used, quota))
        .execution_options(synchronize_session=False)
    )


def _greatest(column: Any, value: int) -> Any:
    return case((column > value, column), else_=value)  # SQLite has no GREATEST


def line_month(line: ContractLine, month: str) -> LineMonth:
    """The guarded row of a line's month, made on first use with the line's cap; the first of two racers makes it."""
    wanted = select(LineMonth).where(LineMonth.line_id == line.id, LineMonth.month == month)
    row = db.session.scalars(wanted).one_or_none()
    if row is None:
        _insert_once(
            LineMonth, line_id=line.id, month=month, cap=line.monthly_cap, reserved=0, committed=0, delivered=0
        )
        row = db.session.scalars(wanted).one()
    return row


def lock_months(wanted: Iterable[tuple[ContractLine, str]]) -> None:
    """Make and lock the months of many lines in the order of their ids, before a transaction moves them."""
    pairs = sorted({(str(line.id), month): line for line, month in wanted}.items())
    ids = sorted((line_month(line, month).id for (_id, month), line in pairs), key=str)
    for start in range(0, len(ids), 500):
        part = select(LineMonth.id).where(LineMonth.id.in_(ids[start : start + 500]))
        db.session.execute(part.order_by(LineMonth.id).with_for_update())


def _insert_once(model: type, **values: Any) -> None:
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(model).values(id=uuid.uuid4(), **values).on_conflict_do_nothing()
    db.session.execute(fresh)


def _take(kind: str, charge: Charge, by: Actor | None, now: datetime) -> LedgerEntry:
    _open_line(charge, now)
    return _move(kind, charge, charge.quantity, by, now)


def _open_line(charge: Charge, now: datetime) -> None:
    found = db.session.execute(LINE_STATE, {"line": charge.line_id}).one_or_none()
    if found is None:
        raise ValueError(f"no contract line {charge.line_id}")
    starts_on, ends_on, suspended_at, terminated_at = found
    ended = suspended_at is not None or (terminated_at is not None and terminated_at <= now)
    if ended or not starts_on <= charge.day <= ends_on:
        message = _("The contract line “%(line)s” cannot be drawn on at this date.", line=_line(charge).name)
        raise CapacityConflict(
            message, reason="closed", line_id=charge.line_id, month=charge.month, asked=charge.quantity, left=0
        )


def _line(charge: Charge) -> ContractLine:
    return db.session.get_one(ContractLine, charge.line_id)


def _move(kind: str, charge: Charge, quantity: int, by: Actor | None, now: datetime) -> LedgerEntry:
    if quantity <= 0 or not SUMMARY.issuperset(charge.summary):
        raise ValueError("a movement has a quantity above 0, and a summary without names")
    effect = EFFECTS[kind]
    with db.session.no_autoflush:  # earlier entries may wait: the sums do not read them
        _shift_line(charge, [sign * quantity for sign in effect])
        _shift_person(charge, sum(effect) * quantity)
    _demand_held(charge, effect, quantity)
    entry = LedgerEntry(
        line_id=charge.line_id, month=charge.month, kind=kind, quantity=quantity, person_id=charge.person_id,
        visit_id=charge.visit_id, slot_id=charge.slot_id, summary=dict(charge.summary), at=now,
        by=by.user_id if by else None,
    )  # fmt: skip
    db.session.add(entry)
    subject = ("contract_lines", charge.line_id)
    audit.record(
        f"contracts.{kind}", subject, by=entry.by, now=now, month=charge.month, quantity=quantity, slot=charge.slot_id
    )
    return entry


def _moved(change: Update, values: dict[str, Any], model: type) -> bool:
    """Carry out a conditional UPDATE; whether its condition held. A loaded row is read again when next asked for."""
    row_id = db.session.execute(change, values).scalar_one_or_none()
    if row_id is None:
        return False
    loaded = db.session.identity_map.get(db.session.identity_key(model, row_id))
    if loaded is not None:
        db.session.expire(loaded)
    return True


def _shift_line(charge: Charge, deltas: list[int]) -> None:
    values = {"line": charge.line_id, "in_month": charge.month, "r": deltas[0], "c": deltas[1], "d": deltas[2]}
    if _moved(SHIFT_LINE, values, LineMonth):
        return
    line = _line(charge)
    row = line_month(line, charge.month)
    if _moved(SHIFT_LINE, values, LineMonth):
        return
    db.session.refresh(row)
    sums = (row.reserved, row.committed, row.delivered)
    if min(stored + delta for stored, delta in zip(sums, deltas, strict=True)) < 0:
        raise _not_held(charge, max(map(abs, deltas)))
    message = _(
        "The contract line “%(line)s” has %(left)s left in %(month)s, and %(asked)s are needed.",
        **_words(line, charge, sum(deltas), row.cap - sum(sums)),
    )
    raise _refusal(message, "cap", charge, sum(deltas), row.cap - sum(sums))


def _shift_person(charge: Charge, delta: int) -> None:
    if not delta:
        return
    values = {"line": charge.line_id, "in_month": charge.month, "person": charge.person_id, "delta": delta}
    if _moved(SHIFT_PERSON, values, PersonMonth):
        return
    line, mine = _line(charge), {"line_id": charge.line_id, "person_id": charge.person_id, "month": charge.month}
    _insert_once(PersonMonth, **mine, quota=line.monthly_quota, used=0)
    if _moved(SHIFT_PERSON, values, PersonMonth):
        return
    if delta < 0:
        raise _not_held(charge, -delta)
    row = db.session.scalars(select(PersonMonth).filter_by(**mine).execution_options(populate_existing=True)).one()
    left = (row.quota or 0) - row.used
    message = _(
        "This person's monthly quota on “%(line)s” has %(left)s left in %(month)s, and %(asked)s are needed.",
        **_words(line, charge, delta, left),
    )
    raise _refusal(message, "quota", charge, delta, left)


def _demand_held(charge: Charge, effect: tuple[int, int, int], quantity: int) -> None:
    """What is given back must have been taken for this very slot, not for another."""
    if charge.slot_id is None or -1 not in effect:
        return
    values = {"line": charge.line_id, "in_month": charge.month, "slot": charge.slot_id}
    if db.session.execute(HELD[effect.index(-1)], values).scalar_one() < quantity:
        raise _not_held(charge, quantity)


def _words(line: ContractLine, charge: Charge, asked: int, left: int) -> dict[str, str]:
    return {
        "line": line.name,
        "month": month_name(charge.month),
        "left": in_words(max(0, left), line.unit),
        "asked": in_words(asked, line.unit),
    }


def _not_held(charge: Charge, asked: int) -> CapacityConflict:
    message = _(
        "Nothing like this is held on “%(line)s” in %(month)s; it was given back already.",
        line=_line(charge).name,
        month=month_name(charge.month),
    )
    return _refusal(message, "not-held", charge, asked, 0)


def _refusal(message: str, reason: str, charge: Charge, asked: int, left: int) -> CapacityConflict:
    return CapacityConflict(message, reason=reason, line_id=charge.line_id, month=charge.month, asked=asked, left=left)


# --- the statements, built once ---------------------------------------------------------------------------------

_months: Any = LineMonth.__table__
_persons: Any = PersonMonth.__table__
_shifted = [
    column + bindparam(name)
    for column, name in ((_months.c.reserved, "r"), (_months.c.committed, "c"), (_months.c.delivered, "d"))
]
_used = _persons.c.used + bindparam("delta")
SHIFT_LINE = (
    update(_months)
    .where(_months.c.line_id == bindparam("line"), _months.c.month == bindparam("in_month"))
    .where(*(value >= 0 for value in _shifted), _shifted[0] + _shifted[1] + _shifted[2] <= _months.c.cap)
    .values(reserved=_shifted[0], committed=_shifted[1], delivered=_shifted[2])
    .returning(_months.c.id)
)
SHIFT_PERSON = (
    update(_persons)
    .where(_persons.c.line_id == bindparam("line"), _persons.c.month == bindparam("in_month"))
    .where(_persons.c.person_id == bindparam("person"), _used >= 0)
    .where(or_(_persons.c.quota.is_(None), _used <= _persons.c.quota))
    .values(used=_used)
    .returning(_persons.c.id)
)
LINE_STATE = (
    select(ContractLine.starts_on, ContractLine.ends_on, Contract.suspended_at, Contract.terminated_at)
    .join(Contract, Contract.id == ContractLine.contract_id)
    .where(ContractLine.id == bindparam("line"))
)
HELD = [
    select(held_sum(state)).where(
        LedgerEntry.slot_id == bindparam("slot"),
        LedgerEntry.line_id == bindparam("line"),
        LedgerEntry.month == bindparam("in_month"),
    )
    for state in range(3)
]
