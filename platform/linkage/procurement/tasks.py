"""What tenders ask of their buyer: what is due, the next first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.permissions import Role, scoped
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, from_list, task
from linkage.procurement import clocks
from linkage.procurement.clocks import Duty
from linkage.procurement.models import Tender
from linkage.procurement.states import state_of

SOON_DAYS = 7


@task(
    "procurement.due",
    _l("Due in tenders"),
    urgency=Urgency.SOON,
    icon="megaphone-fill",
    roles=(Role.COORDINATOR, Role.SUPERVISOR),
)
def due(reader: Reader) -> Found:
    """What the buyer has to do in running tenders within a week, the next first."""
    found = [
        (tender, duty)
        for tender, duty in clocks.running_duties(scoped(reader.actor, "procurement.prepare", Tender), reader.now)
        if duty.who == clocks.BUYER and not duty.waits and (duty.due.day - reader.today).days <= SOON_DAYS
    ]
    return from_list(found, lambda part: _rows(reader, part))


def _rows(reader: Reader, part: Sequence[tuple[Tender, Duty]]) -> Iterable[Row]:
    for tender, duty in part:
        url = url_for("procurement.page", tender_id=tender.id)
        yield Row(
            who=tender.title,
            who_note=tender.number,
            what=duty.words,
            why=_("The date is provisional: that year's table of working days is not loaded.")
            if duty.due.provisional
            else None,
            look=("tender", state_of(tender, reader.now)),
            deadline=duty.moment or duty.due.day,
            action=Action(_("Open"), url),
            url=url,
        )
