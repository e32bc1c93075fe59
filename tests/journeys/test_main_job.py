"""The main job, from a community's roster to visits done: every role, real browser, moving clock.

One story in its order; each step is a function named for what a person does.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import rosters
from tests.journeys.knowledge import Booked, Knowledge
from tests.journeys.site import Site
from tests.journeys.visitor import PHONE, Visitor

LOOKED_AT: set[str] = set()


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
    button(page, "^我来$")
    expect(page.locator("main")).to_contain_text(re.compile("户码|口令|签到"))
    look(volunteer)


def too_late_is_told_kindly(second: Visitor) -> None:
    """The page was open before the first one accepted."""
    page = second.page
    button(page, "^我来$")
    expect(page.locator("h1")).to_contain_text("谢谢")
    look(second)


def attend(visitor: Visitor, site: Site, booked: Booked) -> None:
    """Check in with the code inside the door at the start, check out at the end."""
    site.move_clock(booked.starts_at)
    page = visitor.open(f"/me/visits/{booked.assignment_id}")
    page.locator("input[name=code]").fill(booked.code)
    look(visitor)
    button(page, "到了，签到")
    expect(page.get_by_role("button", name=re.compile("签退"))).to_be_visible()
    look(visitor)
    site.move_clock(booked.ends_at)
    page = visitor.open(f"/me/visits/{booked.assignment_id}")
    button(page, "签退")
    expect(page.get_by_role("button", name=re.compile("签退"))).to_have_count(0)


def confirm(clerk: Visitor, visit_id: object) -> None:
    """Staff ask the household: three faces."""
    page = clerk.open(f"/visits/{visit_id}")
    page.locator("input[name=rating][value='3']").check(force=True)
    look(clerk)
    button(page, "^确认$")
    expect(page.locator("main")).to_contain_text("已确认")


def tell_the_caller(operator: Visitor, name: str, person: str) -> None:
    """The call desk finds the caller and reads out who comes."""
    page = operator.open(f"/search?q={name}")
    look(operator)
    page.get_by_role("link", name=re.compile(name)).first.click()
    expect(page.locator("main")).to_contain_text(person)
    look(operator)


@pytest.mark.timeout(1200)
def test_from_a_roster_to_visits_done(site, visit, tmp_path):
    clerk = visit("community")
    bring_in_a_roster(clerk, tmp_path)
    post_a_bath_for_two(clerk)
    coordinator = visit("coordinator")
    work_out_and_publish(coordinator)
    known = Knowledge(site)
    slot, falls_back = known.question_with_a_carer_behind()
    first, second = visit("volunteer", size=PHONE), visit("volunteer", size=PHONE, index=1)
    second.page.get_by_role("link", name=re.compile("看看再答复")).first.click()
    accept_on_a_phone(first)
    too_late_is_told_kindly(second)

    served = known.next_booking("volunteer", username=site.account("volunteer")["username"])
    attend(first, site, served)
    page = first.open("/me/hours")
    expect(page.locator("main")).to_contain_text("分")
    look(first)

    paid = known.next_booking("carer", community="莲花北社区")
    carer = visit("", size=PHONE)
    carer.sign_in({"username": paid.username, "password": "linkage-demo"})
    look(carer)
    tell_the_caller(visit("operator"), paid.household, paid.person)
    attend(carer, site, paid)
    assert known.delivered(paid.visit_id) > 0
    confirm(clerk, paid.visit_id)

    site.move_clock(falls_back)  # nobody has answered: others were asked, then the paid carer goes
    site.move_clock("+2m")
    assert known.asked(slot) > 1
    assert known.capacity_of(slot) == "carer"

    for role in ("supervisor", "manager", "administrator", "household"):
        look(visit(role))
    coordinator.open("/contracts/")
    look(coordinator)
