"""A death is entered and next week's visits go; two records of one person become one; consent is taken back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.visitor import Visitor


def homes_with_a_visit(clerk: Visitor, number: int) -> list[str]:
    """The pages of so many households of the clerk that somebody is to visit."""
    page = clerk.open("/households/")
    links = page.locator("table a[href^='/households/']").all()
    found = []
    for href in [str(link.get_attribute("href")) for link in links]:
        page.goto(href)
        if page.get_by_text("看这次上门").count():
            found.append(href)
        if len(found) == number:
            return found
    raise AssertionError("the demo has too few visits ahead")


def ahead(page: Page) -> int:
    """How many visits of the line of time still stand ahead."""
    text = page.locator("main").inner_text()
    return text.split("现在")[0].count("还没排") + text.split("现在")[0].count("已接受")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(name)).locator("visible=true").first.click()
    page.wait_for_load_state()


def enter_a_death(clerk: Visitor, home: str) -> None:
    page = clerk.open(home)
    lived = page.get_by_role("link", name="已去世").count()
    page.get_by_role("link", name="已去世").first.click()
    press(page, "去世")
    page.goto(home + "?show=visits")
    expect(page.locator("main")).to_contain_text("已取消")
    if lived == 1:
        assert ahead(page) == 0
        page.goto(home)
        expect(page.get_by_text("看这次上门")).to_have_count(0)


def merge_two_records(clerk: Visitor, home: str) -> None:
    page = clerk.open(home + "/edit")
    name, born = page.locator("#f-m-0-name").input_value(), page.locator("#f-m-0-birth_date").input_value()
    page.goto("/households/new")
    page.locator("#f-address").fill("莲花北里 1 号 101 室")
    page.locator("#f-m-0-name").fill(name)
    page.locator("#f-m-0-birth_date").fill(born)
    page.locator("form.form button[type=submit]:not([name])").last.click()
    page.wait_for_url(re.compile(r"/households/[0-9a-f-]{36}$"))
    double = page.url
    page.goto("/households/duplicates")
    page.get_by_role("link", name="比对").first.click()
    assert clerk.axe() == [] and not clerk.is_wider_than_the_screen()
    press(page, "合并两份档案")
    expect(page.locator("h1")).to_have_text("两份档案已合并")
    page.goto(double)
    assert page.url.endswith(home)
    expect(page.locator("main")).to_contain_text("合并")


def take_back_consent(clerk: Visitor, home: str) -> None:
    page = clerk.open(home + "/consent")
    press(page, "撤回")
    page.goto(home)
    expect(page.locator("main")).to_contain_text("撤回同意")
    expect(page.get_by_text("看这次上门")).to_have_count(0)


def test_a_death_a_double_record_and_a_consent_taken_back(visit):
    clerk = visit("community")
    first, second, third = homes_with_a_visit(clerk, 3)
    merge_two_records(clerk, first)
    take_back_consent(clerk, second)
    enter_a_death(clerk, third)
