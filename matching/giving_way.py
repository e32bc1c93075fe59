"""Whether one other visit, moved or given to somebody else, would let a visit be served: found, or proven not to.

`staffing` tries the other visits that stand in the way in somebody's day. Here are all of them: those of two people
too, those with somebody behind a volunteer, and those that use up what this visit lacks elsewhere (hours of the
same person on another day, the same budget or quota, the household's new faces). Each is taken out whole. Unless both
visits then have a way of their own, that one does not help; if both have, they are placed together: one at the
earliest and latest start of each of its openings, and at every whole minute in a day that both would share, the other
wherever it then fits, and the same the other way round.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from matching.changes import Fix, FixCode, Made, price_of
from matching.charging import Booked
from matching.eligibility import Parameter
from matching.feasibility import check
from matching.instance import Budget, FallbackRule, Visit
from matching.lookup import slot_minutes
from matching.placing import Placing, Way
from matching.plan_state import Option, PlanState
from matching.rebuild import plan_of, with_bookings
from matching.recommend import candidate_of
from matching.staffing import unpinned

MOST_CHOICES = 4000
"""Of more ways to choose people for both visits no proof is tried."""


@dataclass(frozen=True, slots=True)
class GivingWay:
    """A verified change, if one was found; else whether it is proven that no other visit can give way."""

    fix: Fix | None
    proven: bool


def give_way(placing: Placing) -> GivingWay:
    """Look through every other visit that could matter."""
    proven = True
    for other in others_that_matter(placing):
        without, free = _taken_out(placing.state, other)
        if not (_has_way(without, placing.visit) and _has_way(without, free)):
            continue
        fix = _together(placing, without, free)
        if fix is not None:
            return GivingWay(fix, False)
        proven = proven and _never_together(without, placing.visit, free)
    return GivingWay(None, proven)


def others_that_matter(placing: Placing) -> list[Visit]:
    """Planned visits that use something which this visit could need: a person's time or limits, a cap, a face."""
    state, visit = placing.state, placing.visit
    people = {p for slot in placing.missing for p in _able(state, visit, slot)}
    lines, persons = _short_caps(placing)
    limited = state.lookup.households[visit.household_id].max_new_faces is not None
    found: dict[str, Visit] = {}
    for row in [*state.planned, *state.behind]:
        if row.visit.id != visit.id and (
            row.caregiver.id in people
            or (row.line_id is not None and row.line_id in lines)
            or (row.visit.person_id is not None and row.visit.person_id in persons)
            or (limited and row.visit.household_id == visit.household_id)
        ):
            found.setdefault(row.visit.id, row.visit)
    return list(found.values())


def _able(state: PlanState, visit: Visit, slot: int) -> Iterator[str]:
    spans = [(w.start_minutes, w.end_minutes + visit.max_tardiness_minutes) for w in visit.windows]
    return (shift.caregiver_id for shift in state.able_shifts(visit, slot, spans))


def _short_caps(placing: Placing) -> tuple[set[str], set[str]]:
    """Lines and persons of whose budgets and quotas there is too little left for somebody able to come."""
    state, visit = placing.state, placing.visit
    lines, persons = set(), set()
    for slot in placing.missing:
        spans = [(w.start_minutes, w.end_minutes + visit.max_tardiness_minutes) for w in visit.windows]
        for shift in state.able_shifts(visit, slot, spans):
            for full in state.full_lines(visit, slot, state.lookup.caregivers[shift.caregiver_id], shift.day):
                if isinstance(full.row, Budget):
                    lines.add(full.row.line_id)
                else:
                    persons.add(full.row.person_id)
    # Two people, or one and whoever stands behind, may need more than is left though each alone does not.
    if len(placing.missing) == 2 or visit.fallback is not FallbackRule.NONE:
        lines |= set(visit.contract_line_ids)
        persons |= {visit.person_id} if visit.person_id else set()
    return lines, persons


def _taken_out(state: PlanState, other: Visit) -> tuple[PlanState, Visit]:
    """The plan without the other visit, and that visit with nothing agreed."""
    free = other
    for slot in range(len(other.slots)):
        free = unpinned(free, slot)
    rows = [b for b in state.planned if b.visit.id == other.id]
    planned = [b for b in state.planned if b.visit.id != other.id]
    behind = [b for b in state.behind if b.visit.id != other.id]
    plan = plan_of(state.emptied(), planned, behind, state.plan, {b.shift.id for b in rows}, priced=False)
    return state.replanned(plan), free


def _has_way(state: PlanState, visit: Visit) -> bool:
    return next(Placing(state, visit).ways(), None) is not None


# Both together


