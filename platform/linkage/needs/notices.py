"""How messages about needs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.outbox import Rendered, notice

ENDED = {
    "died": _l("the person has died"),
    "moved": _l("the person no longer lives there"),
    "consent": _l("the household withdrew its consent"),
}


@notice("needs.repeated")
def _repeated(params: Mapping[str, Any]) -> Rendered:
    text = _(
        "%(number)s was asked for again (%(times)s times in all); it may be more urgent than it looked.",
        number=params["number"],
        times=params["times"] + 1,
    )
    return Rendered(text, f"/needs/{params['need_id']}")


@notice("needs.ended")
def _ended(params: Mapping[str, Any]) -> Rendered:
    """To whoever posted it, when it ended without their doing."""
    text = _(
        "%(number)s has ended and its visits ahead are cancelled: %(why)s.",
        number=params["number"],
        why=ENDED[params["reason"]],
    )
    return Rendered(text, f"/needs/{params['need_id']}")
