"""What happens elsewhere and ends something here."""

from __future__ import annotations

from sqlalchemy import select

from linkage.core.events import PeopleMerged, PersonDied, effect, note_moved
from linkage.core.extensions import db
from linkage.organisations.models import Carer
from linkage.organisations.operations import end_employments


@effect(PersonDied, "organisations")
def end_the_employment(event: PersonDied) -> None:
    """Who has died works for nobody any more."""
    end_employments(event.person_id, event.on, by=event.by, now=event.now)


@effect(PeopleMerged, "organisations")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """Where the lost record is employed, the kept one is."""
    rows = db.session.scalars(select(Carer).where(Carer.person_id == event.lost_id).order_by(Carer.id)).all()
    for row in rows:
        row.person_id = event.kept_id
    note_moved(event.moved, rows)
    db.session.flush()
