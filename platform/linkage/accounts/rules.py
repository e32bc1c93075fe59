"""Clocks and limits of accounts."""

from __future__ import annotations

from linkage.core.rulesets import declare

declare("accounts.session_days", 30, "product policy")
declare("accounts.view_as_minutes", 15, "product policy")
declare("accounts.invitation_days", 7, "product policy")
declare("accounts.free_attempts_per_name", 5, "product policy: as many wrong passwords cost nothing")
declare("accounts.free_attempts_per_address", 30, "product policy: an office shares one address")
declare("accounts.longest_wait_seconds", 900, "product policy")
declare("accounts.attempts_window_hours", 24, "product policy")
