"""What of a former plan still holds in an instance that has changed since."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from matching.charging import Booked
from matching.eligibility import day_reasons, person_reasons
from matching.instance import ProviderKind, Shift, Visit
from matching.placing import Placing
from matching.plan import Plan
from matching.plan_state import PlanState, start_spans


def surviving(empty: PlanState, before: Plan) -> tuple[list[Booked], list[Booked]]:
    """The places, and the fallbacks behind them, that still hold in the state's instance.

    A place is lost if its visit, person or shift is gone, if a rule speaks against it now, or if the
    route no longer fits; of a route that no longer fits, the least important stops go. (Limits over
    several visits are left to the caller.)
    """
    allowed = [b for b in _known(empty, before) if _still_allowed(empty, b)]
    planned = [b for rows in by_visit(allowed).values() for b in _still_together(empty, rows)]
    fitting: list[Booked] = []
    for shift in empty.instance.shifts:
        fitting += _still_fitting(empty, shift, [b for b in planned if b.shift.id == shift.id])
    return fitting, _still_behind(empty, before, fitting)


def importance(row: Booked) -> tuple:
    """Sorts places: the least important first, agreed ones last."""
    return row.visit.slots[row.slot].pin is not None, *(-n for n in rank(row.visit)), row.visit.service_minutes


def rank(visit: Visit) -> tuple[int, int]:
    """Sorts visits: the most vital first."""
    return int(not visit.mandatory), visit.tier


def by_visit(rows: Iterable[Booked]) -> dict[str, list[Booked]]:
    found: dict[str, list[Booked]] = defaultdict(list)
    for row in sorted(rows, key=lambda b: b.slot):
        found[row.visit.id].append(row)
    return found


def _known(empty: PlanState, before: Plan) -> Iterator[Booked]:
    look = empty.lookup
    for route in before.routes:
        shift = look.shifts.get(route.shift_id)
        if shift is None or shift.caregiver_id != route.caregiver_id:
            continue
        for stop in route.stops:
            visit = look.visits.get(stop.visit_id)
            if visit is not None and stop.slot < len(visit.slots):
                person = look.caregivers[shift.caregiver_id]
                yield Booked(visit, stop.slot, person, shift, stop.start_minutes, stop.line_id)


def _still_allowed(empty: PlanState, row: Booked) -> bool:
    visit, slot, person, day = row.visit, row.slot, row.caregiver, row.shift.day
    if person_reasons(empty.lookup, visit, slot, person) or day_reasons(empty.lookup, visit, slot, person, day):
        return False
    if not any(a <= row.start_minutes <= b for a, b in start_spans(visit, slot)):
        return False
    if not person.needs_contract_line:
        return row.line_id is None
    return row.line_id in empty.account.lines_for(visit, slot, person, day)


def _still_together(empty: PlanState, rows: Sequence[Booked]) -> Sequence[Booked]:
    if len(rows) < 2 or Placing(empty, rows[0].visit).go_together(rows[0], rows[1]):
        return rows
    return [max(rows, key=importance)]


def _still_fitting(empty: PlanState, shift: Shift, rows: list[Booked]) -> list[Booked]:
    """The stops without as few, and as unimportant, as must go for the route to fit."""
    rows = sorted(rows, key=lambda b: b.start_minutes)
    while rows and not empty.table_of(shift, rows).feasible_now:
        # Whoever cannot stand even alone (an absence over it) goes first.
        alone = [b for b in rows if not empty.table_of(shift, [b]).feasible_now]
        enough = [b for b in rows if empty.table_of(shift, _less(rows, b)).feasible_now]
        rows = _less(rows, min(alone or enough or rows, key=importance))
    return rows


def _less(rows: Sequence[Booked], row: Booked) -> list[Booked]:
    return [b for b in rows if b is not row]


def _still_behind(empty: PlanState, before: Plan, planned: Sequence[Booked]) -> list[Booked]:
    """Fallbacks whose volunteer still comes at that time, and who would still make it."""
    at = {b.key: b for b in planned}
    look = empty.lookup
    kept: list[Booked] = []
    for row in before.fallbacks:
        volunteer, shift = at.get((row.visit_id, row.slot)), look.shifts.get(row.shift_id)
        if volunteer is None or volunteer.caregiver.kind is not ProviderKind.VOLUNTEER or shift is None:
            continue
        person = look.caregivers[shift.caregiver_id]
        stand = Booked(volunteer.visit, row.slot, person, shift, row.start_minutes, row.line_id)
        on_time = volunteer.start_minutes == row.start_minutes
        if on_time and _still_allowed(empty, stand) and _suits(empty, stand, [*planned, *kept]):
            own = [b for b in (*planned, *kept, stand) if b.shift.id == shift.id]
            if empty.table_of(shift, sorted(own, key=lambda b: b.start_minutes)).feasible_now:
                kept.append(stand)
    return kept


def _suits(empty: PlanState, stand: Booked, rows: Iterable[Booked]) -> bool:
    """Whether the fallback may come together with whoever fills or stands behind the other slot."""
    others = [b for b in rows if b.visit.id == stand.visit.id and b.slot != stand.slot]
    placing = Placing(empty, stand.visit)
    return all(placing.go_together(*sorted((stand, b), key=lambda b: b.slot)) for b in others)
