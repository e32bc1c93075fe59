"""From a holiday notice (放假通知) to the days of a year: a table by columns, or the notice's own sentences.

A table has a column with the day (or first and last day), one that says off or worked, and may name the holiday.
The sentences are read as they are published: 二、春节：2月15日（…）至23日放假调休，共9天。2月14日、2月28日上班。
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput
from linkage.core.workdays import OFF, WORK, Span, faults
from linkage.imports.reading import Cell, Sheet, read_sheets
from linkage.imports.values import CellFault, day, plain

FIRST, LAST, KIND, NAME = "first", "last", "kind", "name"
HEADINGS = {
    FIRST: (
        "日期",
        "开始日期",
        "开始",
        "起始日期",
        "起",
        "从",
        "放假日期",
        "date",
        "first day",
        "first",
        "from",
        "start",
    ),
    LAST: ("结束日期", "结束", "截止日期", "止", "至", "到", "last day", "last", "to", "until", "end"),
    KIND: ("类型", "安排", "性质", "放假或上班", "类别", "状态", "kind", "type", "status"),
    NAME: ("名称", "节日", "假期", "节假日", "假日", "name", "holiday"),
}
KINDS = {
    OFF: ("放假", "放假调休", "休", "休息", "假日", "节假日", "休假", "off", "holiday", "day off"),
    WORK: ("上班", "班", "调休上班", "补班", "调班", "工作日", "工作", "work", "worked", "working day"),
}
HEAD_ROWS = 10
ITEM = re.compile(r"\s*[一二三四五六七八九十]+\s*、\s*(?P<name>[^:：]{1,20})[:：](?P<rest>.+)")
DAY = r"(?:(?P<y{0}>\d{{4}})年)?(?P<m{0}>\d{{1,2}})月(?P<d{0}>\d{{1,2}})日"
ASIDE = re.compile(r"[(（][^)）]*[)）]")
STRETCH = re.compile(DAY.format(1) + r"(?:[至到—–-]+(?:(?P<y2>\d{4})年)?(?:(?P<m2>\d{1,2})月)?(?P<d2>\d{1,2})日)?")
NUMBER = re.compile(r"国办发(?:明电|)?\s*[〔\[]\d{4}[〕\]]\s*\d+\s*号")


@dataclass(frozen=True)
class Mistake:
    """`row` as in the file (None: the whole); what is wrong and what to do."""

    row: int | None
    message: Any
    remedy: Any


@dataclass
class Notice:
    """What was understood: the spans, each with its row in the file, and what is wrong."""

    spans: list[Span] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    source: str = ""

    def add(self, row: int, span: Span) -> None:
        self.spans.append(span)
        self.rows.append(row)


WRITE_KIND = _l("Write “%(off)s” or “%(work)s”.", off="放假", work="上班")
FAULTS: dict[str, tuple[Any, Any]] = {
    "turned": (_l("The last day lies before the first."), _l("Exchange the two days.")),
    "long": (_l("So many days in a row are no holiday of a notice."), _l("Check the last day.")),
    "year": (_l("%(day)s is no day of %(year)s."), _l("Check the year of the day, or choose the year of the notice.")),
    "twice": (_l("A day of this row stands in an earlier row already."), _l("Leave out one of the two.")),
    "weekday": (
        _l("%(day)s is worked anyway: it is a weekday."),
        _l("Only Saturdays and Sundays are named as worked; check the day."),
    ),
    "missing": (
        _l("%(day)s is a public holiday by law, and the table does not give it off."),
        _l("Enter every holiday of the notice; the table is taken as a whole."),
    ),
}


def read_file(content: bytes, name: str, year: int) -> Notice:
    """Understand an uploaded table or text.  Raises FileRefused (hostile, damaged or other files)."""
    sheets = [sheet for sheet in read_sheets(content, name) if sheet.rows]
    if not sheets:
        raise InvalidInput(_l("The file is empty."), field="file", remedy=_l("Choose the file with the rows in it."))
    for sheet in sheets:
        found = _read_table(sheet)
        if found is not None:
            return checked(found, year)
    return read_text(((number, "".join(text for _kind, text in cells)) for number, cells in sheets[0].rows), year)


def read_text(lines: Iterable[tuple[int, str]], year: int) -> Notice:
    """Understand the notice's own sentences, each numbered holiday on a line."""
    notice = Notice()
    for number, line in lines:
        words = ASIDE.sub("", line)
        found = NUMBER.search(line)
        notice.source = notice.source or (found[0] if found else "")
        item = ITEM.match(words)
        if item:
            try:
                for span in _spans_in(item["name"].strip(), item["rest"], year):
                    notice.add(number, span)
            except ValueError:
                notice.mistakes.append(
                    Mistake(number, _l("There is no such day."), _l("Check the dates of this line."))
                )
    if not notice.spans and not notice.mistakes:
        remedy = _l(
            "Use columns for first day, last day and %(kinds)s, or paste the notice with its numbered lines.",
            kinds="放假/上班",
        )
        notice.mistakes.append(Mistake(None, _l("No days off were found."), remedy))
    return checked(notice, year)


