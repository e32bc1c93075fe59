"""Who is shown the names and doors of households in full: what lists, pages and the search all ask."""

from __future__ import annotations

from linkage.core.permissions import Actor, Role

# Roles that work with the household itself see its names in full; those above see 张**.
FULL_NAMES = (Role.COMMUNITY, Role.OPERATOR, Role.HOUSEHOLD, Role.CARER)
ABOVE = (Role.COORDINATOR, Role.SUPERVISOR, Role.MANAGER, Role.ADMINISTRATOR)


def names_in_full(actor: Actor) -> bool:
    """Names, doors and hazards of the households that `actor` sees are shown in full.

    Somebody's own home or own visits open nothing of the wide area that a role above sees.
    """
    return actor.has(Role.COMMUNITY, Role.OPERATOR) or (actor.has(*FULL_NAMES) and not actor.has(*ABOVE))
