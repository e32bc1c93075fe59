"""Travel times between places, so that an instance holds minutes and no positions.

By road from a routing server of one's own (`LINKAGE_ROUTING_URL`), else as the crow flies, detoured, by speed.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
from flask import current_app

from matching.roads import RoutingServer, by_road

log = logging.getLogger(__name__)

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
    return as_rows(np.ceil(metres * detour / speed))


def as_rows(minutes: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in minutes)


def routing_server() -> RoutingServer | None:
    """The installation's routing server; None where none is configured. It remembers its last tables."""
    settings = current_app.config["SETTINGS"]
    if not settings.routing_url:
        return None
    known: RoutingServer | None = current_app.extensions.get("routing_server")
    if known is None:
        known = current_app.extensions["routing_server"] = RoutingServer(settings.routing_url, settings.routing_kind)
    return known


def road_minutes(positions: Sequence[Position], mode: str, reckoned: np.ndarray) -> np.ndarray:
    """Minutes by road where a routing server is configured and answers, else as `reckoned`."""
    server = routing_server()
    if server is None or len(positions) < 2:
        return reckoned
    minutes, problem = by_road(server, positions, mode, reckoned)
    if problem:
        log.warning("travel times are reckoned as the crow flies: %s", problem)
    return minutes


def radius_minutes(radius_metres: int, speed: float, detour: float) -> int:
    """How long a journey of `radius_metres` as the crow flies takes, rounded as `matrix_minutes` rounds."""
    return math.ceil(radius_metres * detour / speed)
