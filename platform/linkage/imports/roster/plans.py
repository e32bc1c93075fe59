"""What a group of a roster means: a household with its members and needs, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from linkage.areas.models import Area
from linkage.core.permissions import Actor
from linkage.households.drafts import ConsentDraft, TagDraft
from linkage.households.models import Household, Member
from linkage.needs.models import Need
from linkage.needs.operations import NeedRequest
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.services.models import Service


@dataclass
class MemberPlan:
    """A person of the file. `rows`: the places of their rows; `given`: the fields that the file states."""

    draft: PersonDraft
    relation: str
    rows: list[int]
    given: set[str]
    member: Member | None = None
    person: Person | None = None


@dataclass
class NeedPlan:
    """A need of the file, whose it is (a place among the members) and the row it stands in."""

    member: int
    service: Service
    facts: dict[str, Any]
    row: int
    given: set[str]
    request: NeedRequest | None = None
    need: Need | None = None


@dataclass
class RosterPlan:
    """`facts`: care_level, health, hazard, door_note, address, as far as the file states them.

    `only_needs`: the file is of needs; its households and people must be registered.
    """

    area: Area
    number: str | None
    facts: dict[str, str]
    members: list[MemberPlan] = field(default_factory=list)
    needs: list[NeedPlan] = field(default_factory=list)
    tags: list[TagDraft] = field(default_factory=list)
    consents: list[ConsentDraft] = field(default_factory=list)
    household: Household | None = None
    actor: Actor | None = None
    rows: dict[str, int] = field(default_factory=dict)
    only_needs: bool = False
