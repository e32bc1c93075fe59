"""Who answers requests of people for their data, and who looks after backups."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from linkage.core.permissions import ActiveGrant, Actor, right, scope, see
from linkage.people.models import Person
from linkage.people.scopes import registered_in
from linkage.upkeep.models import DataRequest

may_answer = right(
    "upkeep.data_requests",
    "give a person's data out as a file, erase a person, with a reason and a proof",
    administrator="registered",
)
may_run = right(
    "upkeep.run", "make backups, run the drill, take the audit checkpoints along", administrator="installation"
)
may_load_calendar = right(
    "upkeep.calendar", "load the working days of a year from its holiday notice", administrator="installation"
)
see(DataRequest, may_answer)


@scope(DataRequest, "registered")
def _about_people_there(actor: Actor, grant: ActiveGrant) -> ColumnElement[bool]:
    return DataRequest.subject_id.in_(select(Person.id).where(registered_in(actor, grant)))
