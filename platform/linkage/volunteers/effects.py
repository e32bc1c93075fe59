"""What happens elsewhere and ends something here."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core.errors import Conflict
from linkage.core.events import PeopleMerged, PersonDied, effect, note_moved
from linkage.core.extensions import db
from linkage.volunteers.models import Volunteer
from linkage.volunteers.operations import end_by_death


@effect(PersonDied, "volunteers")
def end_the_volunteering(event: PersonDied) -> None:
    """Who has died is asked for nothing any more."""
    end_by_death(event.person_id, by=event.by, now=event.now)


@effect(PeopleMerged, "volunteers")
def take_over_from_a_double(event: PeopleMerged) -> None:
    """The lost record's volunteering is the kept one's.  Raises Conflict where both are volunteers."""
    lost = db.session.scalars(select(Volunteer).where(Volunteer.person_id == event.lost_id)).one_or_none()
    if lost is None:
        return
    if db.session.scalars(select(Volunteer.id).where(Volunteer.person_id == event.kept_id)).first() is not None:
        raise Conflict(
            _l("Both records are registered as volunteers, with two public numbers."),
            remedy=_l("Let one of the two leave and have its hours corrected first."),
        )
    lost.person_id = event.kept_id
    lost.row_version += 1
    note_moved(event.moved, [lost])
    db.session.flush()
