"""Contract lines, budgets and quotas: what a slot draws, what is left, and which line pays."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace

from matching.eligibility import eligible_lines
from matching.instance import Budget, Caregiver, LineRule, Quota, Shift, Unit, Visit
from matching.lookup import Lookup, slot_minutes

Key = tuple[str, str]  # ("budget" | "quota", id)


@dataclass(frozen=True, slots=True)
class Booked:
    """One person at one slot, planned or standing behind a volunteer."""

    visit: Visit
    slot: int
    caregiver: Caregiver
    shift: Shift
    start_minutes: float
    line_id: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.visit.id, self.slot

    @property
    def end_minutes(self) -> float:
        return self.start_minutes + slot_minutes(self.visit, self.slot)


@dataclass(frozen=True, slots=True)
class Full:
    """A budget or quota that cannot take a slot: what it would need and what is left, in its unit."""

    row: Budget | Quota
    needed: float
    left: float


def drawing(planned: Sequence[Booked], behind: Sequence[Booked]) -> list[Booked]:
    """Of one visit's places, those that draw from their line: all that have one, or the first of them
    where the visit is charged once (planned places before fallbacks)."""
    rows = [b for b in sorted(planned, key=lambda b: b.slot) if b.line_id is not None]
    rows += [b for b in sorted(behind, key=lambda b: b.slot) if b.line_id is not None]
    return rows[:1] if rows and rows[0].visit.charged_once else rows


class Account:
    """What is drawn from every budget and quota, used before included."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._budgets: dict[str, list[Budget]] = defaultdict(list)
        self._quotas: dict[str, list[Quota]] = defaultdict(list)
        for budget in lookup.instance.budgets:
            self._budgets[budget.line_id].append(budget)
        for quota in lookup.instance.quotas:
            self._quotas[quota.person_id].append(quota)
        self._drawn: dict[Key, float] = {("budget", b.id): b.used for b in lookup.instance.budgets}
        self._drawn |= {("quota", q.id): q.used for q in lookup.instance.quotas}

    def draw(self, rows: Iterable[Booked], *, sign: int = 1) -> None:
        """Book what these places draw (with sign -1: give it back)."""
        for booked in rows:
            for row in self._touched(booked.visit, booked.line_id, booked.shift.day):
                self._drawn[_key(row)] += sign * self._amount(booked.visit, booked.slot, booked.line_id, row.unit)

    def drawn(self, kind: str, name: str) -> float:
        """What is drawn of a budget ("budget") or quota ("quota"), used before included."""
        return self._drawn[kind, name]

    def with_cap(self, row: Budget | Quota) -> "Account":
        """The same draws with another cap of one budget or quota."""
        other = copy(self)
        if isinstance(row, Budget):
            other._budgets = self._budgets.copy()
            other._budgets[row.line_id] = [row if b.id == row.id else b for b in self._budgets[row.line_id]]
        else:
            other._quotas = self._quotas.copy()
            other._quotas[row.person_id] = [row if q.id == row.id else q for q in self._quotas[row.person_id]]
        return other

    def full(self, visit: Visit, slot: int, line_id: str, day: int, beside: Sequence[Booked] = ()) -> list[Full]:
        """The budgets and quotas that cannot take this slot on this line besides what is drawn already
        and by the places `beside`."""
        found = []
        for row in self._touched(visit, line_id, day):
            needed = self._amount(visit, slot, line_id, row.unit)
            left = row.cap - self._drawn[_key(row)]
            if needed > 0 and needed > left:
                found.append(Full(row, needed, left))
        return found

    def can_take(self, freed: Sequence[Booked], added: Sequence[Booked]) -> bool:
        """Whether every budget and quota holds if `freed` no longer drew and `added` did."""
        more: dict[Key, float] = defaultdict(float)
        caps: dict[Key, float] = {}
        for sign, rows in ((-1, freed), (1, added)):
            for booked in rows:
                for row in self._touched(booked.visit, booked.line_id, booked.shift.day):
                    key = _key(row)
                    caps[key] = row.cap
                    more[key] += sign * self._amount(booked.visit, booked.slot, booked.line_id, row.unit)
        return all(amount <= 0 or self._drawn[key] + amount <= caps[key] for key, amount in more.items())

    def lines_for(self, visit: Visit, slot: int, caregiver: Caregiver, day: int) -> list[str]:
        """The lines that may pay this person for the slot that day, in the order to try them."""
        lines = [line.id for line in eligible_lines(self._lookup, visit, slot, caregiver, day)]
        if visit.line_rule is LineRule.ANY:
            lines.sort(key=lambda name: self.fen(visit, slot, name))
        return lines

    def fen(self, visit: Visit, slot: int, line_id: str) -> float:
        """What a charged slot costs on a line."""
        return self._amount(visit, slot, line_id, Unit.FEN)

    def room(self, booked: Booked) -> tuple[float, Unit] | None:
        """What the tightest budget of the booking's line has left after it; None without budgets."""
        rows = [b for b in self._budgets[booked.line_id or ""] if b.first_day <= booked.shift.day <= b.last_day]
        if not rows:
            return None
        tightest = min(rows, key=lambda b: b.cap - self._drawn[_key(b)])
        amount = self._amount(booked.visit, booked.slot, booked.line_id, tightest.unit)
        return tightest.cap - self._drawn[_key(tightest)] - amount, tightest.unit

    def _touched(self, visit: Visit, line_id: str | None, day: int) -> list[Budget | Quota]:
        rows: list[Budget | Quota] = []
        rows += [b for b in self._budgets.get(line_id or "", ()) if b.first_day <= day <= b.last_day]
        for quota in self._quotas.get(visit.person_id or "", ()):
            if quota.first_day <= day <= quota.last_day and quota.line_id in (None, line_id):
                rows.append(quota)
        return rows

    def _amount(self, visit: Visit, slot: int, line_id: str | None, unit: Unit) -> float:
        if unit is Unit.MINUTES:
            return slot_minutes(visit, slot) if visit.charge_minutes is None else visit.charge_minutes
        if unit is Unit.VISITS:
            return 1
        if unit is Unit.MEALS:
            return visit.charge_meals
        line = self._lookup.lines[line_id or ""]
        return line.price_fen * self._amount(visit, slot, line_id, line.unit)


