"""How often, in the words that rosters use; the result is an iCalendar rule (RFC 5545) or None for once."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l

from linkage.imports.values import Cell, CellFault, Value, folded, plain

WEEKDAYS = {"一": "MO", "二": "TU", "三": "WE", "四": "TH", "五": "FR", "六": "SA", "日": "SU", "天": "SU"}
ORDER = list(dict.fromkeys(WEEKDAYS.values()))
ENGLISH_DAYS = {
    name[:3].casefold(): code
    for name, code in zip(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), ORDER, strict=True
    )
}


WORKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
FIXED = {
    "每天": "FREQ=DAILY",
    "每日": "FREQ=DAILY",
    "daily": "FREQ=DAILY",
    "everyday": "FREQ=DAILY",
    "每月": "FREQ=MONTHLY",
    "monthly": "FREQ=MONTHLY",
    "everymonth": "FREQ=MONTHLY",
    "工作日": WORKDAYS,
    "每个工作日": WORKDAYS,
    "weekdays": WORKDAYS,
}


def recurrence(cell: Cell) -> Value:
    """How often: 一次, 每天, 每周二、四, 每两周三, 工作日, every week on Tue and Thu, or a rule itself."""
    words, repair = plain(cell)
    typed = folded(words)
    if typed in ("一次", "单次", "once", "不重复"):
        return Value(None, repair)
    if typed.startswith(("freq=", "rrule:freq=")):
        return Value(words.upper().replace(" ", "").removeprefix("RRULE:"), repair)
    if typed in FIXED:
        return Value(FIXED[typed], repair)
    found = re.fullmatch(r"每(两|2|隔)?(?:个)?(?:周|星期|礼拜)(.*)", typed)
    english = re.fullmatch(r"(?:every(2)?)?week(?:s|ly)?(?:on)?(.*)", typed)
    if found or english:
        match = found or english
        days = _weekdays(match[2]) if match else []
        every = "INTERVAL=2;" if match and match[1] else ""
        if days is not None:
            by_day = f"BYDAY={','.join(days)}" if days else ""
            return Value(f"FREQ=WEEKLY;{every}{by_day}".rstrip(";"), repair)
    raise CellFault(
        "recurrence",
        _l("This repetition is not understood"),
        _l("Write for example: once, every day, every week on Tue and Thu."),
    )


def _weekdays(words: str) -> list[str] | None:
    parts = [part for part in re.split(r"[、,，和及/]|and|周|星期|礼拜", words) if part]
    days: set[str] = set()
    for part in parts:
        chinese = [WEEKDAYS.get(character) for character in part]
        english = [ENGLISH_DAYS.get(part[start : start + 3]) for start in range(0, len(part), 3)]
        found = chinese if all(chinese) else english
        if not all(found):
            return None
        days |= {name for name in found if name}
    return [name for name in ORDER if name in days]
