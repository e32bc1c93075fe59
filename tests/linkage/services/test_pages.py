"""The catalogue's pages."""

import pytest

from linkage.core.extensions import db
from linkage.services import queries
from linkage.services.models import Service

VALUES = {
    "code": "night", "name_zh": "夜间照看", "name_en": "Night watch", "group": "home", "unit": "minutes",
    "min_minutes": "60", "default_minutes": "120", "provider_kinds": ["carer", "volunteer"], "two_people": "severe",
    "mixes": ["carer+carer", "carer+volunteer"], "qualifications": ["care_worker"], "risk": "raised",
    "valid_from": "2026-11-01", "charge_each_person": "1", "position": "3", "icon": "heart",
}  # fmt: skip


@pytest.mark.parametrize("who", ["clerk", "operator", "coordinator", "manager", "wu", "zhuang", "chen_home", "admin"])
def test_every_role_reads_the_catalogue(sign_in, who):
    page = sign_in(who).get("/services/")
    assert page.status_code == 200
    assert "助浴" in page.text


def test_only_an_administrator_sees_the_way_to_change_it(sign_in, world):
    path = f"/services/{world.key('service/bath')}"
    assert "/edit" in sign_in("admin").get(path).text
    assert "/edit" not in sign_in("coordinator").get(path).text
    assert sign_in("coordinator").get(path + "/edit").status_code == 403
    assert sign_in("coordinator").post(path + "/edit", data=VALUES).status_code == 403


def test_the_administrator_adds_a_service(ctx, sign_in):
    admin = sign_in("admin")
    answer = admin.post("/services/new", data=VALUES)
    assert answer.status_code == 303
    service = queries.by_code("night")
    assert service.mixes == [["carer", "carer"], ["carer", "volunteer"]]
    assert (service.risk, service.charge_each_person, service.adults_only) == ("raised", True, False)
    assert "夜间照看" in admin.get(answer.location).text


def test_what_was_typed_stays_when_something_is_wrong(ctx, sign_in):
    answer = sign_in("admin").post("/services/new", data={**VALUES, "default_minutes": "30", "hint_zh": "整夜"})
    assert answer.status_code == 422
    assert 'value="夜间照看"' in answer.text
    assert 'value="整夜"' in answer.text
    assert queries.by_code("night") is None


def test_a_change_on_an_old_version_says_so_and_saves_nothing(ctx, sign_in, world):
    path = f"/services/{world.key('service/bath')}/edit"
    values = {**VALUES, "row_version": "7"}
    assert sign_in("admin").post(path, data=values).status_code == 412
    assert db.session.get(Service, world.key("service/bath")).name_zh == "助浴"


def test_the_form_of_a_service_shows_what_it_is(sign_in, world):
    page = sign_in("admin").get(f"/services/{world.key('service/bath')}/edit").text
    assert 'value="carer+carer" checked' in page
    assert 'value="severe" checked' in page


def test_an_ended_service_leaves_the_list_but_not_the_archive(sign_in, world):
    admin = sign_in("admin")
    values = {**VALUES, "row_version": "1", "valid_from": "2025-01-01", "valid_to": "2026-11-01"}
    assert admin.post(f"/services/{world.key('service/chat')}/edit", data=values).status_code == 303
    assert "夜间照看" not in admin.get("/services/").text
    assert "夜间照看" in admin.get("/services/?state=ended").text


def test_a_qualification_is_added_and_renamed(sign_in):
    admin = sign_in("admin")
    values = {"code": "driver", "name_zh": "驾驶证", "name_en": "Driving licence"}
    assert admin.post("/services/qualifications", data=values).status_code == 303
    assert "驾驶证" in admin.get("/services/qualifications").text
    assert admin.post("/services/qualifications", data={**values, "code": "Not a code"}).status_code == 422
    assert admin.get("/services/qualifications/driver").status_code == 200
