"""The routes of each day polished by OR-Tools routing, warm-started from the present plan.

Alone, the routing library stays far above good plans from about fifty visits on, so it never starts
cold: it gets the present routes of one day, may exchange visits between caregivers of the same
organisation and place visits that wait, and keeps two-person visits where and when they are. Its result
is rebuilt with every rule checked and taken only if the objective, computed outside, is better.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from matching.construction import put_visit
from matching.kernel.charges import choose_line
from matching.kernel.insertion import may_come, put, take
from matching.kernel.problem import W_COST, W_NEW_FACE, W_OUTSIDE, W_TARDINESS, W_TRAVEL, Problem
from matching.search import Search, Snapshot
from matching.stop import Stop

# A day with more slots is left as it is: the model would take longer than it gains. Without a limit of
# time the descent runs to its end, which takes minutes from about a hundred slots on.
MOST_STOPS, MOST_STOPS_UNTIMED = 700, 40
SLICE_SECONDS = 0.7
HORIZON = 10**6
NEIGHBOUR_SECONDS = 10**6


@dataclass(frozen=True, slots=True)
class _Day:
    """What one day's model is made of: slots (nodes 0..n-1), then a start and an end node per shift."""

    slots: np.ndarray
    shifts: np.ndarray
    places: np.ndarray

    @property
    def nodes(self) -> int:
        return len(self.places)

    def start(self, vehicle: int) -> int:
        return len(self.slots) + 2 * vehicle


def polish_days(search: Search, stop: Stop) -> Iterator[tuple[Snapshot, bool]]:
    """Yield a plan for every day that OR-Tools could improve."""
    p = search.problem
    if (p.travel % 1).any() or (p.s_minutes % 1).any() or (p.v_access % 1).any():
        return
    best = search.snapshot()
    days = np.unique(p.h_day)
    for i, day in enumerate(days):
        left = stop.seconds_left()
        seconds = None if left is None else left / (len(days) - i)
        if seconds is not None and seconds < 0.2:
            return
        routes = _solve_day(search, int(day), seconds, stop)
        if routes is None or not _rebuild(search, int(day), routes):
            search.load(best)
        else:
            found = search.snapshot()
            if found.beats(best):
                best = found
            else:
                search.load(best)
        yield best, False


def _day(search: Search, day: int, most: int) -> _Day | None:
    p, state = search.problem, search.state
    shifts = np.flatnonzero(p.h_day == day)
    placed = np.flatnonzero((state.s_shift >= 0) & np.isin(state.s_shift, shifts))
    waiting = [
        int(p.v_slot0[v])
        for v in np.flatnonzero((p.v_slots == 1) & (state.s_shift[p.v_slot0] < 0))
        if np.isin(_candidates(p, int(p.v_slot0[v])), shifts).any()
    ]
    slots = np.concatenate([placed, np.array(waiting, dtype=np.int64)])
    if not 2 <= len(slots) <= most:
        return None
    ends = np.stack([p.h_from[shifts], p.h_to[shifts]], axis=1).ravel()
    return _Day(slots, shifts, np.concatenate([p.v_loc[p.s_visit[slots]], ends]))


def _candidates(p: Problem, slot: int) -> np.ndarray:
    return p.s_cand[p.s_cand_ptr[slot] : p.s_cand_ptr[slot + 1]]


def _solve_day(search: Search, day: int, seconds: float | None, stop: Stop) -> list[list[int]] | None:
    """Slots per shift of that day, in order, as OR-Tools would have them; None if it found nothing."""
    parts = _day(search, day, MOST_STOPS_UNTIMED if seconds is None else MOST_STOPS)
    if parts is None:
        return None
    vehicles = len(parts.shifts)
    starts = [parts.start(v) for v in range(vehicles)]
    manager = pywrapcp.RoutingIndexManager(parts.nodes, vehicles, starts, [s + 1 for s in starts])
    routing = pywrapcp.RoutingModel(manager)
    _times(search, parts, manager, routing)
    _costs(search, parts, routing)
    _who(search, parts, manager, routing)
    routing.CloseModelWithParameters(pywrapcp.DefaultRoutingSearchParameters())
    present = [_present(search, parts, manager, int(h)) for h in parts.shifts]
    warm = routing.ReadAssignmentFromRoutes(present, True)
    found = None if warm is None else _descend(routing, warm, seconds, stop)
    return None if found is None else [_route(parts, manager, routing, found, v) for v in range(vehicles)]


