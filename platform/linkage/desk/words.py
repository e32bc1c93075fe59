"""How states of visits look (keys of `core/look.py`), and whose name is shown in full."""

from __future__ import annotations

from linkage.core.permissions import Actor
from linkage.households.about import about, shown_name
from linkage.households.permissions import names_in_full
from linkage.visits.tasks import service_of
from linkage.visits.words import LOOKS


def full(actor: Actor) -> bool:
    """Whether names and addresses are shown in full: to the household's own staff and the operator."""
    return names_in_full(actor)


__all__ = ["LOOKS", "about", "full", "service_of", "shown_name"]
