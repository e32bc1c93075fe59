"""All routes of the desk."""

from __future__ import annotations

from linkage.desk import home, posting
from linkage.desk.room import room

__all__ = ["home", "posting", "room"]
