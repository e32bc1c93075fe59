"""The roster of the main journey: eight households as an office keeps them, three of them with a mistake."""

from __future__ import annotations

import io
from pathlib import Path

import xlsxwriter
from stdnum.iso7064 import mod_11_2

COLUMNS = "户号 姓名 关系 身份证号 出生日期 联系电话 住址 困难类别 同意书日期 需求 开始日期 重复 时间段 时长"
HEADING = tuple(COLUMNS.split(" "))
PEOPLE = ["郑桂花", "许天来", "庄水治", "吕秀鸾", "柯文礼", "白玉兰", "纪清水", "余阿凤"]


def id_number(birth: str, order: str) -> str:
    """A resident ID number with a valid check digit (GB 11643)."""
    body = f"350203{birth}{order}"
    return body + str(mod_11_2.calc_check_digit(body))


def rows() -> list[list[str]]:
    """One household a row, with a weekly cleaning need for the first."""
    made = []
    for number, name in enumerate(PEOPLE):
        birth = f"19{40 + number}0{number + 1}1{number}"
        shown = f"{birth[:4]}-{birth[4:6]}-{birth[6:]}"
        made.append([
            f"9{number:02d}", name, "本人", id_number(birth, f"{100 + 2 * number}"), shown, f"1385001{number:04d}",
            f"香莲里{30 + number}号204室", "高龄", "2026-11-02",
            *(["助洁", "2026-11-25", "每周三", "09:00-11:30", "60"] if number == 0 else ["", "", "", "", ""]),
        ])  # fmt: skip
    return made


def with_mistakes() -> list[list[str]]:
    """The same with three wrong households: a birth date that does not fit, a digit too few, a day that is none."""
    made = rows()
    made[2][4] = "1950-01-01"
    made[4][3] = made[4][3][:-1]
    made[6][8] = "2026-13-02"
    return made


def workbook(content: list[list[str]], path: Path) -> Path:
    """Write the roster as an office would: a title above the header, all cells text."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("11月")
    sheet.write_string(0, 0, "莲花北社区 11 月走访名册")
    for number, row in enumerate([HEADING, *content], 1):
        for column, value in enumerate(row):
            if value:
                sheet.write_string(number, column, value)
    book.close()
    path.write_bytes(file.getvalue())
    return path
