"""What the importer reads of the rules."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("imports.keep_days", 14, "product policy: an upload that nobody finished is deleted after two weeks")
declare("imports.undo_hours", 24, "product policy: what a file brought in can be taken back for a day")
