"""Changes in who works: more hours, one more household or face, a visit given to somebody else, an
agreement released, one more caregiver. (`fixes` tries them; what each is called stands in `changes`.)
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from matching.changes import Change, FixCode, Made
from matching.charging import Booked
from matching.eligibility import Parameter, required_qualifications, slot_kinds
from matching.instance import (
    MINUTES_PER_DAY,
    Caregiver,
    Gender,
    Instance,
    ProviderKind,
    Qualification,
    Shift,
    Visit,
    WorkLimit,
)
from matching.lookup import Lookup, slot_minutes
from matching.placing import Placing, Way
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.rebuild import plan_of, with_bookings, with_visit

ONE_MORE = "one-more"
OTHER_PLACES = 3

Named = dict[str, Parameter]


def more_hours(placing: Placing) -> Iterator[Change]:
    """What one person's hours (or number of visits) lack, added to the contract."""
    state, visit = placing.state, placing.visit
    for slot in placing.missing:
        spans = placing.spans_beside(slot)
        for shift in state.able_shifts(visit, slot, spans):
            person = state.lookup.caregivers[shift.caregiver_id]
            openings = state.openings(visit, slot, shift, spans)
            least = min((due.work_added for _, due in openings), default=None)
            limit = None if least is None else state.limit_broken(visit, person, shift, least, due=True)
            if limit is not None and least is not None:
                yield from _raised(placing, person, limit, least)


def _raised(placing: Placing, person: Caregiver, limit: WorkLimit, least: float) -> Iterator[Change]:
    state = placing.state
    days = range(limit.first_day, limit.last_day + 1)
    named: Named = {"caregiver": person.id, "first_day": limit.first_day, "last_day": limit.last_day}
    done = limit.used_minutes + sum(state.work_due[person.id].get(day, 0.0) for day in days)
    done = max(done, limit.used_minutes + sum(state.work[person.id].get(day, 0.0) for day in days))
    lacking = 0 if limit.max_minutes is None else math.ceil(done + least - limit.max_minutes - 1e-6)
    if limit.max_minutes is not None and lacking > 0:
        larger = replace(limit, max_minutes=limit.max_minutes + lacking)
        named |= {"amount": lacking, "unit": "minutes"}
    else:
        larger = replace(limit, max_visits=(limit.max_visits or 0) + 1)
        named |= {"amount": 1, "unit": "visits"}
    limits = tuple(larger if row == limit else row for row in person.work_limits)
    size = float(named["amount"] or 0)
    yield Change(FixCode.MORE_HOURS, named, size, _with(placing, replace(person, work_limits=limits)))


def more_households(placing: Placing) -> Iterator[Change]:
    """One more new household for somebody who wants no more of them."""
    state, visit = placing.state, placing.visit
    for person in state.instance.caregivers:
        if state.household_is_new_to(person, visit.household_id):
            limit = (person.max_new_households or 0) + 1
            named: Named = {"caregiver": person.id, "limit": limit}
            wider = replace(person, max_new_households=limit)
            yield Change(FixCode.TAKE_ON_HOUSEHOLD, named, 1, _with(placing, wider))


def new_faces(placing: Placing) -> Iterator[Change]:
    """One more new face for a household that has had enough of them."""
    state, visit = placing.state, placing.visit
    household = state.lookup.households[visit.household_id]
    if household.max_new_faces is None:
        return
    for more in (1, 2)[: len(placing.missing)]:
        limit = household.max_new_faces + more
        homes = tuple(replace(h, max_new_faces=limit) if h.id == household.id else h for h in state.instance.households)
        other = replace(state.instance, households=homes)

        def make(other: Instance = other) -> tuple[PlanState, Visit]:
            return PlanState(other, state.plan), visit

        yield Change(FixCode.WELCOME_NEW_FACE, {"limit": limit}, more, make)


def hand_overs(placing: Placing) -> Iterator[Change]:
    """A visit of one person, not agreed, that somebody else (or she at another time) could do."""
    yield from _taken_out(placing, agreed=False)


def releases(placing: Placing) -> Iterator[Change]:
    """An agreement given up: about this visit, or about another one in the way."""
    visit = placing.visit
    for slot in placing.missing:
        pin = visit.slots[slot].pin
        if pin is not None:
            named: Named = {"visit": visit.id, "slot": slot, "caregiver": pin.caregiver_id}
            free = unpinned(visit, slot)
            yield Change(FixCode.RELEASE_PIN, named, 0, lambda free=free: (placing.state, free))  # type: ignore[misc]
    yield from _taken_out(placing, agreed=True)