def _descend(routing, warm, seconds: float | None, stop: Stop):
    """Local search from the warm start, in slices of time so that someone may cancel in between.

    OR-Tools asks its own limits too seldom in a model of this size to be cancelled from inside.
    """
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    method = routing_enums_pb2.LocalSearchMetaheuristic
    if seconds is None:
        # By default the completion of a neighbour is given up after 100 ms of wall time, so a thread that has to
        # wait for a core would find another plan.
        parameters.lns_time_limit.FromSeconds(NEIGHBOUR_SECONDS)
        parameters.local_search_metaheuristic = method.GREEDY_DESCENT
        return routing.SolveFromAssignmentWithParameters(warm, parameters)
    parameters.local_search_metaheuristic = method.GUIDED_LOCAL_SEARCH
    end, best = time.monotonic() + seconds, None
    while (left := end - time.monotonic()) > 0.05 and not stop.cancelled():
        parameters.time_limit.FromMilliseconds(int(1000 * min(SLICE_SECONDS, left)))
        found = routing.SolveFromAssignmentWithParameters(best or warm, parameters)
        if found is None:
            break
        best = routing.solver().Assignment(found)
    return best


def _present(search: Search, parts: _Day, manager: pywrapcp.RoutingIndexManager, h: int) -> list[int]:
    node = {int(slot): i for i, slot in enumerate(parts.slots)}
    stops = search.state.route[h, : search.state.length[h]]
    return [manager.NodeToIndex(node[int(slot)]) for slot in stops]


def _route(parts: _Day, manager, routing, found, vehicle: int) -> list[int]:
    index, stops = found.Value(routing.NextVar(routing.Start(vehicle))), []
    while not routing.IsEnd(index):
        stops.append(int(parts.slots[manager.IndexToNode(index)]))
        index = found.Value(routing.NextVar(index))
    return stops


def _legs(search: Search, parts: _Day, mode: int) -> np.ndarray:
    """Travel minutes between all nodes of the day; 0 from and to shifts without a place."""
    known = np.maximum(parts.places, 0)
    legs = search.problem.travel[mode][np.ix_(known, known)].copy()
    legs[parts.places < 0, :] = 0
    legs[:, parts.places < 0] = 0
    return legs


def _times(search: Search, parts: _Day, manager, routing) -> None:
    """The time dimension with windows, shifts and breaks; work limits."""
    p = search.problem
    visits = p.s_visit[parts.slots]
    access = np.zeros(parts.nodes)
    access[: len(visits)] = p.v_access[visits]
    service = np.zeros(parts.nodes)
    service[: len(visits)] = p.s_minutes[parts.slots]
    elsewhere = parts.places[:, None] != parts.places[None, :]
    time_of_mode = {}
    for mode in np.unique(p.h_mode[parts.shifts]):
        legs = _legs(search, parts, int(mode))
        times = (legs + access[None, :] * elsewhere + service[:, None]).astype(np.int64)
        time_of_mode[mode] = routing.RegisterTransitMatrix(times.tolist())
    modes = p.h_mode[parts.shifts]
    evaluators = [time_of_mode[mode] for mode in modes]
    routing.AddDimensionWithVehicleTransits(evaluators, HORIZON, HORIZON, False, "time")
    routing.AddDimensionWithVehicleTransitAndCapacity(evaluators, 0, _work_left(search, parts), True, "work")
    ones = [1] * len(visits) + [0] * (parts.nodes - len(visits))
    counter = routing.RegisterUnaryTransitVector(ones)
    routing.AddDimensionWithVehicleCapacity(counter, 0, _visits_left(search, parts), True, "visits")
    clock = routing.GetDimensionOrDie("time")
    for node, slot in enumerate(parts.slots):
        _window(search, clock, manager.NodeToIndex(node), int(slot))
    stay = service.astype(np.int64).tolist()
    for vehicle, h in enumerate(parts.shifts):
        begin, end = int(p.h_start[h]), int(p.h_end[h])
        clock.CumulVar(routing.Start(vehicle)).SetRange(begin, begin)
        clock.CumulVar(routing.End(vehicle)).SetRange(begin, end)
        breaks = [
            routing.solver().FixedDurationIntervalVar(
                int(p.b_lo[b]), int(p.b_hi[b]), int(p.b_minutes[b]), False, f"break {b}"
            )
            for b in range(p.h_break_ptr[h], p.h_break_ptr[h + 1])
        ]
        if breaks:
            clock.SetBreakIntervalsOfVehicle(breaks, vehicle, stay)


