"""`python -m matching city`: a whole city, on a pool of processes or a `distributed` cluster."""

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from matching.city import City, load_city
from matching.city_solve import CityResult, solve_city
from matching.errors import MatchingError
from matching.feasibility import check
from matching.instance_io import plan_to_json


class NoCluster(MatchingError):
    """`distributed` is not installed, or no scheduler answers at the address."""


def add_command(command: Callable[[str, Callable, str], argparse.ArgumentParser]) -> None:
    """Add `city` to the commands."""
    one = command("city", _run, "plan a city: streets apart, shared people and budgets divided, one merged plan")
    one.add_argument("city", type=Path)
    one.add_argument("--iterations", type=int, help="of each street's search: the same plan every time (200)")
    one.add_argument("--seconds", type=float, help="of each street's search, instead")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--workers", type=int, default=2, help="processes")
    one.add_argument("--scheduler", help="address of a distributed scheduler, instead of processes of our own")
    one.add_argument("--out", type=Path, help="write the merged plan here")
    one.add_argument("--json", type=Path, help="write the figures here")


def _run(options: argparse.Namespace) -> int:
    city = load_city(options.city)
    iterations = options.iterations if options.iterations is not None else None if options.seconds else 200
    budget = {"iterations": iterations, "seconds": options.seconds, "seed": options.seed, "workers": options.workers}
    if options.scheduler:
        client = _client(options.scheduler)
        try:
            result = solve_city(city, **budget, executor=client.get_executor(), on_part=_show)
        finally:
            client.close()
    else:
        result = solve_city(city, **budget, on_part=_show)
    if options.out is not None:
        options.out.write_text(plan_to_json(result.plan) + "\n", encoding="utf-8")
    problems = check(city.instance, result.plan)
    _say(city, result, len(problems))
    if options.json is not None:
        options.json.write_text(json.dumps(_figures(result, len(problems)), indent=1) + "\n", encoding="utf-8")
    return 1 if problems else 0


def _client(address: str):  # type: ignore[no-untyped-def]
    """A client of a running cluster; the package is asked for only here."""
    try:
        return importlib.import_module("distributed").Client(address, timeout="10s")
    except (ImportError, OSError) as problem:
        raise NoCluster(f"--scheduler {address}: {problem}") from problem


def _show(street: str, done: int, count: int) -> None:
    print(f"{done}/{count} {street}", file=sys.stderr, flush=True)


def _figures(result: CityResult, problems: int) -> dict:
    return {
        "seconds": round(result.seconds, 1),
        "memory_mib": round(result.memory_mib),
        "visits": sum(row.visits for row in result.streets),
        "served": sum(row.served for row in result.streets),
        "re_offered": result.re_offered,
        "violations": problems,
        "streets": [asdict(row) | {"share": round(row.share, 4)} for row in result.streets],
    }


def _say(city: City, result: CityResult, problems: int) -> None:
    print(f"{'street':<10}{'visits':>8}{'served':>8}{'share':>8}{'people':>8}{'seconds':>9}")
    for row in result.streets:
        print(f"{row.street:<10}{row.visits:>8}{row.served:>8}{row.share:>8.1%}{row.caregivers:>8}{row.seconds:>9.1f}")
    figures = _figures(result, problems)
    share = figures["served"] / max(1, figures["visits"])
    print(
        f"{len(city.streets)} streets, {figures['visits']} visits, {len(city.instance.caregivers)} caregivers: "
        f"{figures['served']} served ({share:.1%}), {result.re_offered} of them re-offered; "
        f"{figures['seconds']} s, {figures['memory_mib']} MiB at most; {problems} violations"
    )
