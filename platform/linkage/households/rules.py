"""The clocks that households read."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare(
    "households.visit_days",
    {"high": 7, "key": 30, "general": 91},
    "DOMAIN.md 2: staff look in weekly at high risk, monthly at key, quarterly at general households",
)
declare("households.visit_after_change_hours", 24, "DOMAIN.md 2: high risk is seen within 24 hours of a change")
declare(
    "households.class_of_level",
    {"intact": "general", "mild": "general", "moderate": "key", "severe": "high", "total": "high"},
    "DOMAIN.md 2, product policy: which ability level (GB/T 42195) makes which class of visits",
)
declare(
    "households.class_of_tags",
    {"high": [], "key": ["destitute", "severe_disability", "living_alone", "orphan", "child_in_need"]},
    "DOMAIN.md 2, product policy: monthly visits to those in special difficulty",
)
declare("households.assess_again_days", 365, "GB/T 42195: an ability assessment is repeated every year")
declare("households.paper_days", 30, "product policy: a missing paper is due within a month")
declare("households.taper_days", 183, "DOMAIN.md 2: support goes on for up to 6 months after eligibility ends")
declare("households.warn_days", [90, 60, 30, 7], "issue 5: what expires is told 90, 60, 30 and 7 days before")
