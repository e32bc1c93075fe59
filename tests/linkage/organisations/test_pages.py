"""The pages of organisations and carers, and who may open them."""

from datetime import date

import pytest
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import AccessRow, AuditRow
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import Person, WorkException, WorkPattern

ORGANISATION = {
    "name": "莲心社会工作服务中心", "short_name": "莲心社工", "uscc": "52350203MJY012345B", "area_id": "3",
    "rating": "4A", "rating_valid_to": "2028-05-01", "position": "118.1221, 24.4871",
}  # fmt: skip
CARER = {
    "name": "林小红", "id_number": "350203198503070024", "telephone": "13900001111",
    "languages": ["mandarin", "minnan"], "kind": "carer", "weekly_hours": "38.5", "travel_mode": "ebike",
    "valid_from": "2026-12-01",
}  # fmt: skip


@pytest.fixture
def paths(world):
    return {
        "org": f"/organisations/{world.key('lukang')}",
        "other": f"/organisations/{world.key('jiahe')}",
        "wu": f"/carers/{world.key('carer/wu')}",
        "guo": f"/carers/{world.key('carer/guo')}",
    }


@pytest.mark.parametrize(
    ("who", "org", "other", "wu", "guo"),
    [
        ("manager", 200, 404, 200, 404),
        ("manager2", 404, 200, 404, 200),
        ("coordinator", 200, 200, 200, 200),
        ("supervisor", 200, 200, 200, 200),
        ("admin", 200, 200, 200, 200),
        ("wu", 200, 404, 200, 404),
        ("stranger", 404, 404, 404, 404),
        ("zhuang", 404, 404, 404, 404),
        ("chen_home", 404, 404, 404, 404),
    ],
)
def test_each_sees_what_lies_in_the_own_scope(sign_in, paths, who, org, other, wu, guo):
    client = sign_in(who)
    seen = [client.get(paths[name]).status_code for name in ("org", "other", "wu", "guo")]
    assert seen == [org, other, wu, guo]


def test_lists_hold_what_lies_in_the_own_scope(sign_in):
    assert "嘉禾" not in sign_in("manager").get("/organisations/").text
    assert "嘉禾" in sign_in("coordinator").get("/organisations/").text
    page = sign_in("manager").get("/carers/").text
    assert "吴丽珍" in page
    assert "郭建明" not in page


def test_a_carer_sees_only_the_own_record_in_the_list(sign_in):
    page = sign_in("wu").get("/carers/").text
    assert "吴丽珍" in page
    assert "许美玲" not in page


def test_an_organisation_is_entered_on_its_form(ctx, sign_in):
    answer = sign_in("coordinator").post("/organisations/new", data=ORGANISATION)
    assert answer.status_code == 303
    row = db.session.scalars(select(Organisation).where(Organisation.short_name == "莲心社工")).one()
    assert (row.lat, row.lon, row.rating) == (24.4871, 118.1221, "4A")


def test_what_was_typed_stays_when_the_code_is_wrong(sign_in):
    answer = sign_in("coordinator").post("/organisations/new", data={**ORGANISATION, "uscc": "52350203MJY012345C"})
    assert answer.status_code == 422
    assert 'value="莲心社工"' in answer.text
    assert 'value="52350203MJY012345C"' in answer.text


def test_a_manager_changes_the_own_organisation_only(ctx, sign_in, paths):
    manager = sign_in("manager")
    assert manager.post(paths["org"] + "/edit", data={**ORGANISATION, "row_version": "1"}).status_code == 303
    assert manager.post(paths["other"] + "/edit", data={**ORGANISATION, "row_version": "1"}).status_code == 404


def test_of_two_editors_of_a_carer_the_second_is_told(sign_in, paths):
    manager = sign_in("manager")
    values = {**CARER, "name": "吴丽珍", "id_number": "", "birth_date": "1980-01-01", "sex": "F", "row_version": "1",
              "person_version": "1", "valid_from": "2025-01-01"}  # fmt: skip
    assert manager.post(paths["wu"] + "/edit", data=values).status_code == 303
    answer = manager.post(paths["wu"] + "/edit", data=values)
    assert answer.status_code == 412
    assert 'value="吴丽珍"' in answer.text


def test_only_supervisor_and_administrator_close_an_organisation(sign_in, paths):
    assert sign_in("manager").post(paths["org"] + "/close").status_code == 403
    assert sign_in("supervisor").post(paths["org"] + "/close").status_code == 409  # somebody still works there


def test_a_manager_adds_a_carer_and_numbers_are_masked(ctx, sign_in, world):
    manager = sign_in("manager")
    answer = manager.post(f"/carers/new/{world.key('lukang')}", data=CARER)
    assert answer.status_code == 303
    page = manager.get(answer.location).text
    assert "139****1111" in page
    assert "3502**********0024" in page
    assert "13900001111" not in page
    carer = db.session.scalars(select(Carer).where(Carer.weekly_minutes == 2310)).one()
    assert carer.person.birth_date == date(1985, 3, 7)


def test_nobody_adds_a_carer_to_another_organisation(sign_in, world):
    assert sign_in("manager").post(f"/carers/new/{world.key('jiahe')}", data=CARER).status_code == 404
    assert sign_in("coordinator").post(f"/carers/new/{world.key('jiahe')}", data=CARER).status_code == 403


def test_a_wrong_id_number_keeps_the_form_with_what_was_typed(sign_in, world):
    answer = sign_in("manager").post(
        f"/carers/new/{world.key('lukang')}", data={**CARER, "id_number": "350203198503070025"}
    )
    assert answer.status_code == 422
    assert 'value="林小红"' in answer.text
    assert 'value="minnan" checked' in answer.text


