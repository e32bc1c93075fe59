"""How visits and needs read: states, reasons, roles of time, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from linkage.areas.models import Area
from linkage.core.formats import chinese, local
from linkage.needs import recurrence
from linkage.needs.models import Need
from linkage.services.models import Service
from linkage.services.words import named
from linkage.visits.notices import CANCELLED
from linkage.visits.status import Status

# Status → key of `core/look.py`.
LOOKS = {
    Status.OPEN: "open",
    Status.ASKED: "asked",
    Status.HALF: "half_staffed",
    Status.BOOKED: "booked",
    Status.ACCEPTED: "accepted",
    Status.LATE: "late",
    Status.MISSED: "missed",
    Status.IN_SERVICE: "under_way",
    Status.DONE: "to_confirm",
    Status.CONFIRMED: "confirmed",
    Status.UNMET: "unstaffed",
    Status.CANCELLED: "cancelled",
}
CHANNEL_WORDS: dict[str, Any] = {
    "hotline": _l("hotline 12349"),
    "counter": _l("at the counter"),
    "visit": _l("at a visit"),
    "neighbour": _l("a neighbour"),
    "family": _l("the family"),
    "online": _l("on the household's page"),
    "import": _l("from a roster"),
}
PRIORITY_WORDS: dict[int, Any] = {1: _l("Vital"), 2: _l("Important"), 3: lazy_pgettext("priority", "Ordinary")}
PRIORITY_REASON_WORDS: dict[str, Any] = {
    "severe_disability": _l("severely disabled"),
    "living_alone": _l("over 80 and living alone"),
    "recent_fall": _l("fell recently"),
    "medical": _l("medical"),
    "basic_need": _l("cannot do without it"),
    "wish": _l("a wish"),
    "staff": _l("as staff judged"),
}
WITHDRAW_WORDS: dict[str, Any] = {
    "not_needed": _l("No longer needed"),
    "hospital": _l("In hospital"),
    "moved": _l("Has moved"),
    "declined": _l("Does not want it"),
    "mistake": _l("Entered by mistake"),
}
CANCEL_WORDS: dict[str, Any] = {
    "not_needed": _l("No longer needed"),
    "not_convenient": _l("The time does not suit"),
    "hospital": _l("In hospital"),
    "declined": _l("Does not want it"),
    "mistake": _l("Entered by mistake"),
}
CORRECTION_WORDS: dict[str, Any] = {
    "forgot_check_in": _l("Check-in was forgotten"),
    "forgot_check_out": _l("Check-out was forgotten"),
    "wrong_time": _l("The times were wrong"),
    "did_come": _l("Did come"),
    "did_not_come": _l("Did not come"),
}
METHOD_WORDS: dict[str, Any] = {
    "code": _l("with the household's code"),
    "call_desk": _l("by telephone"),
    "staff": _l("by staff"),
    "app": _l("on the phone"),
}
FACE_WORDS: dict[int, Any] = {3: _l("Good"), 2: _l("All right"), 1: _l("Not good")}


# What the audit log's actions mean on a visit's page.
DEEDS: dict[str, Any] = {
    "visits.book": _l("Somebody was booked"),
    "visits.accept": _l("The booked person confirmed"),
    "visits.release": _l("A booking was given back"),
    "visits.move": _l("The time was changed"),
    "visits.cancel": _l("The visit was cancelled"),
    "visits.check_in": _l("Check-in"),
    "visits.check_out": _l("Check-out"),
    "visits.wrong_code": _l("A wrong code was typed"),
    "visits.nobody_home": _l("Nobody opened the door"),
    "visits.no_show": _l("Recorded: did not come"),
    "visits.correct": _l("The times were corrected"),
    "visits.confirm": _l("Confirmed with the household"),
    "visits.late": _l("Lateness was told"),
    "visits.unmet": _l("Closed without anyone"),
}
STATE_WORDS: dict[str, Any] = {
    "trouble": _l("Needs a look"),
    "ahead": _l("Ahead"),
    "confirm": _l("To be confirmed"),
    "over": _l("Over"),
}


def service_options(services: Iterable[Service]) -> list[tuple[str, str]]:
    """Code and name, for a select."""
    return [(service.code, named(service)) for service in services]


def area_choices(areas: Iterable[Area]) -> list[tuple[int, str]]:
    return [(area.id, area.name) for area in areas]


def cancelled_because(reason: str | None) -> str:
    return str(CANCELLED.get(reason or "", ""))


def rhythm(need: Need) -> str:
    """Once, or how it repeats; with the days on which a single visit may lie."""
    if need.recurrence is None and need.flexible_days > 1:
        return _("once, on one of %(n)s days", n=need.flexible_days)
    return recurrence.describe(need.recurrence)


PARTS_ZH = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (25, "晚上"))
NUMBERS_ZH = "零一两三四五六七八九十"
NUMBERS_EN = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")


def spoken_time(moment: datetime) -> str:
    """The time as people say it: 下午两点半, half past two in the afternoon."""
    at = local(moment)
    return _spoken_zh(at.hour, at.minute) if chinese() else _spoken_en(at.hour, at.minute)


def _spoken_zh(hour: int, minute: int) -> str:
    part = next(word for last, word in PARTS_ZH if hour < last)
    twelve = hour if hour <= 12 else hour - 12
    tail = {0: "", 15: "一刻", 30: "半", 45: "三刻"}.get(minute)
    if tail is None:
        tail = f"零{NUMBERS_ZH[minute].replace('两', '二')}分" if minute < 10 else f"{_number_zh(minute)}分"
    said = "两" if twelve == 2 else _number_zh(twelve)
    return f"{part}{said}点{tail}"


def _number_zh(number: int) -> str:
    """0 to 59 in Chinese figures: 零, 九, 十二, 二十三."""
    tens, ones = divmod(number, 10)
    digits = NUMBERS_ZH.replace("两", "二")
    head = {0: "", 1: "十"}.get(tens, f"{digits[tens]}十")
    return head + (digits[ones] if ones or not tens else "")


def _spoken_en(hour: int, minute: int) -> str:
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    said, after = NUMBERS_EN[hour % 12], NUMBERS_EN[(hour + 1) % 12]
    words = {0: f"{said} o'clock", 15: f"a quarter past {said}", 30: f"half past {said}", 45: f"a quarter to {after}"}
    return f"{words.get(minute, f'{minute} minutes past {said}')} {part}"


def long_day(day: date) -> str:
    """11月24日，星期二 — Tuesday, 24 November: for people who read slowly."""
    if chinese():
        return f"{day.month}月{day.day}日，星期{'一二三四五六日'[day.weekday()]}"
    return f"{day:%A}, {day.day} {day:%B}"


def near_day(day: date, today: date) -> str:
    """今天, 明天, 后天 before the date; else the date alone."""
    word = {0: _("Today"), 1: _("Tomorrow"), 2: _("The day after tomorrow"), -1: _("Yesterday")}.get((day - today).days)
    return _("%(near)s, %(day)s", near=word, day=long_day(day)) if word else long_day(day)
