"""A form that was sent and did not arrive: the session was over, or the network was away. Nothing typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

ADDRESS, NAME = "香莲里88号1001室", "柯守望"


def fill(page: Page) -> None:
    page.fill("input[name=address]", ADDRESS)
    page.fill("input[name='m-0-name']", NAME)
    page.fill("input[name='m-0-birth_date']", "1941-05-06")


def send(page: Page) -> None:
    page.locator("form[data-draft=household] button[type=submit]:not([name])").last.click()


def test_a_session_that_is_over_and_a_network_that_is_away_lose_nothing(site, visit):
    clerk = visit("community")
    page = clerk.open("/households/new")
    page.set_default_timeout(60_000)
    fill(page)
    clerk.context.clear_cookies()
    send(page)
    page.wait_for_url(re.compile("/login"))
    stored = page.evaluate("JSON.stringify(sessionStorage)")
    assert ADDRESS not in stored and NAME not in stored
    account = site.account("community")
    page.fill("input[autocomplete=username]", account["username"])
    page.fill("input[type=password]", account["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/households/new$"))
    expect(page.locator("#notices")).to_contain_text("又回来了")
    assert (page.input_value("input[name=address]"), page.input_value("input[name='m-0-name']")) == (ADDRESS, NAME)

    clerk.context.set_offline(True)
    send(page)
    expect(page.locator("#notices")).to_contain_text("现在没有网络")
    assert page.input_value("input[name=address]") == ADDRESS
    clerk.context.set_offline(False)
    send(page)
    expect(page.locator("h1")).to_contain_text(NAME)
    assert page.evaluate("sessionStorage.getItem('kept')") is None
    clerk.open(f"/households/?q={NAME}")
    expect(page.locator("main tbody tr")).to_have_count(1)


def test_what_one_person_typed_is_not_shown_to_the_next(site, visit):
    clerk = visit("community")
    page = clerk.open("/households/new")
    page.set_default_timeout(60_000)
    fill(page)
    clerk.context.clear_cookies()
    send(page)
    page.wait_for_url(re.compile("/login"))
    other = site.account("community", 1)
    page.fill("input[autocomplete=username]", other["username"])
    page.fill("input[type=password]", other["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/households/new$"))
    assert page.input_value("input[name=address]") == ""
    assert page.evaluate("sessionStorage.getItem('kept')") is None
