"""Instances and plans as JSON files: the published format, and its schemas.

`python -m matching schema` rewrites `schema/*.schema.json` from the classes; a test holds that they
are up to date. Fields equal to their default are left out of written files.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from matching.codec import decode, encode, json_schema
from matching.errors import InvalidInstance, InvalidPlan
from matching.instance import Instance
from matching.plan import Plan
from matching.validation import DEFAULT_LIMITS, Limits, check_sizes, validate

SCHEMA_FOLDER = Path(__file__).parent / "schema"


def instance_from_json(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> Instance:
    """Read and validate an instance. Raises `InvalidInstance`, naming the field."""
    data = _parse(text, InvalidInstance)
    if isinstance(data, dict):
        check_sizes({name: len(rows) for name, rows in data.items() if isinstance(rows, list)}, limits)
    instance = decode(Instance, data, InvalidInstance)
    validate(instance, limits)
    return instance


def instance_to_json(instance: Instance) -> str:
    """The instance as JSON: deterministic, one line."""
    return _dump(encode(instance))


def instance_digest(instance: Instance) -> str:
    """SHA-256 of the instance's JSON, as hexadecimal."""
    return hashlib.sha256(instance_to_json(instance).encode()).hexdigest()


def plan_from_json(text: str | bytes) -> Plan:
    """Read a plan. Raises `InvalidPlan`, naming the field; feasibility is not judged here."""
    return decode(Plan, _parse(text, InvalidPlan), InvalidPlan)


def plan_to_json(plan: Plan) -> str:
    """The plan as JSON: the same plan gives the same bytes."""
    return _dump(encode(plan))


def load_instance(path: Path | str) -> Instance:
    return instance_from_json(Path(path).read_bytes())


def load_plan(path: Path | str) -> Plan:
    return plan_from_json(Path(path).read_bytes())


def schemas() -> dict[str, str]:
    """File name to text of the published JSON schemas."""
    titled = {"instance": (Instance, "matching instance"), "plan": (Plan, "matching plan")}
    return {
        f"{name}.schema.json": json.dumps(json_schema(cls, title), indent=1, ensure_ascii=False) + "\n"
        for name, (cls, title) in titled.items()
    }


def write_schemas() -> None:
    for name, text in schemas().items():
        (SCHEMA_FOLDER / name).write_text(text, encoding="utf-8")


def _parse(text: str | bytes, error: type[InvalidInstance] | type[InvalidPlan]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise error("(file)", f"is not JSON: {problem}") from None


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
