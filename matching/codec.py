"""Frozen dataclasses to plain JSON values and back, and their JSON schema.

Types, bounds and defaults are read from the classes themselves, so the file format, its published
schema and the model cannot drift apart. Unknown keys are refused; an error names its field.
"""

import dataclasses
import math
import types
from enum import EnumType
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from matching.errors import FieldError

DRAFT = "https://json-schema.org/draft/2020-12/schema"
T = TypeVar("T")
_MISSING = dataclasses.MISSING
_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def _fields(cls: Any) -> dict[str, tuple[Any, dataclasses.Field]]:
    return _known_fields(cls)


@cache
def _known_fields(cls: type) -> dict[str, tuple[Any, dataclasses.Field]]:
    hints = get_type_hints(cls)
    return {f.name: (hints[f.name], f) for f in dataclasses.fields(cls)}


def _default(f: dataclasses.Field) -> Any:
    return f.default_factory() if f.default_factory is not _MISSING else f.default


def encode(value: Any) -> Any:
    """A JSON value of a dataclass (fields equal to their default are left out), tuple, enum or scalar."""
    if dataclasses.is_dataclass(value):
        pairs = ((name, getattr(value, name), f) for name, (_, f) in _fields(type(value)).items())
        return {name: encode(v) for name, v, f in pairs if _default(f) is _MISSING or v != _default(f)}
    if isinstance(value, tuple):
        # Long rows of numbers (travel matrices) in one go.
        if value and set(map(type, value)) <= {int, float}:
            return [int(v) if v == int(v) else v for v in value]
        return [encode(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def decode(cls: type[T], data: Any, error: type[FieldError], path: str = "") -> T:
    """Read `data` (parsed JSON) as an instance of the frozen dataclass `cls`.

    Raises `error`, naming the field, for an unknown or missing key, a wrong type, a number that is
    not finite or outside its bounds.
    """
    if not isinstance(data, dict):
        raise error(path or "(file)", "must be an object")
    fields = _fields(cls)
    for key in data:
        if key not in fields:
            raise error(_join(path, str(key)), "is not a field", f"known are {', '.join(fields)}")
    values = {}
    for name, (hint, f) in fields.items():
        if name in data:
            values[name] = _value(hint, data[name], f.metadata, error, _join(path, name))
        elif _default(f) is _MISSING:
            raise error(_join(path, name), "is missing")
    return cls(**values)


def check_bounds(value: Any, error: type[FieldError], path: str = "") -> None:
    """Check the types and bounds of a dataclass built in Python, as `decode` does for a file."""
    for name, (hint, f) in _fields(type(value)).items():
        _check(hint, getattr(value, name), f.metadata, error, _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _split_optional(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        inner = [a for a in get_args(hint) if a is not type(None)]
        return inner[0], True
    return hint, False


def _value(hint: Any, data: Any, bounds: Any, error: type[FieldError], path: str) -> Any:
    hint, optional = _split_optional(hint)
    if data is None and optional:
        return None
    if get_origin(hint) is tuple:
        return _tuple(hint, data, bounds, error, path)
    if dataclasses.is_dataclass(hint):
        return decode(hint, data, error, path)  # type: ignore[arg-type]
    if isinstance(hint, EnumType):
        try:
            return hint(data)
        except ValueError:
            raise error(path, f"{data!r} is not one of {', '.join(hint)}") from None
    _scalar(hint, data, bounds, error, path)
    return data


def _tuple(hint: Any, data: Any, bounds: Any, error: type[FieldError], path: str) -> tuple:
    if not isinstance(data, list | tuple):
        raise error(path, "must be a list")
    inner = get_args(hint)
    if inner[-1] is not Ellipsis:
        if len(data) != len(inner):
            raise error(path, f"must have {len(inner)} entries, has {len(data)}")
        return tuple(
            _value(h, d, bounds, error, f"{path}[{i}]") for i, (h, d) in enumerate(zip(inner, data, strict=True))
        )
    if inner[0] is float and _plain_numbers(data, bounds):
        return tuple(data)
    return tuple(_value(inner[0], d, bounds, error, f"{path}[{i}]") for i, d in enumerate(data))


def _plain_numbers(data: Any, bounds: Any) -> bool:
    """A quick yes for long rows of good numbers (travel matrices); no means: look at each."""
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if not all(type(d) in (int, float) for d in data):
        return False
    return all(low <= d <= high for d in data)


def _check(hint: Any, value: Any, bounds: Any, error: type[FieldError], path: str) -> None:
    hint, optional = _split_optional(hint)
    if value is None and optional:
        return
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if not isinstance(value, tuple):
            raise error(path, "must be a tuple")
        if inner[0] is float and _plain_numbers(value, bounds):
            return
        for i, v in enumerate(value):
            _check(inner[0], v, bounds, error, f"{path}[{i}]")
    elif dataclasses.is_dataclass(hint):
        if not isinstance(value, hint):  # type: ignore[arg-type]
            raise error(path, f"must be a {hint.__name__}")  # type: ignore[union-attr]
        check_bounds(value, error, path)
    elif isinstance(hint, EnumType):
        if not isinstance(value, hint):
            raise error(path, f"{value!r} is not one of {', '.join(hint)}")
    else:
        _scalar(hint, value, bounds, error, path)


def _scalar(hint: Any, data: Any, bounds: Any, error: type[FieldError], path: str) -> None:
    good = isinstance(data, int | float) if hint is float else isinstance(data, hint)
    if not good or (isinstance(data, bool) and hint is not bool):
        raise error(path, f"must be {_NAMES[hint]}, is {data!r}")
    if hint in (str, bool):
        return
    if not math.isfinite(data):
        raise error(path, f"must be a finite number, is {data!r}")
    low, high, unit = bounds.get("minimum"), bounds.get("maximum"), bounds.get("unit", "")
    if low is not None and data < low:
        raise error(path, f"is {data}, below the least allowed value {low} {unit}".rstrip())
    if high is not None and data > high:
        raise error(path, f"is {data}, above the greatest allowed value {high} {unit}".rstrip())


def json_schema(cls: type, title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the files that `decode` reads as `cls`."""
    definitions: dict[str, Any] = {}
    root = _schema_object(cls, definitions)
    return {"$schema": DRAFT, "title": title, **root, "$defs": definitions}


def _schema_object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    properties, required = {}, []
    for name, (hint, f) in _fields(cls).items():
        properties[name] = _schema(hint, f.metadata, definitions)
        if _default(f) is _MISSING:
            required.append(name)
        else:
            properties[name]["default"] = encode(_default(f))
    description = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
    schema = {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _schema(hint: Any, bounds: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hint, optional = _split_optional(hint)
    if optional:
        return {"anyOf": [_schema(hint, bounds, definitions), {"type": "null"}]}
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        schema = {"type": "array", "items": _schema(inner[0], bounds, definitions)}
        size = {} if inner[-1] is Ellipsis else {"minItems": len(inner), "maxItems": len(inner)}
        return schema | size
    if dataclasses.is_dataclass(hint):
        name = hint.__name__  # type: ignore[union-attr]
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _schema_object(hint, definitions)  # type: ignore[arg-type]
        return {"$ref": f"#/$defs/{name}"}
    if isinstance(hint, EnumType):
        return {"enum": list(hint)}
    kind = {str: "string", int: "integer", float: "number", bool: "boolean"}[hint]
    limits = {k: bounds[k] for k in ("minimum", "maximum") if bounds.get(k) is not None}
    unit = {"description": bounds["unit"]} if bounds.get("unit") else {}
    return {"type": kind} | limits | unit
