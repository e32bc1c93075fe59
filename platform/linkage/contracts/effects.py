"""What happens elsewhere and changes something here."""

from __future__ import annotations

from sqlalchemy import select

from linkage.contracts.models import PersonMonth
from linkage.core.events import PeopleMerged, effect, note_moved
from linkage.core.extensions import db


@effect(PeopleMerged, "contracts")
def add_up_the_months_of_a_double(event: PeopleMerged) -> None:
    """What both records used of a line's monthly quota was used by one person.

    The ledger stays as it was written. Where the two together are above the quota, what is used is the quota.
    """
    rows = db.session.scalars(
        select(PersonMonth).where(PersonMonth.person_id == event.lost_id).order_by(PersonMonth.id).with_for_update()
    ).all()
    for row in rows:
        kept = db.session.scalars(
            select(PersonMonth)
            .where(
                PersonMonth.person_id == event.kept_id,
                PersonMonth.line_id == row.line_id,
                PersonMonth.month == row.month,
            )
            .with_for_update()
        ).one_or_none()
        if kept is None:
            row.person_id = event.kept_id
            continue
        used = kept.used + row.used
        kept.quota = None if kept.quota is None else max(kept.quota, used)
        kept.used, row.used = used, 0
    note_moved(event.moved, rows)
    db.session.flush()
