"""How long every list and today page takes at the server, as each role; what is too slow or too heavy."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask.testing import FlaskClient
from sqlalchemy import select

from linkage.accounts.models import Grant, User
from linkage.accounts.operations import start_session
from linkage.accounts.queries import holding
from linkage.core import clock
from linkage.core.clock import local_date, week_start
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.core.web import GUARDS, PUBLIC

PAGE_MILLISECONDS, SEARCH_MILLISECONDS, PAGE_BYTES = 300, 100, 500_000
SEARCHED = (
    "陈",
    "陈秀英",
    "秀英",
    "c",
    "chen",
    "chenxiuying",
    "cxy",
    "shan",
    "8000",
    "0028",
    "花园",
    "X2026",
    "13900000123",
)
# Lists are opened with what makes them longest, too.
WIDER = {
    "visits.listing": ("week={monday}", "week={monday}&state=trouble", "week={monday}&page=9", "state=ahead"),
    "needs.listing": ("state=all", "state=all&page=40", "q=chen"),
    "households.listing": (
        "q=chen",
        "sort=name",
        "sort=-newest&page=9",
        "tag=aged_80",
        "approximate=y",
        "no_consent=y",
    ),
    "desk.home": ("span=week",),
    "volunteers.listing": ("q=lin", "page=9"),
    "carers.listing": ("q=lin",),
}
SEARCHES = ("desk.search", "desk.find_household", "desk.find_caller")
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Figure:
    """One page as one account: the median of its times at the server, and its size.

    `processor`: milliseconds of processor time, which other programs on the machine do not lengthen.
    """

    account: str
    role: str
    page: str
    status: int
    milliseconds: float
    processor: float
    bytes: int
    goal: int

    @property
    def is_good(self) -> bool:
        return self.milliseconds < self.goal and self.bytes < PAGE_BYTES


@click.command("bench-pages")
@click.option("--times", default=20, show_default=True, help="How often each page is opened; the median counts.")
@click.option("--account", "wanted", multiple=True, help="Only these sign-in names.")
@click.option("--page", "part", default="", help="Only addresses that contain this.")
@click.option("--json", "as_json", is_flag=True)
@with_appcontext
def bench_pages(times: int, wanted: tuple[str, ...], part: str, as_json: bool) -> None:
    """Open every list and today page as its role and say how long the server takes. Exit 1 when one is too slow."""
    if current_app.config["SETTINGS"].mode == "production":
        raise click.ClickException("this signs in as others: not in production")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    load = os.getloadavg()[0]
    found = []
    for name, role in _accounts(wanted):
        client = _client(app, name)
        for endpoint, address in _addresses(app):
            if part in address and (figure := _measure(client, name, role, endpoint, address, times)):
                found.append(figure)
    missed = [figure for figure in found if not figure.is_good]
    if as_json:
        click.echo(json.dumps({"load": [load, os.getloadavg()[0]], "pages": [asdict(one) for one in found]}, indent=1))
    else:
        _print(found, load)
    raise SystemExit(1 if missed else 0)


def _accounts(wanted: tuple[str, ...]) -> list[tuple[str, str]]:
    """One account for each scope of each role: name and role."""
    rows = db.session.execute(
        select(User.sign_in_name, Grant.role, Grant.area_id)
        .join(Grant, Grant.user_id == User.id)
        .where(holding(local_date(clock.now())), User.disabled_at.is_(None), User.password_hash.is_not(None))
        .order_by(User.created_at, User.sign_in_name)
    ).all()
    db.session.rollback()
    if wanted:
        return [(name, role) for name, role, _area in rows if name in wanted]
    first: dict[object, tuple[str, str]] = {}
    for name, role, area_id in rows:
        kind = (role, area_id) if role == "supervisor" else role
        first.setdefault(kind, (name, role))
    return list(first.values())


def _client(app: Flask, name: str) -> FlaskClient:
    user = db.session.scalars(select(User).where(User.sign_in_name == name)).one()
    token = unit_of_work(lambda: start_session(user, browser="bench", now=clock.now()))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["sid"] = token
    return client


def _addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """Every page without an id in its address, as it is and as wide as it gets."""
    monday = week_start(local_date(clock.now())).isoformat()
    with app.test_request_context():
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
            guard = GUARDS.get(rule.endpoint)
            if guard is None or guard.permission == PUBLIC or rule.arguments or "GET" not in (rule.methods or ()):
                continue
            if rule.endpoint in SEARCHES:
                yield from ((rule.endpoint, f"{rule.rule}?q={text}") for text in SEARCHED)
                continue
            yield rule.endpoint, rule.rule
            for query in WIDER.get(rule.endpoint, ()):
                yield rule.endpoint, f"{rule.rule}?{query.format(monday=monday)}"


def _measure(client: FlaskClient, name: str, role: str, endpoint: str, address: str, times: int) -> Figure | None:
    """None for what this account may not open or is sent on from."""
    searching = endpoint in SEARCHES
    headers = HTMX if searching else {}
    first = client.get(address, headers=headers)
    if first.status_code in (301, 302, 303, 308, 403, 404):
        return None
    took, worked = [], []
    for _ in range(times):
        started, busy = time.perf_counter(), time.process_time()
        answer = client.get(address, headers=headers)
        took.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (time.process_time() - busy))
    goal = SEARCH_MILLISECONDS if searching else PAGE_MILLISECONDS
    status, size = answer.status_code, len(answer.data)
    return Figure(name, role, address, status, statistics.median(took), statistics.median(worked), size, goal)


def _print(found: list[Figure], load: float) -> None:
    click.echo("     ms (processor)      kB  page")
    rows = sorted(found, key=lambda one: -one.milliseconds / one.goal)
    for one in rows:
        mark = " " if one.is_good else "!"
        figures = f"{one.milliseconds:6.0f} {one.processor:10.0f} {one.bytes / 1000:9.1f}"
        click.echo(f"{mark}{figures}  {one.account:20} {one.page} {'' if one.status == 200 else one.status}")
    for name, goal in (("pages", PAGE_MILLISECONDS), ("searches", SEARCH_MILLISECONDS)):
        part = [one for one in rows if one.goal == goal]
        slow = sum(one.milliseconds >= goal for one in part)
        worst = max((one.milliseconds for one in part), default=0)
        worked = max((one.processor for one in part), default=0)
        click.echo(
            f"{len(part)} {name}: {slow} not under {goal} ms; the slowest {worst:.0f} ms ({worked:.0f} processor)"
        )
    heaviest, later = max((one.bytes for one in rows), default=0), os.getloadavg()[0]
    click.echo(f"the heaviest {heaviest / 1000:.0f} kB (goal {PAGE_BYTES // 1000}); load {load:.1f}, then {later:.1f}")


commands = (bench_pages,)
