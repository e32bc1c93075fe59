"""Who sees people. What "in my area" means of a person, each room above says of its own people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import ColumnElement, false, or_

from linkage.core.permissions import ActiveGrant, Actor, Condition, right, scope, see
from linkage.people.models import Person

may_see = right(
    "people.see",
    "see that a person is known (names masked above the community)",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
    carer="self",
    volunteer="self",
    household="household",
)
may_reveal = right(
    "people.reveal",
    "open a person's telephone or ID number with a reason",
    community="area",
    operator="area",
    coordinator="area",
    administrator="area",
    manager="organisation",
    carer="self",
    volunteer="self",
    household="household",
)
see(Person, may_see)

_parts: dict[str, list[Condition]] = defaultdict(list)


def people_in(kind: str) -> Callable[[Condition], Condition]:
    """Decorator for the rooms above: these people, too, lie in the scope `kind` of a grant.

    ``@people_in("area") def _(actor, grant): return Person.id.in_(select(Member.person_id).where(…))``
    """

    def register(condition: Condition) -> Condition:
        if condition not in _parts[kind]:
            _parts[kind].append(condition)
        return condition

    return register


def _joined(kind: str) -> None:
    @scope(Person, kind)
    def _any(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
        return or_(false(), *(part(actor, grant) for part in _parts[kind]))


for _kind in ("area", "organisation", "household", "self"):
    _joined(_kind)


@people_in("self")
def _oneself(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Person.id == actor.person_id
