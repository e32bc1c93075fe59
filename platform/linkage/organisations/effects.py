"""What happens elsewhere and ends something here."""

from __future__ import annotations

from linkage.core.events import PersonDied, effect
from linkage.organisations.operations import end_employments


@effect(PersonDied, "organisations")
def end_the_employment(event: PersonDied) -> None:
    """Who has died works for nobody any more."""
    end_employments(event.person_id, event.on, by=event.by, now=event.now)
