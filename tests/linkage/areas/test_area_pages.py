"""The tree on pages: who browses it, and who changes it."""

import pytest

from linkage.areas import queries
from linkage.areas.models import Area
from linkage.core.extensions import db


def page(client, path):
    return client.get(path, follow_redirects=True).get_data(as_text=True)


def edit(**values):
    return {"name": "嘉莲街道", "code": "350203008", "is_planning_area": "1", "row_version": "1"} | values


def test_browsing_begins_at_ones_own_area(sign_in):
    assert "<h1>思明区" in page(sign_in("supervisor"), "/areas/")
    assert "盈翠社区" in page(sign_in("coordinator"), "/areas/")


def test_what_lies_outside_looks_absent(sign_in):
    assert sign_in("coordinator").get("/areas/7").status_code == 404
    assert sign_in("coordinator").get("/areas/2").status_code == 404
    assert sign_in("admin").get("/areas/999").status_code == 404


def test_who_may_only_look_finds_no_form_and_is_refused(sign_in):
    supervisor = sign_in("supervisor")
    assert "row_version" not in page(supervisor, "/areas/3")
    for path in ("/areas/3", "/areas/3/areas", "/areas/3/move", "/areas/3/close"):
        assert supervisor.post(path, data=edit()).status_code == 403


def test_an_administrator_renames_and_sets_the_centre(app, sign_in):
    answer = sign_in("admin").post("/areas/3", data=edit(name="嘉莲", centre="118.13, 24.49"))
    assert answer.status_code == 303
    with app.app_context():
        area = db.session.get(Area, 3)
        assert (area.name, area.lat, area.lon) == ("嘉莲", 24.49, 118.13)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"centre": "somewhere"}, "f-centre-error"),
        ({"code": "12"}, "f-code-error"),
        ({"code": "350203007"}, "f-code-error"),
        ({"name": ""}, "f-name-error"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_stores_nothing(app, sign_in, values, said):
    answer = sign_in("admin").post("/areas/3", data=edit(**values))
    assert (answer.status_code, said in answer.get_data(as_text=True)) == (422, True)
    with app.app_context():
        assert db.session.get(Area, 3).row_version == 1


def test_a_grid_is_added_below_its_community(app, sign_in):
    admin = sign_in("admin")
    admin.post("/areas/4/areas", data={"level": "grid", "name": "第一网格"})
    assert "第一网格" in page(admin, "/areas/4")
    with app.app_context():
        assert queries.by_code("350203008001001", queries.date(2026, 11, 24)).name == "第一网格"


def test_a_community_moves_to_another_street_and_its_staff_with_it(sign_in):
    admin, coordinator = sign_in("admin"), sign_in("coordinator")
    assert coordinator.get("/areas/5").status_code == 200
    assert admin.post("/areas/5/move", data={"parent": "6"}).status_code == 303
    assert coordinator.get("/areas/5").status_code == 404


def test_an_area_moves_only_to_one_that_is_offered(sign_in):
    assert sign_in("admin").post("/areas/5/move", data={"parent": "7"}).status_code == 422


def test_an_area_with_others_below_is_not_closed(sign_in):
    admin = sign_in("admin")
    assert admin.post("/areas/3/close").status_code == 409
    assert admin.post("/areas/5/close").status_code == 303
    assert 'href="/areas/5"' not in page(admin, "/areas/3")
