"""Who sees a draft and a purchasing plan: the buyer's own alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import world as street

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.permissions import visible_rows
from linkage.core.transactions import unit_of_work
from linkage.procurement.models import PurchasePlan, Tender

PLANTED = "草稿与缺口"


def plant():
    """A draft and a purchasing plan of the coordinator's street."""
    here = street.actor("coordinator").grants[0].area_id
    tender = Tender(
        number="ZC-draft", title=PLANTED, buyer_area_id=here, method="open", budget_fen=1,
        deadline_at=street.NOW + timedelta(days=22), contract_starts_on=date(2027, 2, 1),
        contract_ends_on=date(2028, 1, 31), created_at=street.NOW,
    )  # fmt: skip
    plan = PurchasePlan(
        title=PLANTED, buyer_area_id=here, first_month="2026-09", last_month="2026-11", created_at=street.NOW
    )
    db.session.add_all([tender, plan])
    audit.record("test.plant", ("test", "1"), by=None, now=street.NOW)


def seen(model, actor):
    return len(db.session.scalars(visible_rows(actor, model).where(model.title == PLANTED)).all())


def of_another_street(actor):
    """The same office, in the street next door (area 6)."""
    there = db.session.get(Area, 6)
    grants = tuple(replace(grant, area_id=there.id, area_path=there.path) for grant in actor.grants)
    return replace(actor, grants=grants)


def strangers_who_see_it():
    """Who sees what is not theirs: an organisation's manager a draft, another street's coordinator a plan."""
    found = ["manager: draft"] if seen(Tender, street.actor("manager")) else []
    stranger = of_another_street(street.actor("coordinator"))
    return found + (["coordinator next door: plan"] if seen(PurchasePlan, stranger) else [])


@pytest.mark.usefixtures("ctx")
def test_a_draft_and_a_purchasing_plan_are_the_buyers_alone(world):
    unit_of_work(plant)
    assert strangers_who_see_it() == []
    assert [seen(model, street.actor("coordinator")) for model in (Tender, PurchasePlan)] == [1, 1]
