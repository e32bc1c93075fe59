"""The pages of contracts: entering one, its months, its ledger, and who may open them."""

from datetime import date

import pytest
from sqlalchemy import select

from linkage.contracts import ledger
from linkage.contracts.ledger import Charge
from linkage.contracts.models import Contract, ContractLine
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

DAY = date(2026, 11, 25)


@pytest.fixture
def values(world):
    return {
        "organisation_id": str(world.key("jiahe")), "number": "HT-2026-9", "title": "助浴和助餐", "buyer_area_id": "3",
        "signed_on": "2026-11-01", "starts_on": "2026-12-01", "ends_on": "2027-11-30", "value": "1,280.00",
        "l0-services": [str(world.key("service/bath"))], "l0-areas": ["3"], "l0-unit": "minutes", "l0-price": "¥80.50",
        "l0-cap": "100", "l0-quota": "30", "l0-tags": ["destitute", "disabled_elder"], "l0-rank": "0",
        "l2-services": [str(world.key("service/meal"))], "l2-areas": ["4", "5"], "l2-unit": "meals", "l2-price": "15",
        "l2-cap": "300", "l2-rank": "1", "l2-starts_on": "2027-01-01",
    }  # fmt: skip


@pytest.fixture
def paths(world):
    return {
        "contract": f"/contracts/{world.key('contract/lukang')}",
        "ledger": f"/contracts/lines/{world.key('line/lukang/bath')}/ledger",
        "line": f"/contracts/lines/{world.key('line/lukang/bath')}/edit",
    }


def test_a_contract_is_entered_on_one_form(ctx, sign_in, values):
    coordinator = sign_in("coordinator")
    answer = coordinator.post("/contracts/new", data=values)
    assert answer.status_code == 303, answer.text
    contract = db.session.scalars(select(Contract).where(Contract.number == "HT-2026-9")).one()
    bath, meal = contract.lines
    assert contract.value_fen == 128_000
    assert (bath.price_fen, bath.monthly_cap, bath.monthly_quota) == (8050, 6000, 1800)
    assert set(bath.eligible_tags) == {"destitute", "disabled_elder"}
    assert (meal.monthly_cap, meal.starts_on, meal.ends_on) == (300, date(2027, 1, 1), date(2027, 11, 30))
    assert {row.area_id for row in meal.areas} == {4, 5}
    page = coordinator.get(answer.location + "?month=2026-12").text
    assert "¥1,280.00" in page
    assert "¥80.50" in page


@pytest.mark.parametrize(
    ("change", "error_at"),
    [
        ({"value": "12.345"}, "f-value"),
        ({"number": ""}, "f-number"),
        ({"l0-price": ""}, "f-l0-price"),
        ({"l0-services": []}, "f-l0-services"),
        ({"l2-unit": "visits"}, "f-l2-unit"),
        ({"l2-cap": "many"}, "f-l2-cap"),
    ],
)
def test_what_was_typed_stays_beside_the_error(sign_in, values, change, error_at):
    answer = sign_in("coordinator").post("/contracts/new", data={**values, **change})
    assert answer.status_code == 422
    assert f'href="#{error_at}"' in answer.text
    assert 'value="助浴和助餐"' in answer.text
    assert 'value="destitute" checked' in answer.text
    assert 'name="l2-price" type="text" value="15"' in answer.text


def test_a_contract_without_a_line_is_not_entered(sign_in, values):
    head = {key: value for key, value in values.items() if not key.startswith("l")}
    assert sign_in("coordinator").post("/contracts/new", data=head).status_code == 422


@pytest.mark.parametrize(
    ("who", "contract", "ledger_page", "new"),
    [
        ("coordinator", 200, 200, 200),
        ("supervisor", 200, 200, 200),
        ("admin", 200, 200, 200),
        ("manager", 200, 200, 403),
        ("manager2", 404, 404, 403),
        ("clerk", 404, 403, 403),
        ("stranger", 404, 404, 403),
        ("wu", 404, 404, 403),
        ("zhuang", 404, 404, 403),
        ("chen_home", 404, 404, 403),
    ],
)
def test_each_sees_what_lies_in_the_own_scope(sign_in, paths, who, contract, ledger_page, new):
    client = sign_in(who)
    seen = [client.get(path).status_code for path in (paths["contract"], paths["ledger"], "/contracts/new")]
    assert seen == [contract, ledger_page, new]


