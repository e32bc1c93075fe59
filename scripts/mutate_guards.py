"""Take away each guard in turn, and demand that the tests of the map notice (tests/architecture/walk.py).

``python scripts/mutate_guards.py [--some N] [--only TEXT] [--jobs N]``: for each route its declared right becomes
"public"; for each kind of row each scope condition becomes "always"; for each query that begins with what the actor may
see, that beginning becomes "everything". Prints a line a mutant with what noticed it; exits 1 when one survives.

A mutant is looked for on the pages that run through it: one walk over the map writes down which do.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HERE = Path(__file__).resolve().parents[1]
FOLDERS = ("tests", "tests/architecture", "tests/linkage/procurement", "platform", "")
sys.path[:0] = [str(HERE / folder) for folder in FOLDERS]
os.environ.setdefault("LINKAGE_MODE", "test")

import conftest  # noqa: E402
import test_scopes as tender_scopes  # noqa: E402
import walk as walking  # noqa: E402
import world as street  # noqa: E402
from sqlalchemy import select, true  # noqa: E402

import linkage  # noqa: E402
from linkage.core import permissions, web  # noqa: E402
from linkage.core.clock import local_date  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.transactions import unit_of_work  # noqa: E402
from linkage.planning import fix_links  # noqa: E402
from linkage.visits.models import Visit  # noqa: E402

BEGINNINGS = {"visible_rows": lambda _actor, model: select(model), "scoped": lambda _actor, _name, model: select(model)}
# One account or two of every role: through whose pages the walk finds what runs where.
READERS = (
    "clerk", "clerk2", "stranger", "operator", "coordinator", "manager", "manager2", "wu", "zhuang", "ye", "chen_home",
    "supervisor", "admin", "far_coordinator", "other_supervisor", "other_admin",
)  # fmt: skip
FIRST = 12  # so many pages are looked at before more are


@dataclass(frozen=True)
class Mutant:
    """A guard that can be taken away; `look()` yields what the tests would then complain of."""

    name: str
    mutation: Any
    look: Callable[[], Iterable[Any]]


@contextmanager
def put(holder: Any, key: Any, value: Any) -> Iterator[None]:
    before = holder[key]
    holder[key] = value
    try:
        yield
    finally:
        holder[key] = before


def all_mutants(walk: Any, touched: dict[str, list[Any]]) -> list[Mutant]:
    return [*routes(walk), *conditions(walk, touched), *queries(walk, touched)]


def routes(walk: Any) -> Iterator[Mutant]:
    """Each route that needs a right, open to everybody."""
    for endpoint, (permission, _loader) in sorted(walk.routes.items()):
        view = walk.app.view_functions[endpoint]
        if permission != web.PUBLIC and endpoint not in walking.NOT_ANSWERED_HERE:
            guard = web.Guard(web.PUBLIC, web.GUARDS[endpoint].subject)
            bare = web.guarded(guard, view.__wrapped__)
            mutation = both(put(walk.app.view_functions, endpoint, bare), put(web.GUARDS, endpoint, guard))
            yield Mutant(f"route {endpoint}", mutation, lambda endpoint=endpoint: route_complaints(walk, endpoint))


@contextmanager
def both(*mutations: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for mutation in mutations:
            stack.enter_context(mutation)
        yield


def route_complaints(walk: Any, endpoint: str) -> Iterator[str]:
    """By behaviour; else by the printed table alone (a page about oneself has nothing to tell to nobody)."""
    yield from walk.complaints(endpoint)
    if web.GUARDS[endpoint].permission != walk.routes[endpoint][0]:
        yield f"the table alone: {endpoint}"


def conditions(walk: Any, touched: dict[str, list[Any]]) -> Iterator[Mutant]:
    """Each scope condition of a kind of row, always true."""
    for model, kind in sorted(permissions._conditions, key=lambda entry: (entry[0].__name__, entry[1])):
        loaders = {name for name, subject in walking.SUBJECTS.items() if subject.model == model.__name__}
        endpoints = sorted({name for name, route in walk.routes.items() if route[1] in loaders})
        name = f"scope {model.__name__} {kind}"
        mutation = put(permissions._conditions, (model, kind), lambda _actor, _grant: true())
        yield Mutant(
            name,
            mutation,
            lambda endpoints=endpoints, name=name: chain(
                wrong(walk, touched[name], endpoints), seen_by_strangers(walk, name)
            ),
        )


def seen_by_strangers(walk: Any, name: str) -> Iterator[Any]:
    """Drafts of tenders and purchasing plans, which no page of the walk's street has: asked for directly."""
    if name not in ("scope Tender published", "scope PurchasePlan area"):
        return
    with walk.app.app_context():
        unit_of_work(tender_scopes.plant)
        yield from tender_scopes.strangers_who_see_it()


