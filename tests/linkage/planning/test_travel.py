"""Distances and travel times against values worked out by hand, and minutes from a routing server."""

from dataclasses import replace

import numpy as np
import pytest

from linkage.core.config import ConfigurationError, load_settings
from linkage.planning.travel import distances_metres, matrix_minutes, radius_minutes
from linkage.upkeep.health import routing
from tests.matching.osrm import address, osrm


def test_one_degree_of_latitude_is_111_kilometres():
    metres = distances_metres([(24.0, 118.0), (25.0, 118.0)])
    assert metres[0, 1] == pytest.approx(111_195, abs=1)
    assert metres[0, 0] == 0


def test_minutes_are_rounded_up_and_the_way_back_is_the_same():
    minutes = matrix_minutes(np.array([[0.0, 100.0], [100.0, 0.0]]), speed=75, detour=1.3)
    assert minutes == ((0, 2), (2, 0))


def test_a_radius_reaches_exactly_what_its_journey_reaches():
    assert radius_minutes(3000, 75, 1.3) == 52


@pytest.fixture
def configured(ctx):
    """``configured(url)``: this installation's routing server."""
    before = ctx.config["SETTINGS"]

    def name(url):
        ctx.config["SETTINGS"] = replace(before, routing_url=url)
        ctx.extensions.pop("routing_server", None)

    yield name
    ctx.config["SETTINGS"] = before
    ctx.extensions.pop("routing_server", None)


def test_minutes_are_by_road_while_the_routing_server_answers_and_reckoned_when_it_does_not(
    configured, booked, visit, snapshot
):
    booked("wu", on=visit(), at="2026-11-26T11:00")
    crow = snapshot().instance.travel_modes
    with osrm() as server:
        configured(address(server))
        by_road = snapshot().instance.travel_modes
        assert server.requests > 0
        (good,) = routing()
    assert by_road != crow
    configured(address(server))
    assert snapshot().instance.travel_modes == crow
    (bad,) = routing()
    assert (good.state, bad.state) == ("passed", "warning")
    assert address(server) in bad.text


def test_without_a_routing_server_nothing_is_looked_at(ctx):
    assert routing() == []


@pytest.mark.parametrize("wrong", [{"LINKAGE_ROUTING_URL": "5000"}, {"LINKAGE_ROUTING_KIND": "google"}])
def test_a_routing_server_set_up_wrongly_is_refused_at_the_start(wrong, tmp_path):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        load_settings({"LINKAGE_MODE": "test", "LINKAGE_DATA_DIR": str(tmp_path), **wrong})
