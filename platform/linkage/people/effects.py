"""What happens elsewhere and changes something here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from linkage.core.events import PeopleMerged, effect, note_moved
from linkage.core.extensions import db
from linkage.people.models import WorkException, WorkPattern


@effect(PeopleMerged, "people")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """The lost record's working week and absences are the kept one's."""
    models: tuple[Any, ...] = (WorkPattern, WorkException)
    for model in models:
        rows = db.session.scalars(select(model).where(model.person_id == event.lost_id).order_by(model.id)).all()
        for row in rows:
            row.person_id = event.kept_id
        note_moved(event.moved, rows)
    db.session.flush()
