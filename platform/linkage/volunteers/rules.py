"""Ages that matter for volunteering."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("volunteers.adult_years", 18, "志愿服务条例: a minor needs a guardian's consent")
declare("volunteers.youngest_years", 8, "民法典 19, 20: under 8 nobody acts for themselves")
