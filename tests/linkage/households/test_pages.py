import re

import pytest
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import AccessRow
from linkage.households.models import Consent, Household, Tag

NEW = {
    "area_id": "4",
    "address": "香莲里31号204室",
    "m-0-name": "郑桂花",
    "m-0-id_number": "350203194510120028",
    "m-0-telephone": "13850012217",
    "purposes": "service",
    "given_on": "2026-11-24",
    "tags": "aged_80",
}


def text_of(answer):
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def words_of(answer):
    return re.sub(r"<[^>]+>", "", text_of(answer))


@pytest.fixture
def clerk(sign_in):
    client = sign_in("clerk")
    client.set_cookie("lang", "en")
    return client


@pytest.fixture
def home(world):
    return f"/households/{world.key('household/chen')}"


def household(number, area_id=4):
    return db.session.scalars(select(Household).where(Household.number == number, Household.area_id == area_id)).one()


@pytest.mark.parametrize("typed", ["陈阿珠", "阿珠", "caz", "chenazhu", "A001"])
def test_the_list_finds_by_name_pinyin_and_number(clerk, typed):
    page = text_of(clerk.get("/households/", query_string={"q": typed}))
    assert "陈阿珠" in page and "林秀英" not in page


def test_the_list_finds_by_telephone_and_its_last_four(clerk, ctx, world):
    number = db.session.get(Household, world.key("household/chen")).members[0].person.telephone
    for typed in (number, number[-4:]):
        page = text_of(clerk.get("/households/", query_string={"q": typed}))
        assert "陈阿珠" in page and "林秀英" not in page


@pytest.mark.parametrize(
    ("sort", "first"), [("number", "陈阿珠"), ("-number", "林秀英"), ("name", "陈阿珠"), ("-name", "林秀英")]
)
def test_the_list_is_sorted(clerk, sort, first):
    page = text_of(clerk.get(f"/households/?sort={sort}"))
    assert min(("陈阿珠", "林秀英"), key=page.index) == first


def test_the_list_is_narrowed_to_households_without_consent(clerk, commit, world, now, ctx):
    assert "1 household match" not in text_of(clerk.get("/households/?no_consent=1"))
    clerk.post(f"/households/{world.key('household/lin')}/consent/withdraw", data={"purpose": "service"})
    page = text_of(clerk.get("/households/?no_consent=1"))
    assert "林秀英" in page and "陈阿珠" not in page


def test_names_are_masked_above_the_community(sign_in, home):
    page = text_of(sign_in("coordinator").get("/households/"))
    assert "陈**" in page and "陈阿珠" not in page and "香莲里" not in page
    page = text_of(sign_in("supervisor").get(home))
    assert "陈阿珠" not in page and "香莲里27号502室" not in page


@pytest.mark.parametrize(("who", "status"), [("clerk", 200), ("operator", 200), ("coordinator", 200), ("clerk2", 404)])
def test_a_household_outside_ones_scope_looks_absent(sign_in, home, who, status):
    assert sign_in(who).get(home).status_code == status


def test_a_sealed_field_opens_with_a_reason_and_is_written_down(clerk, home, world, ctx):
    before = text_of(clerk.get(home))
    assert "高血压" not in before
    answer = clerk.post(f"{home}/reveal", data={"field": "health", "purpose": "urgent"})
    assert answer.status_code == 200 and "高血压" in text_of(answer)
    assert answer.headers["Refresh"].startswith("600;")
    assert db.session.scalars(select(AccessRow)).one().user_id == world.key("user/clerk")
    assert "苏晓梅" in text_of(clerk.get(f"{home}/readers"))


def test_health_facts_stay_closed_without_consent_to_their_use(clerk, home):
    clerk.post(f"{home}/consent/withdraw", data={"purpose": "health"})
    answer = clerk.post(f"{home}/reveal", data={"field": "health", "purpose": "urgent"})
    assert answer.status_code == 409 and "高血压" not in text_of(answer)
    assert "not agreed to" in words_of(clerk.get(home))


def test_a_sealed_field_does_not_open_without_a_known_reason(clerk, home):
    assert clerk.post(f"{home}/reveal", data={"field": "health", "purpose": "curious"}).status_code == 422
    assert clerk.post(f"{home}/reveal", data={"field": "key_id", "purpose": "urgent"}).status_code == 404


def test_above_the_community_nothing_sealed_is_opened(sign_in, home):
    answer = sign_in("coordinator").post(f"{home}/reveal", data={"field": "health", "purpose": "urgent"})
    assert answer.status_code == 403


def test_a_household_is_registered_on_one_page(clerk, ctx):
    answer = clerk.post("/households/new", data=NEW)
    assert answer.status_code == 303
    made = household("0001")
    assert made.members[0].person.birth_date.isoformat() == "1945-10-12"
    assert [tag.tag for tag in made.tags] == ["aged_80"]
    assert "郑桂花" in text_of(clerk.get(answer.headers["Location"]))


