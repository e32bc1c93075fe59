"""A person's data is handed over and erased; a restore of last night's backup does not bring it back."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.site import Site

PEOPLE = "/administration/data-requests/"


def somebody_without_duties(page: Page) -> str:
    """The page of a person whom nothing keeps from being erased."""
    for surname in "陈林黄王李":
        page.goto(f"{PEOPLE}?q={surname}")
        for href in [str(link.get_attribute("href")) for link in page.locator("table a[href*='/of/']").all()]:
            page.goto(href)
            if page.get_by_role("button", name="删除此人").count():
                return href
    raise AssertionError("everybody of the demo has something ahead")


def take_the_file(page: Page, person: str, folder: Path) -> str:
    """Everything that is held, fetched as JSON."""
    page.goto(person)
    page.locator("#file-reason").select_option(index=1)
    page.get_by_role("button", name="生成文件").click()
    page.wait_for_load_state()
    with page.expect_download() as fetching:
        page.get_by_role("link", name=re.compile("JSON")).click()
    target = folder / "person.json"
    fetching.value.save_as(target)
    return target.read_text(encoding="utf-8")


def erase(page: Page, person: str) -> None:
    page.goto(person)
    page.locator("#reason").select_option(index=1)
    page.get_by_label("我知道此操作不可撤销").check()
    page.get_by_role("button", name="删除此人").click()
    expect(page.locator("main")).to_contain_text("日志编号")


def restore_the_latest(site: Site) -> None:
    """As the page says: at the console, with the server stopped."""
    latest = max(path for path in (site.data_dir / "backups").iterdir() if path.is_dir())
    site.stop()
    assert "erased_again" in site.flask("restore", str(latest), "--json")
    site.start()


def test_an_erased_person_does_not_come_back_with_last_nights_backup(site, visit, tmp_path):
    admin = visit("administrator")
    page = admin.open("/administration/upkeep/")
    page.get_by_role("button", name="立即备份").locator("visible=true").first.click()
    page.wait_for_load_state()
    person = somebody_without_duties(page)
    assert admin.axe() == [] and not admin.is_wider_than_the_screen()
    told = take_the_file(page, person, tmp_path)
    name = next(part["rows"][0]["name"] for part in json.loads(told)["sections"] if part["table"] == "people")
    erase(page, person)
    page.goto(person)
    expect(page.locator("h1")).to_have_text("已删除的人")
    restore_the_latest(site)
    again = visit("administrator").open(person)
    expect(again.locator("h1")).to_have_text("已删除的人")
    assert len(name) > 1 and name not in again.content()
