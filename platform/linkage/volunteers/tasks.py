"""What the register of volunteers asks of its staff: insurance that ends or lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.permissions import Role, holds
from linkage.core.tasks import (
    WARN_DAYS,
    Action,
    Found,
    Reader,
    Row,
    Urgency,
    dated_from_select,
    from_select,
    task,
)
from linkage.people.models import Person
from linkage.volunteers import queries
from linkage.volunteers.models import Volunteer

STAFF = (Role.COMMUNITY, Role.COORDINATOR)
PAST = timedelta(days=90)


@task(
    "volunteers.insurance",
    _l("Insurance of volunteers that ends"),
    urgency=Urgency.SOON,
    icon="shield-exclamation",
    roles=STAFF,
    dated=True,
)
def insurance(reader: Reader) -> Found:
    """Active volunteers whose insurance ends within 90 days, or ended within the last 90."""
    last = reader.today + timedelta(days=WARN_DAYS[0])
    wanted = queries.find(reader.actor, reader.today).where(Volunteer.insured_to.between(reader.today - PAST, last))
    return dated_from_select(wanted, Volunteer.insured_to, lambda rows: _rows(reader, rows))


@task(
    "volunteers.uninsured",
    _l("Volunteers who were never insured"),
    urgency=Urgency.SOON,
    icon="shield-x",
    roles=STAFF,
    bulk=True,
)
def uninsured(reader: Reader) -> Found:
    wanted = queries.find(reader.actor, reader.today).where(Volunteer.insured_to.is_(None))
    return from_select(wanted.order_by(Person.name_keys, Volunteer.id), lambda rows: _rows(reader, rows))


def _rows(reader: Reader, rows: Sequence[Volunteer]) -> Iterable[Row]:
    may = holds(reader.actor, "volunteers.change")
    for row in rows:
        page = url_for("volunteers.page", volunteer_id=row.id)
        change: Any = url_for("volunteers.edit", volunteer_id=row.id)
        yield Row(
            who=row.person.name,
            who_note=row.area.name,
            what=_("Insurance of a volunteer"),
            why=_("Without it nothing with a raised risk is planned for them."),
            look=("paper", _look(row, reader)),
            deadline=row.insured_to,
            action=Action(_("Enter the insurance"), change, "pencil") if may else Action(_("See"), page, "eye"),
            url=page,
        )


def _look(row: Volunteer, reader: Reader) -> str:
    if row.insured_to is None:
        return "missing"
    return "expired" if row.insured_to < reader.today else "expiring"
