"""Whom a contract line for certain tags pays for: the person who has the tag, and while support tapers afterwards."""

from datetime import date

import pytest

from linkage.contracts.models import ContractLine
from linkage.core.extensions import db
from linkage.households.models import Household
from tests.visiting import change


@pytest.mark.parametrize(
    ("whose", "ended", "pays"),
    [
        ("lin/head", None, True),
        ("chen/head", None, False),  # somebody else's
        (None, date(2026, 10, 31), True),
        (None, date(2026, 3, 31), False),  # longer ago than six months
    ],
)
def test_a_line_for_a_tag_pays_for_whom_it_entitles(visit, snapshot, world, whose, ended, pays):
    def arrange():
        for name in ("lukang", "jiahe"):
            db.session.get(ContractLine, world.key(f"line/{name}/clean")).eligible_tags = ["minimum_living"]
        tag = db.session.get(Household, world.key("household/lin")).tags[0]
        tag.person_id, tag.valid_to = whose and world.key(whose), ended

    change(world, arrange)
    visit("lin", "clean")
    (row,) = snapshot().instance.visits
    assert bool(row.contract_line_ids) is pays
