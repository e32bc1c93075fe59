"""Coordinates are turned into WGS-84 once, at the edge; outlines are checked before they are kept."""

import json
import math
import re

import pytest
from sqlalchemy import select

from linkage.areas import outlines
from linkage.areas.coordinates import to_gcj02, to_wgs84
from linkage.areas.models import Area, Outline
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

# 厦门市政府 and places up to Kunming and Harbin, WGS-84
PLACES = [(24.47951, 118.08948), (24.5046, 118.1437), (25.0389, 102.7183), (45.8038, 126.5350), (39.9042, 116.4074)]


def metres(a, b):
    north = (a[0] - b[0]) * 111_320
    return math.hypot(north, (a[1] - b[1]) * 111_320 * math.cos(math.radians(a[0])))


@pytest.mark.parametrize("place", PLACES)
def test_gcj_02_and_back_is_the_same_place_within_a_centimetre(place):
    shifted = to_gcj02(*place)
    assert 100 < metres(place, shifted) < 1000
    assert metres(place, to_wgs84(*shifted, "gcj02")) < 0.01


def test_a_known_pair_of_tiananmen_agrees_within_metres():
    """WGS-84 39.90734, 116.39089 is 39.90874, 116.39714 in GCJ-02 (the published offset formula's own example)."""
    assert metres(to_wgs84(39.90874, 116.39714, "gcj02"), (39.90734, 116.39089)) < 10


def test_baidus_are_further_off_and_come_back_within_metres():
    lat, lon = 24.48555, 118.10093  # about 厦门市政府 as Baidu shows it
    assert metres(to_wgs84(lat, lon, "bd09"), (24.47951, 118.08948)) < 400
    assert to_wgs84(lat, lon, "wgs84") == (lat, lon)


def collection(ring, code="350203011", kind="Polygon"):
    feature = {
        "type": "Feature",
        "properties": {"code": code, "name": "<b>"},
        "geometry": {"type": kind, "coordinates": [ring]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


SQUARE = [[118.1, 24.4], [118.2, 24.4], [118.2, 24.5], [118.1, 24.5], [118.1, 24.4]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not json", "no GeoJSON"),
        (b'{"type": "Feature"}', "collection"),
        (collection(SQUARE[:-1]), "not closed"),
        (collection([[y, x] for x, y in SQUARE]), "outside of China"),
        (collection([[118.1, 24.4], [118.2, 24.5], [118.2, 24.4], [118.1, 24.5], [118.1, 24.4]]), "crosses|inside"),
        (collection([[118.1, 24.4], [118.2, 24.4], [118.3, 24.4], [118.1, 24.4]]), "without an inside"),
        (collection(SQUARE, code="x"), "code of an area"),
        (collection(SQUARE, kind="Point"), "code of an area"),
        (collection([["a", "b"]] * 4), "code of an area"),
        (b" " * (outlines.MOST_BYTES + 1), "8 MB"),
    ],
)
def test_a_file_of_outlines_that_is_none_is_refused_in_words(ctx, data, said):
    with ctx.test_request_context(), pytest.raises(InvalidInput) as fault:
        outlines.read(data)
    with ctx.test_request_context(headers={"Cookie": "lang=en"}):
        assert re.search(said, str(fault.value.message))


def test_an_outline_is_kept_for_its_area_and_another_file_replaces_it(ctx, now):
    code = db.session.scalars(select(Area.code).where(Area.level == "street")).first()
    db.session.rollback()
    for _ in range(2):
        shapes = outlines.read(collection(SQUARE, code=code)) + outlines.read(collection(SQUARE, code="999999"))
        assert unit_of_work(lambda shapes=shapes: outlines.store(shapes, now=now)) == (1, ["999999"])
    assert db.session.scalars(select(Outline)).one().polygons == [[SQUARE]]