def test_a_pinned_door_teaches_its_estate(clerk, ctx):
    clerk.post("/households/new", data=NEW)
    assert household("0001").place.is_approximate
    other = NEW | {
        "m-0-name": "许天来",
        "m-0-id_number": "",
        "address": "香莲里31号501室",
        "position": "24.4891, 118.1207",
    }
    clerk.post("/households/new", data=other)
    db.session.expire_all()
    assert household("0002").place.position_source == "pin"
    assert (household("0001").place.position_source, household("0001").place.position) == (
        "estate",
        [24.4891, 118.1207],
    )


def test_adding_a_row_loses_nothing_that_was_typed(clerk):
    page = text_of(clerk.post("/households/new", data=NEW | {"more": "1"}))
    assert 'name="m-1-name"' in page and 'value="郑桂花"' in page and 'value="350203194510120028"' in page


def test_a_wrong_row_is_marked_where_it_was_typed(clerk, ctx):
    rows = {"m-1-name": "郑小明", "m-1-relation": "child", "m-1-id_number": "350203197006180001"}
    answer = clerk.post("/households/new", data=NEW | rows)
    assert answer.status_code == 422
    assert 'href="#f-m-1-id_number"' in text_of(answer)
    assert "郑小明 ID number: One character of this ID number is mistyped" in words_of(answer)
    assert db.session.scalars(select(Household).where(Household.number == "0001")).first() is None


def test_a_community_outside_ones_scope_is_refused(clerk):
    assert clerk.post("/households/new", data=NEW | {"area_id": "5"}).status_code == 422


def test_editing_keeps_sealed_numbers_that_were_left_empty(clerk, home, world, ctx):
    stored = db.session.get(Household, world.key("household/chen"))
    member, telephone = stored.members[0], stored.members[0].person.telephone
    sent = {
        "row_version": stored.row_version,
        "number": "A001",
        "care_level": "total",
        "hazard": "门槛高",
        "m-0-member_id": str(member.id),
        "m-0-row_version": member.person.row_version,
        "m-0-name": "陈阿珠",
        "m-0-birth_date": "1945-03-02",
        "m-0-sex": "F",
        "m-1-name": "陈水生",
        "m-1-relation": "child",
    }
    assert clerk.post(f"{home}/edit", data=sent).status_code == 303
    db.session.expire_all()
    stored = db.session.get(Household, world.key("household/chen"))
    assert (stored.care_level, stored.hazard, stored.health) == ("total", "门槛高", "高血压")
    assert stored.members[0].person.telephone.endswith(telephone)
    assert [row.person.name for row in stored.members] == ["陈阿珠", "陈水生"]
    assert clerk.post(f"{home}/edit", data=sent).status_code in (412, 422)


def test_tags_and_consents_are_recorded_on_their_forms(clerk, home, world, ctx):
    tag = {"tag": "destitute", "source": "区民政局", "valid_from": "2026-11-01", "valid_to": "2027-06-30"}
    assert clerk.post(f"{home}/tags", data=tag).status_code == 303
    assert "until 30 Jun 2027" in words_of(clerk.get(home))
    given = {"method": "spoken", "given_on": "2026-11-24", "text_version": "2026-11"}
    consent = given | {"purposes": ["service", "health"]}
    assert clerk.post(f"{home}/consent", data=consent).status_code == 303
    rows = db.session.scalars(select(Consent).where(Consent.method == "spoken")).all()
    assert {row.purpose for row in rows} == {"service", "health"}
    stored = db.session.scalars(select(Tag).where(Tag.tag == "destitute")).one()
    change = {"source": "街道", "valid_from": "2026-11-01", "valid_to": "2026-11-20"}
    assert clerk.post(f"{home}/tags/{stored.id}", data=change).status_code == 303
    assert "until 30 Jun 2027" not in words_of(clerk.get(home))


def test_a_move_and_a_death_are_recorded(clerk, home, world, ctx):
    stored = db.session.get(Household, world.key("household/chen"))
    move = {"area_id": "4", "address": "凌香里2号201室", "row_version": stored.row_version}
    assert clerk.post(f"{home}/move", data=move).status_code == 303
    assert "凌香里2号201室" in text_of(clerk.get(home))
    death = f"{home}/members/{stored.members[0].id}/death"
    assert clerk.post(death, data={"died_on": "2026-12-24"}).status_code == 422
    assert clerk.post(death, data={"died_on": "2026-11-24"}).status_code == 303
    assert "Closed since" in text_of(clerk.get(home))


@pytest.mark.parametrize("form", ["edit", "move", "tags", "consent", "readers"])
def test_every_form_opens(clerk, home, form):
    assert clerk.get(f"{home}/{form}").status_code == 200
