"""Who brings in files, and whose uploads one sees: only one's own."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.core.permissions import ActiveGrant, Actor, holds, right, scope, see
from linkage.imports.kinds import KINDS, Kind
from linkage.imports.models import Upload
from linkage.imports.records import carers, lines, shifts, volunteers
from linkage.imports.roster.kind import may_import as may_import_roster

may_see = right(
    "imports.see",
    "see and finish one's own uploads",
    community="own",
    operator="own",
    coordinator="own",
    manager="own",
    supervisor="own",
    administrator="own",
)
see(Upload, may_see)

__all__ = ["carers", "kinds_of", "lines", "may_import_roster", "may_see", "shifts", "volunteers"]


def kinds_of(actor: Actor) -> list[Kind]:
    """The kinds of files that the actor may bring in somewhere."""
    return [kind for kind in KINDS.values() if holds(actor, kind.right)]


@scope(Upload, "own")
def _own(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Upload.created_by == actor.user_id
