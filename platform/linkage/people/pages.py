"""The room's templates (macros that the rooms above use); it has no page of its own."""

from __future__ import annotations

from linkage.core.web import Room

room = Room("people", __name__, url_prefix="/people", template_folder="templates")
