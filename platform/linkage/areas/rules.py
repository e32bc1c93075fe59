"""What planning adds for a place whose position is only approximate."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("areas.approximate_allowance_minutes", 10, "product policy: travel allowance until the place is pinned")
