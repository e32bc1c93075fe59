"""What happens elsewhere and changes something here."""

from __future__ import annotations

from sqlalchemy import select

from linkage.core.events import PeopleMerged, effect, note_moved
from linkage.core.extensions import db
from linkage.services.models import HeldQualification


@effect(PeopleMerged, "services")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """The lost record's qualifications are the kept one's."""
    held = select(HeldQualification).where(HeldQualification.person_id == event.lost_id)
    rows = db.session.scalars(held.order_by(HeldQualification.id)).all()
    for row in rows:
        row.person_id = event.kept_id
    note_moved(event.moved, rows)
    db.session.flush()
