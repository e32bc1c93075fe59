"""How messages about visits read. Each names the day and hour, so that it says something without being opened."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import joinedload

from linkage.core.extensions import db
from linkage.core.formats import format_span
from linkage.core.outbox import Rendered, notice
from linkage.core.permissions import Role, visible_rows
from linkage.core.web import current_actor
from linkage.households.about import shown_name
from linkage.services.words import named
from linkage.visits.models import Visit

Params = Mapping[str, Any]
RELEASED = {
    "withdrew": _l("you gave it back"),
    "absent": _l("you are away then"),
    "died": _l("the person can no longer come"),
    "visit_cancelled": _l("the visit was cancelled"),
    "need_changed": _l("the request was changed"),
    "replanned": _l("the plan was changed"),
    "replaced": _l("somebody else is going"),
    "consent": _l("the household withdrew its consent"),
    "papers": _l("the papers that it needs have run out"),
}
CANCELLED = {
    "not_needed": _l("it is no longer needed"),
    "not_convenient": _l("the time does not suit"),
    "died": _l("the person has died"),
    "moved": _l("the household has moved"),
    "hospital": _l("the person is in hospital"),
    "declined": _l("the household declined"),
    "mistake": _l("it was entered by mistake"),
    "consent": _l("the household withdrew its consent"),
    "need_changed": _l("the request was changed"),
    "need_withdrawn": _l("the request was withdrawn"),
}


def span(params: Params) -> str:
    return format_span(datetime.fromisoformat(params["starts_at"]), datetime.fromisoformat(params["ends_at"]))


def _seen(params: Params) -> Visit | None:
    """The visit, if the reader may (still) see it."""
    actor = current_actor()
    if actor is None:
        return None
    found = visible_rows(actor, Visit).where(Visit.id == uuid.UUID(str(params["visit_id"])))
    return db.session.scalars(found.options(joinedload(Visit.person), joinedload(Visit.service))).one_or_none()


def thing(params: Params) -> str:
    """Which visit: service and person where the reader may (still) see it, else its number alone."""
    actor, visit = current_actor(), _seen(params)
    if actor is None or visit is None:
        return str(params["number"])
    return _("%(service)s for %(name)s", service=named(visit.service), name=shown_name(visit.person, actor))


def visit_url(params: Params) -> str:
    """Where the message leads: nowhere for whoever may not see the visit (who posted it, but looks after others)."""
    return "" if _seen(params) is None else f"/visits/{params['visit_id']}"


def _see(params: Params) -> str:
    """As `visit_url`; to the own page for those who live there."""
    actor = current_actor()
    return "/home/" if actor is not None and actor.has(Role.HOUSEHOLD) else visit_url(params)


@notice(
    "visits.booked",
    many=lambda number: ngettext("%(num)d new visit is yours.", "%(num)d new visits are yours.", number),
)
def _booked(params: Params) -> Rendered:
    """To the paid carer whom a published plan sends."""
    text = _("You go on %(when)s: %(number)s.", when=span(params), number=thing(params))
    return Rendered(text, f"/me/visits/{params['assignment_id']}")


@notice(
    "visits.moved",
    many=lambda number: ngettext("%(num)d of your visits was moved.", "%(num)d of your visits were moved.", number),
    replaces=("visits.booked",),
)
def _moved(params: Params) -> Rendered:
    """To the paid carer who goes at another time than she was told."""
    text = _("Your visit was moved to %(when)s: %(number)s.", when=span(params), number=thing(params))
    return Rendered(text, f"/me/visits/{params['assignment_id']}")


@notice(
    "visits.somebody_comes",
    many=lambda number: ngettext("Somebody comes to %(num)d visit.", "Somebody comes to %(num)d visits.", number),
    replaces=("visits.dropped", "offers.nobody", "planning.urgent"),
)
def _somebody_comes(params: Params) -> Rendered:
    """To poster, caller and family: the first time that somebody is found for what they asked."""
    return Rendered(
        _("Somebody comes for %(number)s on %(when)s.", number=thing(params), when=span(params)), _see(params)
    )


@notice(
    "visits.somebody_else",
    many=lambda number: ngettext(
        "Somebody else than planned comes to %(num)d visit.",
        "Somebody else than planned comes to %(num)d visits.",
        number,
    ),
    replaces=("visits.dropped", "offers.nobody", "offers.somebody_comes", "visits.somebody_comes"),
)
def _somebody_else(params: Params) -> Rendered:
    """To poster, caller and family: another person comes than they were told."""
    text = _("Somebody else than planned comes for %(number)s, on %(when)s.", number=thing(params), when=span(params))
    return Rendered(text, _see(params))


@notice(
    "visits.other_time",
    many=lambda number: ngettext("%(num)d visit was moved.", "%(num)d visits were moved.", number),
    replaces=("offers.somebody_comes", "visits.somebody_comes", "visits.somebody_else"),
)
def _other_time(params: Params) -> Rendered:
    """To poster, caller and family: the same person comes at another time."""
    text = _("%(number)s is at another time now: %(when)s.", number=thing(params), when=span(params))
    return Rendered(text, _see(params))


@notice(
    "visits.address",
    many=lambda number: ngettext(
        "%(num)d of your visits has another address.", "%(num)d of your visits have another address.", number
    ),
)
def _address(params: Params) -> Rendered:
    """To whoever comes: the household has moved."""
    text = _("The household has moved: your visit on %(when)s is at another address.", when=span(params))
    return Rendered(text, f"/me/visits/{params['assignment_id']}")


@notice("visits.released")
def _released(params: Params) -> Rendered:
    text = _(
        "You no longer go on %(when)s (%(number)s): %(why)s.",
        when=span(params),
        number=params["number"],
        why=RELEASED[params["reason"]],
    )
    return Rendered(text)


@notice(
    "visits.dropped",
    many=lambda number: ngettext(
        "%(num)d visit to which nobody comes any more; please look.",
        "%(num)d visits to which nobody comes any more; please look.",
        number,
    ),
)
def _dropped(params: Params) -> Rendered:
    """To those who must find somebody else."""
    text = _("Nobody comes any more to %(number)s on %(when)s; please look.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice(
    "visits.cancelled",
    many=lambda number: ngettext("%(num)d visit was cancelled.", "%(num)d visits were cancelled.", number),
    replaces=("offers.somebody_comes", "visits.dropped"),
)
def _cancelled(params: Params) -> Rendered:
    text = _(
        "The visit %(number)s on %(when)s was cancelled: %(why)s.",
        number=thing(params),
        when=span(params),
        why=CANCELLED[params["reason"]],
    )
    return Rendered(text, visit_url(params))


@notice("visits.late")
def _late(params: Params) -> Rendered:
    """To the person who is expected."""
    text = _("You are expected since %(when)s (%(number)s); please check in.", when=span(params), number=thing(params))
    return Rendered(text, f"/me/visits/{params['assignment_id']}")


@notice(
    "visits.alarm",
    many=lambda number: ngettext(
        "Nobody has checked in for %(num)d visit; please call.",
        "Nobody has checked in for %(num)d visits; please call.",
        number,
    ),
)
def _alarm(params: Params) -> Rendered:
    text = _("Nobody has checked in for %(number)s on %(when)s; please call.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice(
    "visits.missed",
    many=lambda number: ngettext("Nobody came to %(num)d visit.", "Nobody came to %(num)d visits.", number),
    replaces=("visits.alarm", "offers.somebody_comes"),
)
def _missed(params: Params) -> Rendered:
    text = _("Nobody came to %(number)s on %(when)s.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice("visits.nobody_home")
def _nobody_home(params: Params) -> Rendered:
    text = _("Nobody opened the door for %(number)s on %(when)s; please call.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice(
    "visits.unmet",
    many=lambda number: ngettext("Nobody was found for %(num)d visit.", "Nobody was found for %(num)d visits.", number),
    replaces=("visits.dropped", "offers.nobody"),
)
def _unmet(params: Params) -> Rendered:
    text = _("Nobody was found for %(number)s on %(when)s.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice(
    "visits.done",
    many=lambda number: ngettext("%(num)d visit is done.", "%(num)d visits are done.", number),
    replaces=("offers.somebody_comes", "visits.late", "visits.alarm"),
)
def _done(params: Params) -> Rendered:
    """To poster, caller and family: what they asked for has been done."""
    text = _("The visit %(number)s on %(when)s is done.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))


@notice(
    "visits.confirmed",
    many=lambda number: ngettext(
        "%(num)d visit was confirmed with the household.", "%(num)d visits were confirmed with the households.", number
    ),
    replaces=("visits.done", "offers.somebody_comes"),
)
def _confirmed(params: Params) -> Rendered:
    faces = {1: _("not good"), 2: _("all right"), 3: _("good")}
    text = _(
        "The household says about %(number)s on %(when)s: %(face)s.",
        number=thing(params),
        when=span(params),
        face=faces[params["rating"]],
    )
    return Rendered(text, visit_url(params))


@notice(
    "visits.hours",
    many=lambda number: ngettext(
        "Your service record grew %(num)d time.", "Your service record grew %(num)d times.", number
    ),
)
def _hours(params: Params) -> Rendered:
    """To the volunteer, the same day."""
    text = _("%(minutes)s minutes were added to your service record.", minutes=params["minutes"])
    return Rendered(text, "/me/hours")


@notice("visits.corrected")
def _corrected(params: Params) -> Rendered:
    text = _("The times of %(number)s on %(when)s were corrected.", number=thing(params), when=span(params))
    return Rendered(text, "/me/hours")


@notice("visits.cancelled_by_home")
def _cancelled_by_home(params: Params) -> Rendered:
    text = _("The household cancelled %(number)s on %(when)s.", number=thing(params), when=span(params))
    return Rendered(text, visit_url(params))
