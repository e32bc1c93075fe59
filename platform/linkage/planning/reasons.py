"""Why a visit is without anyone, and the smallest change that would serve it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from linkage.visits.models import Visit


def reason_text(reason: Mapping[str, Any], visit: Visit) -> str:
    """One sentence for a reason's code."""
    sentences = {
        "nobody_eligible": _("Nobody with the right papers and hours works then."),
        "no_second_person": _("Only one of the two people can come."),
        "no_room": _("Everybody who could come is busy then."),
    }
    return sentences.get(str(reason.get("code")), _("Nobody could be found."))


def fix_text(fix: Mapping[str, Any], visit: Visit, names: Mapping[str, str]) -> str | None:
    """The smallest change, in words; None where none is certain."""
    return None
