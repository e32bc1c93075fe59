"""From a cell to a value: what people type into rosters, and what Excel makes of it.

Each reader takes a cell ([kind, text], see `linkage.imports.parse`) and gives a `Value`, or raises `CellFault` with a
code, the words for it, and the right value where that is certain. Full-width characters are made half-width first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from flask_babel import lazy_gettext as _l
from stdnum.iso7064 import mod_11_2

from linkage.people.identity import id_number_fault, normalise_id_number, normalise_telephone, telephone_fault

Cell = list[str]
SERIAL_ZERO = date(1899, 12, 30)  # day 0 of Excel's calendar, for days after February 1900
SERIALS = range(3_000, 80_000)  # 1908 to 2119
EXACT_DIGITS = 15
OLDEST_YEAR, NEWEST_YEAR = 1900, 2100


@dataclass(frozen=True)
class Value:
    """What a cell means; `repair` names what was put right silently ("width", "serial", "date", "number")."""

    meaning: Any
    repair: str | None = None


class CellFault(Exception):
    """A cell that is not understood. `fix`: the right text where the answer is known."""

    def __init__(self, code: str, message: Any, remedy: Any = None, *, fix: str | None = None) -> None:
        super().__init__(code)
        self.code, self.message, self.remedy, self.fix = code, message, remedy, fix


Reader = Callable[[Cell], Value]


def plain(cell: Cell) -> tuple[str, str | None]:
    """The text of a cell in half-width characters, and "width" if that changed digits or letters."""
    kind, text = cell
    narrow = text.strip() if text.isascii() else "".join(_narrow(character) for character in text).strip()
    narrow = narrow.lstrip("'‘’`").lstrip()  # how text is forced in a spreadsheet
    return narrow, "width" if kind == "t" and narrow != text.strip() and not text.isascii() else None


def _narrow(character: str) -> str:
    if character == "\u3000":
        return " "
    return (
        unicodedata.normalize("NFKC", character)
        if "！" <= character <= "～" and character not in "，；：（）？！"
        else character
    )


def text(longest: int) -> Reader:
    """Words of at most `longest` characters."""

    def read(cell: Cell) -> Value:
        words, repair = plain(cell)
        if len(words) > longest:
            raise CellFault("long", _l("Longer than %(number)s characters.", number=longest), _l("Shorten it."))
        return Value(words, repair)

    return read


def number_text(longest: int) -> Reader:
    """A number that is a name (007): kept as written; a number cell loses its leading zeros in Excel, not here."""

    def read(cell: Cell) -> Value:
        words, repair = plain(cell)
        if len(words) > longest:
            raise CellFault("long", _l("Longer than %(number)s characters.", number=longest), _l("Shorten it."))
        return Value(words.removesuffix(".0"), repair)

    return read


def person_name(cell: Cell) -> Value:
    """A name: letters, spaces within, a middle dot; no figures."""
    words, repair = plain(cell)
    name = " ".join(words.split())
    if re.fullmatch(r"[\u3400-\u9fff ]+", name):
        name = name.replace(" ", "")
    if any(character.isdigit() for character in name) or len(name) > 40:
        raise CellFault("name", _l("This is no name."), _l("Write the name as on the ID card."))
    return Value(name, repair)


def id_number(cell: Cell) -> Value:
    """A resident ID number (GB 11643). A number cell has lost its last digits: refused by name."""
    kind, raw = cell
    words, repair = plain(cell)
    number = normalise_id_number(words)
    scientific = re.fullmatch(r"\d(\.\d+)?E\+?1[5-8]", number)
    fault = id_number_fault(number)
    digits_only = number.isdigit() and len(number) > EXACT_DIGITS
    if (kind == "n" and digits_only) or scientific or (digits_only and number.endswith("000") and fault == "checksum"):
        raise CellFault(
            "rounded",
            _l("The last digits are lost"),
            _l("Excel stored a rounded number: type it again from the card. In the file, make the column text first."),
        )
    if fault is not None:
        if (modern := eighteen_digits(number)) is not None:
            raise CellFault("id_old", _l("An old number of 15 digits"), WRITE_MODERN, fix=modern)
        message, remedy = ID_FAULTS[fault]
        raise CellFault(f"id_{fault}", message(number) if callable(message) else message, remedy)
    changed = repair or ("width" if number != raw.strip() and kind == "t" else None)
    return Value(number, changed)


def eighteen_digits(number: str) -> str | None:
    """What an ID number of 15 digits (until 1999) is today: with the century and a check digit (GB 11643)."""
    if len(number) != 15 or not number.isdigit():
        return None
    body = f"{number[:6]}19{number[6:]}"
    modern = body + str(mod_11_2.calc_check_digit(body))
    return modern if id_number_fault(modern) is None else None


WRITE_MODERN = _l("Cards of today have 18 characters: compare with the card.")


def _length_words(number: str) -> Any:
    return _l("%(length)s characters instead of 18", length=len(number))


ID_FAULTS: dict[str, tuple[Any, Any]] = {
    "length": (_length_words, _l("Type all 18 characters from the card.")),
    "province": (_l("It does not begin with a province"), _l("Compare it with the card.")),
    "date": (_l("There is no such birth date in it"), _l("Compare digits 7 to 14 with the card.")),
    "checksum": (
        _l("The check digit does not fit"),
        _l("One digit is wrong or two are swapped: compare it with the card."),
    ),
}


def telephone(cell: Cell) -> Value:
    """A mobile or landline number of China, or a known short number."""
    words, repair = plain(cell)
    words = words.removesuffix(".0")
    if telephone_fault(words) is not None:
        numbers = [part.strip() for part in TELEPHONES.split(words) if part.strip()]
        if len(numbers) > 1 and not any(map(telephone_fault, numbers)):
            raise CellFault("several", _l("Several telephone numbers"), KEEP_ONE, fix=numbers[0])
        main = EXTENSION.sub("", words).strip()
        if main != words and telephone_fault(main) is None:
            raise CellFault("extension", _l("A number with an extension"), WRITE_EXTENSION, fix=main)
        digits = sum(character.isdigit() for character in words)
        short = words.lstrip("+").startswith("1") and digits != 11
        message = _l("%(digits)s digits instead of 11", digits=digits) if short else _l("This is no telephone number")
        raise CellFault("telephone", message, _l("Ask for the number again; leave it empty if there is none."))
    return Value(normalise_telephone(words), "number" if cell[0] == "n" else repair)


TELEPHONES = re.compile(r"[/、,，;；\n]|\s+(?=1\d{10}|0\d{2,3}-)")
EXTENSION = re.compile(r"\s*(?:转|分机|ext\.?|#|-)\s*\d{1,6}\s*$", re.IGNORECASE)
WRITE_EXTENSION = _l("Keep the number; write the extension into a note.")
KEEP_ONE = _l("Keep the one that is called first; write the others into a note.")
WRITE_DAY = _l("Write year, month and day: 1950-06-18.")
DATE_SHAPES = (
    re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
    re.compile(r"(\d{4}) (\d{1,2}) (\d{1,2})"),
)


def day(cell: Cell) -> Value:
    """A date: a date cell, Excel's serial number, or text in any of the usual spellings (year first)."""
    kind, raw = cell
    words, repair = plain(cell)
    if kind == "d":
        return Value(date.fromisoformat(raw))
    if kind == "n" and re.fullmatch(r"\d+(\.\d+)?", words) and int(float(words)) in SERIALS:
        return Value(SERIAL_ZERO + timedelta(days=int(float(words))), "serial")
    words = in_figures(words.removesuffix(".0").split(" 00:00")[0])
    for shape in DATE_SHAPES:
        found = shape.fullmatch(words)
        if found:
            return Value(_real_day(*map(int, found.groups())), repair or (None if words[4:5] == "-" else "date"))
    raise CellFault("date", _l("This is no date"), WRITE_DAY)


