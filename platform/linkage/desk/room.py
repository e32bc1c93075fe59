"""The desk's blueprint; its routes stand in the modules that `pages` names."""

from __future__ import annotations

from linkage.core.web import Room

room = Room("desk", __name__, template_folder="templates")
