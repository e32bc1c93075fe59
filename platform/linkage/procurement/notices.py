"""What organisations are told about tenders that they asked about or bid on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l

from linkage.core.outbox import Rendered, notice

WORDS: dict[str, Any] = {
    "procurement.answered": _l("%(number)s: your question is answered."),
    "procurement.clarified": _l("%(number)s: a clarification was published."),
    "procurement.reconfirm": _l(
        "%(number)s: a clarification touches the bids. Reconfirm yours or replace it before the deadline."
    ),
    "procurement.cancelled": _l("%(number)s was cancelled; the reason is published."),
    "procurement.suspended": _l("%(number)s is suspended; a deadline that had not passed moves."),
    "procurement.resumed": _l("%(number)s goes on."),
}
# Where one of these leads is a page of sealing.
SEALED: dict[str, tuple[Any, str]] = {
    "procurement.be_officer": (
        _l("%(number)s: you are an opening officer. Make your key and prove it before the publication."),
        "sealing.officer",
    ),
    "procurement.please_open": (_l("%(number)s: bidding is closed. Release your parts."), "sealing.officer"),
    "procurement.closing_list": (
        _l("%(number)s: bidding is closed. Keep this head of the list: %(head)s"),
        "sealing.page",
    ),
}


def _reads(kind: str, words: Any, endpoint: str) -> None:
    @notice(kind)
    def _sentence(params: Mapping[str, Any]) -> Rendered:
        told = {"number": params["number"], "head": params.get("head", "")}
        return Rendered(str(words) % told, url_for(endpoint, tender_id=params["tender_id"]))


for _kind, _words in WORDS.items():
    _reads(_kind, _words, "tenders.page")
for _kind, (_words, _endpoint) in SEALED.items():
    _reads(_kind, _words, _endpoint)
