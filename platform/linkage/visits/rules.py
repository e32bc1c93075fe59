"""The clocks and thresholds that visits read."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("visits.ahead_days", 28, "DESIGN.md: visits are made four weeks ahead")
declare("visits.late_minutes", 15, "folk-care PR 1016: not checked in after 15 minutes: the person is reminded")
declare("visits.alarm_minutes", 30, "folk-care PR 1016: after 30 minutes the area's staff is told")
declare("visits.missed_minutes", 60, "folk-care PR 1016: after 60 minutes the visit counts as missed")
declare("visits.early_minutes", 60, "product policy: check-in opens an hour before the visit")
declare("visits.open_after_minutes", 120, "DOMAIN.md section 6: name, address and door notes until 2 h after the end")
declare("visits.wrong_codes", 5, "product policy: after five wrong codes only the call desk can check in")
declare("visits.paid_fixed_hours", 24, "DESIGN.md: a paid booking may move until 24 h before")
declare("visits.confirm_days", 3, "product policy: a visit is confirmed with the household within three days")