FIGURES = str.maketrans("〇○零一二三四五六七八九两", "0001234567892")


def in_figures(words: str) -> str:
    """二〇二六年三月十五日 as 2026年3月15日; other words stay as they are."""
    found = re.fullmatch(
        r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号]?", words
    )
    if found is None:
        return words
    return f"{found[1].translate(FIGURES)}年{_counted(found[2])}月{_counted(found[3])}日"


def _counted(words: str) -> int:
    """十五 is 15, 二十 is 20."""
    if "十" not in words:
        return int(words.translate(FIGURES))
    tens, _ten, ones = words.partition("十")
    return 10 * int(tens.translate(FIGURES) or 1) + int(ones.translate(FIGURES) or 0)


def _real_day(year: int, month: int, number: int) -> date:
    if not 1 <= month <= 12:
        raise CellFault("month", _l("There is no month %(month)s", month=month), WRITE_DAY)
    if not OLDEST_YEAR <= year <= NEWEST_YEAR:
        raise CellFault("year", _l("The year %(year)s cannot be", year=year), WRITE_DAY)
    try:
        return date(year, month, number)
    except ValueError:
        raise CellFault("day", _l("There is no day %(day)s in that month", day=number), WRITE_DAY) from None


def choice(options: Mapping[str, Any]) -> Reader:
    """One of the named options (compared without spaces and case); close misses are offered as the fix."""
    known = {folded(word): meaning for word, meaning in options.items()}

    def read(cell: Cell) -> Value:
        words, repair = plain(cell)
        if folded(words) in known:
            return Value(known[folded(words)], repair)
        raise _unknown_choice(words, list(options))

    return read


