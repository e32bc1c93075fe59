# ruff: noqa: F811 (the fixture `walk` is an argument, too)
"""Who gets what: every route, asked as nobody and as everybody, against the printed table of rights."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from mutate_guards import all_mutants, noticed, touching  # noqa: E402
from walk import (  # noqa: E402
    CANARIES,
    NOT_ANSWERED_HERE,
    TABLE,
    all_of_a_kind,
    changed_by_the_other_street,
    read_table,
    rows_of_the_street,
    told,
    walk,  # noqa: F401
)

ROUTES = read_table(TABLE.read_text())[2]
ONE_OF_EACH = ("clerk", "coordinator", "manager", "wu", "zhuang", "chen_home", "other_operator", "other_admin")


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
def lists(walk):
    """The pages of many rows, and of one row with others around it, as everybody reads them."""
    return all_of_a_kind(walk) + [row for row in rows_of_the_street(walk) if row[0].endswith((".page", ".week"))]


@pytest.fixture(scope="module")
def lists_told(walk, lists):
    return list(told(walk, lists))


def test_no_list_search_or_filter_tells_what_lies_outside_ones_scope(lists_told):
    assert [row for row in lists_told if row[0] not in CANARIES[row[2]]] == []


def test_whom_a_list_should_tell_is_told(lists_told):
    """The bad twin: a canary that appears nowhere would prove nothing."""
    seen = {canary: {account for account, _where, text in lists_told if text == canary} for canary in CANARIES}
    assert {canary for canary, accounts in seen.items() if not accounts and CANARIES[canary]} == set()


def test_no_list_search_or_count_is_another_because_of_what_lies_outside(walk, lists):
    """The same pages with the other street and without it: every row, every hit, every number."""
    pairs = [(address, account) for _endpoint, address in lists for account in ONE_OF_EACH]
    assert list(changed_by_the_other_street(walk, pairs)) == []


def test_for_those_above_both_streets_the_other_one_shows(walk):
    """The bad twin."""
    pairs = [("/needs/?state=all", "supervisor"), ("/households/", "operator"), ("/users/", "admin")]
    assert list(changed_by_the_other_street(walk, pairs)) == pairs


@pytest.mark.parametrize(
    "name",
    ["route needs.page", "route users.page", "scope Household area", "scope Offer self",
     "query linkage.needs.queries.visible"],
)  # fmt: skip
def test_a_guard_that_is_taken_away_is_noticed(walk, name):
    """A sample; `make guards` takes away every one in turn."""
    pages = [row for row in all_of_a_kind(walk) if row[0] in ("needs.listing", "households.listing", "offers.today")]
    touched = touching(walk, pages, ("clerk", "zhuang"))
    (mutant,) = [row for row in all_mutants(walk, touched) if row.name == name]
    assert noticed(walk, mutant)
