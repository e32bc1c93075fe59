"""A roster of 300 households as a street office keeps it: two years old, filled in by many hands, never checked.

`MESS` names each kind of untidiness and in how many households it stands. Most of it the importer understands by
itself; `WRONG` names the cells that a person must look up on the card and type, in the order of the rows.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

from tests.journeys.rosters import id_number

HOUSEHOLDS = 300
HEADING = ("序号", "户号*", "成员姓名", "与户主\n关系", "身份证号码", "出生年月日", "联系方式", "家庭住址", "人员类别",
           "签署日期", "服务项目", "起始日期", "服务频率", "上门时间", "服务时长（分钟）", "走访人")  # fmt: skip
NUMBER, NAME, RELATION, ID, BIRTH, PHONE, ADDRESS, TAGS, SIGNED, SERVICE, START, OFTEN, HOURS, LENGTH = range(1, 15)
SURNAMES, GIVEN = "郑许庄吕柯纪余林陈王李苏叶洪邱", "桂花天来水治秀鸾文礼玉兰清阿凤建国丽美春金宝珠德福"
FULL = str.maketrans("0123456789", "０１２３４５６７８９")
Row = list[object]


def _name(number: int) -> str:
    return SURNAMES[number % 15] + GIVEN[(number * 7) % 24] + GIVEN[(number * 11 + 5) % 24]


def _birth(number: int, person: int = 0) -> str:
    return f"{1931 + number % 40 + person * 3}-{1 + number % 12:02d}-{1 + number % 28:02d}"


def _household(number: int) -> list[Row]:
    """One or two people; every third household has a need."""
    birth = _birth(number)
    head: Row = [
        number,
        f"{5000 + number}",
        _name(number),
        "户主",
        id_number(birth.replace("-", ""), f"{500 + number % 400}"),
        birth,
        f"138{70000000 + number * 37}",
        f"香莲里{10 + number % 80}号{101 + number}室",
        "高龄" if number % 2 else "低保、独居",
        "2026-11-02",
        *[""] * 5,
        "王",
    ]
    if number % 3 == 0:
        head[SERVICE : LENGTH + 1] = ["助洁", "2026-12-01", "每周二", "09:00-11:30", "60"]
    rows = [head]
    if number % 4 == 0:
        born = _birth(number, 1)
        mate: Row = ["", head[NUMBER], _name(number + 7), "配偶",
                     id_number(born.replace("-", ""), f"{100 + number % 300}"), born, "", *[""] * 9]  # fmt: skip
        rows.append(mate)
    return rows


def _cell(place: int, change: Callable[[str], object]) -> Callable[[list[Row]], None]:
    def apply(rows: list[Row]) -> None:
        for row in rows:
            if row[place] != "":
                row[place] = change(str(row[place]))

    return apply


def _day(form: str) -> Callable[[str], object]:
    return lambda day: form.format(*(int(part) for part in day.split("-")))


def _serial(day: str) -> object:
    year, month, number = (int(part) for part in day.split("-"))
    a = (14 - month) // 12
    y, m = year + 4800 - a, month + 12 * a - 3
    julian = number + (153 * m + 2) // 5 + 365 * y + y // 4 - y // 100 + y // 400 - 32045
    return julian - 2415019


# Kinds of mess that nobody need look at: name → (every so many households, from, what is done to them).
MESS: dict[str, tuple[int, int, Callable[[list[Row]], None]]] = {
    "telephones stored as numbers": (5, 0, _cell(PHONE, int)),
    "telephones with strokes": (5, 1, _cell(PHONE, lambda text: f"{text[:3]}-{text[3:7]}-{text[7:]}")),
    "full-width digits": (9, 2, _cell(ID, lambda text: text.translate(FULL))),
    "ID numbers with blanks": (11, 3, _cell(ID, lambda text: f"{text[:6]} {text[6:14]} {text[14:]}")),
    "an apostrophe before the ID number": (13, 4, _cell(ID, lambda text: "'" + text)),
    "days as serial numbers": (7, 5, _cell(BIRTH, _serial)),
    "days in Chinese": (7, 1, _cell(BIRTH, _day("{}年{}月{}日"))),
    "days with points": (7, 2, _cell(BIRTH, _day("{}.{}.{}"))),
    "days of eight digits": (7, 3, _cell(BIRTH, lambda text: int(text.replace("-", "")))),
    "blanks within names": (10, 7, _cell(NAME, lambda text: f"{text[0]}　{text[1:]}")),
    "blanks around everything": (17, 6, lambda rows: [
        row.__setitem__(place, f"  {row[place]} ") for row in rows for place in (ADDRESS, TAGS) if row[place] != ""
    ] and None),
    "tags divided by strokes": (8, 4, _cell(TAGS, lambda text: text.replace("、", "/"))),
    "hours written with 至": (6, 0, _cell(HOURS, lambda text: text.replace("-", "至").replace(":", "："))),
    "minutes with their unit": (6, 3, _cell(LENGTH, lambda text: text + "分钟")),
    "the number only in the first row": (8, 0, lambda rows: [row.__setitem__(NUMBER, "") for row in rows[1:]] and None),
    "signed days with slashes": (12, 5, _cell(SIGNED, _day("{}/{}/{}"))),
}  # fmt: skip
# And what somebody must put right: household → (column, what stands there, what it should be).
WRONG: dict[int, tuple[int, Callable[[str], object]]] = {
    20: (ID, lambda text: text[:-1]),  # a digit left out
    61: (ID, lambda text: int(text[:17] + "0")),  # rounded by Excel
    94: (PHONE, lambda text: text[:-1]),
    131: (BIRTH, lambda _text: "1950-02-31"),  # the ID number knows better: one click
    166: (SIGNED, lambda _text: "2026-13-02"),
    199: (TAGS, lambda _text: "很困难"),
    232: (ID, lambda text: text[:16] + ("1" if text[16] != "1" else "2") + text[17:]),  # the check digit does not fit
    255: (HOURS, lambda _text: "上午"),
    270: (START, lambda _text: "下周"),
    289: (BIRTH, lambda _text: "1950.13.8"),
}  # fmt: skip
ONE_CLICK = (131, 289)


def right(number: int, place: int) -> str:
    """What should stand in a cell of a household's first row."""
    return str(_household(number)[0][place])


