"""The streets' plans on one board: what is left over is offered across borders, then all is one plan.

A street with unserved visits is looked at again together with the shared people of its neighbours, whose
own visits stay as they are, and with whatever other streets left of the budgets.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from matching.charging import Account, Booked, drawing, settled
from matching.city_parts import Index, part
from matching.instance import Budget, Instance, Quota
from matching.placing import Placing
from matching.plan import Fallback, Plan, PlanStatus, Route, Stop, Unserved, UnservedCode
from matching.plan_state import PlanState
from matching.rebuild import plan_of
from matching.surviving import rank


class Board:
    """All bookings of a city, by caregiver."""

    def __init__(self, index: Index, street_of: dict[str, int]) -> None:
        self.index = index
        self.street_of = street_of
        self.planned: dict[tuple[str, int], Booked] = {}
        self.behind: dict[tuple[str, int], Booked] = {}
        self.codes: dict[str, UnservedCode] = {}
        self.at_visit: dict[str, dict[int, Booked]] = defaultdict(dict)

    def put(self, planned: Iterable[Booked], behind: Iterable[Booked], unserved: Iterable[Unserved] = ()) -> None:
        for row in planned:
            self.planned[row.key] = row
            self.at_visit[row.visit.id][row.slot] = row
        for row in behind:
            self.behind[row.key] = row
        self.codes.update({row.visit_id: row.code for row in unserved})

    def unserved(self, street: int) -> list[str]:
        """The street's visits that are not fully staffed, vital ones first."""
        rows = [v for v in self.index.visits[street] if len(self.at_visit.get(v.id, ())) < len(v.slots)]
        return [v.id for v in sorted(rows, key=lambda v: (*rank(v), v.windows[0].start_minutes, v.id))]

    def offer_across_borders(self) -> int:
        """Place what can be placed with shared people and leftover budgets; how many visits are served more."""
        return sum(self._offer(street) for street in range(len(self.index.city.streets)) if self.unserved(street))

    def _offer(self, street: int) -> int:
        waiting = self.unserved(street)
        own = {name for name, where in self.street_of.items() if where == street}
        shared = {n for n, rows in self.index.city.streets_of.items() if street in rows and self._on_duty(n)}
        instance, plan = self._together(street, own | shared)
        state = PlanState(instance, plan)
        served = 0
        for name in waiting:
            visit = state.lookup.visits[name]
            way = min(Placing(state, visit).ways(), key=lambda w: w.points, default=None)
            if way is not None:
                planned, behind = [*state.planned, *way.booked], [*state.behind, *way.behind]
                touched = {b.shift.id for b in way.booked}
                state = state.replanned(plan_of(state, planned, behind, state.plan, touched, priced=False))
                self.put(map(self._of_city, way.booked), map(self._of_city, way.behind))
                served += 1
        return served

    def _on_duty(self, name: str) -> bool:
        return bool(self.index.lookup.shifts_of.get(name))

    def _of_city(self, row: Booked) -> Booked:
        look = self.index.lookup
        return replace(
            row,
            visit=look.visits[row.visit.id],
            caregiver=look.caregivers[row.caregiver.id],
            shift=look.shifts[row.shift.id],
        )

    def _together(self, street: int, people: set[str]) -> tuple[Instance, Plan]:
        """The street's visits and everyone who could come, with all that these people do already."""
        planned = [b for b in self.planned.values() if b.caregiver.id in people]
        behind = [b for b in self.behind.values() if b.caregiver.id in people]
        names = {b.visit.id for b in (*planned, *behind)} | {v.id for v in self.index.visits[street]}
        visits = [self.index.lookup.visits[n] for n in sorted(names, key=self.index.visit_order.__getitem__)]
        budgets, quotas = self._left(planned, behind)
        instance = part(self.index, self.index.city.streets[street].id, visits, people, budgets, quotas)
        return instance, _plan(planned, behind)

    def _left(self, planned: Sequence[Booked], behind: Sequence[Booked]) -> tuple[tuple[Budget, ...], dict[str, Quota]]:
        """Budgets and quotas of which everything is used that others than these draw."""
        whole = self._drawn(self.planned.values(), self.behind.values())
        own = self._drawn(planned, behind)
        instance = self.index.city.instance
        budgets = tuple(replace(b, used=_used(b, whole, own, "budget")) for b in instance.budgets)
        return budgets, {q.id: replace(q, used=_used(q, whole, own, "quota")) for q in instance.quotas}

    def _drawn(self, planned: Iterable[Booked], behind: Iterable[Booked]) -> Account:
        account = Account(self.index.lookup)
        rows: dict[str, tuple[list[Booked], list[Booked]]] = defaultdict(lambda: ([], []))
        for which, of in ((0, planned), (1, behind)):
            for row in of:
                rows[row.visit.id][which].append(row)
        for first, second in rows.values():
            account.draw(drawing(first, second))
        return account

    def merged(self, seed: int, iterations: int, digest: str) -> Plan:
        """One plan of the city: every line settled, every route and the objective worked out anew."""
        behind = sorted(self.behind.values(), key=self._order)
        planned = settled(self.index.lookup, sorted(self.planned.values(), key=self._order), behind)
        codes = tuple(Unserved(name, code) for name, code in self.codes.items())
        empty = PlanState(self.index.city.instance, Plan(), lookup=self.index.lookup)
        plan = plan_of(empty, planned, behind, Plan(unserved=codes))
        return replace(plan, status=PlanStatus.STOPPED, seed=seed, iterations=iterations, instance_digest=digest)

    def _order(self, row: Booked) -> tuple[int, int]:
        return self.index.visit_order[row.visit.id], row.slot


def _used(row: Budget | Quota, whole: Account, own: Account, kind: str) -> int:
    """What others use of it: all that is drawn, less what these draw and what was used before all of them."""
    return round(row.used + whole.drawn(kind, row.id) - own.drawn(kind, row.id))


def _plan(planned: Sequence[Booked], behind: Sequence[Booked]) -> Plan:
    """The bookings as a plan to read (its times of arrival and its objective are not looked at)."""
    rows: dict[str, list[Booked]] = defaultdict(list)
    for row in sorted(planned, key=lambda b: (b.start_minutes, b.visit.id, b.slot)):
        rows[row.shift.id].append(row)
    routes = tuple(
        Route(name, of[0].caregiver.id, 0, 0, 0, 0, tuple(_stop(b) for b in of)) for name, of in rows.items()
    )
    fallbacks = tuple(
        Fallback(b.visit.id, b.slot, b.caregiver.id, b.shift.id, b.start_minutes, b.line_id) for b in behind
    )
    return Plan(routes=routes, fallbacks=fallbacks)


def _stop(row: Booked) -> Stop:
    return Stop(row.visit.id, row.slot, row.start_minutes, row.start_minutes, row.end_minutes, line_id=row.line_id)
