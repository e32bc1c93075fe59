"""A clerk brings in a messy roster of 300 households and finishes; every click and every cell typed is counted.
Another file is taken back within the day."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import python_calamine
import xlsxwriter
from playwright.sync_api import Page, expect

from tests.journeys import messy_roster as roster
from tests.journeys import rosters

IN_PLACE = (20, 61, 94, 166)  # the others are corrected in the file that the page gives


class Hand:
    """Clicks and types, and counts both."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.edits = page, 0, 0

    def press(self, name: str) -> None:
        found = self.page.get_by_role("button", name=re.compile(name)).or_(
            self.page.get_by_role("link", name=re.compile(name))
        )
        found.or_(self.page.locator("summary", has_text=re.compile(name))).locator("visible=true").first.click()
        self.clicks += 1

    def choose(self, file: Path) -> None:
        self.page.set_input_files("input[type=file]", file)
        self.clicks += 1

    def type(self, wrong: str, right: str) -> None:
        self.page.locator(f"input[value='{wrong}']").first.fill(right)
        self.edits += 1


def shown(spoilt: object) -> str:
    """What stands in the cell: a number has the 15 digits that a spreadsheet keeps."""
    return f"{Decimal(f'{float(spoilt):.15g}'):f}" if isinstance(spoilt, int) else str(spoilt)


def corrected(downloaded: Path, right: dict[str, str]) -> Path:
    """The file of faulty rows with the cells that are wrong typed anew (wrong → right)."""
    rows = python_calamine.CalamineWorkbook.from_path(str(downloaded)).get_sheet_by_index(0).to_python()
    path = downloaded.with_name("改好.xlsx")
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write_string(number, column, right.get(str(value), str(value)))
    return path


def test_a_clerk_brings_in_a_messy_roster_of_300_households(site, visit, tmp_path):
    assert len(roster.MESS) >= 15
    clerk = visit("community")
    page = clerk.open("/imports/")
    page.set_default_timeout(60_000)
    hand = Hand(page)
    hand.choose(roster.workbook(tmp_path / "走访名册.xlsx"))
    hand.press("读取文件")
    if page.url.endswith("/columns"):  # 序号 and 走访人 mean nothing here: left out
        hand.press("^继续$")
    wrong = len(roster.WRONG)
    expect(page.locator("h1")).to_contain_text(f"{wrong} 户要改，{roster.HOUSEHOLDS - wrong} 户")
    assert not clerk.is_wider_than_the_screen()
    for number in roster.ONE_CLICK:
        hand.press(f"改成 ?{roster.right(number, roster.BIRTH)}")
        page.wait_for_load_state()
    spoilt = {n: (shown(spoil(roster.right(n, place))), roster.right(n, place)) for n, (place, spoil) in
              roster.WRONG.items() if n not in roster.ONE_CLICK}  # fmt: skip
    for number in IN_PLACE:
        hand.type(*spoilt.pop(number))
    hand.press("再查一遍")
    expect(page.locator("h1")).to_contain_text(f"{len(spoilt)} 户要改")
    with page.expect_download() as download:
        hand.press("下载要改的")
    file = tmp_path / "要改的.xlsx"
    download.value.save_as(file)
    hand.edits += len(spoilt)
    file = corrected(file, dict(spoilt.values()))
    hand.press("上传改好的")
    hand.choose(file)
    hand.press("读改好的行")
    hand.press(f"^收 {roster.HOUSEHOLDS} 户")
    expect(page.locator("h1")).to_contain_text(f"已收 {roster.HOUSEHOLDS} 户", timeout=180_000)
    print(f"\n300 households, {len(roster.MESS)} kinds of mess: {hand.clicks} clicks, {hand.edits} cells typed")
    assert hand.edits == wrong - len(roster.ONE_CLICK)
    assert hand.clicks <= 12


def test_what_was_brought_in_is_taken_back_within_the_day(site, visit, tmp_path):
    clerk = visit("community")
    page = clerk.open("/imports/")
    page.set_default_timeout(60_000)
    hand = Hand(page)
    hand.choose(rosters.workbook(rosters.rows(), tmp_path / "名册.xlsx"))
    hand.press("读取文件")
    hand.press("^收 8 户")
    expect(page.locator("h1")).to_contain_text("已收 8 户", timeout=60_000)
    assert "郑桂花" in clerk.open("/households/?q=郑桂花").inner_text("main")
    page.go_back()
    site.move_clock("+2h")
    hand.press("^撤回$")
    hand.press("^撤回 8 户")
    expect(page.locator("main")).to_contain_text(re.compile(r"已撤回\s*8"), timeout=60_000)
    assert "香莲里30号204室" not in clerk.open("/households/?q=郑桂花").inner_text("main")
    print(f"\n8 households taken in and back: {hand.clicks} clicks")
