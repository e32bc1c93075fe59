"""How dates, times, durations, money and masked values read, in both languages (日期、时长、金额、遮掩).

Plain functions `format_*` give text; the filters of the same short names give `<time>` markup that never breaks in
the middle. Datetimes must be aware; they are shown in the house's own zone (Asia/Shanghai), whatever zone they are in.
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape

ZONE = ZoneInfo("Asia/Shanghai")
WEEKDAYS_ZH = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
WEEKDAYS_EN = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def chinese() -> bool:
    """Whether the reader reads Chinese; the house's first language where nobody asked."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def local(moment: datetime) -> datetime:
    """The moment in the house's zone; raises ValueError for a naive one, which would be off by eight hours."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place on a page")
    return moment.astimezone(ZONE)


def _as_date(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def format_day(value: date | datetime) -> str:
    """11月24日, or 24 Nov."""
    day = _as_date(value)
    return f"{day.month}月{day.day}日" if chinese() else f"{day.day} {MONTHS_EN[day.month - 1]}"


def format_weekday(value: date | datetime) -> str:
    """周二, or Tue."""
    return (WEEKDAYS_ZH if chinese() else WEEKDAYS_EN)[_as_date(value).weekday()]


def format_date(value: date | datetime) -> str:
    """11月24日 周二, or Tue 24 Nov."""
    parts = [format_day(value), format_weekday(value)]
    return " ".join(parts if chinese() else reversed(parts))


def format_long_date(value: date | datetime) -> str:
    """With the year, for what lies far away: 2027年6月30日, or 30 Jun 2027."""
    day = _as_date(value)
    return f"{day.year}年{format_day(day)}" if chinese() else f"{format_day(day)} {day.year}"


def format_time(value: time | datetime | int) -> str:
    """09:30; an int is minutes after midnight."""
    if isinstance(value, int):
        return f"{value // 60:02d}:{value % 60:02d}"
    return f"{local(value) if isinstance(value, datetime) else value:%H:%M}"


def format_datetime(value: datetime) -> str:
    """11月24日 周二 09:30, or Tue 24 Nov 09:30."""
    return f"{format_date(value)} {format_time(value)}"


def format_times(start: time | datetime | int, end: time | datetime | int) -> str:
    """09:30–11:00."""
    return f"{format_time(start)}–{format_time(end)}"


def format_span(start: datetime, end: datetime) -> str:
    """11月24日 周二 09:30–11:00; both days where they differ."""
    if _as_date(start) == _as_date(end):
        return f"{format_date(start)} {format_times(start, end)}"
    return f"{format_datetime(start)} – {format_datetime(end)}"


def format_days(start: date | datetime, end: date | datetime) -> str:
    """11月23日–29日, or 23–29 Nov; both ends with months where these differ; one day alone."""
    first, last = _as_date(start), _as_date(end)
    if first == last:
        return format_day(first)
    if (first.year, first.month) != (last.year, last.month):
        return f"{format_day(first)}–{format_day(last)}"
    if chinese():
        return f"{format_day(first)}–{last.day}日"
    return f"{first.day}–{format_day(last)}"


def format_near_day(value: date | datetime, now: datetime) -> str:
    """昨天, 今天, 明天 (yesterday, today, tomorrow), else the date with its weekday."""
    words = {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}
    distance = (_as_date(value) - _as_date(now)).days
    return words.get(distance) or format_date(value)


def format_when(value: datetime, now: datetime) -> str:
    """今天 14:30, or 11月26日 周四 14:30."""
    return f"{format_near_day(value, now)} {format_time(value)}"


def format_when_span(start: datetime, end: datetime, now: datetime) -> str:
    """今天 14:30–16:00, or 11月26日 周四 14:30–16:00."""
    return f"{format_near_day(start, now)} {format_times(start, end)}"


def format_duration(minutes: int) -> str:
    """1 小时 30 分, or 1 h 30 min; 40 分, or 40 min. `minutes` may be negative (a correction)."""
    hours, rest = divmod(abs(minutes), 60)
    unit_h, unit_min = ("小时", "分") if chinese() else ("h", "min")
    parts = ([f"{hours} {unit_h}"] if hours else []) + ([f"{rest} {unit_min}"] if rest or not hours else [])
    return ("−" if minutes < 0 else "") + " ".join(parts)


def format_money(fen: int) -> str:
    """¥1,280.00 from integer fen (分)."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}¥{yuan:,}.{rest:02d}"


def mask_name(name: str) -> str:
    """张** from 张小明: the first character stays, the length is not told."""
    return f"{name[:1]}**" if name else ""


def mask_phone(number: str) -> str:
    """138****8000 from 13800138000; a number too short to mask so shows its last two digits only."""
    number = number.removeprefix("+86")  # as stored; people in China write 138…
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 10 else f"****{number[-2:]}"


def mask_id_number(number: str) -> str:
    """3502**********0028 from an 18-digit ID number (身份证号)."""
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}" if len(number) > 8 else "*" * len(number)


def _iso(value: date | time | datetime | int) -> str:
    if isinstance(value, int):
        return format_time(value)
    moment = local(value) if isinstance(value, datetime) else value
    return f"{moment:%H:%M}" if isinstance(moment, time) else moment.isoformat(*_to_minutes(moment))


def _to_minutes(moment: date | datetime) -> tuple[str, ...]:
    return ("T", "minutes") if isinstance(moment, datetime) else ()


def _time_filter(formatter):
    """A filter that wraps what `formatter` gives into `<time>` and leaves None empty (no date is not an error)."""

    def show(value, *args):
        if value is None:
            return ""
        return Markup('<time datetime="{}">{}</time>').format(_iso(value), formatter(value, *args))

    return show


def _nowrap(formatter):
    def show(value):
        return "" if value is None else Markup('<span class="nowrap">{}</span>').format(escape(formatter(value)))

    return show


FILTERS = {
    "dt": _time_filter(format_datetime),
    "d": _time_filter(format_date),
    "day": _time_filter(format_day),
    "long_d": _time_filter(format_long_date),
    "t": _time_filter(format_time),
    "span": _time_filter(format_span),
    "times": _time_filter(format_times),
    "days": _time_filter(format_days),
    "near": _time_filter(format_near_day),
    "when": _time_filter(format_when),
    "when_span": _time_filter(format_when_span),
    "duration": _nowrap(format_duration),
    "money": _nowrap(format_money),
    "weekday": format_weekday,
    "mask_name": mask_name,
    "mask_phone": mask_phone,
    "mask_id_number": mask_id_number,
}


def init_app(app: Flask) -> None:
    """Register the filters: `{{ visit.start|dt }}`, `{{ visit.start|when(now) }}`, `{{ 90|duration }}`."""
    # Jinja has its own short name `d` for `default`; ours wins, templates write `|default(...)` in full.
    app.jinja_env.filters.update(FILTERS)
