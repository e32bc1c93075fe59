"""Why an answer to an offer does not count (any more): kind sentences, since somebody meant well."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import Conflict

SENTENCES = {
    "taken": _l("Somebody else was a moment quicker. Thank you for wanting to come!"),
    "withdrawn": _l("This visit is no longer needed. Thank you all the same!"),
    "passed": _l("It is too late for this visit now. Thank you all the same!"),
    "answered": _l("You have already answered this one."),
    "overlap": _l("You have already said yes to something else at that time."),
}


class OfferClosed(Conflict):
    """`reason`: a key of SENTENCES."""

    def __init__(self, reason: str, remedy: Any = None) -> None:
        super().__init__(
            SENTENCES[reason], remedy=remedy or _l("Nothing is held against you; the next offer comes by itself.")
        )
        self.reason = reason