def test_community_staff_see_what_is_left_but_no_price(sign_in):
    page = sign_in("clerk").get("/contracts/lines").text
    assert "鹭康" in page
    assert "¥" not in page
    assert "鹭康" not in sign_in("stranger").get("/contracts/lines").text
    assert "嘉禾" not in sign_in("manager").get("/contracts/lines").text


def test_only_the_buyer_changes_a_contract(sign_in, paths):
    assert sign_in("manager").get(paths["contract"] + "/edit").status_code == 403
    assert sign_in("manager").post(paths["contract"] + "/suspend").status_code == 403
    assert sign_in("manager").get(paths["line"]).status_code == 403
    assert sign_in("coordinator").get(paths["contract"] + "/edit").status_code == 200


def test_the_numbers_of_a_month_lead_to_their_rows(app, sign_in, paths, world, now):
    line_id = world.key("line/lukang/bath")

    def move():
        charges = [
            Charge(
                line_id, DAY, 60, world.key("chen/head"), world.key("visit"), world.key(f"slot {n}"),
                {"visit": f"V-{n}", "day": "2026-11-25"},
            )
            for n in range(3)
        ]  # fmt: skip
        [ledger.commit(charge, by=None, now=now) for charge in charges[:2]]
        ledger.reserve(charges[2], by=None, now=now)
        ledger.deliver(charges[0], by=None, now=now, delivered=50)

    with app.app_context():
        unit_of_work(move)
        db.session.remove()
    manager = sign_in("manager")
    page = manager.get(paths["contract"]).text
    assert f"{paths['ledger']}?month=2026-11&amp;state=delivered" in page
    assert "50 分" in page
    delivered = manager.get(paths["ledger"] + "?month=2026-11&state=delivered").text
    assert "V-0" in delivered
    assert "V-2" not in delivered
    reserved = manager.get(paths["ledger"] + "?month=2026-11&state=reserved").text
    assert "V-2" in reserved
    assert "V-0" not in reserved
    assert "陈阿珠" not in delivered
    assert "陈**" in delivered
    assert "V-0" not in manager.get(paths["ledger"] + "?month=2026-10").text


def test_a_line_is_changed_and_shows_what_it_is(ctx, sign_in, paths, world):
    coordinator = sign_in("coordinator")
    page = coordinator.get(paths["line"]).text
    assert 'value="60.00"' in page
    assert 'name="cap" type="text" value="100"' in page
    values = {
        "services": [str(world.key("service/bath"))], "areas": ["3"], "unit": "minutes", "price": "66", "cap": "80.5",
        "rank": "2", "row_version": "1",
    }  # fmt: skip
    assert coordinator.post(paths["line"], data=values).status_code == 303
    line = db.session.get(ContractLine, world.key("line/lukang/bath"))
    assert (line.price_fen, line.monthly_cap, line.rank) == (6600, 4830, 2)
    assert coordinator.post(paths["line"], data=values).status_code == 412  # an older version


def test_a_contract_is_suspended_and_resumed_from_its_page(ctx, sign_in, paths, world):
    coordinator = sign_in("coordinator")
    assert coordinator.post(paths["contract"] + "/suspend").status_code == 303
    assert "/resume" in coordinator.get(paths["contract"]).text
    assert coordinator.post(paths["contract"] + "/suspend").status_code == 409
    assert coordinator.post(paths["contract"] + "/resume").status_code == 303


@pytest.mark.parametrize("query", ["", "?state=", "?q=lukang", "?organisation=nonsense", "?sort=-organisation&page=9"])
def test_the_list_answers_any_filter(sign_in, query):
    assert sign_in("coordinator").get("/contracts/" + query).status_code == 200


@pytest.mark.parametrize("query", ["?month=2026-13", "?month=", "?service=x", "?state=critical", "?month=2020-01"])
def test_the_lines_answer_any_filter(sign_in, query):
    assert sign_in("clerk").get("/contracts/lines" + query).status_code == 200
