# ruff: noqa: E501, I001
"""Files as offices keep them: untidy, and to be understood. Each says the same two households unless it says not."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

import sheets
import xlsxwriter
from corpus.making import Case, good, old_workbook, patched, text, with_rows, with_sheet

H, GOOD = sheets.HEADING, sheets.GOOD
FULL = str.maketrans("0123456789", "０１２３４５６７８９")
NAMES = {"户号": "家庭编号", "姓名": "成员姓名", "关系": "与户主关系", "身份证号": "公民身份号码", "出生日期": "出生年月日",
         "联系电话": "手机号码", "住址": "常住地址", "困难类别": "人员类别", "同意书日期": "签署日期", "需求": "服务项目",
         "开始日期": "起始日期", "重复": "服务频率", "时间段": "上门时间", "时长": "服务时长（分钟）"}  # fmt: skip


def _all(**cells: object) -> list[list[object]]:
    """Every row with these columns changed: a value, or a function of the old one."""
    return [
        sheets.changed(row, **{name: to(row[H.index(name)]) if callable(to) else to for name, to in cells.items()})
        for row in GOOD
    ]


def _filled(change):
    return lambda value: change(value) if value else value


def _serial(day: str) -> int | str:
    from_text = {"1953-03-08": 19426, "1950-06-18": 18432, "1946-03-15": 16876, "2026-12-01": 46357, "2026-12-03": 46359,
                 "2026-11-02": 46328, "2026-11-03": 46329}  # fmt: skip
    return from_text.get(day, day)


def _reordered() -> bytes:
    order = list(reversed(range(len(H))))
    return sheets.workbook([[row[place] for place in order] for row in GOOD], heading=[H[place] for place in order])


def _shifted() -> bytes:
    """The table begins in column C, row 4."""
    blank = ["", ""]
    return sheets.workbook([[], [], blank + list(H), *[blank + row for row in GOOD]], heading=["", ""])


def _two_sheets(second: bool) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    for name, rows in (("封面", []), ("一", GOOD[:2]), ("二", GOOD[2:])):
        page = book.add_worksheet(name)
        for number, row in enumerate([H, *rows] if rows else [["莲花北社区名册"], ["2026 年 11 月"]]):
            page.write_row(number, 0, row)
    if not second:
        book.worksheets_objs[0].hide()
        book.worksheets_objs[1].activate()
    book.close()
    return file.getvalue()


def _hidden_old_copy() -> bytes:
    """Last month's sheet is hidden: it is not read."""

    def change(book, _page):
        page = book.add_worksheet("10月")
        page.write_row(0, 0, H)
        page.write_row(1, 0, sheets.changed(GOOD[0], 户号="099", 姓名="旧人"))
        page.hide()

    return sheets.workbook(GOOD, change=change)


def _merged() -> bytes:
    rows = [sheets.changed(row, 户号="", 住址="" if place == 1 else row[6]) for place, row in enumerate(GOOD)]
    rows[2] = GOOD[2]

    def change(_book, page):
        page.merge_range(1, 0, 2, 0, "007")
        page.merge_range(1, 6, 2, 6, GOOD[0][6])

    return sheets.workbook(rows, change=change)


def _bordered() -> bytes:
    """Borders down to row 60,000: cells with a style and nothing in them."""
    rows = b"".join(b'<row r="%d"><c r="A%d" s="0"/><c r="B%d" s="0"/></row>' % (n, n, n) for n in range(6, 60_000))
    return with_rows(rows)


def _strict() -> bytes:
    def change(_name: str, part: bytes) -> bytes:
        part = part.replace(
            b"schemas.openxmlformats.org/spreadsheetml/2006/main", b"purl.oclc.org/ooxml/spreadsheetml/main"
        )
        return part.replace(b"schemas.openxmlformats.org/officeDocument/2006", b"purl.oclc.org/ooxml/officeDocument")

    return patched(good(), change)


def _web(encoding: str) -> bytes:
    cells = lambda row, tag: "".join(f"<{tag}>{value}</{tag}>" for value in row)  # noqa: E731
    rows = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in GOOD)
    page = f'<html><head><meta charset="{encoding}"><style>td{{mso-number-format:"\\@"}}</style></head><body><table>'
    return (page + f"<tr>{cells(H, 'th')}</tr>{rows}</table></body></html>").encode(encoding)