def _together(placing: Placing, without: PlanState, other: Visit) -> Fix | None:
    """The first way to place both that the checker accepts, made a fix."""
    state, visit = placing.state, placing.visit
    for first, second in ((visit, other), (other, visit)):
        start = Placing(without, first)
        for way in _edge_ways(start):
            instance, plan = with_bookings(without, first, way.booked, way.behind)
            then = PlanState(instance, plan)
            next_way = min(Placing(then, second).ways(), key=lambda w: w.points, default=None)
            if next_way is None:
                continue
            candidate = candidate_of(without, visit, way) if first is visit else candidate_of(then, visit, next_way)
            made = Made(*with_bookings(then, second, next_way.booked, next_way.behind), candidate)
            if not check(made.instance, made.plan):
                return _fix(state, other, made)
    return None


def _edge_ways(placing: Placing) -> Iterator[Way]:
    """The ways that `ways` knows, the best first, then those at both ends of every opening of one missing slot."""
    yield from sorted(placing.ways(), key=lambda w: w.points)
    if len(placing.missing) == 1:
        for window in placing.windows:
            for option in placing.options[0]:
                low, high = placing.single_range(option, window)
                for start in (low, high) if low <= high else ():
                    way = placing.way(((option, start),))
                    if way is not None:
                        yield way


def _fix(state: PlanState, other: Visit, made: Made) -> Fix:
    was = min((b for b in state.at_visit[other.id]), key=lambda b: b.slot)
    now = min((b for b in PlanState(made.instance, made.plan).at_visit[other.id]), key=lambda b: b.slot)
    agreed = any(slot.pin is not None for slot in state.lookup.visits[other.id].slots)
    moved = was.caregiver.id == now.caregiver.id
    code = FixCode.RELEASE_PIN if agreed else FixCode.MOVE_OTHER_VISIT if moved else FixCode.HAND_OVER_VISIT
    size = abs(now.start_minutes - was.start_minutes)
    named: dict[str, Parameter] = {"visit": other.id, "slot": was.slot, "caregiver": was.caregiver.id}
    if code is not FixCode.MOVE_OTHER_VISIT:
        named["to_caregiver"] = now.caregiver.id
    named |= {"from_minutes": was.start_minutes, "to_minutes": now.start_minutes}
    if code is FixCode.MOVE_OTHER_VISIT:
        named["minutes"] = size
    return Fix(code, tuple(named.items()), size, made.candidate, price_of(state.plan, made), made)


# Neither found


def _never_together(state: PlanState, visit: Visit, other: Visit) -> bool:
    """Whether the clock alone forbids both: whoever comes, two of the places are one person's and clash there."""
    one, two = Placing(state, visit), Placing(state, other)
    if FallbackRule.REQUIRED in (visit.fallback, other.fallback) or not _whole_minutes(state, visit, other):
        return False  # nothing is claimed of whoever would stand behind, nor of fractions of minutes
    if math.prod(map(len, one.options)) * math.prod(map(len, two.options)) > MOST_CHOICES:
        return False
    known: dict[tuple[Option, Option], bool] = {}

    def clash(a: Option, b: Option) -> bool:
        if a.shift.id != b.shift.id:
            return False
        if (a, b) not in known:
            known[a, b] = not _fit(one, a, two, b)
        return known[a, b]

    return all(any(clash(a, b) for a in mine for b in theirs) for mine in _choices(one) for theirs in _choices(two))


def _choices(placing: Placing) -> list[tuple[Option, ...]]:
    """One option for each missing slot, of people who may come together."""
    found = list(product(*placing.options))
    if len(placing.missing) == 2:
        return [(a, b) for a, b in found if placing.may_go_together(a.caregiver.id, b.caregiver.id)]
    return found


def _whole_minutes(state: PlanState, visit: Visit, other: Visit) -> bool:
    ends = (visit.location_id, other.location_id)
    modes = [mode.id for mode in state.instance.travel_modes]
    numbers = [state.lookup.travel_minutes(mode, a, b) for mode in modes for a, b in (ends, ends[::-1])]
    for row in (visit, other):
        numbers += [
            row.access_minutes,
            *(slot_minutes(row, k) for k in range(len(row.slots))),
            row.max_tardiness_minutes,
        ]
        numbers += [edge for w in row.windows for edge in (w.start_minutes, w.end_minutes)]
    return all(number % 1 == 0 for number in numbers)


def _fit(one: Placing, a: Option, two: Placing, b: Option) -> bool:
    """Whether the other visit fits beside this one, at any whole minute of this one's opening."""
    low, high = int(-(-a.earliest // 1)), int(a.latest // 1)
    if low != a.earliest or high != a.latest:
        return True  # fractions: nothing is claimed
    spans = [(w.start_minutes, w.end_minutes + two.visit.max_tardiness_minutes) for w in two.visit.windows]
    for start in range(low, high + 1):
        row = Booked(one.visit, a.slot, a.caregiver, a.shift, start)
        if one.state.beside(row, a.shift).openings(two.visit, b.slot, b.shift, spans):
            return True
    return False
