"""Where a ledger entry leads: the room of visits, above, says which of its pages the reader may open."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping

from linkage.core.permissions import Actor

Lead = Callable[[Actor, Collection[uuid.UUID]], Mapping[uuid.UUID, str]]
_leads: list[Lead] = []


def visit_pages(lead: Lead) -> Lead:
    """Decorator: ``f(actor, visit_ids) -> {visit_id: address}`` of those that the actor may open."""
    _leads[:] = [lead]
    return lead


def addresses(actor: Actor, visit_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The addresses of these visits; those that the actor may not open are left out."""
    return _leads[0](actor, visit_ids) if _leads and visit_ids else {}
