"""What the staff of organisations asks of their managers: qualifications that end (90, 60, 30 and 7 days ahead)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.permissions import Role, holds
from linkage.core.tasks import WARN_DAYS, Action, Found, Reader, Row, Urgency, dated_from_select, task
from linkage.organisations import queries
from linkage.organisations.models import Carer
from linkage.services.models import HeldQualification
from linkage.services.queries import qualification_names
from linkage.services.words import named


@task(
    "organisations.papers",
    _l("Qualifications that end"),
    urgency=Urgency.SOON,
    icon="patch-exclamation-fill",
    roles=(Role.MANAGER, Role.COORDINATOR),
    dated=True,
)
def papers(reader: Reader) -> Found:
    """Qualifications of carers at work that end, or ended lately, and that nothing later replaces."""
    working = queries.find_carers(reader.actor, reader.today).with_only_columns(Carer.person_id)
    wanted = select(HeldQualification).where(
        HeldQualification.person_id.in_(working), queries.ending(reader.today, WARN_DAYS[0])
    )
    return dated_from_select(wanted, HeldQualification.valid_to, lambda rows: _rows(reader, rows))


def _rows(reader: Reader, rows: Sequence[HeldQualification]) -> Iterable[Row]:
    names, may = qualification_names(), holds(reader.actor, "organisations.employ")
    people = [row.person_id for row in rows]
    found = queries.find_carers(reader.actor, reader.today).where(Carer.person_id.in_(people))
    carers = {carer.person_id: carer for carer in db.session.scalars(found)}
    for row in rows:
        carer, over = carers[row.person_id], row.valid_to is not None and row.valid_to < reader.today
        page = url_for("carers.page", carer_id=carer.id)
        yield Row(
            who=carer.person.name,
            who_note=carer.organisation.short_name,
            what=named(names[row.code]) if row.code in names else row.code,
            why=_("Nothing that needs it is planned for them any more.")
            if over
            else _("Afterwards nothing that needs it is planned for them."),
            look=("paper", "expired" if over else "expiring"),
            deadline=row.valid_to,
            action=Action(_("Enter the new one"), page, "pencil") if may else Action(_("See the papers"), page, "eye"),
            url=page,
        )
