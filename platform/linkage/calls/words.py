"""How calls read."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

CALLER_WORDS: dict[str, Any] = {
    "self": _l("The person themselves"),
    "family": _l("Family"),
    "neighbour": _l("A neighbour"),
    "other": lazy_pgettext("caller", "Somebody else"),
}
ABOUT_WORDS: dict[str, Any] = {
    "who_comes": _l("Who comes, and when"),
    "need": _l("Needs something"),
    "change": _l("A change"),
    "complaint": _l("Not content"),
    "other": lazy_pgettext("call", "Something else"),
}
OUTCOME_WORDS: dict[str, Any] = {
    "arranged": _l("Somebody comes"),
    "nobody": _l("Nobody could come"),
}
