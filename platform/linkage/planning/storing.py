"""Storing a solved and checked plan: stops, unserved visits with reasons, the line of truth, the instance."""

from __future__ import annotations

import uuid
import zlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

import matching.instance as m
from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.rulesets import rule
from linkage.core.sequences import next_number
from linkage.planning.horizon import Horizon, Names
from linkage.planning.models import Plan, PlanStop, PlanUnserved
from linkage.planning.snapshot import Snapshot
from linkage.planning.ways import Call, Ways
from linkage.visits.models import Assignment, Slot
from matching.instance_io import instance_to_json

TELLABLE = ("total", "tardiness_minutes", "travel_minutes", "cost_fen", "people_told", "new_faces", "wishes_missed")


def store(
    area_id: int,
    snapshot: Snapshot,
    answer: dict[str, Any],
    *,
    job_id: uuid.UUID | None,
    seconds: float,
    curve: list[list[float]],
    now: datetime,
) -> Plan:
    """Write a plan (status: draft) from the child's answer."""
    solved = answer["plan"]
    plan = Plan(
        area_id=area_id,
        number=next_number(f"plan/{area_id}"),
        first_day=snapshot.horizon.first,
        last_day=snapshot.horizon.last,
        job_id=job_id,
        solved_from=snapshot.horizon.now,
        created_at=now,
        seconds=round(seconds, 1),
        seed=solved.get("seed", 0),
        objective=solved.get("objective", {}),
        summary={},
        curve=curve,
        instance=zlib.compress(instance_to_json(snapshot.instance).encode(), 6),
        surrogates=snapshot.names.to_json(),
        expires_at=now + timedelta(days=rule("planning.instance_days", clock.local_date(now))),
    )
    db.session.add(plan)
    db.session.flush()
    slots = _slots(snapshot.names)
    _stops(plan, snapshot, solved, slots)
    _unserved(plan, snapshot, solved, answer["reasons"])
    for visit_id in snapshot.demand.refused:
        db.session.add(PlanUnserved(plan_id=plan.id, visit_id=visit_id, reason={"code": "not_served"}, proven=True))
    db.session.flush()
    plan.summary = summarise(plan, snapshot)
    return plan


def _slots(names: Names) -> dict[tuple[uuid.UUID, int], Slot]:
    found: dict[tuple[uuid.UUID, int], Slot] = {}
    for start in range(0, len(names.visits), 500):
        for slot in db.session.scalars(select(Slot).where(Slot.visit_id.in_(names.visits[start : start + 500]))):
            found[slot.visit_id, slot.position] = slot
    return found


def _stops(plan: Plan, snapshot: Snapshot, solved: dict[str, Any], slots: dict[Any, Slot]) -> None:
    names, horizon = snapshot.names, snapshot.horizon
    fallbacks = {(f["visit_id"], f.get("slot", 0)): f for f in solved.get("fallbacks", [])}
    charges = Charges({v.id: v for v in snapshot.instance.visits}, snapshot.instance)
    kinds = {c.id: c.kind.value for c in snapshot.instance.caregivers}
    ways = _ways(snapshot, solved)
    for route in solved.get("routes", []):
        for stop in route.get("stops", []):
            visit_id, position = names.visit(stop["visit_id"]), stop.get("slot", 0)
            row = PlanStop(
                plan_id=plan.id,
                slot_id=slots[visit_id, position].id,
                visit_id=visit_id,
                person_id=names.person(route["caregiver_id"]),
                capacity="volunteer" if kinds[route["caregiver_id"]] == "volunteer" else "carer",
                line_id=names.line(stop.get("line_id")),
                charge=charges.of(stop["visit_id"], position, stop.get("line_id")),
                starts_at=horizon.moment(stop.get("start_minutes", 0)),
                ends_at=horizon.moment(stop.get("end_minutes", 0)),
                travel_minutes=ways.minutes_to(route["shift_id"], stop["visit_id"], stop.get("start_minutes", 0)),
                late_minutes=round(stop.get("tardiness_minutes", 0)),
                held=charges.is_pinned(stop["visit_id"], position),
            )
            fallback = fallbacks.get((stop["visit_id"], position))
            if fallback is not None:
                _with_fallback(row, fallback, snapshot, charges, ways)
            db.session.add(row)


def _ways(snapshot: Snapshot, solved: dict[str, Any]) -> Ways:
    ways = Ways(snapshot.instance)
    for route in solved.get("routes", []):
        stops = route.get("stops", [])
        ways.add(
            route["shift_id"],
            (Call(s["visit_id"], s.get("start_minutes", 0), s.get("end_minutes", 0)) for s in stops),
        )
    for row in solved.get("fallbacks", []):
        ways.add_fallback(row["shift_id"], row["visit_id"], row.get("start_minutes", 0))
    return ways


def _with_fallback(row: PlanStop, fallback: dict[str, Any], snapshot: Snapshot, charges: Charges, ways: Ways) -> None:
    """Who stands behind a volunteer; where it is too late to ask anybody first, she goes."""
    names, horizon = snapshot.names, snapshot.horizon
    start = fallback.get("start_minutes", 0)
    line_id = names.line(fallback.get("line_id"))
    charge = charges.of(fallback["visit_id"], fallback.get("slot", 0), fallback.get("line_id"))
    travel = ways.minutes_to(fallback["shift_id"], fallback["visit_id"], start)
    person_id, starts_at = names.person(fallback["caregiver_id"]), horizon.moment(start)
    if not row.held and line_id is not None and _too_late_to_ask(row.starts_at, starts_at, horizon.now):
        row.ends_at += starts_at - row.starts_at
        row.person_id, row.capacity, row.starts_at = person_id, "carer", starts_at
        row.line_id, row.charge, row.travel_minutes = line_id, charge, travel
        return
    row.fallback_person_id, row.fallback_line_id, row.fallback_starts_at = person_id, line_id, starts_at
    row.fallback_charge, row.fallback_travel_minutes = charge, travel