def _web_spans() -> bytes:
    first, second, third = GOOD
    line = lambda row, skip: "".join(f"<td>{v}</td>" for place, v in enumerate(row) if place not in skip)  # noqa: E731
    return (
        "<table><tr>" + "".join(f"<th>{name}</th>" for name in H) + "</tr>"
        f"<tr><td rowspan=2>{first[0]}</td>{line(first, {0})}</tr><tr>{line(second, {0})}</tr>"
        f"<tr>{line(third, set())}</tr></table>"
    ).encode()


def _comments() -> bytes:
    def change(book, page):
        page.write_comment(1, 1, "电话问过")
        page.insert_textbox(8, 2, "制表：王")
        page.write_url(9, 20, "https://example.invalid/", string="")
        page.autofilter(0, 0, 3, 13)
        page.freeze_panes(1, 0)

    return sheets.workbook(GOOD, change=change)


def _formulas() -> bytes:
    """Numbers of households worked out by a formula, with the values that Excel keeps."""

    def change(_book, page):
        for row, value in ((1, "007"), (2, "007"), (3, "008")):
            page.write_formula(row, 0, f'="{value}"', None, value)

    return sheets.workbook(GOOD, change=change)


def _control() -> bytes:
    name, marked = "郑桂花".encode(), "郑桂花_x0007_\u200b\u202e".encode()
    return patched(good(), lambda part, xml: xml.replace(name, marked) if "sharedStrings" in part else xml)


def _heading_of_two_rows(merged: bool) -> bytes:
    """Above the parts of the need stands 服务需求; what has no parts goes over both rows, or stands in the upper one."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet("11月")
    page.merge_range(0, 0, 0, 13, "莲花北社区名册")
    page.merge_range(1, 9, 1, 13, "服务需求")
    for column, name in enumerate(H):
        if column >= 9:
            page.write(2, column, name)
        elif merged:
            page.merge_range(1, column, 2, column, name)
        else:
            page.write(1, column, name)
    for number, row in enumerate(GOOD, 3):
        page.write_row(number, 0, row)
    book.close()
    return file.getvalue()


def _sheet_xml(pattern: bytes, new) -> bytes:
    return patched(good(), lambda name, part: re.sub(pattern, new, part) if name.endswith("sheet1.xml") else part)


def _inline() -> bytes:
    """Texts in the cells themselves, as other programs write them."""
    shared = re.findall(rb"<si>(.*?)</si>", zipfile.ZipFile(io.BytesIO(good())).read("xl/sharedStrings.xml"))
    cell = rb'<c r="(\w+)" t="s"><v>(\d+)</v></c>'
    return _sheet_xml(cell, lambda m: b'<c r="%s" t="inlineStr"><is>%s</is></c>' % (m[1], shared[int(m[2])]))


def _rich() -> bytes:
    """A name in two scripts, with its reading."""
    old = "<t>郑桂花</t>".encode()
    new = '<r><t>郑</t></r><r><rPr><b/></rPr><t>桂花</t></r><rPh sb="0" eb="1"><t>zheng</t></rPh>'.encode()
    return patched(good(), lambda name, part: part.replace(old, new) if "sharedStrings" in name else part)


class _Stream(io.RawIOBase):
    """What can be written and not gone back in."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.written += data
        return len(data)


def _rezipped(target, **options) -> None:
    with zipfile.ZipFile(io.BytesIO(good())) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            with new.open(entry.filename, "w", **options) as part:
                part.write(old.read(entry))


def _zip64() -> bytes:
    file = io.BytesIO()
    _rezipped(file, force_zip64=True)
    return file.getvalue()


def _streamed() -> bytes:
    stream = _Stream()
    _rezipped(stream)
    return bytes(stream.written)


def _since_1904() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "date_1904": True})
    page, day = book.add_worksheet(), book.add_format({"num_format": "yyyy/m/d"})
    for number, row in enumerate([H, *GOOD]):
        for column, value in enumerate(row):
            if number and value and H[column] in ("出生日期", "开始日期", "同意书日期"):
                page.write_datetime(number, column, datetime.fromisoformat(value), day)
            elif value:
                page.write_string(number, column, value)
    book.close()
    return file.getvalue()


