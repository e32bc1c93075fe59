"""Where a place lies, and how estates learn from pins."""

import pytest
from sqlalchemy import select

from linkage.areas.models import Area, Estate, Place
from linkage.areas.operations import estate_name, new_place, set_position
from linkage.areas.queries import centre_of
from linkage.core import audit, privacy
from linkage.core.extensions import db

PIN = (24.4895, 118.1205)


@pytest.fixture
def place(commit, now):
    """Make a place in 莲花北社区: ``place("香莲里27号502室", position=PIN)``."""

    def make(address, **values):
        def work():
            audit.record("test.place", ("places", ""), by=None, now=now)
            return new_place(key_id=privacy.new_key("household", now), area_id=4, address=address, now=now, **values)

        return commit(work)

    return make


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("香莲里27号502室", "香莲里27号"),
        ("莲花花园 3 栋 1201", "莲花花园3栋"),
        ("凌香里8号", "凌香里"),
        ("官任路9号", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_names_a_building_of_many_doors_or_an_estate_but_never_one_home(address, name):
    assert estate_name(address) == name


def test_a_place_nobody_has_shown_is_approximate(place):
    new = place("香莲里27号502室")
    assert (new.is_approximate, new.position) == (True, None)


def test_a_pin_teaches_where_the_building_lies(place):
    place("香莲里27号502室", position=PIN)
    neighbour = place("香莲里27号101室")
    assert (neighbour.position_source, tuple(neighbour.position)) == ("estate", PIN)


def test_a_pin_moves_the_approximate_places_of_its_building(place):
    waiting = place("香莲里27号101室")
    place("香莲里27号502室", position=PIN)
    db.session.expire_all()
    assert db.session.get(Place, waiting.id).position_source == "estate"


def test_the_estate_is_the_mean_of_its_pins(place):
    place("香莲里27号502室", position=PIN)
    place("香莲里27号302室", position=(24.4897, 118.1207))
    estate = db.session.scalars(select(Estate)).one()
    assert (round(estate.lat, 6), round(estate.lon, 6), estate.pins) == (24.4896, 118.1206, 2)


def test_a_second_pin_of_the_same_place_does_not_count_twice(place, commit, now):
    pinned = place("香莲里27号502室", position=PIN)

    def again():
        audit.record("test.pin", pinned, by=None, now=now)
        return set_position(db.session.get(Place, pinned.id), (24.4898, 118.1205), source="pin", now=now)

    assert commit(again)
    assert db.session.scalars(select(Estate)).one().pins == 1


def test_a_worse_position_never_replaces_a_better_one(place, now):
    pinned = place("香莲里27号502室", position=PIN)
    assert not set_position(pinned, (24.5, 118.2), source="estate", now=now)
    assert tuple(pinned.position) == PIN


def test_positions_and_addresses_stand_nowhere_in_clear(place):
    new = place("香莲里27号502室", position=PIN)
    assert "香莲里".encode() not in new.address_sealed and b"24.48" not in new.position_sealed


def test_the_centre_of_an_area_without_one_is_that_around_it(commit, now):
    def forget():
        audit.record("test.centre", ("areas", 4), by=None, now=now)
        area = db.session.get(Area, 4)
        area.lat = area.lon = None

    commit(forget)
    assert centre_of(db.session.get(Area, 4)) == (24.487, 118.122)
