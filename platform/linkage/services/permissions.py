"""Everybody who signs in reads the catalogue; an administrator of the whole installation changes it."""

from __future__ import annotations

from linkage.core.permissions import Role, right, see
from linkage.services.models import Service

may_see = right("services.see", "see the service catalogue", **{role.value: "all" for role in Role})
may_change = right(
    "services.change", "change the service catalogue and the list of qualifications", administrator="installation"
)
see(Service, may_see)
