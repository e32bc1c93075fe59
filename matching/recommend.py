"""Who could come, and when, for one new visit: checked insertions into a running plan, best first.

Nobody else moves: every row puts the visit between the stops as they are, with its travel, hours,
limits, contract line and (for a volunteer, where the visit asks for it) a paid fallback. Inserting a
row gives a plan that the checker accepts. Rows are ranked by what they add to the objective and
chosen so that they differ: other people or other times, not the same ones a quarter of an hour apart.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from matching.candidates import Backup, Candidate, DayCover, Note, NoteCode, Place, StartCover
from matching.charging import Booked
from matching.eligibility import Parameter
from matching.instance import MINUTES_PER_DAY, FallbackRule, Visit
from matching.placing import Placing, Way, is_question
from matching.plan_state import PlanState
from matching.pricing import gender_met, language_met, outside_preferred, tardiness

APART_MINUTES = 60
"""Rows with the same people start at least so many minutes apart."""
REPEATED_POINTS = 1_500
"""Each time a person was shown already makes a row so many points less welcome, to show others too."""


def recommend(state: PlanState, visit: Visit, *, limit: int = 8) -> list[Candidate]:
    """Who could come and when, best first; empty if nobody can without someone else moving.

    `visit` is new, or one that the plan leaves unserved or half staffed (then only the missing slots
    are filled). Its household, location, services and lines must be in the state's instance.
    """
    ways = sorted(Placing(state, visit).ways(), key=_order)
    return [candidate_of(state, visit, way) for way in _different(ways, limit)]


def able_people(placing: Placing) -> frozenset[str]:
    """Everybody who takes part in some way of placing the visit, however far down."""
    return frozenset(row.caregiver.id for way in placing.ways() for row in way.booked)


def coverage(state: PlanState, visit: Visit, *, step_minutes: int = 15) -> tuple[DayCover, ...]:
    """For every start within the visit's windows, on a grid of `step_minutes`: are there enough people?

    Each day with such a start has an entry. Every limit of one person is respected; whether the last
    minutes of a budget can pay two people at once is left to `recommend`.
    """
    starts = _grid(visit, step_minutes)
    days: dict[int, list[StartCover]] = defaultdict(list)
    for start, (cover, people) in zip(starts, Placing(state, visit).cover(starts), strict=True):
        days[start // MINUTES_PER_DAY].append(StartCover(start, cover, people))
    return tuple(DayCover(day, tuple(rows)) for day, rows in sorted(days.items()))


def _order(way: Way) -> tuple:
    return way.points, way.booked[0].start_minutes, tuple(b.caregiver.id for b in way.booked)


def _different(ways: Sequence[Way], limit: int) -> list[Way]:
    """The best ways that differ enough from those chosen before them."""
    shown: Counter[str] = Counter()
    times: dict[tuple[str, ...], list[float]] = defaultdict(list)
    chosen: list[Way] = []
    left = list(ways)
    while left and len(chosen) < limit:
        way = min(left, key=lambda w: w.points + REPEATED_POINTS * sum(shown[b.caregiver.id] for b in w.booked))
        chosen.append(way)
        people = tuple(b.caregiver.id for b in way.booked)
        shown.update(people)
        times[people].append(way.booked[0].start_minutes)
        left = [w for w in left if _is_apart(w, times)]
    return sorted(chosen, key=_order)


def _is_apart(way: Way, times: dict[tuple[str, ...], list[float]]) -> bool:
    people = tuple(b.caregiver.id for b in way.booked)
    start = way.booked[0].start_minutes
    return all(abs(start - other) >= APART_MINUTES for other in times.get(people, ()))


def candidate_of(state: PlanState, visit: Visit, way: Way) -> Candidate:
    """A way with its reasons, as `recommend` shows it."""
    stand = {b.slot: b for b in way.behind}
    places = tuple(
        Place(
            slot=row.slot,
            caregiver_id=row.caregiver.id,
            shift_id=row.shift.id,
            start_minutes=row.start_minutes,
            end_minutes=row.end_minutes,
            line_id=row.line_id,
            travel_added_minutes=option.travel_added,
            backup=_backup(stand.get(row.slot)),
        )
        for row, option in zip(way.booked, way.options, strict=True)
    )
    return Candidate(
        visit_id=visit.id,
        day=way.booked[0].shift.day,
        start_minutes=way.booked[0].start_minutes,
        places=places,
        travel_added_minutes=sum(place.travel_added_minutes for place in places),
        cost_fen=way.change.cost_fen,
        points=way.points,
        change=way.change,
        advantages=tuple(_advantages(state, visit, way)),
        drawbacks=tuple(_drawbacks(state, visit, way)),
    )


def _backup(row: Booked | None) -> Backup | None:
    return None if row is None else Backup(row.caregiver.id, row.shift.id, row.line_id)


def _note(code: NoteCode, **parameters: Parameter) -> Note:
    return Note(code, tuple(parameters.items()))


def _advantages(state: PlanState, visit: Visit, way: Way) -> Iterator[Note]:
    for row in way.booked:
        who = row.caregiver.id
        if visit.slots[row.slot].standing_caregiver_id == who:
            yield _note(NoteCode.STANDING, caregiver=who)
        if who in visit.previous_caregiver_ids:
            yield _note(NoteCode.CAME_BEFORE, caregiver=who)
        elif state.is_known(visit.household_id, who):
            yield _note(NoteCode.KNOWN_TO_HOUSEHOLD, caregiver=who)
        if who in visit.preferred_caregiver_ids:
            yield _note(NoteCode.PREFERRED, caregiver=who)
        if visit.language_wish and language_met(row):
            yield _note(NoteCode.LANGUAGE, caregiver=who, wanted=",".join(visit.language_wish.values))
        if visit.gender_wish and gender_met(row):
            yield _note(NoteCode.GENDER, caregiver=who, wanted=",".join(visit.gender_wish.values))
        yield from _line_room(state, row)
    for row in way.behind:
        planned = next(b for b in way.booked if b.slot == row.slot)
        yield _note(NoteCode.FALLBACK_READY, caregiver=planned.caregiver.id, fallback=row.caregiver.id)
    if visit.preferred_windows and not way.change.outside_preferred_minutes:
        yield _note(NoteCode.PREFERRED_TIME)
    yield _note(NoteCode.NOBODY_ELSE_MOVES)


def _line_room(state: PlanState, row: Booked) -> Iterator[Note]:
    room = state.account.room(row) if row.line_id is not None else None
    if room is not None:
        left, unit = room
        yield _note(NoteCode.LINE_HAS_ROOM, caregiver=row.caregiver.id, line=row.line_id, left=left, unit=str(unit))


def _drawbacks(state: PlanState, visit: Visit, way: Way) -> Iterator[Note]:
    late = tardiness([*state.at_visit.get(visit.id, ()), *way.booked])
    stand = {b.slot for b in way.behind}
    for row in way.booked:
        who, standing = row.caregiver.id, visit.slots[row.slot].standing_caregiver_id
        if standing is not None and standing != who:
            yield _note(NoteCode.NOT_STANDING, caregiver=who, standing=standing)
        if not state.is_known(visit.household_id, who) and not state.faces[visit.household_id, who]:
            yield _note(NoteCode.NEW_FACE, caregiver=who)
        if visit.previous_caregiver_ids and who not in visit.previous_caregiver_ids:
            yield _note(NoteCode.NOT_CAME_BEFORE, caregiver=who)
        if visit.language_wish and not language_met(row):
            yield _note(NoteCode.LANGUAGE_MISSED, caregiver=who, wanted=",".join(visit.language_wish.values))
        if visit.gender_wish and not gender_met(row):
            yield _note(NoteCode.GENDER_MISSED, caregiver=who, wanted=",".join(visit.gender_wish.values))
        if late[row.slot]:
            yield _note(NoteCode.LATE, caregiver=who, minutes=late[row.slot])
        away = outside_preferred(visit, row.start_minutes)
        if away:
            yield _note(NoteCode.OUTSIDE_PREFERRED_TIME, caregiver=who, minutes=away)
        needs = visit.fallback is not FallbackRule.NONE and is_question(row)
        if needs and row.slot not in stand:
            yield _note(NoteCode.NO_FALLBACK, caregiver=who)


def _grid(visit: Visit, step: int) -> list[int]:
    """The multiples of `step` that lie in the visit's windows, tardiness not used."""
    found: set[int] = set()
    for window in visit.windows:
        first = math.ceil(window.start_minutes / step) * step
        found.update(range(first, math.floor(window.end_minutes) + 1, step))
    return sorted(found)
