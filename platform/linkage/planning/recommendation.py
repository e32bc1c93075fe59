"""Who could come, and when, for a visit that is being asked for: checked insertions into the plan in force.

Each row moves nobody and can be booked as it stands: travel, hours, quota, the line's minutes, open questions and
both people at once were checked by the engine against what is booked and asked now.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from linkage.areas.models import Area
from linkage.areas.queries import planning_area_of
from linkage.core import clock
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import rule
from linkage.households.models import Household
from linkage.households.queries import may_be_served
from linkage.offers import operations as offers
from linkage.organisations.models import Carer
from linkage.people.models import Person
from linkage.planning.child import plain_fix
from linkage.planning.live import Live, live
from linkage.planning.storing import Charges, with_moments, with_real_ids
from linkage.planning.ways import Ways
from linkage.services.models import Service
from linkage.visits import booking
from linkage.visits.models import Assignment, Slot, Visit
from matching.candidates import Candidate, Cover, Note
from matching.changes import Fix
from matching.explain import Explainer
from matching.instance import FallbackRule, ProviderKind
from matching.instance import Visit as EngineVisit
from matching.obstacles import Obstacle, obstacles_of
from matching.placing import Placing
from matching.recommend import able_people, coverage, recommend

STRIP_MINUTES = 15
LATEST_END = 20 * 60  # the strip shows the hours in which homes are visited
EARLIEST_START = 7 * 60


@dataclass(frozen=True)
class Draft:
    """What is being asked for. `windows`: spans of the whole visit, minutes from midnight of `day`."""

    household: Household
    person_id: uuid.UUID
    service: Service
    day: date
    windows: tuple[tuple[int, int], ...]
    duration_minutes: int
    people: int = 1
    preferred_start: int | None = None
    wishes: dict[str, Any] = field(default_factory=dict)
    priority: int = 3


@dataclass(frozen=True)
class Comer:
    """One person of a row. `charge` is drawn from `line_id`; a volunteer may have a paid carer behind."""

    slot: int
    person_id: uuid.UUID
    name: str
    capacity: str
    organisation_id: uuid.UUID | None
    organisation_name: str
    starts_at: datetime
    ends_at: datetime
    line_id: uuid.UUID | None
    charge: int
    travel_minutes: int = 0
    fallback: offers.Fallback | None = None


@dataclass(frozen=True)
class Row:
    """One way in which the visit could take place. `key` names it, so that exactly this row can be chosen."""

    comers: tuple[Comer, ...]
    travel_minutes: int
    advantages: tuple[dict[str, Any], ...]
    drawbacks: tuple[dict[str, Any], ...]

    @property
    def starts_at(self) -> datetime:
        return min(comer.starts_at for comer in self.comers)

    @property
    def ends_at(self) -> datetime:
        return max(comer.ends_at for comer in self.comers)

    @property
    def key(self) -> str:
        return "|".join(f"{comer.slot}~{comer.person_id}~{comer.starts_at:%Y%m%dT%H%M}" for comer in self.comers)


@dataclass(frozen=True)
class Refusal:
    """Why one person cannot come: codes with parameters (see `planning.reasons`)."""

    person_id: uuid.UUID
    name: str
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Answer:
    """`rows` best first; `strip`: per day spans (start, end, "enough" | "some") in minutes of that day.

    Without rows: `reason` is the group's (see `planning.reasons`, or "area", "consent", "passed"), `refusals` say
    it person by person, and `fix` is the smallest verified change.
    """

    rows: tuple[Row, ...]
    strip: tuple[tuple[date, tuple[tuple[int, int, str], ...]], ...]
    refusals: tuple[Refusal, ...]
    reason: str | None = None
    fix: dict[str, Any] | None = None
    more: int = 0  # people who could come as well and are in no row, because others fit better

    @property
    def counts(self) -> Counter[str]:
        """How many people each reason keeps from coming (by the first reason of each)."""
        return Counter(refusal.reasons[0]["code"] for refusal in self.refusals if refusal.reasons)


def answer(draft: Draft, *, now: datetime, limit: int = 6) -> Answer:
    """Who could come for `draft`.  An empty answer says why in `reason` ("consent", "area") or in its refusals."""
    area = _planning_area(draft.household)
    if area is None:
        return Answer((), (), (), "area")
    if not may_be_served(draft.household, draft.day):
        return Answer((), (), (), "consent")
    standing = _standing(area, draft, now)
    people = _people(standing)
    visit = standing.snapshot.visit_of(_transient(draft, area), people)
    rows = recommend(standing.state, visit, limit=limit) if visit.windows else []
    wide = replace(draft, windows=_all_hours(draft, standing))
    anytime = standing.snapshot.visit_of(_transient(wide, area), people)
    strip = _strip(standing, anytime)
    if not rows and visit.windows:
        return Answer((), strip, *_why_not(standing, visit))
    if not rows:
        return Answer((), strip, (), "passed")
    refusals, more = _others(standing, visit, rows)
    return Answer(tuple(_row(standing, visit, found) for found in rows), strip, refusals, more=more)


def _planning_area(household: Household) -> Area | None:
    area = db.session.get(Area, household.area_id)
    return planning_area_of(area) if area is not None else None


def _standing(area: Area, draft: Draft, now: datetime) -> Live:
    """The week of the draft's day: from Monday (or today) to Sunday, longer where its windows reach on."""
    monday = clock.week_start(draft.day)
    first = max(clock.local_date(now), monday)
    reaches = draft.day + timedelta(days=max(end for _, end in draft.windows) // 1440)
    return live(area, min(first, draft.day), max(monday + timedelta(days=6), reaches), now, draft.household)


def _people(standing: Live) -> dict[uuid.UUID, str]:
    return {person: f"c{number}" for number, person in enumerate(standing.snapshot.names.people)}


def _transient(draft: Draft, area: Area) -> Visit:
    """The draft as a row that is never stored."""
    with db.session.no_autoflush:
        row = Visit(
            household_id=draft.household.id,
            person_id=draft.person_id,
            service_id=draft.service.id,
            place_id=draft.household.place_id,
            area_id=draft.household.area_id,
            planning_area_id=area.id,
            need_id=uuid.uuid4(),
            day=draft.day,
            windows=[list(window) for window in draft.windows],
            duration_minutes=draft.duration_minutes,
            people=draft.people,
            preferred_start=draft.preferred_start,
            priority=draft.priority,
            wishes=draft.wishes,
        )
        row.__dict__["household"] = draft.household  # as if loaded: assigning it would bring the row into the session
        row.__dict__["slots"] = [Slot(position=number) for number in range(draft.people)]
    return row


def _all_hours(draft: Draft, standing: Live) -> tuple[tuple[int, int], ...]:
    """Every day of the horizon from 7 to 20, in minutes from midnight of the draft's day."""
    horizon = standing.snapshot.horizon
    offsets = [(number - horizon.day_index(draft.day)) * 1440 for number in range(horizon.days)]
    return tuple((offset + EARLIEST_START, offset + LATEST_END) for offset in offsets)


def _row(standing: Live, visit: EngineVisit, found: Candidate) -> Row:
    return Row(
        comers=tuple(_comer(standing, visit, place) for place in found.places),
        travel_minutes=round(found.travel_added_minutes),
        advantages=tuple(note_of(standing, note) for note in found.advantages),
        drawbacks=tuple(note_of(standing, note) for note in found.drawbacks),
    )


def _comer(standing: Live, visit: EngineVisit, place: Any) -> Comer:
    names, horizon = standing.snapshot.names, standing.snapshot.horizon
    person_id, line_id = names.person(place.caregiver_id), names.line(place.line_id)
    charges = Charges({visit.id: visit}, standing.snapshot.instance)
    ways = _ways(standing, visit)
    carer = _carer(person_id, horizon.moment(place.start_minutes))
    return Comer(
        slot=place.slot,
        person_id=person_id,
        name=db.session.get_one(Person, person_id).name,
        capacity="carer" if carer else "volunteer",
        organisation_id=carer.organisation_id if carer else None,
        organisation_name=carer.organisation.short_name if carer else "",
        starts_at=horizon.moment(place.start_minutes),
        ends_at=horizon.moment(place.end_minutes),
        line_id=line_id,
        charge=charges.of(visit.id, place.slot, place.line_id),
        travel_minutes=ways.minutes_to(place.shift_id, visit.id, place.start_minutes),
        fallback=_fallback(standing, visit, place, charges, ways),
    )


def _ways(standing: Live, visit: EngineVisit) -> Ways:
    """The ways of what stands, and of the visit that is asked about."""
    ways = Ways.of_plan(standing.state.instance, standing.state.plan)
    ways.visits[visit.id] = visit
    return ways


def _fallback(standing: Live, visit: EngineVisit, place: Any, charges: Charges, ways: Ways) -> offers.Fallback | None:
    if place.backup is None or place.backup.line_id is None:
        return None
    names, horizon = standing.snapshot.names, standing.snapshot.horizon
    line_id = names.line(place.backup.line_id)
    assert line_id is not None
    charge = charges.of(visit.id, place.slot, place.backup.line_id)
    travel = ways.minutes_to(place.backup.shift_id, visit.id, place.start_minutes)
    return offers.Fallback(
        names.person(place.backup.caregiver_id), line_id, horizon.moment(place.start_minutes), charge, travel
    )


def _carer(person_id: uuid.UUID, at: datetime) -> Carer | None:
    return db.session.query(Carer).filter(Carer.person_id == person_id, Carer.on(clock.local_date(at))).first()


def note_of(standing: Live, note: Note) -> dict[str, Any]:
    """A note with people's names and line ids in the place of surrogates."""
    return {"code": note.code.value, **_named(standing, note.parameters)}


def _named(standing: Live, parameters: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = standing.snapshot.names
    found: dict[str, Any] = {}
    for key, value in parameters:
        if key in ("caregiver", "fallback", "standing") and isinstance(value, str):
            found[key] = db.session.get_one(Person, names.person(value)).name
        elif key == "line" and isinstance(value, str):
            found[key] = names.line(value)
        else:
            found[key] = value
    return found


def _strip(standing: Live, anytime: EngineVisit) -> tuple[tuple[date, tuple[tuple[int, int, str], ...]], ...]:
    if not anytime.windows:
        return ()
    days = {cover.day: cover for cover in coverage(standing.state, anytime, step_minutes=STRIP_MINUTES)}
    strip = []
    for number in range(standing.snapshot.horizon.days):
        day = standing.snapshot.horizon.first + timedelta(days=number)
        starts = days[number].starts if number in days else ()
        marks = [(round(s.start_minutes) - number * 1440, s.cover) for s in starts]
        strip.append((day, _spans(marks)))
    return tuple(strip)


def _spans(marks: list[tuple[int, Cover]]) -> tuple[tuple[int, int, str], ...]:
    """Runs of starts with equal cover."""
    spans: list[tuple[int, int, str]] = []
    for start, cover in marks:
        end = start + STRIP_MINUTES
        if cover is Cover.NONE:
            continue
        if spans and spans[-1][1] == start and spans[-1][2] == cover.value:
            spans[-1] = (spans[-1][0], end, cover.value)
        else:
            spans.append((start, end, cover.value))
    return tuple(spans)


def _why_not(standing: Live, visit: EngineVisit) -> tuple[tuple[Refusal, ...], str | None, dict[str, Any] | None]:
    """Nobody can come: why, person by person; the group's reason; and the smallest verified change."""
    why = Explainer(standing.state.instance, standing.state.plan).explain(visit, max_fixes=1)
    found: dict[uuid.UUID, tuple[dict[str, Any], ...]] = {}
    for entry in why.people:
        person_id = standing.snapshot.names.person(entry.caregiver_id)
        found.setdefault(person_id, tuple(_reason(obstacle) for obstacle in entry.obstacles))
    people = tuple(Refusal(key, db.session.get_one(Person, key).name, codes) for key, codes in found.items())
    return people, why.deciding.value if why.deciding else "nobody_eligible", _fix(standing, why.fix)


def _fix(standing: Live, fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    names, horizon = standing.snapshot.names, standing.snapshot.horizon
    found: dict[str, Any] = with_real_ids(with_moments(plain_fix(fix), horizon), names)
    return found


def _others(standing: Live, visit: EngineVisit, rows: Sequence[Candidate]) -> tuple[tuple[Refusal, ...], int]:
    """Why those cannot come who are in no row, by the code of it; and how many could come as well."""
    placing = Placing(standing.state, visit)
    shown = {caregiver for row in rows for caregiver in row.caregiver_ids}
    more = able_people(placing) - shown
    told = shown | more
    found = []
    for entry in obstacles_of(placing):
        if entry.caregiver_id not in told:
            told.add(entry.caregiver_id)
            person = db.session.get_one(Person, standing.snapshot.names.person(entry.caregiver_id))
            found.append(Refusal(person.id, person.name, tuple(_reason(obstacle) for obstacle in entry.obstacles)))
    return tuple(sorted(found, key=lambda refusal: (refusal.reasons[0]["code"], refusal.name))), len(more)


def _reason(obstacle: Obstacle) -> dict[str, Any]:
    return {"code": obstacle.code.value, **dict(obstacle.parameters)}


def choose(visit: Visit, draft: Draft, key: str, *, by: Actor, now: datetime) -> list[Assignment | Any]:
    """Carry out the row that was chosen for a visit that has just been posted: book carers, ask volunteers.

    The row is worked out again against what stands now; the guards of booking decide in the end.

    Raises
    ------
    Conflict
        it is no longer among the rows: somebody was faster.
    """
    area = db.session.get_one(Area, visit.planning_area_id)
    standing = _standing(area, draft, now)
    engine_visit = standing.snapshot.visit_of(_transient(draft, area), _people(standing))
    rows = [_row(standing, engine_visit, found) for found in recommend(standing.state, engine_visit, limit=40)]
    row = next((found for found in rows if found.key == key), None)
    if row is None:
        raise Conflict("taken")
    slots = {slot.position: slot for slot in visit.slots}
    return [_take(slots[comer.slot], comer, by=by, now=now) for comer in row.comers]


def _take(slot: Slot, comer: Comer, *, by: Actor, now: datetime) -> Any:
    if comer.capacity == "volunteer":
        asked = offers.Candidate(comer.person_id, comer.starts_at, comer.ends_at, comer.travel_minutes)
        return offers.open_round(slot, [asked], fallback=comer.fallback, by=by, now=now)
    return booking.book(
        slot,
        comer.person_id,
        capacity="carer",
        organisation_id=comer.organisation_id,
        line_id=comer.line_id,
        charge=comer.charge,
        starts_at=comer.starts_at,
        ends_at=comer.ends_at,
        travel_minutes=comer.travel_minutes,
        by=by,
        now=now,
    )


def draft_of(visit: Visit, starts_at: datetime) -> Draft:
    """One place of a stored visit, at exactly this time."""
    start = clock.minutes_of_day(starts_at, visit.day)
    return Draft(
        household=visit.household,
        person_id=visit.person_id,
        service=visit.service,
        day=visit.day,
        windows=((start, start + visit.duration_minutes),),
        duration_minutes=visit.duration_minutes,
        wishes=visit.wishes,
        priority=visit.priority,
    )


def volunteers_for(draft: Draft, area: Area, *, now: datetime, limit: int = 20) -> list[offers.Candidate]:
    """The volunteers who could take one place of the visit at its time, best first."""
    standing = _standing(area, draft, now)
    visit = standing.snapshot.visit_of(_transient(draft, area), _people(standing))
    visit = replace(visit, mixes=(), provider_kinds=_volunteers_only(visit), fallback=FallbackRule.NONE)
    rows = (
        [_row(standing, visit, found) for found in recommend(standing.state, visit, limit=limit)]
        if visit.windows
        else []
    )
    comers = [row.comers[0] for row in rows]
    return [offers.Candidate(comer.person_id, comer.starts_at, comer.ends_at, comer.travel_minutes) for comer in comers]


def _volunteers_only(visit: EngineVisit) -> tuple[ProviderKind, ...]:
    """Volunteers, unless the visit is for paid people only (then the narrowing leaves nobody)."""
    allowed = not visit.provider_kinds or ProviderKind.VOLUNTEER in visit.provider_kinds
    return (ProviderKind.VOLUNTEER,) if allowed else visit.provider_kinds


def candidates_limit(now: datetime) -> int:
    """How many others are asked after the planned volunteer."""
    return int(rule("planning.offer_candidates", clock.local_date(now)))
