"""The thresholds that needs read."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("needs.ahead_days", 366, "product policy: a need begins at most a year ahead")
declare("needs.longest_minutes", 480, "product policy: one visit lasts at most a working day")
declare("needs.flexible_days", 7, "product policy: a one-off need may lie on any of at most a week's days")
declare("needs.vital_services", ["meal", "nursing"], "product policy: what a person cannot go a day without")