def several(options: Mapping[str, Any]) -> Reader:
    """Several of the options, divided by 、，；or a line break."""
    one = choice(options)

    def read(cell: Cell) -> Value:
        parts = [part for part in re.split(r"[、,，;；/\n]+", cell[1]) if part.strip()]
        return Value(tuple(dict.fromkeys(one(["t", part]).meaning for part in parts)))

    return read


def folded(words: str) -> str:
    return "".join(words.split()).casefold()


def _unknown_choice(words: str, options: list[str]) -> CellFault:
    near = get_close_matches(words, options, n=2, cutoff=0.6)
    shown = "、".join(options[:12])
    return CellFault(
        "choice",
        _l("“%(words)s” is not in the list", words=words[:20]),
        _l("One of: %(options)s", options=shown),
        fix=near[0] if len(near) == 1 else None,
    )


PARTS_OF_DAY = re.compile(
    r"\s*(上午|早上|早晨|清晨|凌晨|中午|下午|傍晚|晚上|晚间|am|a\.m\.|pm|p\.m\.)\s*", re.IGNORECASE
)
AFTERNOON = ("下午", "傍晚", "晚上", "晚间", "pm", "p.m.")


def minutes_of(words: str) -> int | None:
    """Minutes after midnight of 8:30, 08.30, 8点半, 上午8点, 2:30 PM, 0830; None when it is no time."""
    part = PARTS_OF_DAY.search(words)
    if part is not None:
        minutes = minutes_of(words[: part.start()] + words[part.end() :])
        named = part[1].casefold()
        if named in ("am", "a.m.", "凌晨") and minutes is not None and 720 <= minutes < 780:
            return minutes - 720
        late = named in AFTERNOON or (named == "中午" and minutes is not None and minutes < 180)
        return minutes + 720 if minutes is not None and late and minutes < 720 else minutes
    words = words.strip().replace("：", ":").replace("点钟", "点").replace("点整", "点")
    words = words.replace("点半", ":30").replace("时半", ":30").replace("点一刻", ":15").replace("点三刻", ":45")
    if found := re.match(r"[一二三四五六七八九十两]{1,3}(?=[点时:])", words):
        words = f"{_counted(found[0])}{words[found.end() :]}"
    words = re.sub(r"[点时](\d{1,2})分?$", r":\1", words).rstrip("点时")
    found = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?(?::00)?", words) or re.fullmatch(r"(\d{2})(\d{2})", words)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2] or 0)
    return hours * 60 + minutes if hours * 60 + minutes <= 1440 and minutes < 60 else None


