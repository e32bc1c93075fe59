"""Coordinates at the edge: what comes in is turned into WGS-84 once, here, and stored so.

Chinese maps show positions shifted by law: GCJ-02 (Amap, Tencent, Google's Chinese maps), Baidu's BD-09 on top of
it. Without the conversion a door lies about 500 metres beside itself in Xiamen.
"""

from __future__ import annotations

from typing import Any

from coord_convert import transform
from flask_babel import lazy_gettext as _l

WGS84, GCJ02, BD09 = "wgs84", "gcj02", "bd09"
SYSTEMS: dict[str, Any] = {
    WGS84: _l("GPS, a telephone's position (WGS-84)"),
    GCJ02: _l("Copied from Amap, Tencent or WeChat (GCJ-02)"),
    BD09: _l("Copied from Baidu (BD-09)"),
}
STEPS = 4  # each one divides what is left of the error by about a hundred; two are enough for millimetres


def to_wgs84(lat: float, lon: float, system: str) -> tuple[float, float]:
    """(lat, lon) in degrees of `system` as WGS-84.

    GCJ-02 has no inverse in closed form: the shift is taken at the place that is sought, by fixed-point iteration.
    """
    if system == WGS84:
        return lat, lon
    if system == BD09:
        lon, lat = transform.bd2gcj(lon, lat)
    found_lat, found_lon = lat, lon
    for _ in range(STEPS):
        shifted_lat, shifted_lon = to_gcj02(found_lat, found_lon)
        found_lat, found_lon = found_lat - (shifted_lat - lat), found_lon - (shifted_lon - lon)
    return found_lat, found_lon


def to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """(lat, lon) in WGS-84 degrees as GCJ-02: for a link into a Chinese map."""
    shifted_lon, shifted_lat = transform.wgs2gcj(lon, lat)
    return shifted_lat, shifted_lon
