"""From visits that nobody served to a purchasing plan and the tender that starts from it."""

import pytest
from sqlalchemy import select
from visiting import post_for

from linkage.core.extensions import db
from linkage.desk.purchasing import shortage
from linkage.procurement.models import PurchasePlan


@pytest.fixture
def unmet(ctx, commit, world, sign_in, move_clock):
    """Thursday's hour of cleaning passed without anyone; who buys is signed in the Monday after."""
    commit(lambda: post_for(world, "chen", "clean"))
    later = move_clock("2026-11-30T09:00")
    return sign_in("supervisor"), later


def test_a_visit_to_which_nobody_came_is_a_shortage_carried_on_to_a_year(unmet, world):
    _buyer, later = unmet
    (gap,) = shortage(world.actor("supervisor", later), later)
    assert (gap.service.code, gap.area.id, gap.visits, len(gap.needs)) == ("clean", 3, 1, 1)
    assert dict(gap.months) == {"2026-11": 60}
    assert gap.yearly == 261  # 60 minutes × 365 ÷ 84, half up


def test_nothing_is_missing_while_no_plan_says_so(ctx, commit, world, now):
    commit(lambda: post_for(world, "chen", "clean"))
    assert shortage(world.actor("supervisor"), now) == []


def test_another_street_sees_nothing_of_it(unmet, world):
    assert shortage(world.actor("stranger", unmet[1]), unmet[1]) == []


def test_the_plan_is_stored_and_the_tender_starts_from_it(unmet):
    buyer, _later = unmet
    assert "助洁" in buyer.get("/purchasing").text
    answer = buyer.post("/purchasing")
    plan = db.session.scalars(select(PurchasePlan)).one()
    assert answer.status_code == 303 and str(plan.id) in answer.headers["Location"]
    assert [(line.visits, line.yearly_quantity) for line in plan.lines] == [(1, 261)]
    assert "思明区" in buyer.get(answer.headers["Location"]).text


def test_without_a_shortage_there_is_nothing_to_buy(ctx, sign_in):
    assert sign_in("supervisor").post("/purchasing").status_code == 409
