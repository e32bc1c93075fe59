"""What an instance must satisfy before anything is solved; every refusal names its field."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matching.codec import check_bounds
from matching.errors import InvalidInstance
from matching.fields import MAX_FEN
from matching.instance import (
    MINUTES_PER_DAY,
    Caregiver,
    Gender,
    Instance,
    Shift,
    TimeWindow,
    Unit,
    Visit,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes above which an instance is refused (configuration of whoever calls)."""

    visits: int = 50_000
    shifts: int = 100_000
    caregivers: int = 20_000
    locations: int = 50_000
    windows_per_visit: int = 31
    breaks_per_shift: int = 4


DEFAULT_LIMITS = Limits()


class _Ids:
    """The ids of every list, each known by its name in the instance."""

    def __init__(self, instance: Instance) -> None:
        self.locations = _unique("locations", instance.locations)
        self.modes = _unique("travel_modes", instance.travel_modes)
        self.services = _unique("services", instance.services)
        self.caregivers = _unique("caregivers", instance.caregivers)
        self.shifts = _unique("shifts", instance.shifts)
        self.households = _unique("households", instance.households)
        self.visits = _unique("visits", instance.visits)
        self.lines = _unique("contract_lines", instance.contract_lines)
        _unique("budgets", instance.budgets)
        _unique("quotas", instance.quotas)
        self.qualifications = {q.id for c in instance.caregivers for q in c.qualifications}
        self.qualifications |= {q for s in instance.services for q in s.required_qualifications}


