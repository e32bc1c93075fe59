"""Where roles hold, and which roles a person's records suggest: told by the rooms that know (上级房间登记).

An area is known here. Organisations and households are rows of higher rooms: those register how such a place is
found (`places_of`, `place_of`), and which roles with which place a person of theirs may be given (`suggestions_of`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from linkage.core.permissions import Actor, Role

# What kind of place each role holds in.
KIND_OF_ROLE: dict[Role, str] = {
    Role.COMMUNITY: "area",
    Role.OPERATOR: "area",
    Role.COORDINATOR: "area",
    Role.MANAGER: "organisation",
    Role.CARER: "organisation",
    Role.VOLUNTEER: "self",
    Role.HOUSEHOLD: "household",
    Role.SUPERVISOR: "area",
    Role.ADMINISTRATOR: "area",
}


@dataclass(frozen=True)
class Target:
    """A place in which a role is to hold.

    Attributes
    ----------
    kind : area, organisation, household or self
    id : the area's number, the organisation's or household's UUID; None for oneself
    name : what a page shows
    area_path : where it lies: who grants must hold an area around it
    """

    kind: str
    id: Any
    name: str
    area_path: str


Suggest = Callable[[uuid.UUID, date], Sequence[tuple[Role, Target]]]
Offer = Callable[[Actor], Sequence[Target]]
Find = Callable[[Any], Target | None]
_suggest: dict[str, Suggest] = {}
_offers: dict[str, Offer] = {}
_finds: dict[str, Find] = {}


def suggestions_of(room: str) -> Callable[[Suggest], Suggest]:
    """Decorator: ``f(person_id, on) -> [(role, target)]``: what a person is in this room on that day."""

    def register(suggest: Suggest) -> Suggest:
        _suggest[room] = suggest
        return suggest

    return register


def places_of(kind: str) -> Callable[[Offer], Offer]:
    """Decorator: ``f(actor) -> [target]``: the places of this kind that the actor may choose from."""

    def register(offer: Offer) -> Offer:
        _offers[kind] = offer
        return offer

    return register


def place_of(kind: str) -> Callable[[Find], Find]:
    """Decorator: ``f(id) -> target``: one place of this kind, where it lies today (of "self": by the person's id)."""

    def register(find: Find) -> Find:
        _finds[kind] = find
        return find

    return register


def suggested(person_id: uuid.UUID, on: date) -> list[tuple[Role, Target]]:
    """Every role that a person's records suggest, with its place."""
    return [entry for suggest in _suggest.values() for entry in suggest(person_id, on)]


def places(kind: str, actor: Actor) -> Sequence[Target]:
    """The places of a kind that the actor may choose from; none where no room has told."""
    return _offers[kind](actor) if kind in _offers else []


def find(kind: str, ident: Any) -> Target | None:
    """One place, where it lies today; None where there is none, or no room has told."""
    return _finds[kind](ident) if kind in _finds else None