def _too_late_to_ask(starts_at: datetime, behind_at: datetime, now: datetime) -> bool:
    """Whether the paid carer would have to be told before a volunteer has had time to answer."""
    today = clock.local_date(now)
    told = min(starts_at, behind_at) - timedelta(minutes=rule("offers.fallback_minutes", today))
    return told < now + timedelta(minutes=rule("planning.lead_minutes", today))


class Charges:
    """What a slot draws from a line, in the line's unit: as the instance defines it (`Visit.charge_minutes`)."""

    def __init__(self, visits: dict[str, m.Visit], instance: m.Instance) -> None:
        self.visits = visits
        self.units = {line.id: line.unit.value for line in instance.contract_lines}

    def of(self, visit_id: str, position: int, line_id: str | None) -> int:
        visit = self.visits[visit_id]
        if line_id is None or (visit.charged_once and position > 0):
            return 0
        minutes = visit.service_minutes if visit.charge_minutes is None else visit.charge_minutes
        return round({"minutes": minutes, "meals": visit.charge_meals, "visits": 1}[self.units[line_id]])

    def is_pinned(self, visit_id: str, position: int) -> bool:
        return self.visits[visit_id].slots[position].pin is not None


def with_moments(fix: dict[str, Any], horizon: Horizon) -> dict[str, Any]:
    """Instants of the horizon as moments: a stored fix must be readable without its instance."""
    instants = ("starts_at_minutes", "from_minutes", "to_minutes", "start_minutes", "end_minutes")
    moments = {key.removesuffix("_minutes"): horizon.moment(fix[key]).isoformat() for key in instants if key in fix}
    return {key: value for key, value in fix.items() if key not in instants} | moments


def _unserved(plan: Plan, snapshot: Snapshot, solved: dict[str, Any], reasons: list[dict[str, Any]]) -> None:
    names, horizon = snapshot.names, snapshot.horizon
    by_visit = {reason["visit_id"]: reason for reason in reasons}
    placed: Counter[str] = Counter()
    for route in solved.get("routes", []):
        for stop in route.get("stops", []):
            placed[stop["visit_id"]] += 1
    for entry in solved.get("unserved", []):
        reason = by_visit.get(entry["visit_id"], {"code": entry["code"]})
        db.session.add(
            PlanUnserved(
                plan_id=plan.id,
                visit_id=names.visit(entry["visit_id"]),
                half=placed[entry["visit_id"]] > 0,
                reason=with_real_ids(reason, names),
                proven=bool(reason.get("proven", False)),
                fix=with_real_ids(with_moments(reason["fix"], horizon), names) if reason.get("fix") else None,
            )
        )


def with_real_ids(value: Any, names: Names) -> Any:
    """The same reason with the database's ids for surrogate visits, people and lines."""
    if isinstance(value, dict):
        return {_real(key, names): with_real_ids(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_real_ids(inner, names) for inner in value]
    return _real(value, names)


def _real(value: Any, names: Names) -> Any:
    if isinstance(value, str) and "," in value:
        return ",".join(str(_real(part, names)) for part in value.split(","))
    if isinstance(value, str) and len(value) > 1 and value[1:].isdigit():
        kinds = {"v": names.visits, "c": names.people, "l": names.lines}
        if value[0] in kinds and int(value[1:]) < len(kinds[value[0]]):
            return str(kinds[value[0]][int(value[1:])])
    return value


def summarise(plan: Plan, snapshot: Snapshot) -> dict[str, Any]:
    """The line of truth: each visit counts once, by the first that applies.

    without anyone, half staffed, asked, late, staffed (PAGES.md). "asked" holds every visit with a slot that a
    volunteer has not yet accepted: an unanswered question is never served.
    """
    half = {row.visit_id for row in plan.unserved if row.half}
    without = {row.visit_id for row in plan.unserved} - half
    accepted = set(
        db.session.scalars(
            select(Assignment.slot_id).where(Assignment.released_at.is_(None), Assignment.capacity == "volunteer")
        )
    )
    by_visit: dict[uuid.UUID, list[PlanStop]] = defaultdict(list)
    for stop in plan.stops:
        by_visit[stop.visit_id].append(stop)
    counts: Counter[str] = Counter()
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for visit in snapshot.names.visits:
        stops = by_visit[visit]
        state = _state(visit, stops, without, half, accepted)
        counts[state] += 1
    for row in plan.unserved:
        days[row.visit.day.isoformat()]["gaps"] += 1
    return {
        "visits": len(snapshot.names.visits),
        **counts,
        "approximate": snapshot.approximate,
        "days": {day: dict(values) for day, values in days.items()},
        "told": int(plan.objective.get("people_told", 0)),
    }


def _state(
    visit: uuid.UUID, stops: list[PlanStop], without: set[uuid.UUID], half: set[uuid.UUID], accepted: set[uuid.UUID]
) -> str:
    if visit in without:
        return "without"
    if visit in half:
        return "half"
    if any(stop.capacity == "volunteer" and stop.slot_id not in accepted for stop in stops):
        return "asked"
    return "late" if any(stop.late_minutes > 0 for stop in stops) else "staffed"
