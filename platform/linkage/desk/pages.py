"""All routes of the desk."""

from __future__ import annotations

from linkage.desk import finding, home, posting, searching, todo
from linkage.desk.room import room

__all__ = ["finding", "home", "posting", "room", "searching", "todo"]
