"""The engine on the command line, on files: `python -m matching solve | check | explain | repair | ...`.

Exit status: 0 good; 1 the plan is not feasible; 2 the input was refused (the message names the field).
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from matching import city_cli, explaining
from matching.awarding.award import award, compare
from matching.awarding.model import tender_from_json
from matching.awarding.why_not import why_not
from matching.bench import BENCHES, run_bench
from matching.benchmark import Effort, run_benchmark
from matching.benchmark_picture import draw_gaps
from matching.city import city_to_json
from matching.city_generate import generate_city
from matching.codec import encode
from matching.errors import MatchingError
from matching.feasibility import check
from matching.generate import generate_street
from matching.instance_io import (
    instance_digest,
    instance_to_json,
    load_instance,
    load_plan,
    plan_to_json,
    write_schemas,
)
from matching.plan import Plan
from matching.repair import repair
from matching.roads import PROFILES, RoadsUnavailable, RoutingServer, with_roads
from matching.solve import Progress, solve
from matching.stop import FirstOf, MaxIterations, MaxRuntime, Stop
from matching.warm import warm_up


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (MatchingError, OSError) as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m matching", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable, help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(run=run)
        return made

    one = command("solve", _solve, "plan an instance")
    one.add_argument("instance", type=Path)
    one.add_argument("--seconds", type=float, help="time budget (10, if no iterations are given)")
    one.add_argument("--iterations", type=int, help="iteration budget: the same plan every time")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--out", type=Path, help="write the plan here instead of to the standard output")
    one = command("check", _check, "judge a plan: exit 0 if it is feasible and says the truth, else 1")
    one.add_argument("instance", type=Path)
    one.add_argument("plan", type=Path)
    one = command("generate", _generate, "make up a street's week, from a seed")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--visits-per-day", type=int, default=300)
    one.add_argument("--days", type=int, default=7)
    one.add_argument("--carers", type=int, default=45)
    one.add_argument("--volunteers", type=int, default=60)
    one.add_argument("--city", action="store_true", help="a day of a city of so many --streets instead")
    one.add_argument("--streets", type=int, default=38)
    one.add_argument("--visits", type=int, default=20_000, help="of the whole city")
    one.add_argument("--caregivers", type=int, default=4_000, help="of the whole city")
    one.add_argument("--out", type=Path)
    one = command("roads", _roads, "write an instance with travel times from a routing server in it")
    one.add_argument("instance", type=Path)
    one.add_argument("--url", required=True, help="a server of your own: every position goes there")
    one.add_argument("--kind", choices=sorted(PROFILES), default="osrm")
    one.add_argument("--out", type=Path)
    explaining.add_command(command)
    city_cli.add_command(command)
    one = command("repair", _repair, "find the plan for a changed instance that differs little from a plan")
    one.add_argument("instance", type=Path, help="the instance as it is now")
    one.add_argument("plan", type=Path, help="the plan as it was")
    one.add_argument("--out", type=Path)
    _add_bench(command("bench", _bench, "solve a folder of HHCRSP instances; or measure answers on a made-up day"))
    one = command("picture", _picture, "draw the gap over time of some HHCRSP instances (SVG)")
    one.add_argument("folder", type=Path)
    one.add_argument("--best", type=Path, required=True)
    one.add_argument("--instances", required=True, help="names, separated by commas")
    one.add_argument("--seconds", type=float, default=60)
    one.add_argument("--seeds", default="1,2", help="one line each, at most two")
    one.add_argument("--out", type=Path, required=True)
    one = command("award", _award, "who gets which lot of a tender: by its rule, and the three rules side by side")
    one.add_argument("tender", type=Path)
    one.add_argument("--why-not", metavar="OFFER", help="what would have changed the result for an offer that lost")
    one.add_argument("--seed", type=int, default=0)
    command("schema", _schema, "write the JSON schemas anew from the classes")
    command("warm-up", _warm_up, "compile the search now, so that no one waits for it later")
    return parser


def _add_bench(one: argparse.ArgumentParser) -> None:
    answers = ", ".join(sorted(BENCHES))
    one.add_argument("what", metavar="FOLDER", help=f"a folder of instances; or one of: {answers}")
    one.add_argument("--best", type=Path, help="CSV of best known values (columns instance, best_published)")
    one.add_argument("--seconds", type=float, help="per instance (10, if no iterations are given)")
    one.add_argument("--iterations", type=int, help="per instance; for answers: of the search that makes the plan")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--chains", type=int, default=2, help="threads that search")
    one.add_argument("--json", type=Path, help="write the rows here")
    one.add_argument("--solutions", type=Path, help="write the solutions into this folder")
    one.add_argument("--visits", type=int, default=300, help="for answers: visits of the day")
    one.add_argument("--events", type=int, default=40, help="for answers: how many")


def _solve(options: argparse.Namespace) -> int:
    instance = load_instance(options.instance)
    plan = solve(instance, _stop(options), options.seed, _show if sys.stderr.isatty() else None)
    _write(plan_to_json(plan), options.out)
    print(_summary(plan), file=sys.stderr)
    return 0


def _stop(options: argparse.Namespace) -> Stop:
    rules: list[Stop] = []
    if options.iterations is not None:
        rules.append(MaxIterations(options.iterations))
    if options.seconds is not None or not rules:
        rules.append(MaxRuntime(10 if options.seconds is None else options.seconds))
    return rules[0] if len(rules) == 1 else FirstOf(*rules)


def _show(progress: Progress) -> None:
    text = f"{progress.fraction:4.0%}  unserved {progress.unserved}  points {progress.total:.0f}"
    print(f"{text:60}", end="\r", file=sys.stderr, flush=True)


def _summary(plan: Plan) -> str:
    stops = sum(len(route.stops) for route in plan.routes)
    value = plan.objective
    tiers = ", ".join(f"tier {t}: {n}" for t, n in enumerate(value.unserved_by_tier) if n)
    return (
        f"{plan.status}: {stops} stops in {len(plan.routes)} shifts, {value.unserved} visits unserved"
        f" (mandatory: {value.unserved_mandatory}{', ' + tiers if tiers else ''}), {value.total:.0f} points"
    )


def _check(options: argparse.Namespace) -> int:
    instance, plan = load_instance(options.instance), load_plan(options.plan)
    problems = [str(found) for found in check(instance, plan)]
    if plan.instance_digest not in ("", instance_digest(instance)):
        problems.append("the plan was made for another instance")
    for problem in problems:
        print(problem)
    print("feasible" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def _generate(options: argparse.Namespace) -> int:
    if options.city:
        sizes = {"streets": options.streets, "visits": options.visits, "caregivers": options.caregivers}
        _write(city_to_json(generate_city(options.seed, **sizes)), options.out)
        return 0
    instance = generate_street(
        options.seed,
        visits_per_day=options.visits_per_day,
        days=options.days,
        carers=options.carers,
        volunteers=options.volunteers,
    )
    _write(instance_to_json(instance), options.out)
    return 0


def _roads(options: argparse.Namespace) -> int:
    def refuse(mode_id: str, why: str) -> None:
        raise RoadsUnavailable(f"{mode_id}: {why}")

    instance = with_roads(load_instance(options.instance), RoutingServer(options.url, options.kind), refuse)
    _write(instance_to_json(instance), options.out)
    return 0


def _repair(options: argparse.Namespace) -> int:
    done = repair(load_instance(options.instance), load_plan(options.plan))
    _write(plan_to_json(done.plan), options.out)
    counts = f"{len(done.moved)} slots moved, {len(done.placed)} placed, {len(done.dropped)} dropped"
    print(f"{counts}; {_summary(done.plan)}", file=sys.stderr)
    return 0


def _bench(options: argparse.Namespace) -> int:
    if options.what in BENCHES:
        iterations = 300 if options.iterations is None else options.iterations
        figures = run_bench(
            options.what, visits=options.visits, events=options.events, seed=options.seed, iterations=iterations
        )
        print(json.dumps(figures, indent=1))
        return 0
    seconds = 10 if options.seconds is None and options.iterations is None else options.seconds
    effort = Effort(seconds, options.iterations, options.seed, options.chains)
    return run_benchmark(
        Path(options.what), options.best, effort, out=options.json, solutions=options.solutions, say=_say
    )


def _picture(options: argparse.Namespace) -> int:
    seeds = [int(seed) for seed in options.seeds.split(",")]
    names = options.instances.split(",")
    options.out.write_text(
        draw_gaps(options.folder, options.best, names, Effort(options.seconds), seeds), encoding="utf-8"
    )
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _award(options: argparse.Namespace) -> int:
    tender = tender_from_json(options.tender.read_bytes())
    if options.why_not is not None:
        told: object = encode(why_not(tender, options.why_not))
    else:
        told = {"award": encode(award(tender, seed=options.seed)), "rules": [encode(row) for row in compare(tender)]}
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


def _schema(options: argparse.Namespace) -> int:
    write_schemas()
    return 0


def _warm_up(options: argparse.Namespace) -> int:
    warm_up()
    return 0


def _write(text: str, path: Path | None) -> None:
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