def _spans_in(name: str, rest: str, year: int) -> Iterator[Span]:
    for sentence in re.split(r"[。;；]", rest):
        kind = OFF if "放假" in sentence else WORK if "上班" in sentence else ""
        for found in STRETCH.finditer("".join(sentence.split())) if kind else ():
            first = date(int(found["y1"] or year), int(found["m1"]), int(found["d1"]))
            last = first
            if found["d2"]:
                month = int(found["m2"] or first.month)
                last = date(int(found["y2"] or (first.year + (month < first.month))), month, int(found["d2"]))
            yield Span(name, first, last, kind)


def _read_table(sheet: Sheet) -> Notice | None:
    """The sheet by its columns; None where no row of headings stands on top."""
    head = next((row for row in sheet.rows[:HEAD_ROWS] if {FIRST, KIND} <= set(_columns(row[1]))), None)
    if head is None:
        return None
    columns, notice, name = _columns(head[1]), Notice(), ""
    for number, cells in sheet.rows:
        if number <= head[0] or not any(plain(cell)[0] for cell in cells):
            continue
        row = {key: cells[place] for key, place in columns.items() if place < len(cells) and plain(cells[place])[0]}
        name = plain(row[NAME])[0] if NAME in row else name
        try:
            notice.add(number, Span(name, *_days(row), _kind(row)))
        except CellFault as fault:
            notice.mistakes.append(Mistake(number, fault.message, fault.remedy))
    return notice


def _columns(cells: Sequence[Cell]) -> dict[str, int]:
    words = {plain(cell)[0].lower().rstrip("*"): place for place, cell in reversed(list(enumerate(cells)))}
    found = {key: next((words[w] for w in names if w in words), None) for key, names in HEADINGS.items()}
    return {key: place for key, place in found.items() if place is not None}


def _days(row: dict[str, Cell]) -> tuple[date, date]:
    if FIRST not in row:
        raise CellFault("first", _l("The day is missing."), _l("Write it as 2027-02-06."))
    first: date = day(row[FIRST]).meaning
    return first, day(row[LAST]).meaning if LAST in row else first


def _kind(row: dict[str, Cell]) -> str:
    words = plain(row.get(KIND, ["t", ""]))[0].lower()
    found = next((kind for kind, names in KINDS.items() if words in names), None)
    if found is None:
        raise CellFault("kind", _l("“%(words)s” is neither off nor worked.", words=words[:20]), WRITE_KIND)
    return found


def checked(notice: Notice, year: int) -> Notice:
    """Add what contradicts itself or the law; only where every row was understood is the whole judged."""
    unread = bool(notice.mistakes)
    for place, code, values in faults(year, notice.spans):
        if place is None and unread:
            continue
        message, remedy = FAULTS[code]
        notice.mistakes.append(Mistake(None if place is None else notice.rows[place], message % values, remedy))
    return notice


def packed(spans: Iterable[Span]) -> str:
    """The spans as lines, to carry them from the check to the storing."""
    return "\n".join(f"{span.first}|{span.last}|{span.kind}|{span.name}" for span in spans)


def unpacked(text: str) -> list[Span]:
    """The same back.  Raises InvalidInput: the page was tampered with, or another version made it."""
    try:
        parts = [line.split("|", 3) for line in text.split("\n")[:400] if line]
        return [
            Span(name.strip()[:40], date.fromisoformat(first), date.fromisoformat(last), {OFF: OFF, WORK: WORK}[kind])
            for first, last, kind, name in parts
        ]
    except (ValueError, KeyError) as error:
        raise InvalidInput(_l("The page was changed on the way: check the file once more.")) from error
