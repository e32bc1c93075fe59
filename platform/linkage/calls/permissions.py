"""Who sees calls and writes them down."""

from __future__ import annotations

from linkage.core.permissions import right

may_see = right("calls.see", "see who called about a household", community="area", operator="area", coordinator="area")
may_record = right("calls.record", "write down a call, return it, tell an outcome", community="area", operator="area")
