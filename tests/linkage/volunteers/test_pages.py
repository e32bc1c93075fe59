"""The pages of volunteers, for staff and for the volunteer's own phone."""

from datetime import date

import pytest
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import AccessRow
from linkage.people.models import Person, WorkException, WorkPattern
from linkage.volunteers import queries
from linkage.volunteers.models import Volunteer

TODAY = date(2026, 11, 24)


@pytest.fixture
def values(world):
    return {
        "name": "林小红", "id_number": "350203198503070024", "telephone": "13900001111", "languages": ["mandarin"],
        "area_id": "4", "home_address": "香莲里9号", "home_position": "24.4891, 118.1203", "insured_to": "2027-06-30",
        "services": [str(world.key("service/meal"))], "radius": "1.5", "weekly_hours": "6", "travel_mode": "bike",
    }  # fmt: skip


@pytest.fixture
def path(world):
    return f"/volunteers/{world.key('volunteer/zhuang')}"


def volunteer(world, name="zhuang"):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get(Volunteer, world.key("volunteer/" + name))


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("clerk", 200), ("operator", 200), ("coordinator", 200), ("supervisor", 200), ("admin", 200), ("zhuang", 200),
        ("clerk2", 404), ("stranger", 404), ("ye", 404), ("wu", 404), ("manager", 404), ("chen_home", 404),
    ],
)  # fmt: skip
def test_each_sees_what_lies_in_the_own_scope(sign_in, path, who, status):
    assert sign_in(who).get(path).status_code == status


def test_the_list_holds_the_volunteers_of_the_own_area(sign_in):
    page = sign_in("clerk").get("/volunteers/").text
    assert "庄文斌" in page
    assert "叶晓彤" not in page
    assert sign_in("zhuang").get("/volunteers/").status_code == 403


def test_staff_enters_a_volunteer_and_numbers_are_masked(ctx, sign_in, values):
    clerk = sign_in("clerk")
    answer = clerk.post("/volunteers/new", data=values)
    assert answer.status_code == 303, answer.text
    page = clerk.get(answer.location).text
    assert "139****1111" in page
    assert "13900001111" not in page
    assert "香莲里" not in page
    row = db.session.scalars(select(Volunteer).where(Volunteer.radius_metres == 1500)).one()
    assert (row.weekly_minutes, row.travel_mode, row.home.position) == (360, "bike", [24.4891, 118.1203])


def test_what_was_typed_stays_when_something_is_wrong(sign_in, values):
    answer = sign_in("clerk").post("/volunteers/new", data={**values, "radius": "far"})
    assert answer.status_code == 422
    assert 'value="林小红"' in answer.text
    assert f'value="{values["services"][0]}" checked' in answer.text
    assert 'value="far"' in answer.text


def test_nobody_enters_a_volunteer_in_another_area(sign_in, values):
    assert sign_in("clerk").post("/volunteers/new", data={**values, "area_id": "5"}).status_code == 403


def test_a_minor_without_consent_is_asked_for_it(sign_in, values):
    minor = {**values, "id_number": "", "birth_date": "2012-05-01", "sex": "F"}
    answer = sign_in("clerk").post("/volunteers/new", data=minor)
    assert answer.status_code == 422
    assert 'href="#f-guardian_consent_on"' in answer.text


def test_staff_changes_the_record_and_empty_numbers_stay(ctx, sign_in, values, path, world):
    telephone = db.session.get(Person, world.key("zhuang")).telephone
    db.session.rollback()
    changed = {**values, "name": "庄文斌", "id_number": "", "telephone": "", "birth_date": "1980-01-01", "sex": "M",
               "row_version": "1", "person_version": "1", "insured_to": "2028-01-01"}  # fmt: skip
    clerk = sign_in("clerk")
    assert clerk.get(path + "/edit").status_code == 200
    assert clerk.post(path + "/edit", data=changed).status_code == 303
    row = volunteer(world)
    assert row.insured_to == date(2028, 1, 1)
    assert row.person.telephone.endswith(telephone)
    assert clerk.post(path + "/edit", data=changed).status_code == 412  # an older version


def test_a_volunteer_does_not_change_the_own_insurance(sign_in, values, path):
    assert sign_in("zhuang").get(path + "/edit").status_code == 403
    assert sign_in("zhuang").post(path + "/edit", data=values).status_code == 403


def test_a_volunteer_finds_the_own_record(sign_in, path):
    client = sign_in("zhuang")
    answer = client.get("/volunteers/me")
    assert answer.status_code == 303
    assert answer.location == path
    assert "XM00001" in client.get(path).text
    assert sign_in("coordinator").get("/volunteers/me").status_code == 403


