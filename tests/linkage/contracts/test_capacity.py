"""Which line a visit is charged to."""

from datetime import date

import pytest

from linkage.areas.models import Area
from linkage.contracts import ledger
from linkage.contracts.capacity import LineBook, choose_line, cost_fen, quantity_for
from linkage.contracts.ledger import Charge
from linkage.contracts.models import Contract, ContractLine, LineArea, LineService
from linkage.core import audit
from linkage.core.extensions import db
from linkage.services.models import Service

DAY = date(2026, 11, 25)


@pytest.fixture
def clean(ctx, world):
    return db.session.get(Service, world.key("service/clean"))


@pytest.fixture
def north(ctx):
    return db.session.get(Area, 4)


@pytest.fixture
def change(commit, world, now):
    """Change a line of the street: ``change("lukang/clean", rank=1)``."""

    def apply(name, **values):
        def work():
            line = db.session.get(ContractLine, world.key("line/" + name))
            for field, value in values.items():
                setattr(line, field, value)
            audit.record("test.change", line, by=None, now=now)

        commit(work)
        db.session.rollback()

    return apply


def chosen(world, *args, **kwargs):
    line = choose_line(*args, **kwargs)
    names = {world.key(f"line/{name}"): name for name in ("lukang/clean", "jiahe/clean", "lukang/tagged")}
    return line and names[line.id]


def test_the_line_of_lower_rank_is_taken_first(world, clean, north, change):
    assert chosen(world, clean, north, [], DAY) == "jiahe/clean"  # same rank: by the contract's number
    change("jiahe/clean", rank=1)
    assert chosen(world, clean, north, [], DAY) == "lukang/clean"


def test_a_line_for_certain_tags_comes_before_one_for_everybody(world, clean, north, change):
    change("lukang/clean", eligible_tags=["minimum_living"])
    assert chosen(world, clean, north, ["minimum_living"], DAY) == "lukang/clean"
    assert chosen(world, clean, north, ["aged_80"], DAY) == "jiahe/clean"


def test_only_the_organisations_own_lines_are_asked_for(world, clean, north):
    assert chosen(world, clean, north, [], DAY, world.key("lukang")) == "lukang/clean"


def test_no_line_covers_another_street_or_another_year(world, clean, north):
    assert choose_line(clean, db.session.get(Area, 7), [], DAY) is None
    assert choose_line(clean, north, [], date(2027, 1, 1)) is None


def test_a_suspended_contract_gives_no_line(world, clean, north, commit, now):
    def suspend():
        contract = db.session.get(Contract, world.key("contract/jiahe"))
        contract.suspended_at = now
        audit.record("test.suspend", contract, by=None, now=now)

    commit(suspend)
    assert chosen(world, clean, north, [], DAY) == "lukang/clean"


def test_a_full_line_gives_way_to_the_next(world, clean, north, change, commit, now):
    change("jiahe/clean", monthly_cap=90)
    charge = Charge(world.key("line/jiahe/clean"), DAY, 60, world.key("lin/head"))
    commit(lambda: ledger.commit(charge, by=None, now=now))
    assert chosen(world, clean, north, [], DAY, quantity=30) == "jiahe/clean"
    assert chosen(world, clean, north, [], DAY, quantity=60) == "lukang/clean"


def test_a_line_whose_quota_a_person_has_used_gives_way_for_them_only(world, clean, north, change, commit, now):
    change("jiahe/clean", monthly_quota=60)
    charge = Charge(world.key("line/jiahe/clean"), DAY, 60, world.key("lin/head"))
    commit(lambda: ledger.commit(charge, by=None, now=now))
    assert chosen(world, clean, north, [], DAY, quantity=60, person_id=world.key("lin/head")) == "lukang/clean"
    assert chosen(world, clean, north, [], DAY, quantity=60, person_id=world.key("chen/head")) == "jiahe/clean"


def test_a_book_read_once_answers_as_the_single_question_does(world, clean, north):
    book = LineBook(date(2026, 11, 1), date(2026, 11, 30))
    assert len(book.lines) == 5
    assert book.candidates(clean.id, north.path, [], DAY)[0].id == choose_line(clean, north, [], DAY).id


def test_a_line_may_cover_a_community_of_its_own(world, clean, north, commit, now):
    def add():
        db.session.add(
            ContractLine(
                id=world.key("line/lukang/tagged"), contract_id=world.key("contract/lukang"), position=9, name="clean+",
                organisation_id=world.key("lukang"), unit="minutes", price_fen=6000, starts_on=DAY, ends_on=DAY,
                monthly_cap=60, eligible_tags=[], monthly_quota=None, rank=-1, created_at=now,
                services=[LineService(service_id=clean.id)], areas=[LineArea(area_id=5)],
            )
        )  # fmt: skip
        audit.record("test.add", ("street", "3"), by=None, now=now)

    commit(add)
    assert chosen(world, clean, north, [], DAY) == "jiahe/clean"
    assert chosen(world, clean, db.session.get(Area, 5), [], DAY) == "lukang/tagged"


def test_minutes_are_priced_per_hour_and_rounded_half_up(world, ctx):
    line = ContractLine(unit="minutes", price_fen=3501)
    assert (cost_fen(line, 60), cost_fen(line, 90), cost_fen(line, 1)) == (3501, 5252, 58)
    assert cost_fen(db.session.get(ContractLine, world.key("line/lukang/meal")), 3) == 4500


def test_a_visit_takes_its_minutes_or_one_meal():
    assert (quantity_for("minutes", 45), quantity_for("visits", 45), quantity_for("meals", 45)) == (45, 1, 1)
