"""Which people lie in whose scope: each room above says it of its own people, and asks here for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import ColumnElement, false, or_, select

from linkage.core.extensions import db
from linkage.core.permissions import ActiveGrant, Actor, Condition, Role
from linkage.people.models import Person

EVERYWHERE = ActiveGrant(Role.ADMINISTRATOR, area_path="/")  # whoever lies in any area at all
_parts: dict[str, list[Condition]] = defaultdict(list)
_registered: dict[str, list[Condition]] = defaultdict(list)


def people_in(kind: str, registered: Condition | None = None) -> Callable[[Condition], Condition]:
    """Decorator for the rooms above: these people, too, lie in the scope `kind` of a grant.

    ``@people_in("area") def _(actor, grant): return Person.id.in_(select(Member.person_id).where(…))``
    `registered`: those of them whom that scope itself entered, without who was only linked (see `is_strange`).
    """

    def register(condition: Condition) -> Condition:
        if condition not in _parts[kind]:
            _parts[kind].append(condition)
            _registered[kind].append(registered or condition)
        return condition

    return register


def registered_in(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """SQL: the people whose telephone and ID number are the grant's own to open: no one who was only linked."""
    kind = "organisation" if grant.organisation_id else "area"
    return or_(false(), *(part(actor, grant) for part in _registered[kind]))


def is_own(person: Person, by: Actor) -> bool:
    """A register of `by`'s own area or organisation entered this person: seeing somebody who was linked is not it."""
    mine = or_(false(), *(registered_in(by, grant) for grant in by.grants))
    return db.session.execute(select(Person.id).where(Person.id == person.id, mine)).first() is not None


def is_strange(person: Person, by: Actor) -> bool:
    """Somebody else registered this person, and no register of `by`'s own did (see `is_own`).

    Then whoever shows ID number and name may add a role to them (one human being is one Person), but what others
    wrote of them is not `by`'s to read or to change: the new row is marked `linked`, and so is every later one that
    `by` adds on the strength of the first.
    """
    if is_own(person, by):
        return False
    anywhere = or_(false(), *(part(by, EVERYWHERE) for part in _parts["area"]))
    return db.session.execute(select(Person.id).where(Person.id == person.id, anywhere)).first() is not None


def lying_in(kind: str, actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    """SQL: the people who lie in the scope `kind` of a grant, as every room says it."""
    return or_(false(), *(part(actor, grant) for part in _parts[kind]))
