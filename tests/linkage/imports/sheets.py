"""Rosters made in tests: good ones, messy ones, hostile ones."""

import csv
import io
import zipfile

import xlsxwriter
from stdnum.iso7064 import mod_11_2

HEADING = [
    "户号", "姓名", "关系", "身份证号", "出生日期", "联系电话", "住址", "困难类别", "同意书日期", "需求", "开始日期",
    "重复", "时间段", "时长",
]  # fmt: skip


def id_number(birth, order="006", county="350203"):
    """A resident ID number with a valid check digit."""
    body = f"{county}{birth}{order}"
    return body + mod_11_2.calc_check_digit(body)


ZHENG, HUANG, XU = id_number("19530308"), id_number("19500618", "135"), id_number("19460315", "137")
GOOD = [
    ["007", "郑桂花", "本人", ZHENG, "1953-03-08", "13850012217", "香莲里31号204室", "高龄、低保", "2026-11-02", "助餐",
     "2026-12-01", "每周二、四", "11:00-12:30", "30"],
    ["007", "黄水源", "配偶", HUANG, "1950-06-18", "13900120431", "", "", "", "", "", "", "", ""],
    ["008", "许天来", "本人", XU, "1946-03-15", "", "凌香里3号601室", "独居", "2026-11-03", "助洁",
     "2026-12-03", "每周四", "09:00-11:30", "60"],
]  # fmt: skip


def workbook(rows, heading=HEADING, title=None, sheet="11月", change=None):
    """An .xlsx file; strings are text cells, numbers number cells. `change(workbook, sheet)` may add to it."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet(sheet)
    start = 0
    if title:
        page.write_string(0, 0, title)
        start = 1
    for number, row in enumerate([heading, *rows], start):
        for column, value in enumerate(row):
            if isinstance(value, str):
                if value:
                    page.write_string(number, column, value)
            elif value is not None:
                page.write_number(number, column, value)
    if change:
        change(book, page)
    book.close()
    return file.getvalue()


def text_table(rows, heading=HEADING, encoding="utf-8-sig", delimiter=","):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([heading, *rows])
    return file.getvalue().encode(encoding)


def zip_bomb():
    """A workbook whose sheet would unpack to 400 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 400 * 2**20)
    return file.getvalue()


def lying_bomb():
    """The same, but the directory of the archive says that it is small."""
    packed = bytearray(zip_bomb())
    size = (400 * 2**20).to_bytes(4, "little")
    place = packed.find(size)
    while place >= 0:
        packed[place : place + 4] = (1000).to_bytes(4, "little")
        place = packed.find(size, place + 1)
    return bytes(packed)


def with_macros():
    """A workbook that carries a VBA project (an .xlsm, whatever its name says)."""
    file = io.BytesIO(workbook(GOOD))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    return file.getvalue()


def far_cell():
    """A workbook with one cell at the last column of the last row."""
    return workbook(GOOD, change=lambda book, page: page.write_string(1_048_575, 16_383, "x"))


def changed(row, **cells):
    """A copy of a row with some cells replaced, by heading."""
    names = dict(zip(HEADING, row, strict=True)) | cells
    return [names[name] for name in HEADING]
