"""A position on a form: latitude and longitude in one field, as maps give them to copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate

from linkage.areas.coordinates import SYSTEMS, WGS84
from linkage.areas.models import LEVELS
from linkage.core.forms import FormSchema

PAIR = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*")
LATITUDES, LONGITUDES = (3.0, 54.0), (73.0, 136.0)  # China


class Position(fields.Field[tuple[float, float]]):
    """``24.4871, 118.1221`` (WGS-84 degrees) → (lat, lon), in either order: China's do not overlap."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        pair = PAIR.fullmatch(str(value))
        if pair is not None:
            first, second = float(pair[1]), float(pair[2])
            for lat, lon in ((first, second), (second, first)):
                if LATITUDES[0] <= lat <= LATITUDES[1] and LONGITUDES[0] <= lon <= LONGITUDES[1]:
                    return round(lat, 6), round(lon, 6)
        raise ValidationError([_l("Give latitude and longitude in degrees, such as 24.4871, 118.1221.")])


def shown_position(lat: float | None, lon: float | None) -> str:
    """The same text for the form."""
    return "" if lat is None or lon is None else f"{lat:.6f}, {lon:.6f}"


class PinSchema(FormSchema):
    """Where a door is: a position, and in which coordinates it was copied."""

    position = Position(required=True)
    system = fields.String(load_default=WGS84, validate=validate.OneOf(tuple(SYSTEMS)))
    row_version = fields.Integer(required=True)


class AreaSchema(FormSchema):
    """What an administrator changes of an area."""

    name = fields.String(required=True, validate=validate.Length(max=80))
    code = fields.String(required=True, validate=validate.Regexp(r"\d{6,20}$", error=_l("A code has 6 to 20 figures.")))
    centre = Position()
    is_planning_area = fields.Boolean(load_default=False)
    row_version = fields.Integer(required=True)


class NewAreaSchema(FormSchema):
    level = fields.String(required=True, validate=validate.OneOf(LEVELS))
    name = fields.String(required=True, validate=validate.Length(max=80))
    code = fields.String(validate=validate.Regexp(r"\d{6,20}$", error=_l("A code has 6 to 20 figures.")))


class RecodeSchema(FormSchema):
    """A new code (twelve figures as published will do), name and parent from a day on."""

    code = fields.String(required=True, validate=validate.Length(max=20))
    name = fields.String(validate=validate.Length(max=80))
    parent = fields.Integer()
    valid_from = fields.Date(required=True)


class MoveSchema(FormSchema):
    parent = fields.Integer(required=True)
