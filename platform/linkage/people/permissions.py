"""Who sees people. What "in my area" means of a person, each room above says of its own people (`scopes`)."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.people.models import Person
from linkage.people.scopes import lying_in, registered_in

may_see = right(
    "people.see",
    "see that a person is known (names masked above the community)",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
    manager="organisation",
)
see(Person, may_see)


def _joined(kind: str) -> None:
    @scope(Person, kind)
    def _any(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
        return lying_in(kind, actor, grant)


for _kind in ("area", "organisation"):
    _joined(_kind)


@scope(Person, "registered")
def _registered(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return registered_in(actor, grant)