def queries(walk: Any, touched: dict[str, list[Any]]) -> Iterator[Mutant]:
    """Each query that begins with what the actor may see, beginning with everything."""
    for name, world, code, beginning in beginnings():
        mutation = put(world, beginning, only_in(code, BEGINNINGS[beginning], world[beginning]))
        yield Mutant(name, mutation, lambda name=name: chain(wrong(walk, touched[name], ()), led_astray(walk, name)))


def led_astray(walk: Any, name: str) -> Iterator[str]:
    """What only a plan's gap shows, asked for directly: the smallest change leads nobody to another street's page.

    The same as tests/linkage/planning/test_fix_links.py asks.
    """
    if fix_links.__name__ not in name:
        return
    with walk.app.test_request_context():
        visit = db.session.scalars(select(Visit.id)).first()
        for fix in (
            {"code": "extend_shift", "caregiver": str(street.key("wu"))},
            {"code": "borrow_on_line", "line": str(street.key("line/lukang/meal"))},
            {"code": "hand_over_visit", "visit": str(visit)},
        ):
            if address := fix_links.fix_link(fix, street.actor("stranger"), local_date(street.NOW)):
                yield f"a stranger is led to {address}"


def beginnings() -> Iterator[tuple[str, dict[str, Any], CodeType, str]]:
    """(name, the module's names, the code, what it calls) of each query that begins with what may be seen."""
    for module in pkgutil.walk_packages(linkage.__path__, "linkage."):
        if module.name.startswith("linkage.core") or module.name not in sys.modules:
            continue
        for function in functions_of(importlib.import_module(module.name)):
            for beginning in sorted(set(BEGINNINGS) & set(function.__code__.co_names)):
                yield f"query {module.name}.{function.__name__}", function.__globals__, function.__code__, beginning


def functions_of(module: Any) -> list[FunctionType]:
    rows = [getattr(row, "__wrapped__", row) for row in vars(module).values()]
    return [row for row in rows if isinstance(row, FunctionType) and row.__module__ == module.__name__]


