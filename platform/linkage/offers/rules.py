"""The clocks and numbers that offers read."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("offers.answer_minutes", 240, "product policy: four hours to answer")
declare("offers.urgent_hours", 24, "product policy: what begins within a day is asked of several at once")
declare("offers.at_once", 3, "DESIGN.md: after the deadline up to k eligible others are asked together")
declare("offers.fallback_minutes", 180, "product policy: the paid carer must know three hours before")
declare("offers.shown", 3, "DOMAIN.md: at most three offers are shown to a volunteer at a time")
declare("offers.reopen_minutes", 90, "product policy: given back later than this, staff rings people up")
