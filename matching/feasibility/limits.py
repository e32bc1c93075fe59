"""Limits over several days: hours, new faces, contract lines, budgets and quotas.

Fallbacks may fall due together, so a limit must hold with every fallback in the place of its
volunteer as well as without.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from matching.feasibility.facts import Booking, Facts, by_shift, by_visit
from matching.feasibility.violations import EPSILON, Parameter, Violation, ViolationCode, violation
from matching.instance import Budget, Caregiver, LineRule, Quota, WorkLimit

_MONEY_EPSILON = 1e-3


def limit_violations(facts: Facts, bookings: list[Booking], fallbacks: list[Booking]) -> Iterator[Violation]:
    """Every limit that couples visits, for the plan and for the plan with its fallbacks due."""
    replaced = {f.key for f in fallbacks}
    due = [b for b in bookings if b.key not in replaced] + fallbacks
    found = dict.fromkeys(_people_limits(facts, bookings))
    if fallbacks:
        found.update(dict.fromkeys(_people_limits(facts, due)))
    yield from found
    for booking in [*bookings, *fallbacks]:
        yield from _line(facts, booking)
    draws = drawn(bookings, fallbacks)
    yield from _budgets(facts, draws)
    yield from _ordered_lines(facts, bookings, draws)


def drawn(bookings: list[Booking], fallbacks: list[Booking]) -> list[Booking]:
    """The bookings that draw from a line, fallbacks included (they reserve what they would draw).

    Of a visit that is charged once, the first slot with a line draws; its fallbacks draw (the first
    of them) only where no planned slot does.
    """
    behind = by_visit([f for f in fallbacks if f.line_id is not None])
    planned = by_visit([b for b in bookings if b.line_id is not None])
    found = []
    for visit_id in {**planned, **behind}:
        rows = planned[visit_id] + behind[visit_id]
        found += rows[:1] if rows[0].visit.charged_once else rows
    return found


def _people_limits(facts: Facts, bookings: list[Booking]) -> Iterator[Violation]:
    of_person: dict[str, list[Booking]] = defaultdict(list)
    of_household: dict[str, list[Booking]] = defaultdict(list)
    for booking in bookings:
        of_person[booking.caregiver.id].append(booking)
        of_household[booking.visit.household_id].append(booking)
    for name, rows in of_person.items():
        person = facts.caregivers[name]
        for limit in person.work_limits:
            yield from _work(facts, person, limit, rows)
        yield from _new_households(facts, person, rows)
    for name, rows in of_household.items():
        yield from _new_faces(facts, name, rows)


def _work(facts: Facts, person: Caregiver, limit: WorkLimit, rows: list[Booking]) -> Iterator[Violation]:
    within = [b for b in rows if limit.first_day <= b.day <= limit.last_day]
    if not within:
        return
    about: dict[str, Parameter] = {
        "caregiver": person.id,
        "first_day": limit.first_day,
        "last_day": limit.last_day,
    }
    routes = by_shift(within)
    minutes = limit.used_minutes + sum(facts.work(facts.shifts[s], row) for s, row in routes.items())
    if limit.max_minutes is not None and minutes > limit.max_minutes + EPSILON:
        text = "{caregiver} works {total:g} minutes on days {first_day} to {last_day}, at most {limit:g}"
        yield violation(ViolationCode.WORK_MINUTES, text, **about, total=minutes, limit=limit.max_minutes)
    visits = limit.used_visits + len({b.visit.id for b in within})
    if limit.max_visits is not None and visits > limit.max_visits:
        text = "{caregiver} has {total} visits on days {first_day} to {last_day}, at most {limit}"
        yield violation(ViolationCode.WORK_VISITS, text, **about, total=visits, limit=limit.max_visits)


def _new_households(facts: Facts, person: Caregiver, rows: list[Booking]) -> Iterator[Violation]:
    if person.max_new_households is None:
        return
    homes = {b.visit.household_id for b in rows}
    new = [h for h in homes if person.id not in facts.households[h].known_caregiver_ids]
    if len(new) > person.max_new_households:
        text = "{caregiver} comes to {total} new households, at most {limit}"
        limit = person.max_new_households
        yield violation(ViolationCode.NEW_HOUSEHOLDS, text, caregiver=person.id, total=len(new), limit=limit)


def _new_faces(facts: Facts, household_id: str, rows: list[Booking]) -> Iterator[Violation]:
    household = facts.households[household_id]
    if household.max_new_faces is None:
        return
    new = {b.caregiver.id for b in rows} - set(household.known_caregiver_ids)
    if len(new) > household.max_new_faces:
        text = "household {household} meets {total} new faces, at most {limit}"
        limit = household.max_new_faces
        yield violation(ViolationCode.NEW_FACES, text, household=household_id, total=len(new), limit=limit)


def _line(facts: Facts, booking: Booking) -> Iterator[Violation]:
    at: dict[str, Parameter] = {
        "visit": booking.visit.id,
        "slot": booking.slot,
        "caregiver": booking.caregiver.id,
    }
    line = booking.line_id
    if not booking.caregiver.needs_contract_line:
        if line is not None:
            text = "slot {slot} of visit {visit} is charged to {line}, but {caregiver} needs no line"
            yield violation(ViolationCode.LINE_NOT_NEEDED, text, **at, line=line)
        return
    if line is None:
        text = "no contract line pays {caregiver} for slot {slot} of visit {visit}"
        yield violation(ViolationCode.LINE_MISSING, text, **at)
    elif line not in facts.covering_lines(booking):
        text = "line {line} may not pay {caregiver} for slot {slot} of visit {visit}"
        yield violation(ViolationCode.LINE_NOT_COVERING, text, **at, line=line)


def _budgets(facts: Facts, draws: list[Booking]) -> Iterator[Violation]:
    totals = _Totals(facts, draws)
    for budget in facts.instance.budgets:
        total = totals.of[budget.id, True]
        if total > budget.cap + _MONEY_EPSILON and total > budget.used:
            yield violation(
                ViolationCode.BUDGET,
                "budget {budget} of line {line} is drawn to {total:g} {unit}, at most {limit}",
                budget=budget.id,
                line=budget.line_id,
                total=total,
                unit=str(budget.unit),
                limit=budget.cap,
            )
    for quota in facts.instance.quotas:
        total = totals.of[quota.id, False]
        if total > quota.cap + _MONEY_EPSILON and total > quota.used:
            yield violation(
                ViolationCode.QUOTA,
                "quota {quota} of person {person} is drawn to {total:g} {unit}, at most {limit}",
                quota=quota.id,
                person=quota.person_id,
                total=total,
                unit=str(quota.unit),
                limit=quota.cap,
            )


class _Totals:
    """What is drawn from each budget (key: id, True) and quota (id, False), used before included."""

    def __init__(self, facts: Facts, draws: list[Booking]) -> None:
        self._facts = facts
        self._budgets: dict[str, list[Budget]] = defaultdict(list)
        self._quotas: dict[str, list[Quota]] = defaultdict(list)
        for budget in facts.instance.budgets:
            self._budgets[budget.line_id].append(budget)
        for quota in facts.instance.quotas:
            self._quotas[quota.person_id].append(quota)
        self.of: dict[tuple[str, bool], float] = {}
        self.of |= {(row.id, True): row.used for row in facts.instance.budgets}
        self.of |= {(row.id, False): row.used for row in facts.instance.quotas}
        self.caps = {(row.id, True): row.cap for row in facts.instance.budgets}
        self.caps |= {(row.id, False): row.cap for row in facts.instance.quotas}
        for booking in draws:
            for key, amount in self.touched(booking).items():
                self.of[key] += amount

    def touched(self, booking: Booking) -> dict[tuple[str, bool], float]:
        """What one drawing booking adds to which budget or quota."""
        budgets = [row for row in self._budgets[booking.line_id or ""] if row.first_day <= booking.day <= row.last_day]
        quotas = [
            row
            for row in self._quotas[booking.visit.person_id or ""]
            if row.first_day <= booking.day <= row.last_day and row.line_id in (None, booking.line_id)
        ]
        found = {(row.id, True): self._facts.amount(booking, row.unit) for row in budgets}
        return found | {(row.id, False): self._facts.amount(booking, row.unit) for row in quotas}

    def has_room_to_move(self, booking: Booking, line_id: str) -> bool:
        """Whether what `booking` draws could be drawn from another line instead."""
        freed = self.touched(booking)
        needed = self.touched(replace(booking, line_id=line_id))
        return all(
            self.of[key] - freed.get(key, 0) + amount <= self.caps[key] + _MONEY_EPSILON
            for key, amount in needed.items()
        )


def _ordered_lines(facts: Facts, bookings: list[Booking], draws: list[Booking]) -> Iterator[Violation]:
    """Under `ordered` no earlier line may still have room for what the slot draws."""
    totals = _Totals(facts, draws)
    drawing = {b.key for b in draws if not b.fallback}
    for booking in bookings:
        if booking.visit.line_rule is not LineRule.ORDERED or booking.key not in drawing:
            continue
        lines = facts.covering_lines(booking)
        if booking.line_id not in lines:
            continue
        for earlier in lines[: lines.index(booking.line_id)]:
            if totals.has_room_to_move(booking, earlier):
                yield violation(
                    ViolationCode.LINE_RULE,
                    "slot {slot} of visit {visit} is charged to {line}, but {earlier} comes first and has room",
                    visit=booking.visit.id,
                    slot=booking.slot,
                    line=booking.line_id,
                    earlier=earlier,
                )
                break
