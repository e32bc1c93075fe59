"""Distances and travel times against values worked out by hand."""

import numpy as np
import pytest

from linkage.planning.travel import distances_metres, matrix_minutes, radius_minutes


def test_one_degree_of_latitude_is_111_kilometres():
    metres = distances_metres([(24.0, 118.0), (25.0, 118.0)])
    assert metres[0, 1] == pytest.approx(111_195, abs=1)
    assert metres[0, 0] == 0


def test_minutes_are_rounded_up_and_the_way_back_is_the_same():
    minutes = matrix_minutes(np.array([[0.0, 100.0], [100.0, 0.0]]), speed=75, detour=1.3)
    assert minutes == ((0, 2), (2, 0))


def test_a_radius_reaches_exactly_what_its_journey_reaches():
    assert radius_minutes(3000, 75, 1.3) == 52