def clock_time(cell: Cell) -> Value:
    """A time of day, as minutes after midnight."""
    kind, raw = cell
    words, repair = plain(cell)
    if kind == "n" and 0 <= float(raw) < 1:  # Excel's part of a day
        return Value(round(float(raw) * 1440), "serial")
    minutes = minutes_of(words)
    if minutes is None:
        raise CellFault("time", _l("This is no time of day"), _l("Write hours and minutes: 08:30."))
    return Value(minutes, repair)


def time_span(cell: Cell) -> Value:
    """From–to, as two minutes after midnight: 08:30-11:30."""
    words, repair = plain(cell)
    parts = re.split(r"\s*(?:--?|–|—{1,2}|−|―|~|～|至|到)\s*", words)
    ends = [minutes_of(part) for part in parts]
    if len(parts) == 2 and None not in ends and PARTS_OF_DAY.search(parts[0]) and not PARTS_OF_DAY.search(parts[1]):
        ends[1] = _said_once(parts, ends)
    if len(ends) != 2 or None in ends:
        raise CellFault("span", _l("This is no span of time"), _l("Write from and to: 08:30-11:30."))
    start, end = ends
    if start is not None and end is not None and end <= start:
        raise CellFault("span_order", _l("The end lies before the beginning"), _l("Write from and to: 08:30-11:30."))
    return Value((start, end), repair)


def _said_once(parts: list[str], ends: list[int | None]) -> int | None:
    """下午2点-4点: what is said of the first time holds for the second, too, where that makes it the later one."""
    named = PARTS_OF_DAY.search(parts[0])
    again = minutes_of(f"{named[1]}{parts[1]}") if named else None
    return again if again is not None and ends[0] is not None and (ends[1] or 0) <= ends[0] < again else ends[1]


def whole(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`; a unit behind it (60 分钟, 2 人) is allowed."""

    def read(cell: Cell) -> Value:
        words, repair = plain(cell)
        found = re.fullmatch(r"(\d{1,4})(?:\.0)?\s*(?:分钟|分|人|位|min|minutes)?", words)
        if found is None or not low <= int(found[1]) <= high:
            raise CellFault(
                "whole",
                _l("This must be a whole number from %(low)s to %(high)s", low=low, high=high),
                _l("Write the number alone."),
            )
        return Value(int(found[1]), repair)

    return read


def amount(low: float, high: float, scale: int) -> Reader:
    """A number from `low` to `high` with at most two places, times `scale` (hours → minutes, yuan → fen).

    A unit behind it and signs of money and thousands are allowed: 40 小时, ￥1,280.50.
    """

    def read(cell: Cell) -> Value:
        words, repair = plain(cell)
        found = AMOUNT.fullmatch(words.replace(",", "").replace("，", ""))
        number = float(found[1]) if found else -1.0
        if found is not None and found[2] == "万":
            number *= 10_000
        if found is None or not low <= number <= high:
            raise CellFault(
                "amount",
                _l("This must be a number from %(low)s to %(high)s", low=f"{low:g}", high=f"{high:.0f}"),
                _l("Write the number alone."),
            )
        return Value(round(number * scale), repair)

    return read


AMOUNT = re.compile(
    r"[¥￥$]?\s*(\d{1,12}(?:\.\d{1,4})?)\s*(万)?\s*(?:小时|时|h|hours?|公里|千米|km|米|元|分钟|次|餐|份|/.*)?",
    re.IGNORECASE,
)