def validate(instance: Instance, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise `InvalidInstance` at the first field that is out of bounds or contradicts another."""
    names = ("visits", "shifts", "caregivers", "locations")
    check_sizes({name: len(getattr(instance, name)) for name in names}, limits)
    check_bounds(instance, InvalidInstance)
    ids = _Ids(instance)
    _travel(instance)
    for i, service in enumerate(instance.services):
        _mixes(f"services[{i}]", service.provider_kinds, service.mixes)
    _caregivers(instance, ids)
    _shifts(instance, ids, limits)
    for i, household in enumerate(instance.households):
        _known(f"households[{i}].known_caregiver_ids", household.known_caregiver_ids, ids.caregivers)
    for i, visit in enumerate(instance.visits):
        _visit(f"visits[{i}]", visit, instance, ids, limits)
    _money(instance, ids)
    _pairs_and_running(instance, ids)


def _fail(path: str, problem: str, remedy: str = "") -> None:
    raise InvalidInstance(path, problem, remedy)


def check_sizes(sizes: Mapping[str, int], limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse lists that are longer than configured; `sizes` maps names of `Instance` to lengths."""
    for name in ("visits", "shifts", "caregivers", "locations"):
        size, limit = sizes.get(name, 0), getattr(limits, name)
        if size > limit:
            _fail(name, f"has {size} entries, more than the limit of {limit}", "plan a smaller area")


def _unique(name: str, rows: Iterable[Any]) -> set[str]:
    seen: set[str] = set()
    for i, row in enumerate(rows):
        if not row.id:
            _fail(f"{name}[{i}].id", "is empty")
        if row.id in seen:
            _fail(f"{name}[{i}].id", f"{row.id!r} occurs twice")
        seen.add(row.id)
    return seen


def _known(path: str, ids: Iterable[str], known: set[str]) -> None:
    for i, name in enumerate(ids):
        _one_known(f"{path}[{i}]", name, known)


def _one_known(path: str, name: str | None, known: Collection[str | None]) -> None:
    if name is not None and name not in known:
        _fail(path, f"{name!r} is not in the instance")


def _days(path: str, first: int, last: int) -> None:
    if last < first:
        _fail(f"{path}.last_day", f"{last} is before first_day {first}")


def _travel(instance: Instance) -> None:
    size = len(instance.locations)
    for m, mode in enumerate(instance.travel_modes):
        path = f"travel_modes[{m}]"
        if mode.matrix_minutes is None:
            if mode.speed_metres_per_minute is None:
                _fail(path, "has neither matrix_minutes nor speed_metres_per_minute", "give one of them")
            _positions(instance, f"{path} has no matrix")
            continue
        if len(mode.matrix_minutes) != size:
            _fail(f"{path}.matrix_minutes", f"has {len(mode.matrix_minutes)} rows for {size} locations")
        for r, row in enumerate(mode.matrix_minutes):
            if len(row) != size:
                _fail(f"{path}.matrix_minutes[{r}]", f"has {len(row)} entries for {size} locations")


def _positions(instance: Instance, why: str) -> None:
    for i, location in enumerate(instance.locations):
        if location.latitude is None or location.longitude is None:
            _fail(f"locations[{i}]", f"has no latitude and longitude, and {why}")


def _caregivers(instance: Instance, ids: _Ids) -> None:
    for i, caregiver in enumerate(instance.caregivers):
        path = f"caregivers[{i}]"
        _known(f"{path}.service_ids", caregiver.service_ids or (), ids.services)
        _one_known(f"{path}.home_location_id", caregiver.home_location_id, ids.locations)
        if caregiver.needs_contract_line and caregiver.organisation_id is None:
            _fail(f"{path}.organisation_id", "is missing", "the contract line is the organisation's")
        _radius(path, caregiver, instance)
        for k, absence in enumerate(caregiver.absences):
            if absence.end_minutes <= absence.start_minutes:
                _fail(f"{path}.absences[{k}].end_minutes", "is not after start_minutes")
        for k, limit in enumerate(caregiver.work_limits):
            _days(f"{path}.work_limits[{k}]", limit.first_day, limit.last_day)


def _radius(path: str, caregiver: Caregiver, instance: Instance) -> None:
    for name in ("radius_minutes", "radius_metres"):
        if getattr(caregiver, name) is not None and caregiver.home_location_id is None:
            _fail(f"{path}.{name}", "needs home_location_id")
    if caregiver.radius_metres is not None:
        _positions(instance, f"{path}.radius_metres is given")


def _shifts(instance: Instance, ids: _Ids, limits: Limits) -> None:
    spans: dict[str, list[tuple[float, float, int]]] = {}
    for i, shift in enumerate(instance.shifts):
        path = f"shifts[{i}]"
        _one_known(f"{path}.caregiver_id", shift.caregiver_id, ids.caregivers)
        _one_known(f"{path}.mode_id", shift.mode_id, ids.modes)
        _one_known(f"{path}.start_location_id", shift.start_location_id, ids.locations)
        _one_known(f"{path}.end_location_id", shift.end_location_id, ids.locations)
        _shift_times(path, shift, instance.horizon_days)
        if len(shift.breaks) > limits.breaks_per_shift:
            _fail(f"{path}.breaks", f"has {len(shift.breaks)} entries, limit {limits.breaks_per_shift}")
        spans.setdefault(shift.caregiver_id, []).append((shift.start_minutes, shift.end_minutes, i))
    for rows in spans.values():
        rows.sort()
        for (_, end, _), (start, _, i) in zip(rows, rows[1:], strict=False):
            if start < end:
                _fail(f"shifts[{i}].start_minutes", "overlaps another shift of the same caregiver")


def _shift_times(path: str, shift: Shift, horizon_days: int) -> None:
    if shift.day >= horizon_days:
        _fail(f"{path}.day", f"{shift.day} is outside the horizon of {horizon_days} days")
    if not shift.day * MINUTES_PER_DAY <= shift.start_minutes < (shift.day + 1) * MINUTES_PER_DAY:
        _fail(
            f"{path}.start_minutes",
            f"{shift.start_minutes} is not on day {shift.day}",
            "count minutes from midnight of day 0",
        )
    if shift.end_minutes <= shift.start_minutes:
        _fail(f"{path}.end_minutes", "is not after start_minutes")
    for k, rest in enumerate(shift.breaks):
        place = f"{path}.breaks[{k}]"
        if rest.latest_start_minutes < rest.earliest_start_minutes:
            _fail(f"{place}.latest_start_minutes", "is before earliest_start_minutes")
        if rest.earliest_start_minutes < shift.start_minutes:
            _fail(f"{place}.earliest_start_minutes", "is before the shift begins")
        if rest.latest_start_minutes + rest.duration_minutes > shift.end_minutes:
            _fail(f"{place}.latest_start_minutes", "plus the duration is after the shift ends")
        if k and rest.earliest_start_minutes < (
            shift.breaks[k - 1].latest_start_minutes + shift.breaks[k - 1].duration_minutes
        ):
            _fail(f"{place}.earliest_start_minutes", "may overlap the break before", "list them in order")


def _windows(path: str, windows: tuple[TimeWindow, ...], horizon: float) -> None:
    for k, window in enumerate(windows):
        if window.end_minutes < window.start_minutes:
            _fail(
                f"{path}[{k}].end_minutes",
                f"the window closes ({window.end_minutes}) before it opens ({window.start_minutes})",
            )
        if window.start_minutes >= horizon:
            _fail(f"{path}[{k}].start_minutes", f"{window.start_minutes} is after the horizon's {horizon}")


def _visit(path: str, visit: Visit, instance: Instance, ids: _Ids, limits: Limits) -> None:
    _one_known(f"{path}.household_id", visit.household_id, ids.households)
    _one_known(f"{path}.location_id", visit.location_id, ids.locations)
    _one_known(f"{path}.service_id", visit.service_id, ids.services)
    if not visit.windows:
        _fail(f"{path}.windows", "is empty", "give at least one window")
    if len(visit.windows) > limits.windows_per_visit:
        _fail(f"{path}.windows", f"has {len(visit.windows)} entries, limit {limits.windows_per_visit}")
    horizon = instance.horizon_days * MINUTES_PER_DAY
    _windows(f"{path}.windows", visit.windows, horizon)
    _windows(f"{path}.preferred_windows", visit.preferred_windows, horizon)
    for name in ("excluded_caregiver_ids", "previous_caregiver_ids", "preferred_caregiver_ids"):
        _known(f"{path}.{name}", getattr(visit, name), ids.caregivers)
    _known(f"{path}.contract_line_ids", visit.contract_line_ids, ids.lines)
    _skills(f"{path}.required_qualifications", visit.required_qualifications, ids)
    if visit.gender_wish is not None:
        _known(f"{path}.gender_wish.values", visit.gender_wish.values, set(Gender))
    _mixes(path, visit.provider_kinds, visit.mixes)
    _slots(path, visit, ids)


def _skills(path: str, names: tuple[str, ...], ids: _Ids) -> None:
    """A skill is known if a service asks for it or somebody holds it."""
    for i, name in enumerate(names):
        if name not in ids.qualifications:
            _fail(f"{path}[{i}]", f"{name!r} is an unknown qualification", "no service or caregiver has it")


def _slots(path: str, visit: Visit, ids: _Ids) -> None:
    if not 1 <= len(visit.slots) <= 2:
        _fail(f"{path}.slots", f"has {len(visit.slots)} entries", "a visit has one or two slots")
    if len(visit.slots) == 2:
        _apart(f"{path}.windows", visit)
    if visit.synchronisation.max_offset_minutes < visit.synchronisation.min_offset_minutes:
        _fail(f"{path}.synchronisation.max_offset_minutes", "is below min_offset_minutes")
    for k, slot in enumerate(visit.slots):
        place = f"{path}.slots[{k}]"
        _one_known(f"{place}.service_id", slot.service_id, ids.services)
        _one_known(f"{place}.standing_caregiver_id", slot.standing_caregiver_id, ids.caregivers)
        _skills(f"{place}.required_qualifications", slot.required_qualifications, ids)
        if slot.service_minutes is not None and slot.service_minutes < 1:
            _fail(f"{place}.service_minutes", f"is {slot.service_minutes}, below 1 minute")
        if slot.pin is not None:
            _one_known(f"{place}.pin.caregiver_id", slot.pin.caregiver_id, ids.caregivers)


def _apart(path: str, visit: Visit) -> None:
    """Both people must start within the same window, so one start may not lie in two of them."""
    order = sorted(range(len(visit.windows)), key=lambda k: visit.windows[k].start_minutes)
    for a, b in zip(order, order[1:], strict=False):
        if visit.windows[a].end_minutes + visit.max_tardiness_minutes >= visit.windows[b].start_minutes:
            _fail(f"{path}[{b}].start_minutes", "overlaps another window (tardiness included)", "join the two")


def _mixes(path: str, kinds: tuple, mixes: tuple) -> None:
    for k, mix in enumerate(mixes):
        for kind in mix:
            if kinds and kind not in kinds:
                _fail(f"{path}.mixes[{k}]", f"{kind} is not among provider_kinds")


def _money(instance: Instance, ids: _Ids) -> None:
    for i, line in enumerate(instance.contract_lines):
        path = f"contract_lines[{i}]"
        _known(f"{path}.service_ids", line.service_ids, ids.services)
        _days(path, line.first_day, line.last_day)
        if line.unit is Unit.FEN:
            _fail(f"{path}.unit", "cannot be fen", "the price is per minute, visit or meal")
    for name in ("budgets", "quotas"):
        for i, row in enumerate(getattr(instance, name)):
            _one_known(f"{name}[{i}].line_id", row.line_id, ids.lines)
            _days(f"{name}[{i}]", row.first_day, row.last_day)
            if row.cap > MAX_FEN or row.used > MAX_FEN:
                _fail(f"{name}[{i}].cap", "is too large")


def _pairs_and_running(instance: Instance, ids: _Ids) -> None:
    for i, pair in enumerate(instance.excluded_pairs):
        _one_known(f"excluded_pairs[{i}].first_caregiver_id", pair.first_caregiver_id, ids.caregivers)
        _one_known(f"excluded_pairs[{i}].second_caregiver_id", pair.second_caregiver_id, ids.caregivers)
    slots = {v.id: len(v.slots) for v in instance.visits}
    seen = set()
    for i, row in enumerate(instance.running_plan.assignments):
        path = f"running_plan.assignments[{i}]"
        _one_known(f"{path}.visit_id", row.visit_id, ids.visits)
        _one_known(f"{path}.caregiver_id", row.caregiver_id, ids.caregivers)
        if row.slot >= slots[row.visit_id]:
            _fail(f"{path}.slot", f"{row.slot} is not a slot of the visit")
        if (row.visit_id, row.slot) in seen:
            _fail(path, "names the same slot twice")
        seen.add((row.visit_id, row.slot))
