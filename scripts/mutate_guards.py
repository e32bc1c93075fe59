"""Take away each guard in turn, and demand that the walk over the map notices (tests/architecture/walk.py).

``python scripts/mutate_guards.py [--some N]``: for each route its declared right becomes "public"; for each kind of
row each scope condition becomes "always"; for each query that begins with what the actor may see, that beginning
becomes "everything". Prints a line a mutant; exits 1 when one of them survives.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE / "tests"), str(HERE / "tests/architecture"), str(HERE / "platform"), str(HERE)]
os.environ.setdefault("LINKAGE_MODE", "test")

import conftest  # noqa: E402
import walk as walking  # noqa: E402
import world as street  # noqa: E402
from sqlalchemy import select, true  # noqa: E402

import linkage  # noqa: E402
from linkage.core import permissions, web  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.transactions import unit_of_work  # noqa: E402

BEGINNINGS = {"visible_rows": lambda _actor, model: select(model), "scoped": lambda _actor, _name, model: select(model)}


@contextmanager
def put(holder: Any, key: Any, value: Any) -> Iterator[None]:
    before = holder[key]
    holder[key] = value
    try:
        yield
    finally:
        holder[key] = before


def routes(walk: Any) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """Each route that needs a right, open to everybody."""
    for endpoint, (permission, _loader) in sorted(walk.routes.items()):
        view = walk.app.view_functions[endpoint]
        if permission != web.PUBLIC and endpoint not in walking.NOT_ANSWERED_HERE:
            bare = web.guarded(web.Guard(web.PUBLIC, web.GUARDS[endpoint].subject), view.__wrapped__)
            yield (
                f"route {endpoint}",
                put(walk.app.view_functions, endpoint, bare),
                lambda endpoint=endpoint: walk.complaints(endpoint),
            )


def conditions(walk: Any) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """Each scope condition of a kind of row, always true."""
    for model, kind in sorted(permissions._conditions, key=lambda entry: (entry[0].__name__, entry[1])):
        loaders = {name for name, subject in walking.SUBJECTS.items() if subject.model == model.__name__}
        late = {name for name, subject in walking.LOADED_IN_VIEW.items() if subject.model == model.__name__}
        endpoints = sorted({name for name, route in walk.routes.items() if route[1] in loaders} | late)
        yield (
            f"scope {model.__name__} {kind}",
            put(permissions._conditions, (model, kind), lambda _actor, _grant: true()),
            lambda endpoints=endpoints: told_or_complained(walk, endpoints),
        )


def queries(walk: Any) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """Each query that begins with what the actor may see, beginning with everything."""
    for module in pkgutil.walk_packages(linkage.__path__, "linkage."):
        if module.name.startswith("linkage.core") or module.name not in sys.modules:
            continue
        for function in functions_of(importlib.import_module(module.name)):
            for name in sorted(set(BEGINNINGS) & set(function.__code__.co_names)):
                world = function.__globals__
                yield (
                    f"query {module.name}.{function.__name__}",
                    put(world, name, only_in(function.__code__, BEGINNINGS[name], world[name])),
                    lambda: told_or_complained(walk, LOOKING),
                )


LOOKING = ("planning.page", "households.page", "planning.week", "contracts.page", "organisations.page", "visits.page")


def functions_of(module: Any) -> list[FunctionType]:
    rows = [getattr(row, "__wrapped__", row) for row in vars(module).values()]
    return [row for row in rows if isinstance(row, FunctionType) and row.__module__ == module.__name__]


def only_in(code: CodeType, mutant: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """The mutant where `code` calls, the original for everybody else."""

    def call(*values: Any) -> Any:
        return (mutant if sys._getframe(1).f_code is code else original)(*values)

    return call


def told_or_complained(walk: Any, endpoints: Any) -> Iterator[Any]:
    """What the lists tell to whom they should not, and what is wrong with the pages of single rows."""
    for endpoint in endpoints:
        yield from walk.complaints(endpoint, methods=("GET",))
    for row in walking.told(walk, walking.all_of_a_kind(walk)):
        if row[0] not in walking.CANARIES[row[2]]:
            yield row
    for endpoint in endpoints:
        yield from walk.complaints(endpoint, methods=("POST",))


def survivors(walk: Any, some: int = 0) -> list[str]:
    """The mutants that nothing notices, out of all or of `some` of each kind (another choice each day of a run)."""
    left = []
    for kind in (routes, conditions, queries):
        mutants = list(kind(walk))
        for name, mutation, look in random.sample(mutants, min(some, len(mutants))) if some else mutants:
            with mutation:
                noticed = notice(look)
            walk.restore()
            print(f"{'noticed ' if noticed else 'SURVIVED'} {name:56} {str(noticed)[:90]}", flush=True)
            if not noticed:
                left.append(name)
    return left


def notice(look: Callable[[], Any]) -> Any:
    try:
        return next(iter(look()), None)
    except Exception as error:  # noqa: BLE001 (a view without its guard may fall over: the walk fails, too)
        return repr(error)


def main() -> int:
    some = int(sys.argv[sys.argv.index("--some") + 1]) if "--some" in sys.argv else 0
    app = conftest.make_app(tempfile.mkdtemp(prefix="linkage-mutants-"))
    with app.app_context():
        unit_of_work(db.create_all)
        unit_of_work(lambda: street.build(street.NOW))
        db.session.remove()
    left = survivors(walking.Walk(app), some)
    print(f"{len(left)} survived" if left else "every mutant was noticed")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
