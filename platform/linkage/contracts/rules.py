"""From which share of a month's cap a line is marked (DOMAIN.md section 4)."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("contracts.warn_percent", 80, "DOMAIN.md section 4: warn at 80 %")
declare("contracts.task_percent", 95, "DOMAIN.md section 4: the buyer's task at 95 %")
