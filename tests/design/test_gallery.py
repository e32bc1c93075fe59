"""Every macro and whole pages in a real browser: axe finds nothing, nothing runs out, at 200 % text too."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.design.gallery_app import PAGES

pytestmark = pytest.mark.journey
VIEWS = [(360, "light", 100), (1280, "dark", 100), (360, "dark", 200), (1280, "light", 200), (768, "light", 150)]
BEYOND = """width => [...document.querySelectorAll('body *')].filter(element => {
  const box = element.getBoundingClientRect();
  if (box.width < 2 || box.height < 2 || box.right <= width + 1 || !element.checkVisibility()) return false;
  for (let e = element; e && e !== document.body; e = e.parentElement)
    if (e !== element && getComputedStyle(e).overflowX !== 'visible') return false;
  return true;
}).map(e => `${e.tagName}.${e.className} reaches ${Math.round(e.getBoundingClientRect().right)}`)"""
SMALL_TEXT = """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = [];
  for (let t; t = walk.nextNode();) if (t.data.trim() && t.parentElement.checkVisibility() &&
    parseFloat(getComputedStyle(t.parentElement).fontSize) < 12) small.push(t.data.trim());
  return small; }"""
SMALL_TARGETS = """() =>
  [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary')]
  .filter(e => e.checkVisibility() && !e.closest('.hidden') && !e.matches('p a, .lead a, .count, .hidden'))
  .map(e => [e, (e.closest('label') ?? e).getBoundingClientRect()])
  .filter(([e, box]) => box.height > 1 && Math.min(box.width, box.height) < 24)
  .map(([e, box]) => `${e.tagName}.${e.className} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "theme", "text"), VIEWS)
def test_a_page_stays_within_its_width_and_nothing_is_too_small(open_page, name, width, theme, text):
    page = open_page(name, width, theme, text)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(BEYOND, width) == []
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.locator("h1").count() == 1
    assert page.troubles == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_nothing(open_page, name, width, theme):
    found = Axe().run(open_page(name, width, theme)).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:120], rule["nodes"][0]["failureSummary"]) for rule in found] == []


@pytest.mark.parametrize("width", [360, 1280])
def test_menus_and_reveal_forms_pass_axe_when_open(open_page, width):
    page = open_page("household", width)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_error_page_stands_without_a_user(open_page):
    page = open_page("error/404", 360)
    assert page.locator("h1").count() == 1
    assert Axe().run(page).response["violations"] == []