def only_in(code: CodeType, mutant: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """The mutant where `code` calls, the original for everybody else."""

    def call(*values: Any) -> Any:
        return (mutant if sys._getframe(1).f_code is code else original)(*values)

    return call


# --- what runs where ---------------------------------------------------------------------------------------------


def touching(walk: Any, pages: Iterable[Any], accounts: Iterable[str]) -> dict[str, list[Any]]:
    """By mutant: the (endpoint, address, account) whose page runs through it, shuffled (always the same way)."""
    running: set[str] = set()
    found: dict[str, list[Any]] = defaultdict(list)
    with recording(running):
        for endpoint, address in pages:
            for account in accounts:
                running.clear()
                walking.look(walk, address, account)
                for name in running:
                    found[name].append((endpoint, address, account))
    for places in found.values():
        random.Random(0).shuffle(places)  # noqa: S311
    return found


@contextmanager
def recording(running: set[str]) -> Iterator[None]:
    with ExitStack() as stack:
        for key, condition in list(permissions._conditions.items()):
            name = f"scope {key[0].__name__} {key[1]}"
            stack.enter_context(put(permissions._conditions, key, noting(running, name, condition)))
        names: dict[CodeType, str] = {}
        begun: dict[tuple[int, str], dict[str, Any]] = {}
        for name, world, code, beginning in beginnings():
            names[code] = name
            begun[id(world), beginning] = world
        for (_world, beginning), world in begun.items():
            stack.enter_context(put(world, beginning, noting_caller(running, names, world[beginning])))
        yield


def noting(running: set[str], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*values: Any) -> Any:
        running.add(name)
        return call(*values)

    return noted


def noting_caller(running: set[str], names: dict[CodeType, str], call: Callable[..., Any]) -> Callable[..., Any]:
    """As `noting`, by which of a module's queries begins so."""

    def noted(*values: Any) -> Any:
        running.add(names.get(sys._getframe(1).f_code, ""))
        return call(*values)

    return noted


def wrong(walk: Any, places: list[Any], endpoints: Iterable[str]) -> Iterator[str]:
    """What the tests would say of these pages: answered to the wrong people, a canary, changed by the other street."""
    done, size = 0, FIRST
    while done < len(places):
        yield from wrong_pages(walk, places[done : done + size])
        done, size = done + size, 3 * size
    for endpoint in endpoints:
        yield from walk.complaints(endpoint, methods=("POST",))


def wrong_pages(walk: Any, places: list[Any]) -> Iterator[str]:
    beside = []
    for endpoint, address, account in places:
        answer = walking.look(walk, address, account)
        expected = walk.expected(endpoint, account)
        if not walking.fits(expected, answer, endpoint):
            yield f"{address} as {account}: expected {expected}, got {answer.status_code}"
        for canary in walking.read_out(answer):
            if account not in walking.CANARIES[canary]:
                yield f"{address} as {account} tells {canary}"
        beside.append(walking.bare(answer))
    walk.restore("alone.db")
    try:
        for (_endpoint, address, account), page in zip(places, beside, strict=True):
            if account in walking.APART and walking.bare(walking.look(walk, address, account)) != page:
                yield f"{address} as {account} is another because of the other street"
    finally:
        walk.restore()


# --- the run -----------------------------------------------------------------------------------------------------


def noticed(walk: Any, mutant: Mutant) -> Any:
    """The first thing that is wrong without this guard; None where nothing is."""
    with mutant.mutation:
        try:
            return next(iter(mutant.look()), None)
        except Exception as error:  # noqa: BLE001 (a view without its guard may fall over: the walk fails, too)
            return repr(error)
        finally:
            walk.restore()


def survivors(walk: Any, mutants: Iterable[Mutant]) -> list[str]:
    left = []
    for mutant in mutants:
        what = noticed(walk, mutant)
        print(f"{'noticed ' if what else 'SURVIVED'} {mutant.name:56} {str(what)[:110]}", flush=True)
        left += [] if what else [mutant.name]
    return left


def build() -> Any:
    app = conftest.make_app(tempfile.mkdtemp(prefix="linkage-mutants-"))
    with app.app_context():
        unit_of_work(db.create_all)
        unit_of_work(lambda: street.build(street.NOW))
        db.session.remove()
    return walking.Walk(app)


def part_of_the_run(number: int, parts: int, some: int, only: str) -> int:
    """Every `parts`-th mutant, from `number` on."""
    walk = build()
    touched = touching(walk, [*walking.all_of_a_kind(walk), *walking.rows_of_the_street(walk)], READERS)
    mutants = [mutant for mutant in all_mutants(walk, touched) if only in mutant.name]
    if some:
        mutants = random.sample(mutants, min(some, len(mutants)))
    return 1 if survivors(walk, mutants[number::parts]) else 0


def option(name: str, default: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def main() -> int:
    jobs, part = int(option("--jobs", str(os.cpu_count() or 1))), option("--part", "")
    if part or jobs == 1:
        return part_of_the_run(int(part or 0), jobs, int(option("--some", "0")), option("--only", ""))
    begun = time.monotonic()
    command = [sys.executable, __file__, *sys.argv[1:], "--jobs", str(jobs), "--part"]
    running = [subprocess.Popen([*command, str(number)]) for number in range(jobs)]  # noqa: S603
    failed = [process.wait() for process in running]
    print(f"{'some survived' if any(failed) else 'every mutant was noticed'} ({time.monotonic() - begun:.0f} s)")
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
