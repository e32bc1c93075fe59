"""What the desk itself lets one do."""

from __future__ import annotations

from linkage.core.permissions import right

may_find = right(
    "desk.find",
    "look for somebody for a visit without anyone, and book or ask them",
    community="area",
    operator="area",
    coordinator="area",
)
