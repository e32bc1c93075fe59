"""Positions while a snapshot is taken: each place becomes a location number; only travel times leave this file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from sqlalchemy import select

import matching.instance as m
from linkage.areas.models import Area, Place
from linkage.core.extensions import db
from linkage.core.privacy import warm_keys
from linkage.organisations.models import Organisation
from linkage.planning.horizon import Horizon, where_in
from linkage.planning.travel import as_rows, distances_metres, matrix_minutes, radius_minutes, road_minutes

CITY_CENTRE = (24.48, 118.09)  # Xiamen; for an area of which nothing better is known, marked approximate


class AreaFacts(NamedTuple):
    """What is needed of an area, without a database row: a snapshot may outlive its session."""

    path: str
    parent_id: int | None
    lat: float | None
    lon: float | None


class PlaceFacts(NamedTuple):
    """What is needed of a place; its position stays in memory and never enters the instance."""

    position: tuple[float, float] | None
    is_approximate: bool
    area_id: int
    access_minutes: int

    @classmethod
    def of(cls, row: Place) -> PlaceFacts:
        found = row.position
        return cls((found[0], found[1]) if found else None, row.is_approximate, row.area_id, row.access_minutes)


def _areas() -> Iterable[Area]:
    return db.session.scalars(select(Area))


class Sites:
    """Locations of one snapshot, numbered in order of first use."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        self.speeds = horizon.rule("planning.speed_metres_per_minute")
        self.detour = horizon.rule("planning.detour_factor")
        self.areas = {row.id: AreaFacts(row.path, row.parent_id, row.lat, row.lon) for row in _areas()}
        self.places: dict[uuid.UUID, PlaceFacts] = {}
        self.positions: list[tuple[float, float]] = []
        self._numbers: dict[object, int] = {}

    def load(self, place_ids: Iterable[uuid.UUID]) -> None:
        """Read many places, and their keys with one query, before positions are decrypted one by one."""
        rows = list(where_in(Place, Place.id, set(place_ids) - set(self.places)))
        warm_keys({row.key_id for row in rows})
        self.places.update({row.id: PlaceFacts.of(row) for row in rows})

    def of_place(self, place_id: uuid.UUID) -> tuple[str, bool]:
        """The location of a place, and whether it is only approximate (the centre of its area)."""
        place = self.places[place_id]
        if place.position is not None:
            return self._number(place_id, place.position), place.is_approximate
        return self.of_area(place.area_id), True

    def of_area(self, area_id: int) -> str:
        return self._number(("area", area_id), self._centre(area_id))

    def of_organisation(self, organisation: Organisation) -> str:
        if organisation.lat is None or organisation.lon is None:
            return self.of_area(organisation.area_id)
        return self._number(("organisation", organisation.id), (organisation.lat, organisation.lon))

    def _number(self, key: object, position: tuple[float, float]) -> str:
        if key not in self._numbers:
            self._numbers[key] = len(self.positions)
            self.positions.append(position)
        return f"p{self._numbers[key]}"

    def _centre(self, area_id: int | None) -> tuple[float, float]:
        """The centre of the area, or of the nearest one around it that has one."""
        while area_id is not None:
            area = self.areas[area_id]
            if area.lat is not None and area.lon is not None:
                return area.lat, area.lon
            area_id = area.parent_id
        return CITY_CENTRE

    def locations(self) -> tuple[m.Location, ...]:
        """Without coordinates: the instance is stored, and a position gives a home away."""
        return tuple(m.Location(f"p{number}") for number in range(len(self.positions)))

    def modes(self, used: Iterable[str]) -> tuple[m.TravelMode, ...]:
        metres = distances_metres(self.positions)
        ordered = sorted(set(used) or {"walk"})
        return tuple(m.TravelMode(mode, self._minutes(metres, mode)) for mode in ordered)

    def _minutes(self, metres: np.ndarray, mode: str) -> tuple[tuple[float, ...], ...]:
        reckoned = np.array(matrix_minutes(metres, self.speeds[mode], self.detour)).reshape(metres.shape)
        return as_rows(road_minutes(self.positions, mode, reckoned))

    def radius_minutes(self, radius_metres: int, mode: str) -> int:
        return radius_minutes(radius_metres, self.speeds[mode], self.detour)
