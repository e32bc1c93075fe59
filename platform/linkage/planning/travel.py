"""Travel times between places, so that an instance holds minutes and no positions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

EARTH_RADIUS_METRES = 6_371_008.8  # mean radius R1, IUGG
Position = tuple[float, float]


def distances_metres(positions: Sequence[Position]) -> np.ndarray:
    """Great-circle distances, an (n, n) array in metres, by the haversine formula (Sinnott 1984).

    Positions are (latitude, longitude) in degrees WGS-84.
    """
    if not positions:
        return np.zeros((0, 0))
    lat, lon = np.radians(np.array(positions, dtype=float)).T
    half = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
    half = half + np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    return 2 * EARTH_RADIUS_METRES * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def matrix_minutes(metres: np.ndarray, speed: float, detour: float) -> tuple[tuple[float, ...], ...]:
    """Whole minutes from each place to each other at `speed` metres per minute over detoured roads.

    The same place is 0; two different doors are at least one minute apart.
    """
    minutes = np.ceil(metres * detour / speed)
    return tuple(tuple(float(value) for value in row) for row in minutes)


def radius_minutes(radius_metres: int, speed: float, detour: float) -> int:
    """How long a journey of `radius_metres` as the crow flies takes, rounded as `matrix_minutes` rounds."""
    return math.ceil(radius_metres * detour / speed)
