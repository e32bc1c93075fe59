"""Search keys of a name: every reading of each character, as full pinyin and as initials."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

from pypinyin import Style, pinyin

# Surnames that are read otherwise than the character usually is.
SURNAMES = {
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "曾": "zeng",
    "查": "zha",
    "任": "ren",
    "盖": "ge",
    "朴": "piao",
    "乐": "yue",
    "尉": "wei",
    "洗": "xian",
    "冼": "xian",
    "缪": "miao",
    "费": "fei",
    "员": "yun",
    "种": "chong",
    "翟": "zhai",
    "逄": "pang",
    "召": "shao",
    "折": "she",
    "黑": "he",
    "秘": "bi",
    "覃": "qin",
}
MAX_READINGS = 12


def name_keys(name: str) -> str:
    """The keys in one string, each between bars: ``|zengaizhen|zaz|``; at most 12 readings of each form."""
    readings = [
        sorted({r for r in options if r})
        for options in pinyin(name, style=Style.NORMAL, heteronym=True, errors=_as_they_are)
    ]
    if name and name[0] in SURNAMES:
        readings[0] = sorted({SURNAMES[name[0]], *readings[0]})
    combos = ["".join(parts) for parts in _first(product(*readings))]
    initials = ["".join(part[0] for part in parts) for parts in _first(product(*readings))]
    keys = list(dict.fromkeys([*combos, *initials]))
    text = "|" + "|".join(keys) + "|"
    return text if len(text) <= 400 else text[: text.rindex("|", 0, 400) + 1]


def _as_they_are(text: str) -> Any:
    """What is no Chinese character reads as it is written; a list of lists, as pypinyin's heteronyms want it."""
    return [[c.lower()] for c in text]


def _first(combos: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [parts for _, parts in zip(range(MAX_READINGS), combos, strict=False)]
