"""Minutes by road from a server that speaks OSRM's table format (a real one, on this machine), and what if not."""

import numpy as np
import pytest

from matching.__main__ import main
from matching.feasibility import check
from matching.instance import Location, TravelMode
from matching.instance_io import instance_to_json, load_instance
from matching.roads import RoadsUnavailable, RoutingServer, by_road, with_roads
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import carer, instance, visit
from tests.matching.osrm import address, osrm, seconds

pytest.importorskip("routingpy")


def in_degrees(places=6):
    """Places a hundredth of a degree apart from west to east; walking has no matrix."""
    rows = tuple(Location(f"p{i}", 24.5, 118 + i / 100) for i in range(places))
    modes = (TravelMode("walk", speed_metres_per_minute=80),)
    return instance([visit("v", 1), visit("w", 3)], [carer("a")], locations=rows, travel_modes=modes)


def test_a_plan_is_made_with_the_minutes_of_the_road():
    with osrm() as server:
        of = with_roads(in_degrees(), RoutingServer(address(server)))
    matrix = of.travel_modes[0].matrix_minutes
    assert matrix is not None
    assert (matrix[0][2], matrix[2][0], matrix[1][1]) == (2, 3, 0)  # 61 s and 122 s, rounded up to whole minutes
    plan = solve(of, MaxIterations(20))
    assert check(of, plan) == []
    assert plan.objective.travel_minutes == matrix[0][1] + matrix[1][3] + matrix[3][0]


def test_a_large_table_is_asked_for_in_squares_and_remembered():
    places = [(24.5, 118 + i / 1000) for i in range(120)]
    with osrm() as server:
        roads = RoutingServer(address(server))
        first = roads.minutes(places, "bike")
        assert (server.requests, roads.minutes(places, "ebike") is first) == (9, True)
    assert first is not None
    expected = [[np.ceil(round(seconds((a[1], a[0]), (b[1], b[0])) / 60, 6)) for b in places] for a in places]
    assert (first == np.array(expected)).all()


def test_where_there_is_no_way_the_great_circle_is_reckoned():
    with osrm() as server:
        roads = RoutingServer(address(server))
        table, why = by_road(roads, [(24.5, 118.0), (25.5, 118.0)], "walk", np.full((2, 2), 99.0))
        assert (table.tolist(), why) == ([[0, 99], [99, 0]], "")
        assert by_road(roads, [(24.5, 118.0)], "bus", np.zeros((1, 1)))[1] == ""


def test_a_server_that_does_not_answer_is_named_and_left_alone_for_a_while():
    with osrm() as server:
        url = address(server)
    roads, said = RoutingServer(url, timeout_seconds=1), []
    of = in_degrees()
    assert with_roads(of, roads, lambda *problem: said.append(problem)) == of
    assert said[0][0] == "walk" and said[0][1].startswith(url)
    with pytest.raises(RoadsUnavailable, match=url):
        roads.minutes([(24.5, 118.0)], "walk")
    assert url in roads.health((24.5, 118.0))


def test_a_server_that_fails_is_said_to_and_one_that_works_is_healthy():
    with osrm() as server:
        roads = RoutingServer(address(server), timeout_seconds=1)
        assert roads.health((24.5, 118.0)) == ""
        server.broken = True  # type: ignore[attr-defined]
        assert "RouterServerError" in roads.health((24.5, 118.0))


def test_the_command_writes_the_instance_with_its_matrices(tmp_path, capsys):
    given, written = tmp_path / "street.json", tmp_path / "roads.json"
    given.write_text(instance_to_json(in_degrees()))
    with osrm() as server:
        assert main(["roads", str(given), "--url", address(server), "--out", str(written)]) == 0
    assert load_instance(written).travel_modes[0].matrix_minutes is not None
    assert main(["roads", str(given), "--url", address(server), "--out", str(written)]) == 2
    assert "refused: walk" in capsys.readouterr().err
