"""How messages about offers read. Before acceptance they name the time and nothing that leads to a home."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from linkage.core.formats import format_datetime, format_span
from linkage.core.outbox import Rendered, notice
from linkage.visits.notices import thing, visit_url

Params = Mapping[str, Any]


def _span(params: Params) -> str:
    return format_span(datetime.fromisoformat(params["starts_at"]), datetime.fromisoformat(params["ends_at"]))


@notice(
    "offers.asked",
    many=lambda number: ngettext("You were asked %(num)d time.", "You were asked %(num)d times.", number),
)
def _asked(params: Params) -> Rendered:
    by = format_datetime(datetime.fromisoformat(params["answer_by"]))
    text = _("Could you come on %(when)s? Please answer by %(by)s.", when=_span(params), by=by)
    return Rendered(text, f"/offers/{params['offer_id']}")


@notice(
    "offers.taken",
    many=lambda number: ngettext(
        "Somebody else is coming to %(num)d visit you were asked about.",
        "Somebody else is coming to %(num)d visits you were asked about.",
        number,
    ),
)
def _taken(params: Params) -> Rendered:
    return Rendered(_("Somebody else is coming on %(when)s. Thank you for being asked!", when=_span(params)))


@notice("offers.withdrawn")
def _withdrawn(params: Params) -> Rendered:
    return Rendered(_("You are no longer asked to come on %(when)s. Thank you all the same!", when=_span(params)))


@notice(
    "offers.somebody_comes",
    many=lambda number: ngettext("Somebody comes to %(num)d visit.", "Somebody comes to %(num)d visits.", number),
    replaces=("offers.nobody", "visits.dropped"),
)
def _somebody_comes(params: Params) -> Rendered:
    text = _("Somebody comes for %(number)s on %(when)s.", number=thing(params), when=_span(params))
    return Rendered(text, visit_url(params))


@notice("offers.you_go")
def _you_go(params: Params) -> Rendered:
    text = _("You go on %(when)s (%(number)s): no volunteer was free.", when=_span(params), number=params["number"])
    return Rendered(text, f"/me/visits/{params['assignment_id']}")


@notice(
    "offers.nobody",
    many=lambda number: ngettext(
        "Nobody could come to %(num)d visit; please look.", "Nobody could come to %(num)d visits; please look.", number
    ),
)
def _nobody(params: Params) -> Rendered:
    text = _("Nobody could come to %(number)s on %(when)s; please look.", number=thing(params), when=_span(params))
    return Rendered(text, visit_url(params))
