"""Who sees, posts, changes and withdraws needs."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.needs.models import Need

may_see = right(
    "needs.see",
    "see a need",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    household="household",
    manager="covered",
    carer="assigned",
    volunteer="assigned",
)
may_post = right(
    "needs.post",
    "post a need for a household",
    community="area",
    operator="area",
    coordinator="area",
    household="household",
)
may_change = right("needs.change", "change a need", community="area", operator="area", coordinator="area")
may_withdraw = right(
    "needs.withdraw",
    "withdraw a need and cancel its visits",
    community="area",
    operator="area",
    coordinator="area",
    household="household",
)
see(Need, may_see)


@scope(Need, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(Need.area_id, grant.area_path)


@scope(Need, "household")
def _own(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Need.household_id == grant.household_id
