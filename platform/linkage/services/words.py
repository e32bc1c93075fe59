"""How the catalogue's codes read, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from linkage.core.formats import chinese

KIND_WORDS = {"carer": _l("carer"), "social_worker": _l("social worker"), "volunteer": _l("volunteer")}
UNIT_WORDS = {"minutes": _l("minutes"), "visits": _l("visits"), "meals": _l("meals")}
GROUP_WORDS = {
    "elderly": _l("Elderly care"),
    "rehab": _l("Rehabilitation"),
    "home": _l("Home help"),
    "psychological": _l("Psychological support"),
    "nursing": _l("Daily nursing"),
    "neighbourhood": _l("Neighbourhood"),
    "petition": _l("Petitions"),
    "micro": _l("Micro-needs"),
}
RISK_WORDS = {"low": lazy_pgettext("risk", "Low"), "raised": lazy_pgettext("risk", "Raised")}
TWO_PEOPLE_WORDS = {
    "never": _l("One person"),
    "severe": _l("Two people for the severely disabled"),
    "always": _l("Always two people"),
}


def named(row: Any) -> str:
    """The name of a service or qualification in the reader's language."""
    return str(row.name_zh if chinese() else row.name_en)


def hint_of(row: Any) -> str:
    """What a service is, in the reader's language."""
    return str(row.hint_zh if chinese() else row.hint_en)


def pair_words(pair: list[str]) -> str:
    """Who goes together: 护理员+志愿者."""
    return " + ".join(str(KIND_WORDS[kind]) for kind in pair)


def listed(words: Iterable[Any]) -> str:
    """Several words in a row: 护理员、志愿者; carer, volunteer; – where there is none."""
    return ("、" if chinese() else ", ").join(str(word) for word in words) or "–"


def kind_list(kinds: Iterable[str]) -> str:
    return listed(KIND_WORDS[kind] for kind in kinds)


def pair_list(pairs: Iterable[list[str]]) -> str:
    return listed(pair_words(pair) for pair in pairs)


def name_list(rows: Iterable[Any]) -> str:
    return listed(named(row) for row in rows)
