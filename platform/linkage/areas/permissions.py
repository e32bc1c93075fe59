"""Who sees and changes areas."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.areas.models import Area
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see

may_see = right(
    "areas.see",
    "see areas of the tree",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
may_change = right("areas.change", "rename an area, add one below it, set its centre", administrator="area")
see(Area, may_see)


@scope(Area, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return Area.path.startswith(grant.area_path or "-", autoescape=True)
