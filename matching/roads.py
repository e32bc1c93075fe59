"""Minutes by road from a routing server (OSRM or Valhalla) through `routingpy`, where one is configured.

Without one, and where it does not answer or knows no way, minutes are great-circle metres times the detour factor
by speed (`lookup`). The positions of households go to that server: it must be one of your own.
"""

import importlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Protocol

import numpy as np

from matching.errors import MatchingError
from matching.instance import Instance
from matching.lookup import Lookup

Position = tuple[float, float]  # latitude, longitude in degrees WGS-84
BLOCK = 50
"""A table is asked for in squares of so many places: OSRM answers a hundred places at once by default."""
QUIET_SECONDS = 60.0
"""So long a server that did not answer is not asked again."""
KEPT_TABLES = 16
PROFILES = {
    "osrm": {"walk": "foot", "bike": "bike", "ebike": "bike", "car": "driving"},
    "valhalla": {"walk": "pedestrian", "bike": "bicycle", "ebike": "bicycle", "car": "auto"},
}
"""The server's name for a way to travel; one that is not here is reckoned by speed."""


class RoadsUnavailable(MatchingError):
    """The routing server did not answer, or not with a table; the message says what happened."""


class Roads(Protocol):
    """Where minutes by road come from."""

    def minutes(self, positions: Sequence[Position], mode_id: str) -> np.ndarray | None:
        """An (n, n) table of minutes, NaN where there is no way; None if the mode is not known there.

        Raises `RoadsUnavailable`.
        """


@dataclass
class RoutingServer:
    """An OSRM or Valhalla server of one's own.

    Parameters
    ----------
    url
        Such as ``http://127.0.0.1:5000``.
    kind
        "osrm" or "valhalla".
    timeout_seconds
        Of one request; a table of n places takes (n / 50)² requests.
    profiles
        The server's name for each mode of travel.
    """

    url: str
    kind: str = "osrm"
    timeout_seconds: float = 5.0
    profiles: Mapping[str, str] | None = None
    _router: Any = field(default=None, repr=False)
    _quiet_until: float = field(default=0.0, repr=False)
    _why: str = field(default="", repr=False)
    _tables: OrderedDict = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in PROFILES:
            raise RoadsUnavailable(f"the kind of routing server is {self.kind!r}: give one of {', '.join(PROFILES)}")

    def minutes(self, positions: Sequence[Position], mode_id: str) -> np.ndarray | None:
        """Whole minutes, rounded up; the last few tables are remembered. Raises `RoadsUnavailable`."""
        profile = (self.profiles or PROFILES[self.kind]).get(mode_id)
        if profile is None:
            return None
        key = (profile, tuple(positions))
        with self._lock:
            if key not in self._tables:
                self._tables[key] = self._ask(positions, profile)
                while len(self._tables) > KEPT_TABLES:
                    self._tables.popitem(last=False)
            self._tables.move_to_end(key)
            found: np.ndarray = self._tables[key]
            return found

    def health(self, near: Position) -> str:
        """Empty if the server answers for two places near a position; else what is wrong. Always asks."""
        self._quiet_until = 0.0
        profile = next(iter((self.profiles or PROFILES[self.kind]).values()))
        try:
            table = self._ask([near, (near[0] + 0.01, near[1] + 0.01)], profile)
        except RoadsUnavailable as problem:
            return str(problem)
        return "" if np.isfinite(table).all() else f"{self.url} knows no way near {near[0]:.2f}, {near[1]:.2f}"

    def _ask(self, positions: Sequence[Position], profile: str) -> np.ndarray:
        if time.monotonic() < self._quiet_until:
            raise RoadsUnavailable(self._why)
        places = [[longitude, latitude] for latitude, longitude in positions]
        seconds = np.zeros((len(places), len(places)))
        blocks = [range(i, min(i + BLOCK, len(places))) for i in range(0, len(places), BLOCK)]
        try:
            for rows, columns in product(blocks, blocks):
                seconds[np.ix_(rows, columns)] = self._table(places, profile, rows, columns)
        except RoadsUnavailable as problem:
            self._quiet_until, self._why = time.monotonic() + QUIET_SECONDS, str(problem)
            raise
        minutes = np.ceil(np.round(seconds / 60, 6))
        np.fill_diagonal(minutes, 0.0)
        return minutes

    def _table(self, places: list, profile: str, rows: range, columns: range) -> np.ndarray:
        """Seconds from each of `rows` to each of `columns`; NaN where there is no way."""
        chosen = [*rows, *(i for i in columns if i not in rows)]
        number = {place: i for i, place in enumerate(chosen)}
        asked: dict[str, list] = {"sources": [number[i] for i in rows], "destinations": [number[i] for i in columns]}
        if self.kind == "osrm":
            asked["annotations"] = ["duration"]
        routers = _routingpy()
        try:
            found = self._client(routers).matrix([places[i] for i in chosen], profile, **asked).durations
            table = np.array(found, dtype=np.float64)
        except Exception as problem:  # the library passes on whatever requests, json or the server's answer raise
            raise RoadsUnavailable(f"{self.url}: {type(problem).__name__}: {problem}"[:300]) from problem
        if table.shape != (len(rows), len(columns)) or (table < 0).any():
            raise RoadsUnavailable(f"{self.url} answered with something else than a table of times")
        return table

    def _client(self, routers: Any) -> Any:
        if self._router is None:
            made = {"osrm": routers.OSRM, "valhalla": routers.Valhalla}[self.kind]
            seconds = self.timeout_seconds
            self._router = made(base_url=self.url, timeout=seconds, retry_timeout=math.ceil(seconds))
        return self._router


def _routingpy() -> Any:
    """The package is asked for only where a server is configured."""
    try:
        return importlib.import_module("routingpy.routers")
    except ImportError as problem:
        raise RoadsUnavailable("install routingpy to ask a routing server (pip install linkage[scale])") from problem


def by_road(roads: Roads, positions: Sequence[Position], mode_id: str, reckoned: np.ndarray) -> tuple[np.ndarray, str]:
    """Minutes by road, or as `reckoned` where there are none; and why the server could not be used ("" if it was)."""
    try:
        table = roads.minutes(positions, mode_id)
    except RoadsUnavailable as problem:
        return reckoned, str(problem)
    return (reckoned, "") if table is None else (np.where(np.isnan(table), reckoned, table), "")


def with_roads(instance: Instance, roads: Roads, on_problem: Callable[[str, str], None] | None = None) -> Instance:
    """The instance with a matrix by road for every mode that has none and whose places all have positions.

    A mode for which the server does not answer keeps its speed; `on_problem` hears the mode and why.
    """
    positions = [(p.latitude, p.longitude) for p in instance.locations]
    known = [(a, b) for a, b in positions if a is not None and b is not None]
    if len(known) < len(positions):
        return instance
    look, modes = Lookup(instance), []
    for number, mode in enumerate(instance.travel_modes):
        if mode.matrix_minutes is None:
            table, why = by_road(roads, known, mode.id, look.travel[number])
            if why and on_problem is not None:
                on_problem(mode.id, why)
            elif not why:
                mode = replace(mode, matrix_minutes=tuple(map(tuple, table.tolist())))
        modes.append(mode)
    return replace(instance, travel_modes=tuple(modes))
