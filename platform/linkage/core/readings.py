"""How Chinese names are read, and the keys by which people, estates and organisations are found while typing.

A key is what somebody may begin to type: the name itself or its end, its pinyin, its initials. Keys are looked up
by their beginning, as a range of an index (`begins_with`), never by searching inside of a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import Any

from pypinyin import Style, pinyin
from sqlalchemy import ColumnElement, String, and_

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
MAX_GIVEN = 12  # readings of a given name; a surname's are all kept
KEY_LENGTH = 60
LEFT_OUT = re.compile(r"[\s'’·•.\-]+")


def by_bytes(length: int) -> String:
    """A text compared by its bytes on every database, so that its beginnings are ranges of an index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


Key = by_bytes(KEY_LENGTH)


def folded(text: str) -> str:
    """What is compared: half-width, small letters, without spaces, apostrophes and dots."""
    return LEFT_OUT.sub("", unicodedata.normalize("NFKC", text)).casefold()


def begins_with(column: Any, text: str) -> ColumnElement[bool]:
    """SQL: `column` (compared by bytes or code points) begins with `text`, as a range that an index answers."""
    return and_(column >= text, column < text[:-1] + chr(ord(text[-1]) + 1))


def readings(text: str) -> list[list[str]]:
    """Every reading of each character, the usual one first; the first one as a surname, too. What is no Chinese
    character reads as itself.
    """
    as_phrase = pinyin(text, style=Style.NORMAL, heteronym=True, errors=_as_they_are)
    found = [
        list(dict.fromkeys(filter(None, (*one, *_of_character(sign)))))
        for one, sign in zip(as_phrase, text, strict=True)
    ]
    if text and text[0] in SURNAMES:
        found[0] = list(dict.fromkeys([SURNAMES[text[0]], *found[0]]))
    return found


def combined(characters: list[list[str]], most: int) -> list[tuple[str, ...]]:
    """Up to `most` ways to read a text, the usual ones first: what differs from them in few characters before what
    differs in many.
    """
    few = characters if len(characters) <= 4 else [options[:1] for options in characters]
    ranked = sorted(
        product(*(range(len(options)) for options in few)), key=lambda places: (sum(map(bool, places)), places)
    )
    return [tuple(few[at][place] for at, place in enumerate(places)) for places in ranked[:most]]


@lru_cache(maxsize=8000)
def _of_character(sign: str) -> tuple[str, ...]:
    """All readings of one character, whatever stands beside it."""
    return tuple(
        reading for reading in pinyin(sign, style=Style.NORMAL, heteronym=True, errors=_as_they_are)[0] if reading
    )


def _as_they_are(text: str) -> Any:
    return [[character] for character in text]


def person_keys(name: str) -> dict[str, bool]:
    """Key → whether it begins where the name begins (what a masked name may confirm is asked of these alone)."""
    text = folded(name)
    if not text:
        return {}
    whole = {text[:KEY_LENGTH], *_spoken(text)}
    parts = {text[start:] for start in range(1, len(text))}
    if len(text) > 2:
        parts |= {key for start in range(1, len(text) - 1) for key in _spoken(text[start:])}
    return {key[:KEY_LENGTH]: key in whole for key in sorted(whole | parts) if key}


def title_keys(title: str) -> set[str]:
    """Keys of an estate or an area: from each of its first characters on, and its pinyin from the beginning."""
    text = folded(title)
    if not text:
        return set()
    keys = {text[start:] for start in range(min(len(text), 8))} | set(_spoken(text))
    return {key[:KEY_LENGTH] for key in keys if key}


def _spoken(text: str) -> Iterable[str]:
    """Whole pinyin, initials, and the first syllable with the initials of the others: chenazhu, caz, chenaz."""
    first, *others = readings(text)
    rest = combined(others, MAX_GIVEN)
    for one, given in product(first, rest):
        initials = "".join(part[0] for part in given)
        yield from (one + "".join(given), one[0] + initials, one + initials)
