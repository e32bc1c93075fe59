"""How messages about needs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from linkage.core.outbox import Rendered, notice


@notice("needs.repeated")
def _repeated(params: Mapping[str, Any]) -> Rendered:
    text = _(
        "%(number)s was asked for again (%(times)s times in all); it may be more urgent than it looked.",
        number=params["number"],
        times=params["times"] + 1,
    )
    return Rendered(text, f"/needs/{params['need_id']}")
