"""An installation that is not a demo, from nothing, by one command."""

import base64
import secrets

import pytest
from conftest import make_app

from linkage.accounts import queries
from linkage.accounts.models import User
from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.models import Rule
from linkage.core.rulesets import DEFAULTS
from linkage.services.models import Service

ARGUMENTS = ["setup", "--name", "陈管家", "--sign-in-name", "root", "--base-url", "https://linkage.example"]


def count(model):
    return db.session.scalar(db.select(db.func.count()).select_from(model))


@pytest.fixture
def installation(tmp_path):
    """An application in production mode on an empty folder."""
    keys = {
        f"LINKAGE_{name}": base64.b64encode(secrets.token_bytes(32)).decode()
        for name in ("SECRET_KEY", "MASTER_KEY", "INDEX_KEY")
    }
    return make_app(tmp_path, LINKAGE_MODE="production", **keys)


def test_one_command_makes_everything_and_a_second_changes_nothing(installation):
    run = installation.test_cli_runner().invoke
    first = run(args=ARGUMENTS)
    assert first.exit_code == 0, first.output
    path = first.output.split("https://linkage.example")[1].strip()
    assert installation.test_client().get(path).status_code == 200
    with installation.app_context():
        before = [count(model) for model in (Area, Service, Rule, User)]
        assert before == [598, before[1], len(DEFAULTS), 1]
        assert before[1] > 10
    second = run(args=ARGUMENTS)
    assert (second.exit_code, "already" in second.output) == (0, True)
    with installation.app_context():
        assert [count(model) for model in (Area, Service, Rule, User)] == before
        assert audit.broken_at(db.session()) is None


def test_the_console_makes_a_new_link_when_nobody_else_can(installation):
    run = installation.test_cli_runner().invoke
    old = run(args=ARGUMENTS).output.split("https://linkage.example")[1].strip()
    new = run(args=["link", "root", "--base-url", "https://linkage.example"]).output
    path = new.split("https://linkage.example")[1].strip()
    client = installation.test_client()
    assert (client.get(old).status_code, client.get(path).status_code) == (409, 200)
    assert run(args=["link", "nobody"]).exit_code == 1


def test_there_is_no_demo_account_in_production(installation):
    run = installation.test_cli_runner().invoke
    run(args=ARGUMENTS)
    assert run(args=["accounts"]).exit_code == 1
    with installation.app_context():
        assert [user.sign_in_name for user in db.session.scalars(db.select(User))] == ["root"]
        assert queries.find_user_by_name("demo") is None


@pytest.mark.parametrize("table", ["rights", "events", "personal-fields"])
def test_a_command_prints_each_table(installation, table):
    answer = installation.test_cli_runner().invoke(args=[table])
    assert (answer.exit_code, answer.output.count("\n") > 5) == (0, True)