def _taken_out(placing: Placing, *, agreed: bool) -> Iterator[Change]:
    code = FixCode.RELEASE_PIN if agreed else FixCode.HAND_OVER_VISIT
    for row, travel in in_the_way(placing, agreed=agreed):
        named: Named = {"visit": row.visit.id, "slot": row.slot, "caregiver": row.caregiver.id}
        make, finish = _without(placing.state, placing.visit, row), _elsewhere(row, named)
        yield Change(code, named, 1 + max(0.0, travel), make, finish)
        for turn in range(OTHER_PLACES):  # where it goes may decide where this one can
            going: Named = dict(named)
            yield Change(code, going, 1.5 + turn + max(0.0, travel), _gone(placing, row, turn, going))


def in_the_way(placing: Placing, *, agreed: bool = False) -> list[tuple[Booked, float]]:
    """Places without which a missing slot would have an opening, and the travel that it then adds.

    Only places alone at their visit, with nobody behind, agreed or not.
    """
    state, visit = placing.state, placing.visit
    found: dict[tuple[str, int], tuple[Booked, float]] = {}
    for slot in placing.missing:
        spans = placing.spans_beside(slot)
        minutes, access = slot_minutes(visit, slot), visit.access_minutes
        for shift in state.able_shifts(visit, slot, spans):
            route = state.route(shift.id)
            for row in route:
                if _may_go(state, row, agreed=agreed):
                    table = state.table_of(shift, [b for b in route if b is not row])
                    more = [o.travel_added for o in table.openings(visit.location_id, minutes, access, spans)]
                    if more:
                        found[row.key] = row, min([*more, found.get(row.key, (row, math.inf))[1]])
    return list(found.values())


def _may_go(state: PlanState, row: Booked, *, agreed: bool) -> bool:
    """Alone at its visit, with nobody behind, and agreed or not."""
    alone = len(row.visit.slots) == 1 and not state.behind_visit.get(row.visit.id)
    return alone and (row.visit.slots[0].pin is not None) is agreed


def _gone(placing: Placing, row: Booked, turn: int, named: Named) -> Callable[[], tuple[PlanState, Visit] | None]:
    """The other visit put into its `turn`-th best place elsewhere first."""

    def make() -> tuple[PlanState, Visit] | None:
        state, other = taken_out(placing.state, row)
        here = (row.caregiver.id, row.start_minutes)
        ways = sorted(Placing(state, other).ways(), key=lambda w: w.points)
        ways = [w for w in ways if (w.booked[0].caregiver.id, w.booked[0].start_minutes) != here]
        if turn >= len(ways):
            return None
        booked = ways[turn].booked[0]
        named.update(to_caregiver=booked.caregiver.id, from_minutes=row.start_minutes, to_minutes=booked.start_minutes)
        instance, plan = with_bookings(state, other, ways[turn].booked, ways[turn].behind)
        return PlanState(instance, plan), placing.visit

    return make


def _without(state: PlanState, visit: Visit, row: Booked) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (taken_out(state, row)[0], visit)


def taken_out(state: PlanState, row: Booked) -> tuple[PlanState, Visit]:
    """The plan without one place, and its visit with the slot not agreed."""
    free = unpinned(row.visit, row.slot)
    planned = [b for b in state.planned if b is not row]
    plan = plan_of(state.emptied(), planned, state.behind, state.plan, {row.shift.id}, priced=False)
    if free == row.visit:
        return state.replanned(plan), free
    return PlanState(with_visit(state.instance, free), plan), free


def _elsewhere(row: Booked, named: Named) -> Callable[[Made], Made | None]:
    """Give the visit that was taken out another place; `named` then says which."""

    def finish(made: Made) -> Made | None:
        state = PlanState(made.instance, made.plan)
        other = state.lookup.visits[row.visit.id]
        way: Way | None = min(Placing(state, other).ways(), key=lambda w: w.points, default=None)
        if way is None:
            return None
        booked = way.booked[0]
        named.update(to_caregiver=booked.caregiver.id, from_minutes=row.start_minutes, to_minutes=booked.start_minutes)
        return Made(*with_bookings(state, other, way.booked, way.behind), made.candidate)

    return finish


def unpinned(visit: Visit, slot: int) -> Visit:
    """The visit with nothing agreed about one slot."""
    return replace(visit, slots=tuple(replace(s, pin=None) if k == slot else s for k, s in enumerate(visit.slots)))


# One more caregiver


def additions(placing: Placing) -> Iterator[Change]:
    """One more caregiver with just what the visit asks for, there for just this visit."""
    for person, shift in new_people(placing):
        named: Named = {
            "kind": str(person.kind),
            "organisation": person.organisation_id,
            "qualifications": ",".join(q.id for q in person.qualifications),
            "gender": str(person.gender),
            "languages": ",".join(person.languages),
        }
        minutes = shift.end_minutes - shift.start_minutes
        dear = 0.0 if person.kind is ProviderKind.CARER else 1.0 if person.kind is ProviderKind.SOCIAL_WORKER else 2.0
        size = dear * MINUTES_PER_DAY + minutes
        yield Change(FixCode.ADD_CAREGIVER, named, size, _joined(placing, person, shift), _narrowed(shift, named))


