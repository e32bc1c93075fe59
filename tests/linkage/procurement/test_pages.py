"""The buyer's and the public pages: from the draft to the deadline, and who may read what without an account."""

import io

import pytest
import tendering
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.procurement import publication, queries
from linkage.procurement.models import Clarification, Tender


@pytest.fixture
def buyer(ctx, sign_in):
    return sign_in("supervisor")


@pytest.fixture
def terms():
    return {
        "title": "嘉莲街道居家养老服务", "buyer_area_id": "2", "method": "open", "rule": "by_rank",
        "budget": "300,000.00",
        "deadline_day": "2026-12-16", "deadline_time": "09:00", "contract_starts_on": "2027-02-01",
        "contract_ends_on": "2028-01-31", "standstill": "1", "least_quality": "30.5", "bid_bond": "6,000",
    }  # fmt: skip


def only():
    db.session.expire_all()
    return db.session.scalars(select(Tender)).one()


def path_of(tender, rest=""):
    return f"/procurement/{tender.id}{rest}"


def test_a_tender_is_drafted_and_published_on_its_pages(buyer, world, terms, now):
    answer = buyer.post("/procurement/new", data=terms)
    assert answer.status_code == 303, answer.text
    tender = only()
    assert (tender.least_quality, tender.bid_bond_fen, tender.standstill) == (3050, 600_000, True)
    lot = {"service_id": str(world.key("service/bath")), "area_id": "3", "quantity": "1000.5", "ceiling": "¥100,000"}
    assert buyer.post(path_of(tender, "/lots/new"), data=lot).status_code == 303
    weights = {"price": "20", "c0-name": "方案", "c0-weight": "50.25", "c3-name": "人员", "c3-weight": "29.75"}
    assert buyer.post(path_of(tender, "/criteria"), data=weights).status_code == 303
    file = {"file": (io.BytesIO(b"terms of reference"), "需求.pdf")}
    assert buyer.post(path_of(tender, "/documents"), data=file).status_code == 303
    refused = buyer.post(path_of(tender, "/publish"))
    assert refused.status_code == 422 and only().published_at is None  # no officers yet
    unit_of_work(lambda: _with_officers(tender, now))
    assert buyer.post(path_of(tender, "/publish")).status_code == 303
    tender = only()
    assert tender.lots[0].quantity == 60_030
    assert [row.weight for row in tender.criteria] == [2000, 5025, 2975]
    assert publication.is_as_published(tender)


def _with_officers(tender, now):
    tendering.officers(tender, now)
    tender.row_version += 1
    publication.audit.record("test", tender, by=None, now=now)


def test_weights_that_do_not_make_100_points_are_shown_again_with_what_was_typed(buyer):
    tender = tendering.keep(tendering.draft)
    answer = buyer.post(path_of(tender, "/criteria"), data={"price": "20", "c0-name": "方案", "c0-weight": "79.99"})
    assert answer.status_code == 422 and 'value="79.99"' in answer.text


def test_the_public_page_is_read_without_an_account_and_a_draft_is_not(ctx, app, buyer):
    draft = tendering.keep(tendering.draft)
    nobody = app.test_client()
    assert nobody.get(f"/tenders/{draft.id}").status_code == 404
    assert draft.title not in nobody.get("/tenders/").text
    tender = tendering.keep(tendering.published)
    page = nobody.get(f"/tenders/{tender.id}")
    assert page.status_code == 200 and tender.criteria_hash in page.text and "助餐包" in page.text
    assert tender.number in nobody.get("/tenders/").text
    frozen = nobody.get(f"/tenders/{tender.id}/terms.json").text
    assert publication.frozen_hash(frozen) == tender.criteria_hash
    assert "黄处长" not in page.text and "林志远" not in page.text


def test_an_organisation_asks_and_the_answer_is_public_without_its_name(app, buyer, sign_in):
    manager = sign_in("manager")
    tender = tendering.keep(tendering.published)
    asked = manager.post(f"/tenders/{tender.id}/ask", data={"text": "报价是否含税？"})
    assert asked.status_code == 303
    nobody = app.test_client()
    assert "报价是否含税" not in nobody.get(f"/tenders/{tender.id}").text
    question = only().questions[0]
    assert "鹭康居家养老" in buyer.get(path_of(tender)).text
    answered = buyer.post(path_of(tender, f"/questions/{question.id}/answer"), data={"text": "含税。"})
    assert answered.status_code == 303
    page = nobody.get(f"/tenders/{tender.id}").text
    assert "报价是否含税" in page and "鹭康" not in page


def test_a_clarification_is_published_and_an_earlier_deadline_is_refused(app, buyer):
    tender = tendering.keep(tendering.published)
    sent = {"text": "增加一个服务点", "touches_bids": "1", "deadline_day": "2026-12-10"}
    assert buyer.post(path_of(tender, "/clarify"), data=sent).status_code == 422
    assert db.session.scalars(select(Clarification)).all() == []
    assert buyer.post(path_of(tender, "/clarify"), data={**sent, "deadline_day": "2026-12-20"}).status_code == 303
    assert "增加一个服务点" in app.test_client().get(f"/tenders/{tender.id}").text
    assert f"{only().deadline_at:%m-%d}" == "12-20"


@pytest.mark.parametrize("name", ["coordinator", "admin"])
def test_others_of_the_area_see_as_much_as_their_rights_say(ctx, sign_in, name):
    reader = sign_in(name)
    tender = tendering.keep(tendering.published)
    expected = {"coordinator": 403, "admin": 200}[name]  # bought above the coordinator's street, who opens it only
    assert reader.get(path_of(tender)).status_code == expected


def test_what_is_due_stands_on_its_page_and_among_the_tasks(buyer, move_clock):
    tender = tendering.keep(tendering.draft)
    move_clock("2026-11-25T09:00")
    assert tender.number in buyer.get("/procurement/due").text
    assert tender.number in buyer.get("/").text


def test_a_suspension_and_a_cancellation_are_told_on_the_public_page(app, buyer):
    tender = tendering.keep(tendering.published)
    nobody = app.test_client()
    held = buyer.post(path_of(tender, "/suspend"), data={"text": "收到投诉", "until": "2026-11-30"})
    assert held.status_code == 303 and "收到投诉" in nobody.get(f"/tenders/{tender.id}").text
    assert buyer.post(path_of(tender, "/resume")).status_code == 303
    ended = buyer.post(path_of(tender, "/cancel"), data={"text": "预算取消"})
    assert ended.status_code == 303 and "预算取消" in nobody.get(f"/tenders/{tender.id}").text
    assert buyer.post(path_of(tender, "/cancel"), data={"text": "again"}).status_code in (409, 422)


def test_the_states_and_counts_of_the_list_lead_to_their_rows(buyer, now):
    tendering.keep(tendering.draft)
    tendering.keep(tendering.published)
    assert queries.counts_by_state(queries.select(Tender), now) == {"draft": 1, "published": 1}
    page = buyer.get("/procurement/?state=draft").text
    assert "ZC-2026-0001" in page and "ZC-2026-0002" not in page
