"""How tenders, lots, points and quantities read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.contracts.words import quantity
from linkage.core.look import look, with_args
from linkage.procurement.models import Lot
from linkage.procurement.states import ALL_STATES

METHOD_WORDS: dict[str, Any] = {
    "open": _l("Open tender"),
    "consultation": _l("Competitive consultation"),
    "framework": _l("Framework agreement"),
}
RULE_WORDS: dict[str, Any] = {
    "by_rank": _l("A: each lot by rank"),
    "by_rank_limited": _l("B: by rank, with a limit of lots per organisation"),
    "optimised": _l("C: optimised over all lots"),
}
RULE_EXPLAINED: dict[str, Any] = {
    "by_rank": _l("Each lot goes to the bid with the highest score on it."),
    "by_rank_limited": _l("Lots in their order by score; who has the greatest number of lots is passed over."),
    "optimised": _l("The set of bids, combined ones included, that is best over all lots within the limits."),
}


def points(hundredths: int | None) -> str:
    """1993 → 19.93; whole points without decimals in none: 20.00."""
    return "" if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02d}"


def lot_quantity(lot: Lot) -> str:
    """1,000 hours, 3,600 meals: for the whole contract."""
    return quantity(lot.quantity, lot.service.unit)


def state_pills(counts: Mapping[str, int], chosen: str) -> list[dict[str, Any]]:
    """The states that a list of tenders has, each with its number and its address; `chosen`: '' for all."""
    found: list[dict[str, Any]] = [{"label": _("All"), "url": with_args(state=None, page=None), "active": not chosen}]
    for key in ALL_STATES:
        if counts.get(key):
            url = with_args(state=key, page=None)
            label = look("tender", key).word
            found.append({"label": label, "url": url, "active": key == chosen, "count": counts[key]})
    return found
