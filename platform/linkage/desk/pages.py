"""All routes of the desk."""

from __future__ import annotations

from linkage.desk import board, finding, home, mapping, posting, purchasing, searching, todo
from linkage.desk.room import room

__all__ = ["board", "finding", "home", "mapping", "posting", "purchasing", "room", "searching", "todo"]