def _left(search: Search, parts: _Day, most: np.ndarray, used: np.ndarray, own: np.ndarray) -> list[int]:
    """Per vehicle what its caregiver's limits leave for this day's route."""
    p, rows = search.problem, []
    for h in parts.shifts:
        limits = p.h_limit[p.h_limit_ptr[h] : p.h_limit_ptr[h + 1]]
        left = min((most[j] - used[j] for j in limits), default=HORIZON) + own[h]
        rows.append(int(min(HORIZON, max(left, own[h]))))
    return rows


def _work_left(search: Search, parts: _Day) -> list[int]:
    state = search.state
    return _left(search, parts, search.problem.l_max_minutes, state.l_minutes, state.r_work[:, -1])


def _visits_left(search: Search, parts: _Day) -> list[int]:
    state = search.state
    return _left(search, parts, search.problem.l_max_visits, state.l_visits, state.length)


def _window(search: Search, clock, index: int, slot: int) -> None:
    """The span of starts: of the slot's windows, or its present start if that is agreed or shared."""
    p, state = search.problem, search.state
    v = p.s_visit[slot]
    start = clock.CumulVar(index)
    fixed = state.s_fix[slot]
    if fixed >= 0:
        start.SetRange(int(fixed), int(fixed))
        return
    windows = range(p.v_win_ptr[v], p.v_win_ptr[v + 1])
    spans = [(int(p.win_lo[w]), int(p.win_hi[w] + p.v_late[v])) for w in windows]
    start.SetRange(spans[0][0], max(hi for _, hi in spans))
    for (_, before), (after, _) in zip(spans, spans[1:], strict=False):
        if after > before + 1:
            start.RemoveInterval(before + 1, after - 1)
    if len(spans) == 1 and p.v_late[v] > 0:
        clock.SetCumulVarSoftUpperBound(index, int(p.win_hi[windows[0]]), int(p.weight[W_TARDINESS]))
    soft = range(p.v_pref_ptr[v], p.v_pref_ptr[v + 1])
    if len(soft) == 1 and p.v_late[v] == 0:
        price = int(p.weight[W_OUTSIDE])
        clock.SetCumulVarSoftLowerBound(index, int(p.pref_lo[soft[0]]), price)
        clock.SetCumulVarSoftUpperBound(index, int(p.pref_hi[soft[0]]), price)


def _costs(search: Search, parts: _Day, routing) -> None:
    """Arc costs of each vehicle: travel, and at the slot reached what this caregiver costs there.

    (A dimension whose transits depend on the vehicle would say the second part more directly, but
    OR-Tools 9.15 then refuses every warm start.)
    """
    p = search.problem
    travel = {mode: _legs(search, parts, int(mode)) * p.weight[W_TRAVEL] for mode in np.unique(p.h_mode[parts.shifts])}
    for vehicle, h in enumerate(parts.shifts):
        there = np.zeros(parts.nodes)
        there[: len(parts.slots)] = [_points(search, int(slot), int(h)) for slot in parts.slots]
        costs = (travel[p.h_mode[h]] + there[None, :]).astype(np.int64)
        routing.SetArcCostEvaluatorOfVehicle(routing.RegisterTransitMatrix(costs.tolist()), vehicle)


