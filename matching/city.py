"""A whole city as one problem with streets: who may work where, and what is shared.

A household lies in one street. A caregiver is listed in every street where she may work; whoever is listed in
several is shared, and so are the contract lines' budgets. `city_solve` divides what is shared, solves the
streets apart, offers what is left over across borders, and merges everything into one plan of `instance`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from matching.codec import decode, encode
from matching.errors import InvalidInstance
from matching.instance import Instance
from matching.validation import DEFAULT_LIMITS, Limits, check_sizes, validate


@dataclass(frozen=True, slots=True)
class Street:
    """A street (街道): its households, and everyone who may work there (the first street of a shared
    caregiver is where she works if nothing speaks for another)."""

    id: str
    household_ids: tuple[str, ...] = ()
    caregiver_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class City:
    """One instance over all streets. Give travel by speed and coordinates: a matrix of a city is too large."""

    instance: Instance
    streets: tuple[Street, ...] = ()

    @cached_property
    def street_of(self) -> dict[str, int]:
        """Household id → index of its street."""
        return {name: i for i, street in enumerate(self.streets) for name in street.household_ids}

    @cached_property
    def streets_of(self) -> dict[str, tuple[int, ...]]:
        """Caregiver id → indices of the streets where she may work."""
        found: dict[str, list[int]] = {}
        for i, street in enumerate(self.streets):
            for name in street.caregiver_ids:
                found.setdefault(name, []).append(i)
        return {name: tuple(rows) for name, rows in found.items()}


@dataclass(frozen=True, slots=True)
class _Streets:
    """How a file names the streets."""

    streets: tuple[Street, ...] = ()


def validate_city(city: City, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise `InvalidInstance`, naming the field, before anything is divided or solved."""
    validate(city.instance, limits)
    homes = {h.id for h in city.instance.households}
    people = {c.id for c in city.instance.caregivers}
    names: set[str] = set()
    placed: set[str] = set()
    for i, street in enumerate(city.streets):
        if not street.id or street.id in names:
            raise InvalidInstance(f"streets[{i}].id", "is empty or occurs twice")
        names.add(street.id)
        _known(f"streets[{i}].household_ids", street.household_ids, homes)
        _known(f"streets[{i}].caregiver_ids", street.caregiver_ids, people)
        for k, home in enumerate(street.household_ids):
            if home in placed:
                raise InvalidInstance(f"streets[{i}].household_ids[{k}]", f"{home!r} lies in two streets")
            placed.add(home)
    for v, visit in enumerate(city.instance.visits):
        if visit.household_id not in placed:
            remedy = "list the household in its street"
            raise InvalidInstance(f"visits[{v}].household_id", f"{visit.household_id!r} lies in no street", remedy)


def _known(path: str, names: Sequence[str], known: set[str]) -> None:
    for k, name in enumerate(names):
        if name not in known:
            raise InvalidInstance(f"{path}[{k}]", f"{name!r} is not in the instance")


def city_from_json(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> City:
    """Read and validate a city: {"instance": an instance, "streets": [...]}."""
    try:
        data: Any = json.loads(text)
    except ValueError as problem:
        raise InvalidInstance("(file)", f"is not JSON: {problem}") from None
    if not isinstance(data, dict) or set(data) != {"instance", "streets"}:
        raise InvalidInstance("(file)", "must be an object with instance and streets")
    if isinstance(data["instance"], dict):
        rows = {name: len(of) for name, of in data["instance"].items() if isinstance(of, list)}
        check_sizes(rows, limits)
    instance = decode(Instance, data["instance"], InvalidInstance, "instance")
    streets = decode(_Streets, {"streets": data["streets"]}, InvalidInstance).streets
    city = City(instance, streets)
    validate_city(city, limits)
    return city


def city_to_json(city: City) -> str:
    data = {"instance": encode(city.instance), "streets": [encode(street) for street in city.streets]}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def load_city(path: Path | str) -> City:
    return city_from_json(Path(path).read_bytes())
