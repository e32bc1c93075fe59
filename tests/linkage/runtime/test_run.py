"""`make run`'s processes as a whole: start, kill -9, stop."""

import sqlite3
import subprocess
import sys

import psutil
import pytest
from conftest import make_app

from linkage.core.config import ConfigurationError
from tests.journeys.site import Site
from tests.linkage.runtime.test_supervisor import eventually


@pytest.fixture
def site(tmp_path):
    """An installation that is migrated and does not run yet."""
    site = Site(tmp_path)
    site.flask("prepare")
    yield site
    site.stop()


def last_run(site):
    """When the worker last did what is due each minute, as stored."""
    with sqlite3.connect(site.data_dir / "linkage.db") as connection:
        row = connection.execute("select last_due from periodic_runs where name = 'tick'").fetchone()
        return row and row[0]


def test_server_and_worker_come_back_after_kill_9_and_stop_together(site):
    site.start()
    assert eventually(lambda: last_run(site))
    before = last_run(site)
    site.kill("web")
    site.kill("worker")
    site.wait_until_ready()
    assert eventually(lambda: last_run(site) > before, 30)
    children = psutil.Process(site.process.pid).children()
    process = site.process
    site.stop()
    assert process.returncode == 0
    assert not any(child.is_running() for child in children)


def test_moving_the_clock_does_what_is_due(site):
    shown = site.flask("clock", "2026-12-01T09:00").strip()
    assert shown == "2026-12-01T09:00+08:00"
    assert last_run(site).startswith("2026-12-01 01:00")
    assert site.flask("clock", "+2h").strip() == "2026-12-01T11:00+08:00"


@pytest.fixture
def made_secrets():
    """The variables that `python -m linkage.core.config` prints."""
    printed = subprocess.run([sys.executable, "-m", "linkage.core.config"], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in printed.stdout.split())


def test_production_starts_with_the_secrets_that_the_command_makes(tmp_path, made_secrets):
    assert make_app(tmp_path, LINKAGE_MODE="production", **made_secrets).config["SETTINGS"].mode == "production"


@pytest.mark.parametrize("value", ["", "changeme", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_production_refuses_a_secret_that_is_missing_or_weak_and_says_how_to_make_one(tmp_path, made_secrets, value):
    with pytest.raises(ConfigurationError, match="LINKAGE_MASTER_KEY.*python -m linkage.core.config"):
        make_app(tmp_path, LINKAGE_MODE="production", **{**made_secrets, "LINKAGE_MASTER_KEY": value})


def test_production_refuses_one_secret_for_two_purposes(tmp_path, made_secrets):
    same = {**made_secrets, "LINKAGE_MASTER_KEY": made_secrets["LINKAGE_INDEX_KEY"]}
    with pytest.raises(ConfigurationError, match="must differ"):
        make_app(tmp_path, LINKAGE_MODE="production", **same)


def test_the_clock_cannot_be_moved_in_production(tmp_path, made_secrets):
    app = make_app(tmp_path, LINKAGE_MODE="production", **made_secrets)
    result = app.test_cli_runner().invoke(args=["clock", "+2h"])
    assert (result.exit_code, "only be moved in demo and test mode" in result.output) == (1, True)