def new_people(placing: Placing) -> Iterator[tuple[Caregiver, Shift]]:
    """People who could be added for a missing slot: every kind allowed, every organisation paid for it."""
    look, visit = placing.state.lookup, placing.visit
    name = ONE_MORE
    while name in look.caregivers or name in look.shifts:
        name += "-"
    for slot in placing.missing:
        pin = visit.slots[slot].pin
        if pin is not None and pin.caregiver_id is not None:
            continue
        for kind in sorted(slot_kinds(look, visit, slot)):
            for organisation in _organisations(look, visit, slot, kind):
                person = _new_person(look, visit, slot, name, kind, organisation)
                yield from ((person, shift) for shift in _new_shifts(placing, slot, name))


def _new_person(
    look: Lookup, visit: Visit, slot: int, name: str, kind: ProviderKind, organisation: str | None
) -> Caregiver:
    return Caregiver(
        id=name,
        kind=kind,
        gender=Gender(visit.gender_wish.values[0]) if visit.gender_wish else Gender.UNSPECIFIED,
        languages=visit.language_wish.values[:1] if visit.language_wish else (),
        qualifications=tuple(map(Qualification, required_qualifications(look, visit, slot))),
        organisation_id=organisation,
        needs_contract_line=organisation is not None,
        fair_capacity_minutes=0,
    )


def _organisations(lookup: Lookup, visit: Visit, slot: int, kind: ProviderKind) -> list[str | None]:
    """The organisations whose lines pay for the slot; None: nobody needs to pay."""
    if kind is ProviderKind.VOLUNTEER or not visit.contract_line_ids:
        return [None]
    service = visit.slots[slot].service_id or visit.service_id
    lines = [lookup.lines[name] for name in visit.contract_line_ids]
    return list(dict.fromkeys(line.organisation_id for line in lines if service in line.service_ids))


def _new_shifts(placing: Placing, slot: int, name: str) -> Iterator[Shift]:
    """A shift for each day of the visit's windows, around all of them."""
    state, visit = placing.state, placing.visit
    spans = placing.spans_beside(slot) or [
        (w.start_minutes, w.end_minutes + visit.max_tardiness_minutes) for w in visit.windows
    ]
    days: dict[int, list[tuple[float, float]]] = {}
    for a, b in spans:
        days.setdefault(int(a // MINUTES_PER_DAY), []).append((a, b))
    more = visit.synchronisation.max_offset_minutes if len(visit.slots) == 2 else 0.0
    for day, rows in sorted(days.items()):
        start = max(day * MINUTES_PER_DAY, min(a for a, _ in rows) - visit.access_minutes)
        end = max(b for _, b in rows) + slot_minutes(visit, slot) + max(0.0, more)
        if day < state.instance.horizon_days:
            yield Shift(name, name, day, start, end, state.instance.travel_modes[0].id)


def _joined(placing: Placing, person: Caregiver, shift: Shift) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (with_more_people(placing.state, person, shift), placing.visit)


def with_more_people(state: PlanState, person: Caregiver, shift: Shift) -> PlanState:
    """The same plan with one more caregiver."""
    instance = replace(
        state.instance,
        caregivers=(*state.instance.caregivers, person),
        shifts=(*state.instance.shifts, shift),
    )
    return PlanState(instance, state.plan)


def _narrowed(wide: Shift, named: Named) -> Callable[[Made], Made | None]:
    """The shift cut to what the visit takes."""

    def finish(made: Made) -> Made | None:
        state = PlanState(made.instance, made.plan)
        rows = [b for b in (*state.planned, *state.behind) if b.shift.id == wide.id]
        if not rows:
            return None
        start = min(b.start_minutes - b.visit.access_minutes for b in rows)
        start = max(start, wide.day * MINUTES_PER_DAY)
        end = max(b.end_minutes for b in rows)
        named.update(start_minutes=start, end_minutes=end, minutes=end - start)
        shifts = tuple(
            replace(s, start_minutes=start, end_minutes=end) if s.id == wide.id else s for s in made.instance.shifts
        )
        instance = replace(made.instance, shifts=shifts)
        again = PlanState(instance, made.plan)
        plan = plan_of(PlanState(instance, Plan()), again.planned, again.behind, made.plan, {wide.id})
        return Made(instance, plan, made.candidate)

    return finish


def _with(placing: Placing, person: Caregiver) -> Callable[[], tuple[PlanState, Visit]]:
    return lambda: (placing.state.with_person(person), placing.visit)
