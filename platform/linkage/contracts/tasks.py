"""What contracts ask of their buyer: a line of which nearly nothing is left this month (the task at 95 %)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.contracts.capacity import month_days, month_of
from linkage.contracts.models import Contract
from linkage.contracts.queries import LineView, find_lines, line_views
from linkage.contracts.words import quantity
from linkage.core.extensions import db
from linkage.core.permissions import Role, condition
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, from_list, task
from linkage.services.words import listed, named

URGENT = ("used_up", "critical")


@task(
    "contracts.nearly_used",
    _l("Contract lines nearly used up"),
    urgency=Urgency.NOW,
    icon="exclamation-octagon-fill",
    roles=(Role.COORDINATOR, Role.SUPERVISOR),
)
def nearly_used(reader: Reader) -> Found:
    """Lines of contracts that one's own area has bought, from 95 % of this month's cap on; the fullest first."""
    month = month_of(reader.today)
    bought = select(Contract.id).where(condition(reader.actor, "contracts.change", Contract))
    mine = set(db.session.scalars(bought))
    lines = [line for line in find_lines(reader.actor, month) if line.contract_id in mine]
    views = [view for view in line_views(lines, month, reader.today) if view.state in URGENT]
    views.sort(key=lambda view: (-view.percent, str(view.line.id)))
    return from_list(views, lambda part: _rows(reader, part))


def _rows(reader: Reader, part: Sequence[LineView]) -> Iterable[Row]:
    last = month_days(month_of(reader.today))[1]
    for view in part:
        left = quantity(max(0, view.capacity.left), view.line.unit)
        yield Row(
            who=view.line.contract.organisation.short_name,
            who_note=view.line.contract.number,
            what=listed(named(service) for service in view.services),
            why=_("%(percent)d %% of this month's cap is used; %(left)s left.", percent=view.percent, left=left),
            look=("line", view.state),
            deadline=last,
            action=Action(_("Raise the cap"), url_for("contracts.edit_line", line_id=view.line.id), "arrow-up-circle"),
            url=url_for("contracts.page", contract_id=view.line.contract_id),
        )