def _hidden_rows() -> bytes:
    def change(_book, page):
        page.set_row(2, None, None, {"hidden": True})
        page.set_column(3, 4, None, None, {"hidden": True})

    return sheets.workbook(GOOD, change=change)


def _in_characters(day: str) -> str:
    """1953-03-08 is 一九五三年三月八日."""
    year, month, number = day.split("-")
    tens, ones = divmod(int(number), 10)
    written = ("十" if tens == 1 else "二十" if tens else "") + (SIGNS[ones] if ones else "")
    return "".join(SIGNS[int(figure)] for figure in year) + f"年{SIGNS[int(month)]}月{written}日"


SIGNS = "〇一二三四五六七八九"
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
SPOKEN = {"11:00-12:30": "上午11点-中午12点半", "09:00-11:30": "上午九点至上午11点半"}
MESSY = [
    Case("as it should be", good),
    Case("a title above the heading", lambda: sheets.workbook(GOOD, title="莲花北社区困难家庭名册（2026 年 11 月）")),
    Case("empty rows above, empty columns before", _shifted),
    Case("other words for the columns", lambda: sheets.workbook(GOOD, heading=[NAMES[name] for name in H])),
    Case("stars and brackets in the heading", lambda: sheets.workbook(GOOD, heading=[f"{name}*（必填）" for name in H])),
    Case("blanks and line breaks in the heading", lambda: sheets.workbook(GOOD, heading=[f" {n[:1]}\n{n[1:]} " for n in H])),
    Case("columns in another order", _reordered),
    Case("columns that nobody asked for", lambda: sheets.workbook(
        [["1", *row, "张"] for row in GOOD], heading=["序号", *H, "填表人"])),
    Case("merged cells", _merged),
    Case("full-width digits", lambda: sheets.workbook(_all(
        身份证号=lambda v: v.translate(FULL), 联系电话=lambda v: v.translate(FULL), 户号=lambda v: v.translate(FULL)))),
    Case("days as serial numbers", lambda: sheets.workbook(_all(
        出生日期=_serial, 开始日期=_serial, 同意书日期=_serial))),
    Case("days in Chinese", lambda: sheets.workbook(_all(
        出生日期=_filled(lambda v: "{}年{}月{}日".format(*(int(p) for p in v.split("-"))))))),
    Case("days with points", lambda: sheets.workbook(_all(出生日期=_filled(lambda v: v.replace("-", "."))))),
    Case("days with slashes and no zeros", lambda: sheets.workbook(_all(
        出生日期=_filled(lambda v: "/".join(str(int(p)) for p in v.split("-")))))),
    Case("days of eight digits", lambda: sheets.workbook(_all(出生日期=_filled(lambda v: int(v.replace("-", "")))))),
    Case("days with a time behind", lambda: sheets.workbook(_all(开始日期=_filled(lambda v: v + " 00:00:00")))),
    Case("telephones as numbers", lambda: sheets.workbook(_all(联系电话=_filled(int)))),
    Case("telephones with strokes and blanks", lambda: sheets.workbook(_all(
        联系电话=_filled(lambda v: f"{v[:3]}-{v[3:7]} {v[7:]}")))),
    Case("telephones with the country", lambda: sheets.workbook(_all(联系电话=_filled(lambda v: "+86 " + v)))),
    Case("a small x in the ID number, blanks within", lambda: sheets.workbook(_all(
        身份证号=_filled(lambda v: f"{v[:6]} {v[6:14]} {v[14:].lower()}")))),
    Case("an apostrophe before the ID number", lambda: sheets.workbook(_all(身份证号=_filled(lambda v: "'" + v)))),
    Case("blanks around everything", lambda: sheets.workbook([[f"  {v}\u3000" if v else v for v in row] for row in GOOD])),
    Case("blanks within names", lambda: sheets.workbook(_all(姓名=lambda v: f"{v[0]} {v[1:]}"))),
    Case("tags divided otherwise", lambda: sheets.workbook(_all(困难类别=_filled(lambda v: v.replace("、", " / "))))),
    Case("hours written otherwise", lambda: sheets.workbook(_all(
        时间段=_filled(lambda v: v.replace("-", "至").replace(":", "："))))),
    Case("minutes with their unit", lambda: sheets.workbook(_all(时长=_filled(lambda v: v + " 分钟")))),
    Case("the number only in the first row", lambda: sheets.workbook(
        [GOOD[0], sheets.changed(GOOD[1], 户号=""), GOOD[2]])),
    Case("empty rows between", lambda: sheets.workbook([GOOD[0], GOOD[1], [], [], GOOD[2]])),
    Case("notes, filters, pictures of text", _comments),
    Case("two sheets and a cover", lambda: _two_sheets(True)),
    Case("a hidden cover", lambda: _two_sheets(False)),
    Case("last month hidden", _hidden_old_copy),
    Case("formulas", _formulas),
    Case("control characters and marks without width", _control),
    Case("Strict Open XML", _strict),
    Case("borders down to row 60,000", _bordered),
    Case("a blank cell in the last corner", lambda: with_rows(b'<row r="1048576"><c r="XFD1048576" s="0"/></row>')),
    Case("a dimension that lies", lambda: with_sheet(b'<dimension ref="A1', b'<dimension ref="A1:XFD1048576" x="')),
    Case("an old workbook", old_workbook, file="名册.xls"),
    Case("an old workbook called .xlsx", old_workbook),
    Case("a new workbook called .xls", good, file="名册.xls"),
    Case("a web page called .xls", lambda: _web("utf-8"), file="名册.xls"),
    Case("a web page in GB18030", lambda: _web("gb18030"), file="名册.xls"),
    Case("a web page with cells over two rows", _web_spans, file="名册.xls"),
    Case("a text called .xls", lambda: text(encoding="gb18030", delimiter="\t"), file="名册.xls"),
    Case("CSV in UTF-8", lambda: text(encoding="utf-8"), file="名册.csv"),
    Case("CSV in UTF-8 with its mark", lambda: text(encoding="utf-8-sig"), file="名册.csv"),
    Case("CSV in GB18030", lambda: text(encoding="gb18030"), file="名册.csv"),
    Case("tabs in UTF-16", lambda: text(encoding="utf-16", delimiter="\t"), file="名册.txt"),
    Case("UTF-16 the other way round", lambda: b"\xfe\xff" + text(encoding="utf-16-be", delimiter="\t"), file="名册.txt"),
    Case("UTF-16 without its mark", lambda: text(encoding="utf-16-le", delimiter="\t"), file="名册.txt"),
    Case("semicolons", lambda: text(encoding="gb18030", delimiter=";"), file="名册.csv"),
    Case("semicolons that are announced", lambda: b"sep=;\r\n" + text(encoding="gb18030", delimiter=";"), file="名册.csv"),
    Case("thousands of lines of commas", lambda: text() + b",,,,,,\r\n" * 50_000, file="名册.csv"),
    Case("ID numbers that Excel rounded", lambda: sheets.workbook(_all(身份证号=_filled(lambda v: int(v[:17] + "0")))),
         faults=frozenset({(2, "id_number", "rounded"), (3, "id_number", "rounded"), (4, "id_number", "rounded")}),
         same=False),
    Case("a month 13, a telephone too short, a tag that is none", lambda: sheets.workbook(
        [sheets.changed(GOOD[0], 出生日期="1953.13.8"), GOOD[1], sheets.changed(GOOD[2], 联系电话="1380013800", 困难类别="很困难")]),
         faults=frozenset({(2, "birth_date", "month"), (4, "telephone", "telephone"), (4, "tags", "choice")}), same=False),
    Case("a total and a signature below", lambda: sheets.workbook(
        [*GOOD, [], ["合  计", "3 人"], ["制表人：王丽", "", "审核：", "2026-11-03"]])),
    Case("the heading once more on the second page", lambda: sheets.workbook([*GOOD[:2], H, GOOD[2]])),
    Case("a heading of two rows, merged", lambda: _heading_of_two_rows(True)),
    Case("a heading of two rows, the upper one with gaps", lambda: _heading_of_two_rows(False)),
    Case("lines of words between the parts", lambda: sheets.workbook(
        [["第一网格 负责人王丽"], *GOOD[:2], ["第二网格"], GOOD[2], ["小计", "1 户"]])),
    Case("texts in the cells themselves", _inline),
    Case("a name in two scripts with its reading", _rich),
    Case("an archive in the form for large ones", _zip64),
    Case("an archive that was written as a stream", _streamed),
    Case("days since 1904", _since_1904),
    Case("hidden rows and columns", _hidden_rows),
    Case("full-width everything", lambda: sheets.workbook(
        [[value.translate(WIDE) for value in row] for row in GOOD], heading=[name.translate(WIDE) for name in H])),
    Case("a million rows with a style and nothing in them", lambda: with_rows(
        b"".join(b'<row r="%d" s="1" customFormat="1"/>' % n for n in range(6, 1_048_577)))),
    Case("a million blank cells", lambda: with_rows(
        b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (n, n) for n in range(6, 1_048_577)))),
    Case("three hundred thousand levels of XML", lambda: with_sheet(
        b"<sheetData>", b"<x>" * 300_000 + b"</x>" * 300_000 + b"<sheetData>")),
    Case("formulas that ask each other", lambda: with_rows(
        b'<row r="6"><c r="A6"><f>B6</f></c><c r="B6"><f>A6</f></c></row>')),
    Case("days in Chinese characters", lambda: sheets.workbook(_all(出生日期=_filled(_in_characters)))),
    Case("hours as they are spoken", lambda: sheets.workbook(_all(时间段=_filled(SPOKEN.__getitem__)))),
    Case("marks without width in the heading", lambda: sheets.workbook(GOOD, heading=[f"{n[0]}\u200b{n[1:]}\ufeff" for n in H])),
    Case("whose telephone it is, behind it", lambda: sheets.workbook(_all(联系电话=_filled(lambda v: v + "（儿子）")))),
    Case("telephones with 0086", lambda: sheets.workbook(_all(联系电话=_filled(lambda v: "0086-" + v)))),
    Case("lines that end as on old machines", lambda: text(encoding="utf-8").replace(b"\r\n", b"\r"), file="名册.csv"),
    Case("lines that end in three ways", lambda: text(encoding="utf-8").replace(b"\r\n", b"\n", 1).replace(b"\r\n", b"\r", 1), file="名册.csv"),
    Case("numbers kept from Excel with =", lambda: "\r\n".join(
        ",".join(f'="{value}"' for value in row) for row in [H, *GOOD]).encode("gb18030"), file="名册.csv"),
    Case("UTF-32", lambda: text(encoding="utf-32", delimiter="\t"), file="名册.txt"),
    Case("a formula that went wrong", lambda: _sheet_xml(rb'<c r="F3"[^>]*>.*?</c>', b'<c r="F3" t="e"><v>#N/A</v></c>'),
         faults=frozenset({(3, "telephone", "error")}), same=False),
    Case("a formula that nothing was kept of", lambda: _sheet_xml(rb'<c r="B4"[^>]*>.*?</c>', b'<c r="B4"><f>Z9</f></c>'),
         faults=frozenset({(4, "name", "required")}), same=False),
    Case("two telephones in a cell, an extension", lambda: sheets.workbook(
        [sheets.changed(GOOD[0], 联系电话="13850012217/0592-2051234"), sheets.changed(GOOD[1], 联系电话="0592-2051234转805"), GOOD[2]]),
         faults=frozenset({(2, "telephone", "several"), (3, "telephone", "extension")}), same=False),
    Case("ID numbers of 15 digits", lambda: sheets.workbook(_all(身份证号=_filled(lambda v: v[:6] + v[8:17]))),
         faults=frozenset({(2, "id_number", "id_old"), (3, "id_number", "id_old"), (4, "id_number", "id_old")}), same=False),
    Case("years of two digits", lambda: sheets.workbook(_all(同意书日期=_filled(lambda v: v[2:].replace("-", "/")))),
         faults=frozenset({(2, "consent_on", "date"), (4, "consent_on", "date")}), same=False),
    Case("names with a middle dot and rare characters", lambda: sheets.workbook(
        [GOOD[0], sheets.changed(GOOD[1], 姓名="阿依古丽·买买提"), sheets.changed(GOOD[2], 姓名="𠮷\ue863")]), same=False),
    Case("the same rows twice", lambda: sheets.workbook([*GOOD, *GOOD])),
]  # fmt: skip
