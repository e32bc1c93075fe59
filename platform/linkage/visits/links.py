"""Where the ledger of contracts leads: to the visit's page, for who may see the visit."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from flask import url_for

from linkage.contracts.links import visit_pages
from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.visits.models import Visit


@visit_pages
def pages_of(actor: Actor, visit_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    wanted = visible_rows(actor, Visit).with_only_columns(Visit.id).where(Visit.id.in_(visit_ids))
    return {visit_id: url_for("visits.page", visit_id=visit_id) for visit_id in db.session.scalars(wanted)}
