"""What must be done over several rooms, every minute and every night; and the door to all of it, `run_due`."""

from __future__ import annotations

from linkage.core.periodic import run_due

__all__ = ["run_due"]
