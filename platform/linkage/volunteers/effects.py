"""What happens elsewhere and ends something here."""

from __future__ import annotations

from linkage.core.events import PersonDied, effect
from linkage.volunteers.operations import end_by_death


@effect(PersonDied, "volunteers")
def end_the_volunteering(event: PersonDied) -> None:
    """Who has died is asked for nothing any more."""
    end_by_death(event.person_id, by=event.by, now=event.now)
