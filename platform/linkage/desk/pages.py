"""All routes of the desk."""

from __future__ import annotations

from linkage.desk import home
from linkage.desk.room import room

__all__ = ["home", "room"]
