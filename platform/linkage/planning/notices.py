"""How messages of planning read."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from linkage.core.outbox import Rendered, notice
from linkage.visits.notices import Params, span, thing


@notice(
    "planning.urgent",
    many=lambda number: ngettext(
        "%(num)d urgent visit has nobody; repair the plan.",
        "%(num)d urgent visits have nobody; repair the plan.",
        number,
    ),
)
def _urgent(params: Params) -> Rendered:
    """To the coordinator: what was just asked for cannot wait for the next plan."""
    text = _("Urgent, and nobody yet: %(number)s, %(when)s. Repair the plan.", number=thing(params), when=span(params))
    return Rendered(text, f"/plans/street/{params['area_id']}")
