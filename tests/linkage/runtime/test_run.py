"""`make run`'s processes as a whole: start, kill -9, stop."""

import sqlite3

import psutil
import pytest

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


def test_the_clock_cannot_be_moved_in_production(tmp_path):
    demo = Site(tmp_path)
    names = ("SECRET_KEY", "MASTER_KEY", "INDEX_KEY")
    secrets = {f"LINKAGE_{name}": demo.flask("make-secret").strip() for name in names}
    site = Site(tmp_path, environment={"LINKAGE_MODE": "production", **secrets})
    with pytest.raises(AssertionError, match="only be moved in demo and test mode"):
        site.flask("clock", "+2h")
