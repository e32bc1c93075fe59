"""How states of visits look (keys of `core/look.py`), and whose name is shown in full."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from linkage.core.permissions import Actor
from linkage.households.about import about, shown_name
from linkage.households.permissions import names_in_full
from linkage.visits.tasks import service_of
from linkage.visits.words import LOOKS

BUCKET_WORDS: dict[str, Any] = {
    "served": lazy_pgettext("bucket", "Served"),
    "planned": lazy_pgettext("bucket", "Planned"),
    "waiting": lazy_pgettext("bucket", "Waiting"),
    "declined": lazy_pgettext("bucket", "Declined"),
    "referred": lazy_pgettext("bucket", "Referred"),
    "not_reached": lazy_pgettext("bucket", "Not reached"),
    "missing": lazy_pgettext("bucket", "Missing"),
}
REASON_WORDS: dict[str, Any] = {
    "missed": _l("somebody should have come and did not"),
    "unmet": _l("nobody was found for a visit"),
    "late": _l("a visit is late"),
    "half": _l("one of two people is missing"),
    "open": _l("nobody is found for a visit yet"),
    "asked": _l("a volunteer was asked and has not answered"),
    "need": _l("a need has no visit yet"),
    "by_rule": _l("no look-in is due yet"),
    "nothing": _l("nothing is noted in this month"),
}


def full(actor: Actor) -> bool:
    """Whether names and addresses are shown in full: to the household's own staff and the operator."""
    return names_in_full(actor)


__all__ = ["LOOKS", "about", "full", "service_of", "shown_name"]
