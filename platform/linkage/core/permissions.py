"""Rights, scopes and the actor. Default deny; every right stands in one table (`flask --app app rights`).

A *right* names an operation and says, per role, which *scope* it has there ("area", "organisation", "self",
"household", "assigned", "covered", "all"; "installation": all, but only for who has the root of the area tree).
A *scope condition* says in SQL which rows of a model lie in that scope of a grant. `scoped` (all rows) and `may`
(this row) both read that one condition, so a list and a button can never disagree.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, final

from sqlalchemy import ColumnElement, Select, false, or_, select, true

from linkage.core.errors import NotAllowed, NotFound
from linkage.core.extensions import db

M = TypeVar("M")


class Role(StrEnum):
    """The roles of DOMAIN.md section 1."""

    COMMUNITY = "community"
    OPERATOR = "operator"
    COORDINATOR = "coordinator"
    MANAGER = "manager"
    CARER = "carer"
    VOLUNTEER = "volunteer"
    HOUSEHOLD = "household"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class ActiveGrant:
    """A role that holds at the moment, and where: an area (by its path of ids), an organisation or a household."""

    role: Role
    area_id: int | None = None
    area_path: str = ""
    organisation_id: uuid.UUID | None = None
    household_id: uuid.UUID | None = None

    @property
    def is_of_the_root(self) -> bool:
        """It holds in the root of the area tree, so in the whole installation."""
        return bool(self.area_path.strip("/")) and "/" not in self.area_path.strip("/")


@final
@dataclass(frozen=True)
class Actor:
    """Who acts, with which grants, at which moment."""

    user_id: uuid.UUID
    person_id: uuid.UUID
    grants: tuple[ActiveGrant, ...]
    at: datetime

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)


@dataclass(frozen=True)
class Right:
    """One row of the rights table: operation, what it lets one do, and role → scope."""

    name: str
    meaning: str
    scopes: Mapping[Role, str] = field(default_factory=dict)


EVERYTHING = ("all", "installation")  # scopes that need no condition of a model
Condition = Callable[[Actor, ActiveGrant], ColumnElement[bool]]
_rights: dict[str, Right] = {}
_conditions: dict[tuple[type, str], Condition] = {}
_see: dict[type, str] = {}


def right(name: str, meaning: str, **scopes: str) -> str:
    """Declare a right: ``right("needs.post", "post a need", community="area", operator="area")``; returns its name."""
    _rights[name] = Right(name, meaning, {Role(role): scope for role, scope in scopes.items()})
    return name


def scope(model: type, kind: str) -> Callable[[Condition], Condition]:
    """Decorator: which rows of `model` lie in the scope `kind` of a grant, as a SQL condition."""

    def register(condition: Condition) -> Condition:
        _conditions[model, kind] = condition
        return condition

    return register


def see(model: type, name: str) -> None:
    """Seeing a row of `model` needs the right `name`: without it the row looks absent."""
    _see[model] = name


def see_right(model: type) -> str:
    return _see[model]


def rights() -> list[Right]:
    return [_rights[name] for name in sorted(_rights)]


def get_right(name: str) -> Right:
    return _rights[name]


def models_with_scope() -> dict[type, str]:
    """Each guarded model with the right that seeing it needs."""
    return dict(_see)


def scope_of(grant: ActiveGrant, name: str) -> str | None:
    """The scope in which a grant has the right; None where it has not."""
    kind = _rights[name].scopes.get(grant.role)
    return None if kind == "installation" and not grant.is_of_the_root else kind


def holds(actor: Actor, name: str) -> bool:
    """The actor has the right somewhere (enough for a page that lists what lies in scope)."""
    return any(scope_of(grant, name) is not None for grant in actor.grants)


def condition(actor: Actor, name: str, model: type) -> ColumnElement[bool]:
    """SQL: the rows of `model` on which the actor has the right `name`."""
    granted = []
    for grant in actor.grants:
        kind = scope_of(grant, name)
        if kind in EVERYTHING:
            return true()
        if kind is not None:
            granted.append(_conditions[model, kind](actor, grant))
    return or_(*granted) if granted else false()


def scoped(actor: Actor, name: str, model: type[M]) -> Select[M]:
    """Select the rows of `model` on which the actor has the right `name`: where every list begins."""
    return select(model).where(condition(actor, name, model))


def visible_rows(actor: Actor, model: type[M]) -> Select[M]:
    """Select the rows of `model` that the actor may see."""
    return scoped(actor, _see[model], model)


def may(actor: Actor, name: str, subject: Any) -> bool:
    """The actor has the right `name` on this row (asked of the database, by the scope's one condition)."""
    model = type(subject)
    found = select(model.id).where(model.id == subject.id, condition(actor, name, model))
    return db.session.execute(found).first() is not None


def demand(actor: Actor, name: str, subject: Any) -> None:
    """Raise NotFound where the subject may not be seen, NotAllowed where it may be seen but not this."""
    seeing = _see.get(type(subject))
    if seeing is not None and not may(actor, seeing, subject):
        raise NotFound("")
    if not may(actor, name, subject):
        raise NotAllowed("", remedy=name)


def who_can(name: str) -> list[Role]:
    """The roles that have the right: what a refusal tells."""
    return list(_rights[name].scopes)


def uncovered() -> list[str]:
    """Rights that name a scope for which some model with that right's room has no condition (a test wants none)."""
    by_room: dict[str, set[type]] = defaultdict(set)
    for model, name in _see.items():
        by_room[name.split(".")[0]].add(model)
    return [
        f"{entry.name}: {role} has scope {kind}, but {model.__name__} has no condition for it"
        for entry in rights()
        for role, kind in entry.scopes.items()
        if kind not in EVERYTHING
        for model in by_room[entry.name.split(".")[0]]
        if (model, kind) not in _conditions and _see[model] == entry.name
    ]
