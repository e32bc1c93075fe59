"""Outlines of areas (GeoJSON) that the administrator adds: checked before they are kept, none are shipped.

A file is one FeatureCollection of polygons in WGS-84; each feature names its area by `code` (or `adcode`). What is
kept is the geometry alone, with six decimals: no property of the file is ever shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from linkage.areas.models import Area, Outline
from linkage.areas.schemas import LATITUDES, LONGITUDES
from linkage.core import audit
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db

MOST_BYTES, MOST_POINTS = 8_000_000, 200_000
Ring = list[list[float]]


@dataclass(frozen=True)
class Shape:
    """An area's outline: a multipolygon as GeoJSON has it, [[ring, hole …], …] of [lon, lat]."""

    code: str
    polygons: list[list[Ring]]


def read(data: bytes) -> list[Shape]:
    """Understand a GeoJSON file.  Raises InvalidInput with the feature and what is wrong with it."""
    if len(data) > MOST_BYTES:
        raise InvalidInput(_l("The file is larger than 8 MB."))
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_l("This is no GeoJSON file.")) from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise InvalidInput(_l("This is no GeoJSON file with a collection of features."))
    shapes = [_shape(number, feature) for number, feature in enumerate(features, 1)]
    if sum(len(ring) for shape in shapes for polygon in shape.polygons for ring in polygon) > MOST_POINTS:
        raise InvalidInput(_l("The outlines have more than 200,000 points: simplify them first."))
    return shapes


def _shape(number: int, feature: Any) -> Shape:
    try:
        properties, geometry = feature["properties"] or {}, feature["geometry"]
        code = str(properties.get("code") or properties.get("adcode") or "")
        polygons = {"Polygon": lambda c: [c], "MultiPolygon": lambda c: c}[geometry["type"]](geometry["coordinates"])
        if not code.isdigit() or not polygons:
            raise KeyError("code")
        return Shape(code, [[_ring(number, ring) for ring in polygon] for polygon in polygons])
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        sentence = _l("Feature %(number)d is no polygon with the code of an area.", number=number)
        raise InvalidInput(sentence) from error


def _ring(number: int, ring: Any) -> Ring:
    points = [[round(float(lon), 6), round(float(lat), 6)] for lon, lat, *_height in ring]
    if len(points) < 4 or points[0] != points[-1]:
        raise InvalidInput(_l("Feature %(number)d has a ring that is not closed.", number=number))
    if not all(LONGITUDES[0] <= lon <= LONGITUDES[1] and LATITUDES[0] <= lat <= LATITUDES[1] for lon, lat in points):
        raise InvalidInput(_l("Feature %(number)d has a point outside of China (longitude first).", number=number))
    if abs(_area(points)) < 1e-10:
        raise InvalidInput(_l("Feature %(number)d has a ring without an inside.", number=number))
    if len(points) <= MOST_CROSSED and _crosses_itself(points):
        raise InvalidInput(_l("Feature %(number)d has a ring that crosses itself.", number=number))
    return points


MOST_CROSSED = 2_000  # the test is quadratic


def _area(points: Ring) -> float:
    """Twice the signed area in square degrees (shoelace)."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False))


def _crosses_itself(points: Ring) -> bool:
    """Whether two sides that are no neighbours have a point in common; by a sweep over the sides' longitudes."""
    last = len(points) - 2
    sides = sorted(
        (min(a[0], b[0]), max(a[0], b[0]), at) for at, (a, b) in enumerate(zip(points, points[1:], strict=False))
    )
    open_sides: list[tuple[float, int]] = []
    for left, right, at in sides:
        open_sides = [(end, other) for end, other in open_sides if end >= left]
        for _end, other in open_sides:
            apart = abs(at - other)
            if 1 < apart < last and _cross(*points[at : at + 2], *points[other : other + 2]):
                return True
        open_sides.append((right, at))
    return False


def _cross(a: list[float], b: list[float], c: list[float], d: list[float]) -> bool:
    def side(p: list[float], q: list[float], r: list[float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def store(shapes: list[Shape], *, now: datetime) -> tuple[int, list[str]]:
    """Keep the outlines of the areas that are known by these codes; return how many, and the unknown codes."""
    areas = {
        row.code: row.id
        for row in db.session.scalars(select(Area).where(Area.code.in_([shape.code for shape in shapes])))
    }
    known = [shape for shape in shapes if shape.code in areas]
    db.session.execute(delete(Outline).where(Outline.area_id.in_(areas.values())))
    for code, polygons in {shape.code: shape.polygons for shape in known}.items():
        db.session.add(Outline(area_id=areas[code], polygons=polygons, created_at=now))
    audit.record("areas.outlines", ("areas", "outlines"), by=None, now=now, outlines=len(known))
    return len(known), sorted({shape.code for shape in shapes} - set(areas))
