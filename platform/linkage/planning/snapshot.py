"""From the database to one frozen `matching.Instance`, in a short read; and the names to find the way back.

Surrogate ids ("v12", "c3") stand for visits, people and the rest: the instance that is stored with a plan names
nobody and holds travel times instead of positions. What stands already is carried over as the house rules say:

* accepted assignments, and paid bookings that begin within the freeze, are pinned (person and start);
* an open question to a volunteer is pinned too: the question stands until it is answered;
* other paid bookings are the running plan: they may move, at the price of telling people.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import matching.instance as m
from linkage.areas.models import Area
from linkage.households.models import Household
from linkage.planning.capacity import Capacity
from linkage.planning.demand import Demand
from linkage.planning.horizon import Horizon, Names
from linkage.planning.sites import Sites
from linkage.planning.supply import Supply
from linkage.planning.weights import weights_on
from linkage.visits.models import Visit


@dataclass(frozen=True)
class Snapshot:
    """An instance, what its surrogates stand for, and the readers that made it (for one more visit)."""

    instance: m.Instance
    names: Names
    horizon: Horizon
    demand: Demand
    capacity: Capacity

    @property
    def approximate(self) -> int:
        """Visits whose place is known only roughly."""
        return self.demand.approximate

    def visit_of(self, row: Visit, people: dict[uuid.UUID, str]) -> m.Visit:
        """One more visit (a row that is not stored) in this instance's terms."""
        return self.demand.to_visit(row, people, self.capacity.of_visit)


def take(
    area: Area, horizon: Horizon, *, hold_everything: bool = False, household: Household | None = None
) -> Snapshot:
    """Read one planning area's horizon into an instance.

    Parameters
    ----------
    hold_everything : pin every booking and question as it stands ("who could come" moves nobody)
    household : one that must be in the instance though no visit of the horizon goes there
    """
    sites = Sites(horizon)
    demand = Demand(area, horizon, sites, hold_everything=hold_everything)
    supply = Supply(area, horizon, sites, demand)
    sites.load({row.place_id for row in demand.rows} | set(supply.homes()))
    if household is not None:
        demand.include(household)
    capacity = Capacity(area, horizon, sites, demand)
    organisations = capacity.organisations(row.organisation_id for row in supply.carers.values())
    visits = demand.to_visits(supply.ids, capacity.of_visit)
    caregivers, shifts = supply.to_caregivers(organisations), tuple(supply.to_shifts())
    instance = m.Instance(
        horizon_days=horizon.days,
        start_date=horizon.first.isoformat(),
        name=area.code,
        locations=sites.locations(),
        travel_modes=sites.modes(supply.modes()),
        services=demand.to_services(),
        caregivers=caregivers,
        shifts=shifts,
        households=demand.to_households(supply.ids),
        visits=visits,
        contract_lines=capacity.to_lines(organisations),
        budgets=tuple(capacity.to_budgets()),
        quotas=tuple(capacity.to_quotas()),
        running_plan=m.RunningPlan(tuple(demand.to_running(supply.ids))),
        weights=weights_on(horizon.first),
    )
    names = Names([row.id for row in demand.rows], supply.order, [row.id for row in capacity.lines])
    return Snapshot(instance, names, horizon, demand, capacity)
