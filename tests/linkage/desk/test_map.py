"""Maps: who sees which homes and how exactly; pinning a door by coordinates of another system."""

from types import SimpleNamespace

import pytest

from linkage.areas.coordinates import to_gcj02
from linkage.core.config import ConfigurationError, load_settings
from linkage.core.extensions import db
from linkage.households.models import Household

DOOR = (24.48951, 118.12098)


@pytest.fixture
def home(ctx, world):
    row = db.session.get(Household, world.key("household/chen"))
    found = SimpleNamespace(
        id=row.id, area_id=row.area_id, number=row.number, row_version=row.row_version, position=row.place.position
    )
    db.session.rollback()
    return found


def test_the_map_shows_the_homes_of_the_area_exactly_to_its_own_staff(open_as, home):
    found = open_as("clerk").get(f"/map/{home.area_id}/homes").get_json()
    own = next(one for one in found["homes"] if one["url"].endswith(str(home.id)))
    assert (own["at"], "陈阿珠" in own["name"]) == (home.position, True)


def test_the_roles_above_see_a_home_to_a_hundred_metres_and_no_name(open_as, home):
    found = open_as("coordinator").get(f"/map/{home.area_id}/homes").get_json()
    own = next(one for one in found["homes"] if one["url"].endswith(str(home.id)))
    assert own["at"] == [round(degrees, 3) for degrees in home.position] and own["name"] == home.number


@pytest.mark.parametrize("path", ["/map/{area}", "/map/{area}/homes", "/areas/{area}/estates"])
def test_nobody_sees_the_map_of_another_street(open_as, home, path):
    assert open_as("stranger").get(path.format(area=home.area_id)).status_code == 404


def test_the_list_says_what_the_map_says(open_as, words, home):
    page = words(open_as("clerk").get(f"/map/{home.area_id}"))
    assert "陈阿珠" in page and home.number in page


def test_a_door_is_pinned_with_coordinates_copied_from_a_chinese_map(open_as, ctx, home):
    lat, lon = to_gcj02(*DOOR)
    sent = {"position": f"{lat:.6f}, {lon:.6f}", "system": "gcj02", "row_version": home.row_version}
    assert open_as("clerk").post(f"/households/{home.id}/pin", data=sent).status_code == 303
    db.session.expire_all()
    place = db.session.get(Household, home.id).place
    assert place.position == pytest.approx(DOOR, abs=2e-6) and place.position_source == "pin"


def test_a_pin_of_a_form_that_is_too_old_or_wrong_is_refused_and_kept_in_the_field(open_as, words, home):
    clerk = open_as("clerk")
    for sent in ({"position": "here", "row_version": home.row_version}, {"position": "24.4, 118.1", "row_version": 0}):
        answer = clerk.post(f"/households/{home.id}/pin", data=sent)
        assert answer.status_code == 422 and sent["position"] in answer.get_data(as_text=True)


def test_estates_are_suggested_within_ones_own_areas_while_an_address_is_typed(open_as, home):
    clerk = open_as("clerk")
    clerk.post(f"/households/{home.id}/pin", data={"position": "24.4895, 118.121", "row_version": home.row_version})
    typed = {"address": "香莲", "area_id": home.area_id}
    assert "香莲里27号" in clerk.post("/areas/estates/find", data=typed).get_data(as_text=True)
    assert "香莲里27号" not in open_as("stranger").post("/areas/estates/find", data=typed).get_data(as_text=True)


def test_pictures_come_from_the_tiles_that_the_administrator_named_and_from_nowhere_else(tmp_path, open_as):
    assert "https:" not in open_as("clerk").get("/").headers["Content-Security-Policy"]
    given = load_settings({"LINKAGE_DATA_DIR": str(tmp_path), "LINKAGE_TILES": "https://tiles.example/{z}/{x}/{y}.png"})
    assert given.tiles.startswith("https://tiles.example/")
    for wrong in ("http://tiles.example/{z}/{x}/{y}.png", "https://a.example/{z} 'unsafe-inline'", "javascript:{z}"):
        with pytest.raises(ConfigurationError):
            load_settings({"LINKAGE_DATA_DIR": str(tmp_path), "LINKAGE_TILES": wrong})
