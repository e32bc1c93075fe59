"""Compiling the search once, at install or first start, so that nobody waits for it inside a solve."""

from matching.generate import generate_street
from matching.plan import Plan
from matching.solve import solve
from matching.stop import MaxIterations


def warm_up() -> Plan:
    """Solve a made-up street of a few visits; afterwards the compiled code lies in numba's cache."""
    return solve(generate_street(7, visits_per_day=6, days=2, carers=4, volunteers=3), MaxIterations(20))
