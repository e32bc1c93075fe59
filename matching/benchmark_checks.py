"""Is this parsed JSON an HHCRSP file? Refusals that name the field of that file, and what to write instead."""

from typing import Any

from matching.errors import InvalidInstance

Path = str


def check_benchmark(data: Any) -> None:
    """Raise `InvalidInstance` at the first field that is missing or of the wrong form."""
    if not isinstance(data, dict):
        raise InvalidInstance("(file)", "is not an HHCRSP instance", "write an object with patients, caregivers, ...")
    services = {_name(row, f"services[{i}]") for i, row in enumerate(_rows(data, "services", ""))}
    patients, people = _rows(data, "patients", ""), _rows(data, "caregivers", "")
    for i, row in enumerate(people):
        path = f"caregivers[{i}]"
        _name(row, path)
        _rows(row, "abilities", f"{path}.")
        if "working_shift" in row:
            _span(row, "working_shift", path)
    for i, row in enumerate(patients):
        _patient(row, f"patients[{i}]", services)
    _distances(_rows(data, "distances", ""), len(patients) + 1)


def _patient(row: Any, path: Path, services: set[str]) -> None:
    _name(row, path)
    _span(row, "time_window", path)
    needs = _rows(row, "required_caregivers", f"{path}.")
    if not 1 <= len(needs) <= 2:
        raise InvalidInstance(f"{path}.required_caregivers", f"has {len(needs)} entries", "one or two people come")
    for k, need in enumerate(needs):
        at = f"{path}.required_caregivers[{k}]"
        if not isinstance(need, dict) or need.get("service") not in services:
            raise InvalidInstance(f"{at}.service", "is not one of the services", "give the id of a service")
        if "duration" in need and not (_is_number(need["duration"]) and need["duration"] > 0):
            raise InvalidInstance(f"{at}.duration", f"is {need['duration']!r}", "give minutes above 0")
    rule = row.get("synchronization")
    if rule is None:
        return
    kinds = ("simultaneous", "sequential")
    if not isinstance(rule, dict) or rule.get("type") not in kinds:
        raise InvalidInstance(f"{path}.synchronization.type", "is not known", f"one of {', '.join(kinds)}")
    if "distance" in rule:
        _span(rule, "distance", f"{path}.synchronization")


def _distances(rows: list[Any], size: int) -> None:
    if len(rows) != size:
        raise InvalidInstance("distances", f"has {len(rows)} rows for {size} places", "the office, then every patient")
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != size:
            raise InvalidInstance(f"distances[{i}]", "is not a row of so many places", f"give {size} numbers")
        for j, minutes in enumerate(row):
            if not _is_number(minutes) or minutes < 0:
                raise InvalidInstance(f"distances[{i}][{j}]", f"is {minutes!r}", "give minutes, 0 or more")


def _rows(data: Any, key: str, path: Path) -> list[Any]:
    if not isinstance(data, dict) or key not in data:
        raise InvalidInstance(f"{path}{key}", "is missing", "see the format of iolab-uniud/hhcrsp")
    if not isinstance(data[key], list):
        raise InvalidInstance(f"{path}{key}", f"is {type(data[key]).__name__}", "give a list")
    rows: list[Any] = data[key]
    return rows


def _name(row: Any, path: Path) -> str:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
        raise InvalidInstance(f"{path}.id", "is missing or no text", "give every entry an id of its own")
    name: str = row["id"]
    return name


def _span(row: Any, key: str, path: Path) -> None:
    pair = row.get(key)
    if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))):
        raise InvalidInstance(f"{path}.{key}", "is not a pair of numbers", "give [least, most] in minutes")
    if not 0 <= pair[0] <= pair[1]:
        raise InvalidInstance(f"{path}.{key}", f"ends ({pair[1]}) before it begins ({pair[0]})", "exchange the two")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
