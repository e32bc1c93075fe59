# ruff: noqa: E501, I001
"""Files that must be refused within 10 seconds and 300 MB, with a sentence that a clerk understands."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile

import sheets
from corpus.making import Case, good, old_workbook, patched, text, with_parts, with_rows, with_sheet, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CARERS = ["工号", "护理员姓名", "机构", "每周工时", "出行方式", "入职日期"]
BILLION = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"lol") for level in range(10)
)


def _ole(*names: str) -> bytes:
    return OLE + b"\x00" * 504 + b"".join(name.encode("utf-16-le").ljust(128, b"\x00") for name in names)


def _nested() -> bytes:
    inner = good()
    for _level in range(3):
        inner = zipped(a_dot_zip=inner)
    return inner


def _quine_like() -> bytes:
    """An archive whose entries lie over each other: each is unpacked anew."""
    body = zipfile.ZipFile(io.BytesIO(sheets.zip_bomb()))
    raw = sheets.zip_bomb()
    end = raw.rfind(b"PK\x05\x06")
    count, size, start = struct.unpack("<HLL", raw[end + 10 : end + 20])
    directory = raw[start : start + size] * 200
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count * 200, count * 200, len(directory), start, 0)
    body.close()
    return raw[:start] + directory + tail


def _many_entries() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5000):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", "<worksheet/>")
    return file.getvalue()


def _million_rows() -> bytes:
    return with_rows(b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(6, 1_000_001)))


def _rows_without_references() -> bytes:
    """Places that are not said are counted on: 200,000 rows of a column."""
    return with_rows(b"<row><c><v>1</v></c></row>" * 200_000)


def _many_columns() -> bytes:
    return sheets.workbook(sheets.GOOD, change=lambda _book, page: page.write_string(1, 400, "x"))


def _long_words() -> bytes:
    """One word of 30,000 characters in each of 40,000 cells: small in the file."""
    row = b"".join(b'<c r="%c{0}" t="s"><v>0</v></c>' % (65 + n) for n in range(20))
    rows = b"".join(b'<row r="%d">' % n + row.replace(b"{0}", b"%d" % n) + b"</row>" for n in range(6, 2006))

    def change(name: str, part: bytes) -> bytes:
        if name.endswith("sharedStrings.xml"):
            first = part.index(b"<t>") + 3
            return part[:first] + b"x" * 30_000 + part[first:]
        return part.replace(b"</sheetData>", rows + b"</sheetData>") if name.endswith("sheet1.xml") else part

    return patched(good(), change)


def _styles() -> bytes:
    def change(name: str, part: bytes) -> bytes:
        return (
            part.replace(b"</cellXfs>", b'<xf numFmtId="0"/>' * 900_000 + b"</cellXfs>") if "styles" in name else part
        )

    return patched(good(), change)


def _merges() -> bytes:
    cells = b"".join(b'<mergeCell ref="A%d:A%d"/>' % (n, n + 1) for n in range(10, 300_000, 2))
    return with_sheet(b"</sheetData>", b'</sheetData><mergeCells count="1">' + cells + b"</mergeCells>")


def _macro_type() -> bytes:
    def change(name: str, part: bytes) -> bytes:
        plain = b"spreadsheetml.sheet.main+xml"
        return part.replace(b"openxmlformats-officedocument." + plain, b"ms-excel.sheet.macroEnabled.main+xml")

    return patched(good(), change)


def _broken_checksum() -> bytes:
    content = bytearray(good())
    place = content.find(b"xl/worksheets/sheet1.xml") + len(b"xl/worksheets/sheet1.xml") + 20
    content[place] ^= 0xFF
    return bytes(content)


def _lzma() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good())) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return file.getvalue()


def _twice() -> bytes:
    file = io.BytesIO(good())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("XL/WORKSHEETS/SHEET1.XML", b"<worksheet/>")
    return file.getvalue()


def _locked() -> bytes:
    """The flag of a password on every entry of the archive."""
    content = bytearray(good())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(magic)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(magic, place + 4)
    return bytes(content)


def _old_locked() -> bytes:
    """An .xls with the record that says: ciphered (FILEPASS) in place of the one after its first."""
    content = old_workbook()
    place = content.index(b"\x09\x08\x10\x00") + 20
    return content[:place] + b"\x2f\x00" + content[place + 2 :]


def _old_wide() -> bytes:
    """More rows than are taken, in the old format."""
    return old_workbook([[str(number), "x"] for number in range(30_000)])


def _noise(length: int) -> bytes:
    return random.Random(7).randbytes(length)


def _damaged_old() -> bytes:
    content = bytearray(old_workbook())
    noise = random.Random(8)
    for _time in range(400):
        content[noise.randrange(520, len(content))] = noise.randrange(256)
    return bytes(content)


def _quoted() -> bytes:
    return text() + b'"' + b"x" * (6 * 2**20)


def _commas() -> bytes:
    return text() + b"," * (9 * 2**20)


def _web_bomb() -> bytes:
    cell = b'<td rowspan="999" colspan="199">x</td>'
    return b"<html><table>" + (b"<tr>" + cell + b"</tr>") * 30_000 + b"</table></html>"


def _mixed() -> bytes:
    lines = text(encoding="utf-8").decode().splitlines(keepends=True)
    return lines[0].encode("gb18030") + "".join(lines[1:]).encode("utf-8")


def _mixed_below() -> bytes:
    lines = text(encoding="utf-8").decode().splitlines(keepends=True)
    return "".join(lines[:-1]).encode("utf-8") + lines[-1].encode("gb18030")


def _late_doctype() -> bytes:
    return with_sheet(b"<worksheet", b"<!-- " + b"x" * 300_000 + b" --><!DOCTYPE w [<!ENTITY a SYSTEM 'x'>]><worksheet")


def _archive_with(name: str, part: bytes = b"x") -> bytes:
    file = io.BytesIO(good())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, part)
    return file.getvalue()


def _symlink() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good())) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            info = zipfile.ZipInfo(entry.filename)
            if entry.filename.endswith("sheet1.xml"):
                info.create_system, info.external_attr = 3, 0o120777 << 16
            new.writestr(info, b"/etc/passwd" if info.external_attr else old.read(entry))
    return file.getvalue()


def _sheet_at(address: bytes) -> bytes:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(b"worksheets/sheet1.xml", address) if name.endswith("workbook.xml.rels") else part

    return patched(good(), change)


XML_2003 = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
    'spreadsheet"><Worksheet><Table><Row><Cell><Data>姓名</Data></Cell></Row></Table></Worksheet></Workbook>'
)
LINK = (
    b'<Relationships><Relationship Id="r1" Type="http://x/oleObject" Target="x" TargetMode="External"/></Relationships>'
)
UTF16_BOMB = ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>').encode("utf-16")

HOSTILE = [
    Case("a zip bomb", sheets.zip_bomb, ("unpacked",)),
    Case("a zip bomb whose directory lies", sheets.lying_bomb, ("unpacked", "damaged")),
    Case("entries that lie over each other", _quine_like, ("unpacked", "unsafe")),
    Case("five thousand entries", _many_entries, ("unpacked",)),
    Case("an archive in an archive in an archive", _nested, ("type",)),
    Case("an archive inside the workbook", lambda: with_parts(xl__embeddings__a_dot_zip=good()), ("packed",)),
    Case("an archive under another name inside", lambda: with_parts(xl__media__a_dot_png=good()), ("packed",)),
    Case("a program inside", lambda: with_parts(xl__embeddings__o_dot_bin=b"MZ" + b"\0" * 99), ("packed",)),
    Case("a million rows", _million_rows, ("rows", "unpacked")),
    Case("rows without a place", _rows_without_references, ("rows", "damaged")),
    Case("four hundred columns", _many_columns, ("columns",)),
    Case("a filled cell in the last corner", sheets.far_cell, ("rows", "columns")),
    Case("an empty text in the last corner", lambda: with_rows(
        b'<row r="1048576"><c r="XFD1048576" t="str"><v></v></c></row>'), ("rows", "columns")),
    Case("a place beyond every sheet", lambda: with_rows(
        b'<row r="99999999"><c r="ZZZZ99999999"><v>1</v></c></row>'), ("rows", "columns")),
    Case("a long word in every cell", _long_words, ("unpacked", "died")),
    Case("nine hundred thousand styles", _styles, ("unpacked",)),
    Case("a hundred thousand merged cells", _merges, ("unpacked",)),
    Case("a billion laughs", lambda: with_sheet(b"<worksheet", b"<!DOCTYPE w [" + BILLION + b"]><worksheet"), ("unsafe",)),
    Case("an outside entity", lambda: with_sheet(
        b"<worksheet", b'<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet'), ("unsafe",)),
    Case("a document type far behind", _late_doctype, ("unsafe",)),
    Case("entities in UTF-16", lambda: patched(
        good(), lambda name, part: UTF16_BOMB if name.endswith("sheet1.xml") else part), ("unsafe",)),
    Case("a link to another workbook", lambda: with_parts(xl__externalLinks__externalLink1_dot_xml=b"<x/>"), ("links",)),
    Case("a connection to a database", lambda: with_parts(xl__connections_dot_xml=b"<connections/>"), ("links",)),
    Case("an object from outside", lambda: with_parts(xl__worksheets___rels__s_dot_rels=LINK), ("links",)),
    Case("macros", sheets.with_macros, ("macros",)),
    Case("macros by the name of the file", good, ("macros",), file="名册.XLSM"),
    Case("macros by its list of types", _macro_type, ("macros",)),
    Case("a macro sheet of 1992", lambda: with_parts(xl__macrosheets__sheet1_dot_xml=b"<x/>"), ("macros",)),
    Case("an ActiveX control", lambda: with_parts(xl__activeX__activeX1_dot_bin=b"x"), ("macros",)),
    Case("macros in an .xls", lambda: _ole("Workbook", "_VBA_PROJECT_CUR", "_VBA_PROJECT"), ("macros",), "名册.xls"),
    Case("encrypted by Excel", lambda: _ole("EncryptedPackage", "EncryptionInfo"), ("password",)),
    Case("an archive with a password", _locked, ("password",)),
    Case("an .xls with a password", _old_locked, ("password", "damaged"), "名册.xls"),
    Case("cut off in the middle", lambda: good()[: len(good()) // 2], ("damaged",)),
    Case("cut off near its end", lambda: good()[:-30], ("damaged",)),
    Case("an .xls cut off", lambda: old_workbook()[:3000], ("damaged", "died", "heading", "type"), "名册.xls"),
    Case("an .xls with noise in it", _damaged_old, ("damaged", "died", "heading", "slow", "type"), "名册.xls"),
    Case("a checksum that does not fit", _broken_checksum, ("damaged",)),
    Case("a compression that nobody uses", _lzma, ("damaged",)),
    Case("the same part twice", _twice, ("unsafe",)),
    Case("a workbook without its sheet", lambda: patched(
        good(), lambda name, part: None if name.endswith("sheet1.xml") else part), ("damaged",)),
    Case("a sheet that is no XML", lambda: patched(
        good(), lambda name, part: _noise(5000) if name.endswith("sheet1.xml") else part), ("damaged", "heading", "died")),
    Case("a PDF", lambda: b"%PDF-1.7\n" + _noise(500), ("type",), "名册.pdf"),
    Case("a PDF called .xlsx", lambda: b"%PDF-1.7\n" + _noise(500), ("type",)),
    Case("a photograph called .xls", lambda: b"\xff\xd8\xff\xe0" + _noise(5000), ("type",), "名册.xls"),
    Case("a picture called .csv", lambda: b"\x89PNG\r\n\x1a\n" + _noise(5000), ("type",), "名册.csv"),
    Case("a Word document called .xlsx", lambda: zipped(word__document_dot_xml=b"<w/>"), ("type",)),
    Case("an old Word document called .xls", lambda: _ole("WordDocument"), ("type",), "名册.xls"),
    Case("an OpenDocument table", lambda: zipped(mimetype=b"application/x", content_dot_xml=b"<x/>"), ("type",)),
    Case("a binary workbook", lambda: zipped(xl__workbook_dot_bin=b"x"), ("type",), "名册.xlsb"),
    Case("a program called .csv", lambda: b"MZ\x90\x00" + _noise(2000), ("type",), "名册.csv"),
    Case("a compressed table", lambda: gzip.compress(text()), ("type",), "名册.csv"),
    Case("a rich text called .csv", lambda: b"{\\rtf1\\ansi " + b"x" * 200 + b"}", ("type",), "名册.csv"),
    Case("a web archive called .xls", lambda: b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", ("type",), "a.xls"),
    Case("a web page without a table", lambda: b"<html><body>login</body></html>", ("type",), "名册.xls"),
    Case("a web page of giant cells", _web_bomb, ("rows", "columns", "unpacked", "died", "slow"), "名册.xls"),
    Case("an XML table of 2003", lambda: b'<?xml version="1.0"?><Workbook xmlns="x"/>', ("type",), "名册.xls"),
    Case("noise", lambda: _noise(20_000), ("type", "encoding"), "名册.csv"),
    Case("NUL bytes in a text", lambda: text().replace(b",", b",\x00", 3), ("type",), "名册.csv"),
    Case("two encodings, the heading in GB18030", _mixed, ("mixed",), "名册.csv"),
    Case("two encodings, the last line in GB18030", _mixed_below, ("mixed",), "名册.csv"),
    Case("UTF-8 cut in a character", lambda: text(encoding="utf-8-sig")[:-40] + b"\xe6\x9d", ("encoding",), "a.csv"),
    Case("a quotation that never ends", _quoted, ("damaged",), "名册.csv"),
    Case("nine million commas", _commas, ("rows", "columns"), "名册.csv"),
    Case("three million empty lines", lambda: text() + b"\n" * 3_000_000, ("rows",), "名册.csv"),
    Case("eleven megabytes", lambda: b"a" * (11 * 2**20), ("large",), "名册.csv"),
    Case("nothing", lambda: b"", ("empty",)),
    Case("nothing but blanks", lambda: b"\xef\xbb\xbf  \r\n \t", ("empty",), "名册.csv"),
    Case("a name with a path", good, ("name",), "../../etc/cron.d/x.xlsx"),
    Case("a name with a drive", good, ("name",), "C:\\Users\\x.xlsx"),
    Case("a name with a line break", good, ("name",), "名册\n.xlsx"),
    Case("a name that is written backwards", good, ("name",), "名册\u202excslx.exe.xlsx"),
    Case("an entry that leads outside", lambda: _archive_with("xl/../../../tmp/x.xml"), ("unsafe",)),
    Case("an entry with a control character", lambda: _archive_with("xl/a\x01b.xml"), ("unsafe",)),
    Case("an .xls of thirty thousand rows", _old_wide, ("rows",), "名册.xls"),
    Case("an entry that is a link to a file of the machine", _symlink, ("unsafe",)),
    Case("a sheet at an address of the network", lambda: _sheet_at(b'http://10.0.0.1/s.xml" TargetMode="External'), ("links",)),
    Case("a sheet at an address that calls itself inside", lambda: _sheet_at(b"http://10.0.0.1/s.xml"), ("damaged",)),
    Case("a sheet that is a file of the machine", lambda: _sheet_at(b"../../../../etc/passwd"), ("damaged",)),
    Case("a text that is nowhere", lambda: with_sheet(b"<v>0</v>", b"<v>99999999</v>"), ("damaged",)),
    Case("a PDF that is an archive, too", lambda: b"%PDF-1.4\n" + good(), ("type",)),
    Case("an archive behind a hundred zeros", lambda: b"\x00" * 100 + good(), ("type",)),
    Case("the mark of UTF-8 over GB18030", lambda: b"\xef\xbb\xbf" + text(encoding="gb18030"), ("encoding",), "名册.csv"),
    Case("a table of 2003 in XML", lambda: XML_2003.encode(), ("type",), "名册.xls"),
    Case("another template", lambda: sheets.workbook([["1", "王", "x", "40", "步行", "2026-01-01"]], heading=CARERS),
         ("heading", "other_kind")),
    Case("a letter, not a table", lambda: "尊敬的领导：\n您好。\n此致 敬礼\n".encode(), ("heading",), "a.csv"),
    Case("a heading without rows", lambda: sheets.workbook([]), ("no_rows",)),
]  # fmt: skip
