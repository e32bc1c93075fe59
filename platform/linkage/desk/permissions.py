"""What the desk itself lets one do."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.areas.queries import lies_under
from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.desk.models import CoverageCertificate

may_find = right(
    "desk.find",
    "look for somebody for a visit without anyone, and book or ask them",
    community="area",
    operator="area",
    coordinator="area",
)
may_see_coverage = right(
    "desk.coverage",
    "see in which bucket each household of an area is, month by month",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
)
may_certify = right(
    "desk.certify", "issue the month's certificate that no household was missed", community="area", supervisor="area"
)
see(CoverageCertificate, may_see_coverage)


@scope(CoverageCertificate, "area")
def _in_area(_actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return lies_under(CoverageCertificate.area_id, grant.area_path)


may_see_map = right(
    "desk.map",
    "see the homes of one's area on a map (to a hundred metres above the community)",
    community="area",
    operator="area",
    coordinator="area",
    supervisor="area",
)
