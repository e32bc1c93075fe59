"""How codes about people read."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

SEX_WORDS: dict[str, Any] = {"F": lazy_pgettext("sex", "female"), "M": lazy_pgettext("sex", "male")}
LANGUAGE_WORDS: dict[str, Any] = {
    "mandarin": _l("Mandarin"),
    "minnan": _l("Minnan"),
    "hakka": _l("Hakka"),
    "cantonese": _l("Cantonese"),
    "english": _l("English"),
    "sign": _l("sign language"),
}
# Why a sealed fact is opened; whom it is about reads it, too.
REVEAL_WORDS: dict[str, Any] = {
    "call": _l("A call before the visit"),
    "check": _l("Checking who it is"),
    "urgent": _l("An emergency"),
}
ABSENCE_WORDS: dict[str, Any] = {
    "ill": _l("ill"),
    "leave": _l("on leave"),
    "training": _l("in training"),
    "family": _l("family matters"),
    "other": lazy_pgettext("reason", "another reason"),
}
EXCEPTION_WORDS: dict[str, Any] = {"absent": _l("Away"), "extra": _l("Works in addition")}
TRAVEL_WORDS: dict[str, Any] = {
    "walk": _l("on foot"),
    "bike": _l("by bicycle"),
    "ebike": _l("by electric bicycle"),
    "bus": _l("by bus"),
    "car": _l("by car"),
}
