"""A carer calls in ill, and an urgent visit comes in: the running day is repaired, looked at, published."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.site import Site
from tests.journeys.visitor import PHONE, Visitor

ILL = "邱慧敏"  # four visits today: one of them the bath, by two people, of the household with an account


def press(page: Page, name: str) -> None:
    found = page.get_by_role("button", name=re.compile(name)).or_(page.get_by_role("link", name=re.compile(name)))
    found.locator("visible=true").first.click()


def look(visitor: Visitor) -> None:
    assert visitor.axe() == [] and not visitor.is_wider_than_the_screen(), visitor.page.url


def call_in_ill(coordinator: Visitor) -> None:
    page = coordinator.open(f"/carers/?q={ILL}")
    page.locator("main").get_by_role("link", name=ILL).first.click()
    press(page, "上报缺勤")
    press(page, "^上报$")
    expect(page.locator("main")).to_contain_text("缺勤已记下")


def repair(coordinator: Visitor) -> dict[str, str]:
    """From the task of the today page to the draft; who would be told of what."""
    page = coordinator.open("/")
    row = page.locator("li.row").filter(has_text="要补人")
    expect(row).to_contain_text("嘉莲街道")
    row.get_by_role("link", name="修复计划").click()
    look(coordinator)
    press(page, "^修复计划$")
    page.wait_for_url(re.compile("/plans/[0-9a-f-]{36}"), timeout=60_000)
    expect(page.locator("h1")).to_contain_text("修复计划")
    look(coordinator)
    names = page.locator(".main .group h2").all_inner_texts()
    changes = page.locator(".main ul.diffs").all_inner_texts()
    return dict(zip(names, changes, strict=True))


def publish(coordinator: Visitor) -> None:
    page = coordinator.page
    press(page, "^发布$")
    expect(page.locator("main")).to_contain_text("已发布")
    expect(page.locator("[hx-get*=publishing]")).to_have_count(0, timeout=60_000)


def ask_for_help_at_once(operator: Visitor) -> str:
    """A bath help within two hours, for somebody on the telephone; nobody is chosen. The need's page."""
    page = operator.open("/needs/new")
    page.locator("#f-q").press_sequentially("莲花")
    page.locator("#found-homes a").first.click()
    page.get_by_label("助洁", exact=True).check()
    page.locator("input[name=from]").fill("10:30")
    page.locator("input[name=to]").fill("12:00")
    expect(page.locator("#answer article.choice").first).to_be_visible(timeout=30_000)
    press(page, "^先发布，不选人$")
    expect(page.locator("main")).to_contain_text("已通知调度员")
    return page.url


def test_an_ill_carer_and_an_urgent_visit_are_repaired_into_the_running_day(site: Site, visit) -> None:
    coordinator, household = visit("coordinator"), visit("household", size=PHONE)
    expect(household.page.locator("main")).to_contain_text("助")
    call_in_ill(coordinator)
    told = repair(coordinator)
    assert told and ILL not in told
    assert all(ILL in change for change in told.values()), told
    publish(coordinator)

    helper = next(name for name, change in told.items() if "助浴" in change)
    page = household.open("/home/")
    expect(page.locator("main")).not_to_contain_text(ILL)
    expect(page.locator("main")).to_contain_text(helper)
    look(household)

    operator = visit("operator")
    need = ask_for_help_at_once(operator)
    told = repair(coordinator)
    assert len(told) == 1 and "助洁" in next(iter(told.values()))
    publish(coordinator)
    page = operator.open(need.removeprefix(site.url))
    expect(page.locator("main")).to_contain_text(next(iter(told)))
    site.move_clock("+2m")  # messages leave each minute
    page = operator.open("/inbox")
    expect(page.locator("main")).to_contain_text("助洁")
    look(operator)
