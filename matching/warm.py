"""Compiling the search once, at install or first start, so that nobody waits for it inside a solve."""

from matching.benchmark_io import benchmark_instance
from matching.generate import generate_street
from matching.plan import Plan
from matching.solve import solve
from matching.stop import MaxIterations


def warm_up() -> Plan:
    """Solve a made-up street of a few visits; afterwards the compiled code lies in numba's cache."""
    warm_up_annealing()
    return solve(generate_street(7, visits_per_day=6, days=2, carers=4, volunteers=3), MaxIterations(20))


def warm_up_annealing() -> Plan:
    """The same for the part that instances without breaks, limits and contract lines use."""
    return solve(_two_patients(), MaxIterations(1))


def _two_patients():
    need = {"service": "care", "duration": 15}
    patients = [
        {"id": "p1", "time_window": [0, 60], "required_caregivers": [need, need]},
        {"id": "p2", "time_window": [30, 90], "required_caregivers": [need]},
    ]
    people = [{"id": name, "abilities": ["care"]} for name in ("a", "b")]
    ways = [[0, 5.5, 9], [5.5, 0, 7], [9, 7, 0]]
    return benchmark_instance(
        {"patients": patients, "caregivers": people, "services": [{"id": "care"}], "distances": ways}
    )
