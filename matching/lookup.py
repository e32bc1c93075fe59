"""An instance by id: the dictionaries that everything which reads an instance would build again."""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from matching.instance import Caregiver, Instance, Location, Service, Shift, TravelMode, Visit

EARTH_RADIUS_METRES = 6_371_000.0
MATRIX_LOCATIONS = 3000
"""Of more places no matrix is made only to look a few ways up."""


class Lookup:
    """Read-only views of one instance; build it once and pass it on."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.location_index = {row.id: i for i, row in enumerate(instance.locations)}
        self.mode_index = {row.id: i for i, row in enumerate(instance.travel_modes)}
        self.services = {row.id: row for row in instance.services}
        self.caregivers = {row.id: row for row in instance.caregivers}
        self.shifts = {row.id: row for row in instance.shifts}
        self.households = {row.id: row for row in instance.households}
        self.visits = {row.id: row for row in instance.visits}
        self.lines = {row.id: row for row in instance.contract_lines}
        self._ways: dict[tuple[int, int, int], float] = {}
        self.shifts_of: dict[str, list[Shift]] = defaultdict(list)
        for shift in instance.shifts:
            self.shifts_of[shift.caregiver_id].append(shift)

    @cached_property
    def travel(self) -> list[np.ndarray]:
        """One float64 matrix of minutes per travel mode, indexed by location."""
        return [_matrix(self.instance, mode) for mode in self.instance.travel_modes]

    def travel_minutes(self, mode_id: str, origin_id: str | None, destination_id: str | None) -> float:
        """Minutes from one location to another; 0 where either is None."""
        if origin_id is None or destination_id is None:
            return 0.0
        origin, destination = self.location_index[origin_id], self.location_index[destination_id]
        if "travel" not in self.__dict__ and len(self.location_index) > MATRIX_LOCATIONS:
            return self._one_way(self.mode_index[mode_id], origin, destination)
        return float(self.travel[self.mode_index[mode_id]][origin, destination])

    def _one_way(self, mode: int, origin: int, destination: int) -> float:
        """As the matrix would say, without one: of a whole city it would be too large."""
        key = (mode, origin, destination)
        if key not in self._ways:
            row = self.instance.travel_modes[mode]
            if row.matrix_minutes is not None:
                self._ways[key] = float(row.matrix_minutes[origin][destination])
            else:
                ends = (self.instance.locations[origin], self.instance.locations[destination])
                self._ways[key] = 0.0 if origin == destination else float(_by_speed(ends, row)[0, 1])
        return self._ways[key]

    def metres(self, origin_id: str, destination_id: str) -> float:
        """Great-circle metres between two locations that have positions."""
        rows = self.instance.locations
        origin, destination = rows[self.location_index[origin_id]], rows[self.location_index[destination_id]]
        lat = np.array([origin.latitude, destination.latitude], dtype=float)
        lon = np.array([origin.longitude, destination.longitude], dtype=float)
        return float(_great_circle(lat, lon)[0, 1])

    def service_of(self, visit: Visit, slot: int) -> Service:
        return self.services[visit.slots[slot].service_id or visit.service_id]


def slot_minutes(visit: Visit, slot: int) -> float:
    """Service minutes of one slot of a visit."""
    own = visit.slots[slot].service_minutes
    return visit.service_minutes if own is None else own


def fair_capacity(caregiver: Caregiver, shifts: list[Shift]) -> float:
    """Minutes that count as a person's full load (0: not in fairness)."""
    if caregiver.fair_capacity_minutes is not None:
        return caregiver.fair_capacity_minutes
    return sum(s.end_minutes - s.start_minutes for s in shifts)


def _matrix(instance: Instance, mode: TravelMode) -> np.ndarray:
    if mode.matrix_minutes is not None:
        size = len(instance.locations)
        return np.array(mode.matrix_minutes, dtype=np.float64).reshape(size, size)
    return _by_speed(instance.locations, mode)


def _by_speed(locations: Sequence[Location], mode: TravelMode) -> np.ndarray:
    lat = np.array([row.latitude for row in locations], dtype=np.float64)
    lon = np.array([row.longitude for row in locations], dtype=np.float64)
    assert mode.speed_metres_per_minute is not None  # validation has seen to it
    raw = _great_circle(lat, lon) * mode.detour_factor / mode.speed_metres_per_minute
    return np.ceil(np.round(raw, 6))


def _great_circle(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Metres between all pairs of points in degrees, by the haversine formula."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    half_lat = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
    half_lon = np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    chord = half_lat + np.cos(lat)[:, None] * np.cos(lat)[None, :] * half_lon
    return 2 * EARTH_RADIUS_METRES * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))


def days_of_window(start_minutes: float, end_minutes: float) -> range:
    """The day indices that a span of absolute minutes touches."""
    return range(math.floor(start_minutes / 1440), math.floor(end_minutes / 1440) + 1)