def test_a_volunteer_changes_the_own_services_on_the_phone(ctx, sign_in, path, world):
    client = sign_in("zhuang")
    page = client.get(path + "/offer").text
    assert "助浴" not in page
    values = {"services": [str(world.key("service/chat"))], "radius": "5", "weekly_hours": "3.5", "travel_mode": "bus",
              "row_version": "1"}  # fmt: skip
    assert client.post(path + "/offer", data=values).status_code == 303
    row = volunteer(world)
    assert [one.service_id for one in row.services] == [world.key("service/chat")]
    assert (row.radius_metres, row.weekly_minutes) == (5000, 210)
    assert sign_in("ye").post(path + "/offer", data=values).status_code == 404


def test_a_volunteer_sets_the_own_week_and_a_day_off_on_one_form(ctx, sign_in, path, world):
    client = sign_in("zhuang")
    values = {"s0_days": ["5", "6"], "s0_from": "09:00", "s0_to": "12:00", "valid_from": "2026-11-30",
              "exception": "absent", "ex_first": "2026-12-05", "ex_reason": "family"}  # fmt: skip
    assert client.get(path + "/week").status_code == 200
    assert client.post(path + "/week", data=values).status_code == 303
    rows = db.session.scalars(
        select(WorkPattern).where(
            WorkPattern.person_id == world.key("zhuang"), WorkPattern.valid_from == date(2026, 11, 30)
        )
    ).all()
    assert {(row.weekday, row.kind, row.area_id) for row in rows} == {(5, "available", 3), (6, "available", 3)}
    exception = db.session.scalars(select(WorkException)).one()
    assert client.post(f"{path}/exceptions/{exception.id}/cancel").status_code == 303
    assert sign_in("ye").post(f"{path}/exceptions/{exception.id}/cancel").status_code == 404


def test_a_wrong_week_keeps_what_was_typed(sign_in, path):
    answer = sign_in("zhuang").post(path + "/week", data={"s0_from": "09:00", "valid_from": "2026-11-30"})
    assert answer.status_code == 422
    assert 'value="09:00"' in answer.text


def test_a_volunteer_pauses_and_ends_the_pause(ctx, sign_in, path, world):
    client = sign_in("zhuang")
    wrong = client.post(path + "/pause", data={"paused_from": "2026-11-25", "paused_to": "2026-11-24"})
    assert wrong.status_code == 422
    assert 'value="2026-11-25"' in wrong.text
    assert client.post(path + "/pause", data={"paused_from": "2026-11-24"}).status_code == 303
    assert queries.status(volunteer(world), TODAY) == "paused"
    assert "/resume" in client.get(path).text
    assert client.post(path + "/resume").status_code == 303
    assert queries.status(volunteer(world), TODAY) == "active"


def test_a_volunteer_stops_altogether(ctx, sign_in, path, world):
    client = sign_in("zhuang")
    assert client.post(path + "/leave").status_code == 303
    assert queries.status(volunteer(world), TODAY) == "left"
    assert client.post(path + "/leave").status_code == 409
    assert "庄文斌" not in sign_in("clerk").get("/volunteers/").text
    assert "庄文斌" in sign_in("clerk").get("/volunteers/?state=left").text


def test_a_telephone_opens_with_a_reason(ctx, sign_in, path, world):
    telephone = db.session.get(Person, world.key("zhuang")).telephone
    db.session.rollback()
    answer = sign_in("clerk").post(path + "/reveal", data={"field": "telephone", "purpose": "call"})
    assert telephone.removeprefix("+86") in answer.text
    assert db.session.scalars(select(AccessRow)).one().subject_id == str(world.key("zhuang"))
    assert (
        sign_in("supervisor").post(path + "/reveal", data={"field": "telephone", "purpose": "call"}).status_code == 403
    )


def test_a_qualification_is_entered_by_staff_only(ctx, sign_in, path):
    values = {"code": "counsellor", "valid_from": "2026-01-01", "number": "XL-9"}
    assert sign_in("zhuang").post(path + "/qualifications", data=values).status_code == 403
    assert sign_in("clerk").post(path + "/qualifications", data=values).status_code == 303
    page = sign_in("clerk").get(path).text
    assert "XL-9" in page
    held = page.split("/qualifications/")[1].split("/end")[0]
    assert sign_in("clerk").post(f"{path}/qualifications/{held}/end").status_code == 303


@pytest.mark.parametrize("query", ["?q=zwb", "?service=x", "?area=4&state=", "?insurance=90", "?sort=-insured&page=3"])
def test_the_list_answers_any_filter(sign_in, query):
    assert sign_in("coordinator").get("/volunteers/" + query).status_code == 200


def test_community_staff_gets_to_the_account_and_link_of_a_volunteer(sign_in, path, world):
    clerk = sign_in("clerk")
    link = f"/of/{world.key('zhuang')}"
    address = next(part for part in clerk.get(path).text.split('"') if part.endswith(link))
    assert clerk.get(address).status_code in (200, 303)
    assert link not in sign_in("zhuang").get(path).text
