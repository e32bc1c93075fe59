"""The main job, from a community's roster to visits done: every role, real browser, moving clock.

One story in its order; each step is a function named for what a person does.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys import rosters
from tests.journeys.visitor import PHONE, Visitor

LOOKED_AT: set[str] = set()


def remember(visitor: Visitor, name: str) -> None:
    """Keep a picture for whoever reads a failure."""
    visitor.page.screenshot(path=f"/tmp/journey-{name}.png", full_page=True)


def look(visitor: Visitor) -> None:
    """Axe finds nothing on this page, and it does not run off the screen."""
    path = re.sub(r"[0-9a-f-]{36}", "ID", visitor.page.url) + str(visitor.size[0])
    if path not in LOOKED_AT:
        LOOKED_AT.add(path)
        assert visitor.axe() == [], visitor.page.url
        assert not visitor.is_wider_than_the_screen(), visitor.page.url


def button(page: Page, name: str) -> None:
    """Press the button (or link that looks like one) whose name begins so."""
    found = page.get_by_role("button", name=re.compile(name)).or_(page.get_by_role("link", name=re.compile(name)))
    found.locator("visible=true").first.click()


def bring_in_a_roster(clerk: Visitor, folder: Path) -> None:
    """Eight households, three with mistakes: the good ones enter, the bad ones are corrected on the page."""
    page = clerk.open("/imports/")
    look(clerk)
    page.set_input_files("input[type=file]", rosters.workbook(rosters.with_mistakes(), folder / "名册.xlsx"))
    button(page, "读取文件")
    expect(page.locator("h1")).to_contain_text("3 户要改")
    look(clerk)
    button(page, "先收 5 户")
    button(page, "^收 5 户")
    expect(page.locator("h1")).to_contain_text("已收 5 户", timeout=30_000)
    look(clerk)
    button(page, "去改")
    correct_the_cells(page)
    button(page, "再查一遍")
    page.wait_for_load_state()
    if page.get_by_role("link", name="看会变什么").count():
        button(page, "看会变什么")
    button(page, "^收 3 户")
    expect(page.locator("h1")).to_contain_text("已收 8 户", timeout=30_000)


def correct_the_cells(page: Page) -> None:
    right = rosters.rows()
    for wrong, fixed in (
        ("1950-01-01", right[2][4]),
        (right[4][3][:-1], right[4][3]),
        ("2026-13-02", "2026-11-02"),
    ):
        page.locator(f"input[value='{wrong}']").first.fill(fixed)


def post_a_bath_for_two(clerk: Visitor) -> str:
    """Weekly bath help for a new household: who could come is shown while typing; the address of the need."""
    page = clerk.open("/needs/new")
    page.locator("#f-q").press_sequentially("zgh")
    page.locator("#found-homes").get_by_text("郑桂花").first.click()
    page.get_by_label("助浴", exact=True).check()
    page.locator("input[name=repeats][value=weekly]").check()
    page.locator("input[name=wishes][value=two]").check()
    first = page.locator("#answer article.choice").first
    expect(first).to_contain_text("最合适", timeout=30_000)
    look(clerk)
    expect(page.locator("#answer")).to_contain_text("不动别人")
    button(page, "^发布，")
    page.wait_for_url(re.compile("/(needs|visits|households)/"))
    expect(page.locator("main")).to_contain_text("助浴")
    look(clerk)
    return page.url


def work_out_and_publish(coordinator: Visitor) -> None:
    """The week is worked out, two visits have nobody for different reasons, and the rest is published."""
    page = coordinator.open("/plans/")
    button(page, "重新算|开始算计划")
    expect(page.get_by_text(re.compile("次上门："))).to_be_visible(timeout=120_000)
    look(coordinator)
    gaps = page.locator("#gaps .gap")
    expect(gaps).to_have_count(2)
    reasons = {gap.locator("p.second").first.inner_text() for gap in gaps.all()}
    assert len(reasons) == 2, reasons
    button(page, "看 \\d+ 处变动")
    look(coordinator)
    button(page, "^发布$")
    expect(page.get_by_text("已发布").first).to_be_visible(timeout=120_000)
    expect(page.locator("[hx-get*=publishing]")).to_have_count(0, timeout=120_000)


def accept_on_a_phone(volunteer: Visitor) -> None:
    page = volunteer.page
    page.get_by_role("link", name=re.compile("看看再答复")).first.click()
    look(volunteer)
    button(page, "我来|我能来|能来")
    expect(page.locator("main")).to_contain_text(re.compile("户码|口令|签到"))
    look(volunteer)


def too_late_is_told_kindly(second: Visitor, offer: str) -> None:
    page = second.open(offer)
    button(page, "我来|我能来|能来")
    expect(page.locator("h1")).to_contain_text("谢谢")
    look(second)


def test_from_a_roster_to_visits_done(site, visit, tmp_path):
    clerk = visit("community")
    bring_in_a_roster(clerk, tmp_path)
    post_a_bath_for_two(clerk)
    coordinator = visit("coordinator")
    work_out_and_publish(coordinator)
    first, second = visit("volunteer", size=PHONE), visit("volunteer", size=PHONE, index=1)
    second.page.get_by_role("link", name=re.compile("看看再答复")).first.click()
    offer = second.page.url
    accept_on_a_phone(first)
    too_late_is_told_kindly(second, offer)