def test_numbers_left_empty_on_the_edit_form_stay_as_they_are(ctx, sign_in, paths, world):
    person = db.session.get(Person, world.key("wu"))
    telephone = person.telephone
    db.session.rollback()
    manager = sign_in("manager")
    values = {**CARER, "name": "吴丽珍", "id_number": "", "telephone": "", "birth_date": "1980-01-01", "sex": "F",
              "row_version": "1", "person_version": "1", "valid_from": "2025-01-01"}  # fmt: skip
    assert manager.post(paths["wu"] + "/edit", data=values).status_code == 303
    db.session.expire_all()
    assert db.session.get(Person, world.key("wu")).telephone.endswith(telephone)
    assert db.session.get(Carer, world.key("carer/wu")).weekly_minutes == 2310


def test_a_telephone_opens_with_a_reason_and_leaves_a_trace(ctx, sign_in, paths, world):
    telephone = db.session.get(Person, world.key("wu")).telephone
    db.session.rollback()
    manager = sign_in("manager")
    answer = manager.post(paths["wu"] + "/reveal", data={"field": "telephone", "purpose": "call"})
    assert answer.status_code == 200
    assert telephone.removeprefix("+86") in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert db.session.scalars(select(AccessRow)).one().subject_id == str(world.key("wu"))
    row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
    assert telephone[-6:] not in str(row.detail)
    assert manager.post(paths["wu"] + "/reveal", data={"field": "telephone", "purpose": "fun"}).status_code == 422
    assert (
        sign_in("supervisor").post(paths["wu"] + "/reveal", data={"field": "telephone", "purpose": "call"}).status_code
        == 403
    )


def test_a_qualification_is_entered_and_ended(ctx, sign_in, paths, world):
    manager = sign_in("manager2")
    values = {"code": "care_worker", "number": "YL-1", "valid_from": "2026-01-01", "valid_to": "2026-12-20"}
    assert manager.post(paths["guo"] + "/qualifications", data=values).status_code == 303
    page = manager.get(paths["guo"]).text
    assert "YL-1" in page
    assert "26" in page
    wrong = manager.post(paths["guo"] + "/qualifications", data={**values, "valid_to": "2025-01-01", "number": "YL-2"})
    assert wrong.status_code == 422
    assert 'value="YL-2"' in wrong.text
    held = page.split("/qualifications/")[1].split("/end")[0]
    assert manager.post(f"{paths['guo']}/qualifications/{held}/end").status_code == 303
    assert sign_in("manager").post(f"{paths['wu']}/qualifications/{held}/end").status_code == 404


def test_the_week_and_an_exception_are_set_on_one_form(ctx, sign_in, paths, world):
    manager = sign_in("manager")
    values = {
        "s0_days": ["0", "2"], "s0_from": "08:30", "s0_to": "17:00", "s0_area": "3", "s0_break_from": "11:30",
        "s0_break_minutes": "60", "valid_from": "2026-12-01", "exception": "absent", "ex_first": "2026-12-07",
        "ex_reason": "leave",
    }  # fmt: skip
    assert manager.get(paths["wu"] + "/week").status_code == 200
    assert manager.post(paths["wu"] + "/week", data=values).status_code == 303
    rows = db.session.scalars(
        select(WorkPattern).where(WorkPattern.person_id == world.key("wu"), WorkPattern.valid_from == date(2026, 12, 1))
    ).all()
    assert sorted((row.weekday, row.start_minute, row.organisation_id == world.key("lukang")) for row in rows) == [
        (0, 510, True), (2, 510, True),
    ]  # fmt: skip
    assert db.session.scalars(select(WorkException)).one().first_day == date(2026, 12, 7)


def test_a_wrong_week_keeps_what_was_typed(sign_in, paths):
    answer = sign_in("manager").post(paths["wu"] + "/week", data={"s0_from": "08:30", "valid_from": "2026-12-01"})
    assert answer.status_code == 422
    assert 'value="08:30"' in answer.text


def test_a_carer_reports_the_own_absence_and_takes_it_back(ctx, sign_in, paths, world):
    carer = sign_in("wu")
    answer = carer.post(paths["wu"] + "/absence", data={"first": "2026-11-25", "reason": "ill"})
    assert answer.status_code == 303
    row = db.session.scalars(select(WorkException)).one()
    db.session.rollback()
    assert f"/exceptions/{row.id}/cancel" in carer.get(paths["wu"]).text
    assert carer.post(f"{paths['wu']}/exceptions/{row.id}/cancel").status_code == 303
    assert (
        sign_in("guo").post(f"{paths['wu']}/absence", data={"first": "2026-11-25", "reason": "ill"}).status_code == 404
    )


def test_an_absence_without_a_day_is_asked_for_again(sign_in, paths):
    answer = sign_in("coordinator").post(paths["wu"] + "/absence", data={"reason": "ill", "start": "09:00"})
    assert answer.status_code == 422
    assert 'value="09:00"' in answer.text


def test_the_list_is_narrowed_by_what_expires(sign_in):
    page = sign_in("coordinator").get("/carers/?expiring=30").text
    assert "吴丽珍" not in page
    assert sign_in("coordinator").get("/carers/?q=wlz&kind=carer&state=all&sort=-since").status_code == 200


def test_a_manager_gets_to_the_account_and_link_of_the_own_carer(sign_in, paths, world):
    manager = sign_in("manager")
    link = f"/of/{world.key('wu')}"
    address = next(part for part in manager.get(paths["wu"]).text.split('"') if part.endswith(link))
    assert manager.get(address).status_code in (200, 303)
    assert link not in sign_in("coordinator").get(paths["wu"]).text