def workbook(path: Path) -> Path:
    """Write it as the office would: title and remark above, merged numbers, an empty row here and there, sums below,
    the heading once more half-way, and last year's sheet hidden behind it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("2026年11月")
    sheet.merge_range(0, 0, 0, len(HEADING) - 1, "嘉莲街道莲花北社区困难家庭走访名册")
    sheet.write_string(1, 0, "填报单位：莲花北社区    2026 年 11 月")
    line = 2
    for number in range(HOUSEHOLDS):
        if number in (0, 150):
            line = _write(sheet, line, list(HEADING))
        if number % 50 == 49:
            line += 1
        rows = _messy(number)
        for row in rows:
            line = _write(sheet, line, row)
        if len(rows) == 2 and number % 16 == 4:
            sheet.merge_range(line - 2, NUMBER, line - 1, NUMBER, rows[0][NUMBER])
    _write(sheet, line + 1, ["合计", f"{HOUSEHOLDS} 户"])
    _write(sheet, line + 3, ["制表人：王丽", "", "审核：李"])
    old = book.add_worksheet("2025年")
    old.write_row(0, 0, HEADING)
    old.write_row(1, 0, ["1", "0001", "旧人", "户主"])
    old.hide()
    book.close()
    path.write_bytes(file.getvalue())
    return path


def _messy(number: int) -> list[Row]:
    rows = _household(number)
    touched = {WRONG[number][0]} if number in WRONG else set()
    for every, start, change in MESS.values():
        if number % every == start and not touched:
            change(rows)
    if number in WRONG:
        place, change_one = WRONG[number]
        rows[0][place] = change_one(str(rows[0][place]))
    return rows


def _write(sheet: xlsxwriter.worksheet.Worksheet, line: int, row: Row) -> int:
    for column, value in enumerate(row):
        if isinstance(value, int):
            sheet.write_number(line, column, value)
        elif value:
            sheet.write_string(line, column, str(value))
    return line + 1
