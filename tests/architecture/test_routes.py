"""Who gets what: every route, asked as nobody and as everybody, against the printed table of rights."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from mutate_guards import conditions, notice, routes  # noqa: E402
from walk import CANARIES, NOT_ANSWERED_HERE, TABLE, Walk, all_of_a_kind, read_table, told  # noqa: E402

ROUTES = read_table(TABLE.read_text())[2]


@pytest.fixture(scope="module")
def walk(template):
    """The neighbourhood, built once; every request leaves it as it was."""
    folder = template.config["SETTINGS"].data_dir
    walk = Walk(template)
    walk.restore()
    yield walk
    (folder / "neighbourhood.db").unlink()


def test_the_table_that_a_person_read_is_the_one_in_force(app):
    printed = app.test_cli_runner().invoke(args=["rights"]).output
    assert printed.strip() == TABLE.read_text().strip(), (
        "rights or routes changed: read the difference, then `flask --app app rights > tests/architecture/rights.txt`"
    )


def test_every_route_of_the_map_stands_in_the_table(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)


@pytest.mark.parametrize("endpoint", sorted(set(ROUTES) - NOT_ANSWERED_HERE))
def test_a_route_answers_exactly_those_who_have_its_right_there(walk, endpoint):
    assert list(walk.complaints(endpoint)) == []


@pytest.fixture(scope="module")
def lists_told(walk):
    return list(told(walk, all_of_a_kind(walk)))


def test_no_list_search_or_filter_tells_what_lies_outside_ones_scope(lists_told):
    assert [row for row in lists_told if row[0] not in CANARIES[row[2]]] == []


def test_whom_a_list_should_tell_is_told(lists_told):
    """The bad twin: a canary that appears nowhere would prove nothing."""
    seen = {canary: {account for account, _where, text in lists_told if text == canary} for canary in CANARIES}
    assert {canary for canary, accounts in seen.items() if not accounts} == set()


@pytest.mark.parametrize("name", ["route needs.page", "route users.page", "scope Household area", "scope Offer self"])
def test_a_guard_that_is_taken_away_is_noticed(walk, name):
    """A sample; `python scripts/mutate_guards.py` takes away every one in turn."""
    ((mutation, look),) = [rest for found, *rest in (*routes(walk), *conditions(walk)) if found == name]
    with mutation:
        noticed = notice(look)
    walk.restore()
    assert noticed