def _key(row: Budget | Quota) -> Key:
    return ("budget" if isinstance(row, Budget) else "quota"), row.id


def settled(lookup: Lookup, planned: Sequence[Booked], behind: Sequence[Booked]) -> list[Booked]:
    """The planned places with every one under ``ordered`` on the earliest line that has room.

    To be called when room has come free; each move brings a place forward in its order, so it ends.
    """
    at, stand = _by_visit(planned), _by_visit(behind)
    account = Account(lookup)
    for name in {**at, **stand}:
        account.draw(drawing(at.get(name, ()), stand.get(name, ())))
    moved = True
    while moved:
        moved = False
        for name, rows in at.items():
            for i, row in enumerate(rows):
                better = _earlier(account, rows, stand.get(name, ()), i)
                if better is not None:
                    old = drawing(rows, stand.get(name, ()))
                    rows[i] = replace(row, line_id=better)
                    account.draw(old, sign=-1)
                    account.draw(drawing(rows, stand.get(name, ())))
                    moved = True
    return [row for rows in at.values() for row in rows]


def _by_visit(rows: Iterable[Booked]) -> dict[str, list[Booked]]:
    found: dict[str, list[Booked]] = defaultdict(list)
    for row in rows:
        found[row.visit.id].append(row)
    return dict(found)


def _earlier(account: Account, rows: Sequence[Booked], behind: Sequence[Booked], i: int) -> str | None:
    """An earlier line with room for place `i` of its visit; None if it is where it belongs."""
    row = rows[i]
    if row.line_id is None or row.visit.line_rule is not LineRule.ORDERED:
        return None
    for line in account.lines_for(row.visit, row.slot, row.caregiver, row.shift.day):
        if line == row.line_id:
            return None
        other = [*rows[:i], replace(row, line_id=line), *rows[i + 1 :]]
        if account.can_take(drawing(rows, behind), drawing(other, behind)):
            return line
    return None
