"""`check` and `evaluate`: the checker's two entrances."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import fields

from matching.feasibility.evaluation import Terms, evaluate_bookings, tardiness_of
from matching.feasibility.facts import Booking, Facts, bookings_of, by_visit, fallbacks_of
from matching.feasibility.fallbacks import fallback_violations
from matching.feasibility.limits import limit_violations
from matching.feasibility.people import person_violations
from matching.feasibility.pins import dropped_pins
from matching.feasibility.routes import route_violations
from matching.feasibility.violations import EPSILON, Parameter, Violation, ViolationCode, violation
from matching.feasibility.visits import visit_violations
from matching.instance import Instance
from matching.plan import Plan


def check(instance: Instance, plan: Plan) -> list[Violation]:
    """Everything that is wrong with the plan; empty means it is feasible and says the truth.

    Hard rules are checked at the stated times, limits also with every fallback due, and the stated
    objective against the recomputed one. A plan that names unknown ids is judged no further.
    (Which instance a plan was made for, `instance_digest`, is the caller's to compare.)
    """
    facts = Facts(instance)
    unreadable = list(_unknown_ids(facts, plan))
    if unreadable:
        return unreadable
    return list(dict.fromkeys(_violations(facts, plan)))


def evaluate(instance: Instance, plan: Plan) -> Terms:
    """The objective's terms by name, as in `ObjectiveVector`, recomputed from the plan's stops.

    Raises KeyError if the plan names something that the instance does not have.
    """
    facts = Facts(instance)
    return evaluate_bookings(facts, bookings_of(facts, plan))


def _violations(facts: Facts, plan: Plan) -> Iterator[Violation]:
    bookings, fallbacks = bookings_of(facts, plan), fallbacks_of(facts, plan)
    yield from _document(facts, plan, bookings)
    yield from _routes(facts, plan)
    yield from person_violations(facts, bookings)
    yield from visit_violations(facts, bookings)
    yield from limit_violations(facts, bookings, fallbacks)
    yield from fallback_violations(facts, bookings, fallbacks)
    yield from dropped_pins(facts, bookings)
    yield from _tardiness(plan, bookings)
    yield from _objective(facts, plan, bookings)


def _unknown_ids(facts: Facts, plan: Plan) -> Iterator[Violation]:
    named: list[tuple[str, str, Collection[str]]] = []
    named += [("shift", r.shift_id, facts.shifts) for r in plan.routes]
    named += [("caregiver", r.caregiver_id, facts.caregivers) for r in plan.routes]
    named += [("shift", f.shift_id, facts.shifts) for f in plan.fallbacks]
    named += [("caregiver", f.caregiver_id, facts.caregivers) for f in plan.fallbacks]
    named += [("visit", u.visit_id, facts.visits) for u in plan.unserved]
    placed = [(s.visit_id, s.slot, s.line_id) for r in plan.routes for s in r.stops]
    placed += [(f.visit_id, f.slot, f.line_id) for f in plan.fallbacks]
    named += [("line", line, facts.lines) for _, _, line in placed if line is not None]
    named += [("visit", visit, facts.visits) for visit, _, _ in placed]
    for kind, name, known in named:
        if name not in known:
            text = "the plan names {kind} {id}, which the instance does not have"
            yield violation(ViolationCode.UNKNOWN_ID, text, kind=kind, id=name)
    for visit, slot, _ in placed:
        if visit in facts.visits and slot >= len(facts.visits[visit].slots):
            text = "visit {visit} has no slot {slot}"
            yield violation(ViolationCode.UNKNOWN_ID, text, kind="slot", visit=visit, slot=slot)


def _document(facts: Facts, plan: Plan, bookings: list[Booking]) -> Iterator[Violation]:
    """Each slot once, each shift once, each visit either served or listed."""
    for (visit, slot), times in Counter(b.key for b in bookings).items():
        if times > 1:
            text = "slot {slot} of visit {visit} is planned {times} times"
            yield violation(ViolationCode.SLOT_TWICE, text, visit=visit, slot=slot, times=times)
    for shift, times in Counter(r.shift_id for r in plan.routes).items():
        if times > 1:
            text = "shift {shift} has {times} routes"
            yield violation(ViolationCode.ROUTE_TWICE, text, shift=shift, times=times)
    for route in plan.routes:
        if not route.stops:
            text = "the route of shift {shift} has no stops"
            yield violation(ViolationCode.ROUTE_EMPTY, text, shift=route.shift_id)
        if facts.shifts[route.shift_id].caregiver_id != route.caregiver_id:
            text = "shift {shift} is not a shift of {caregiver}"
            ids: dict[str, Parameter] = {"shift": route.shift_id, "caregiver": route.caregiver_id}
            yield violation(ViolationCode.NOT_THEIR_SHIFT, text, **ids)
    yield from _unserved(facts, plan, bookings)


def _unserved(facts: Facts, plan: Plan, bookings: list[Booking]) -> Iterator[Violation]:
    listed = Counter(u.visit_id for u in plan.unserved)
    rows = by_visit(bookings)
    for visit in facts.instance.visits:
        filled = {b.slot for b in rows[visit.id]}
        served = len(filled) == len(visit.slots)
        if served and listed[visit.id]:
            text = "visit {visit} is listed as unserved, but is served"
            yield violation(ViolationCode.LISTED_THOUGH_SERVED, text, visit=visit.id)
        if not served and not listed[visit.id]:
            text = "visit {visit} is neither served nor listed as unserved"
            yield violation(ViolationCode.NOT_LISTED_UNSERVED, text, visit=visit.id)
        if listed[visit.id] > 1:
            text = "visit {visit} is listed as unserved {times} times"
            yield violation(ViolationCode.LISTED_TWICE, text, visit=visit.id, times=listed[visit.id])
        if filled and not served and all(visit.slots[k].pin is None for k in filled):
            text = "visit {visit} needs two people and has one, who is not pinned"
            yield violation(ViolationCode.HALF_STAFFED, text, visit=visit.id)


def _routes(facts: Facts, plan: Plan) -> Iterator[Violation]:
    for route in plan.routes:
        if route.stops:
            own = Plan(routes=(route,))
            yield from route_violations(facts, route, bookings_of(facts, own))


def _tardiness(plan: Plan, bookings: list[Booking]) -> Iterator[Violation]:
    real = tardiness_of(bookings)
    for route in plan.routes:
        for stop in route.stops:
            late = real[stop.visit_id, stop.slot]
            if abs(stop.tardiness_minutes - late) > EPSILON:
                text = "slot {slot} of visit {visit} states {stated:g} minutes of tardiness, it has {real:g}"
                yield violation(
                    ViolationCode.STATED_TARDINESS,
                    text,
                    visit=stop.visit_id,
                    slot=stop.slot,
                    stated=stop.tardiness_minutes,
                    real=late,
                )


def _objective(facts: Facts, plan: Plan, bookings: list[Booking]) -> Iterator[Violation]:
    real = evaluate_bookings(facts, bookings)
    for row in fields(plan.objective):
        stated, found = getattr(plan.objective, row.name), real[row.name]
        if not _agree(stated, found):
            text = "the plan states {term} = {stated}, it is {found}"
            yield violation(ViolationCode.OBJECTIVE, text, term=row.name, stated=str(stated), found=str(found))


def _agree(stated: float | tuple[int, ...], found: float | int | tuple[int, ...]) -> bool:
    if isinstance(stated, tuple) or isinstance(found, tuple):
        return stated == found
    return abs(stated - found) <= 1e-6 * max(1.0, abs(found))
