import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402

from linkage.imports.reading import FileRefused, read_sheets  # noqa: E402


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("gb18030", "\t"), ("utf-16", "\t"), ("utf-8", ";")],
)
def test_text_tables_are_read_in_the_encodings_of_chinese_offices(ctx, encoding, delimiter):
    (sheet,) = read_sheets(sheets.text_table(sheets.GOOD, encoding=encoding, delimiter=delimiter))
    assert [cell[1] for cell in sheet.rows[1][1]][:2] == ["007", "郑桂花"]
    assert len(sheet.rows) == 4


def test_a_workbook_is_read_with_row_numbers_as_in_excel(ctx):
    (sheet,) = read_sheets(sheets.workbook(sheets.GOOD, title="莲花北社区困难家庭"))
    assert sheet.name == "11月"
    assert [number for number, _cells in sheet.rows] == [1, 2, 3, 4, 5]


def test_merged_cells_give_their_value_to_every_row(ctx):
    rows = [sheets.changed(row, 户号="") for row in sheets.GOOD[:2]]
    file = sheets.workbook(rows, change=lambda book, page: page.merge_range(1, 0, 2, 0, "007"))
    (sheet,) = read_sheets(file)
    assert [cells[0][1] for _number, cells in sheet.rows[1:]] == ["007", "007"]
    assert sheet.merged == 1


def test_an_id_number_in_a_number_cell_keeps_fifteen_digits(ctx):
    (sheet,) = read_sheets(sheets.workbook([["7", "郑桂花", "", 350203195303084065]]))
    assert sheet.rows[1][1][3] == ["n", "350203195303084000"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 ...", "type"),
        (b"\x89PNG....", "type"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "type"),
        (b"a,b\n\xff\xff\x81", "encoding"),
        (b"a" * (10 * 2**20 + 1), "large"),
        (sheets.with_macros(), "macros"),
        (sheets.zip_bomb(), "unpacked"),
    ],
)
def test_what_is_no_table_is_refused_by_name(ctx, content, reason):
    with pytest.raises(FileRefused) as refused:
        read_sheets(content)
    assert refused.value.reason == reason
    assert str(refused.value.message) and str(refused.value.remedy)


@pytest.mark.parametrize("content", [sheets.lying_bomb(), sheets.far_cell()])
def test_a_file_that_brings_the_child_down_is_a_refusal(ctx, content):
    with pytest.raises(FileRefused) as refused:
        read_sheets(content)
    assert refused.value.reason in {"died", "damaged", "rows", "unpacked", "columns"}
