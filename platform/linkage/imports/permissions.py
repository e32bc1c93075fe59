"""Who brings in files, and whose uploads one sees: only one's own."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.imports.models import Upload
from linkage.imports.roster.kind import may_import as may_import_roster

may_see = right("imports.see", "see and finish one's own uploads", community="own", operator="own")
see(Upload, may_see)

__all__ = ["may_import_roster", "may_see"]


@scope(Upload, "own")
def _own(actor: Actor, _grant: ActiveGrant) -> ColumnElement[bool]:
    return Upload.created_by == actor.user_id