def _points(search: Search, slot: int, h: int) -> int:
    p, state = search.problem, search.state
    caregiver = p.h_caregiver[h]
    household = p.v_household[p.s_visit[slot]]
    points = p.s_points[slot, caregiver]
    now = state.s_shift[slot]
    others = state.faces[household, caregiver] - (now >= 0 and p.h_caregiver[now] == caregiver)
    if not p.known[household, caregiver] and others <= 0:
        points += p.weight[W_NEW_FACE]
    if not p.c_needs_line[caregiver]:
        points += p.weight[W_COST] * p.c_cost[caregiver] * p.s_minutes[slot]
    return int(points)


def _who(search: Search, parts: _Day, manager, routing) -> None:
    """Who may take which slot; visits that wait may stay waiting, at their price."""
    p, state = search.problem, search.state
    vehicle = {int(h): i for i, h in enumerate(parts.shifts)}
    for node, slot in enumerate(parts.slots):
        index = manager.NodeToIndex(node)
        now = int(state.s_shift[slot])
        v = p.s_visit[slot]
        if now < 0:
            allowed = [vehicle[h] for h in _candidates(p, int(slot)) if h in vehicle]
            routing.AddDisjunction([index], int(min(p.rank_points[p.v_rank[v]], 1e12)))
            routing.VehicleVar(index).SetValues([-1, *allowed])
        elif p.v_slots[v] == 2 or p.s_pinned[slot]:
            routing.VehicleVar(index).SetValues([vehicle[now]])
        else:
            allowed = [vehicle[h] for h in _candidates(p, int(slot)) if h in vehicle and _alike(p, int(h), now)]
            routing.VehicleVar(index).SetValues(allowed)


def _alike(p: Problem, h: int, now: int) -> bool:
    """Whether the same contract lines pay in both shifts, so that no budget changes."""
    one, other = p.h_caregiver[h], p.h_caregiver[now]
    if p.c_needs_line[one] != p.c_needs_line[other]:
        return False
    return not p.c_needs_line[one] or p.c_organisation[one] == p.c_organisation[other]


def _rebuild(search: Search, day: int, routes: list[list[int]]) -> bool:
    """Make these routes the day's, every rule checked; what a rule refuses goes where it costs least.

    False if a work limit is broken, which the model knows only per shift.
    """
    p, state = search.problem, search.state
    kept = {int(slot): (float(state.s_fix[slot]), int(state.s_wait[slot])) for route in routes for slot in route}
    shifts = np.flatnonzero(p.h_day == day)
    for h in shifts:
        for slot in state.route[h, : state.length[h]].copy():
            take(search.p, search.s, int(slot))
    refused = [
        int(p.s_visit[slot])
        for h, route in zip(shifts, routes, strict=True)
        for slot in route
        if not _append(search, slot, int(h), *kept[slot])
    ]
    for v in sorted(set(refused), key=lambda v: (p.v_rank[v], v)):
        for slot in range(p.v_slot0[v], p.v_slot0[v] + p.v_slots[v]):
            if state.s_shift[slot] >= 0:
                take(search.p, search.s, slot)
        put_visit(search.p, search.s, v, 0.0, search.memory.rows)
    limits = np.unique([j for h in shifts for j in p.h_limit[p.h_limit_ptr[h] : p.h_limit_ptr[h + 1]]])
    limits = limits.astype(np.int64)
    return not (state.l_minutes[limits] > np.maximum(p.l_max_minutes[limits], p.l_used_minutes[limits])).any()


def _append(search: Search, slot: int, h: int, fix: float, wait: int) -> bool:
    """Put the slot at the end of shift h, waiting for a better time or not; False if a rule refuses it."""
    line, _ = choose_line(search.p, search.s, slot, h, True)
    if line == -2 or not may_come(search.p, search.s, slot, h):
        return False
    for patience in sorted({wait, 0}, reverse=True):
        if put(search.p, search.s, slot, h, int(search.state.length[h]), patience, fix, line):
            return True
        take(search.p, search.s, slot)
    return False
