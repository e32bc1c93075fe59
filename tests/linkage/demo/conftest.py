"""The demo, made once for the whole session: Monday 23 November 2026, 08:00."""

import json

import pytest
from conftest import make_app

from linkage.core.clock import current_clock, parse_moment
from linkage.core.extensions import db

MONDAY_MORNING = "2026-11-23T08:00"


@pytest.fixture(scope="session")
def demo_app(tmp_path_factory):
    """An installation in demo mode in which `prepare` has run."""
    app = make_app(tmp_path_factory.mktemp("demo"), LINKAGE_MODE="demo", LINKAGE_NOW=MONDAY_MORNING)
    done = app.test_cli_runner().invoke(args=["prepare"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return app


@pytest.fixture
def demo(demo_app):
    """The demo with its clock where it began; tests here read only."""
    with demo_app.app_context():
        current_clock().move_to(parse_moment(MONDAY_MORNING))
        yield demo_app
        db.session.remove()


@pytest.fixture
def accounts(demo_app):
    """What `make accounts` prints."""
    done = demo_app.test_cli_runner().invoke(args=["accounts"], catch_exceptions=False)
    return json.loads(done.output)
