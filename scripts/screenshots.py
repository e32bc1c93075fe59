"""A picture of every page of every role, both widths, both languages (`make screenshots`).

Makes a demo installation of its own, signs in as each role, follows every link on every page (one page per
kind of address), and writes var/screenshots/<role>/<page>-<width>-<language>.png, contact sheets, and
index.json with what is wrong on a page (axe, script errors, missing icons, pages wider than the screen). Exit
code 1 if anything is. `--role`, `--lang` and `--width` narrow it down. First of all it works out the week's
plan as the coordinator and writes the README's picture, docs/plan.png.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest import BROWSER_ARGUMENTS  # noqa: E402
from tests.journeys.site import Site, make_demo  # noqa: E402
from tests.journeys.visitor import DESKTOP, PHONE, Visitor  # noqa: E402

SIZES = {"1280": DESKTOP, "360": PHONE}
LANGUAGES = ("zh", "en")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d[\d-]*")
ANONYMOUS: dict[str, Any] = {"role": "anonymous", "username": "", "first_page": "/"}
SKIPPED = re.compile(r"/(sign-out|static|language|theme)\b|\.(csv|xlsx|ics|pdf|svg|png|json)$")
THUMBNAIL = (300, 620)
COLUMNS = 6
README_PICTURE = ROOT / "docs" / "plan.png"
README_SIZE = (1280, 1120)
SOLVING = 300_000  # ms; a street takes about a minute


def kind_of(path: str) -> str:
    """The address without ids and without the values of its query: one picture each."""
    parts = urlsplit(path)
    keys = sorted(pair.split("=")[0] for pair in parts.query.split("&") if pair)
    return IDENTIFIER.sub("{id}", parts.path) + ("?" + "&".join(keys) if keys else "")


def file_name(kind: str) -> str:
    """A file name for a kind of page."""
    return re.sub(r"[^\w{}]+", "-", kind).strip("-").replace("{id}", "ID") or "first"


def links(visitor: Visitor) -> list[str]:
    """Paths on this server that the open page leads to by a plain link."""
    script = "[...document.querySelectorAll('a[href]:not([download])')].map(a => a.href)"
    found = [urlsplit(link) for link in visitor.page.evaluate(script) if link.startswith(visitor.url + "/")]
    paths = [part.path + (f"?{part.query}" if part.query else "") for part in found]
    return [path for path in dict.fromkeys(paths) if not SKIPPED.search(path)]


def walk(visitor: Visitor, first: str, most: int) -> Iterator[str]:
    """Open every kind of page once, nearest first; yields its address while it is open."""
    waiting, seen = [first], {kind_of(first)}
    for _ in range(most):
        if not waiting:
            return
        path = waiting.pop(0)
        visitor.open(path)
        yield path
        for link in links(visitor):
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                waiting.append(link)


def judge(visitor: Visitor) -> list[str]:
    """What is wrong on the open page."""
    found = visitor.axe() + [f"no such icon: {icon}" for icon in visitor.missing_icons()]
    if visitor.is_wider_than_the_screen():
        found.append("wider than the screen")
    found += visitor.troubles
    visitor.troubles.clear()
    return found


def photograph(browser: Browser, site: Site, account: dict[str, Any], width: str, lang: str, options: Any) -> list[Any]:
    """All pages of one account at one width in one language."""
    visitor = Visitor(browser, site.url, size=SIZES[width], lang=lang)
    if account["username"]:
        visitor.sign_in(account)
    folder = options.out / account["role"]
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for path in walk(visitor, account["first_page"], options.max_pages):
        picture = folder / f"{file_name(kind_of(path))}-{width}-{lang}.png"
        visitor.page.screenshot(path=picture, full_page=True)
        problems = judge(visitor)
        spoken = visitor.page.locator("html").get_attribute("lang") or ""
        if not spoken.startswith(lang):
            problems.append(f"the page says it is {spoken or 'nothing'}, not {lang}")
        rows.append(
            {"role": account["role"], "path": path, "width": width, "lang": lang, "problems": problems}
            | {"picture": str(picture.relative_to(options.out))}
        )
    visitor.close()
    return rows


def contact_sheets(folder: Path) -> None:
    """Sheets of thumbnails of a role's pictures, to look over quickly."""
    pictures = sorted(folder.glob("*.png"))
    per_sheet = COLUMNS * 3
    for start in range(0, len(pictures), per_sheet):
        sheet = Image.new("RGB", (COLUMNS * THUMBNAIL[0], 3 * THUMBNAIL[1]), "#888")
        for place, path in enumerate(pictures[start : start + per_sheet]):
            with Image.open(path) as picture:
                small = picture.convert("RGB")
            scale = (THUMBNAIL[0] - 8) / small.width
            small = small.resize((THUMBNAIL[0] - 8, max(1, round(small.height * scale))))
            small = small.crop((0, 0, small.width, min(small.height, THUMBNAIL[1] - 8)))
            sheet.paste(small, (place % COLUMNS * THUMBNAIL[0], place // COLUMNS * THUMBNAIL[1]))
        sheet.save(folder.parent / f"sheet-{folder.name}-{start // per_sheet + 1}.png")


def one_per_role(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first account of each role, after the visitor who has not signed in."""
    by_role: dict[str, dict[str, Any]] = {}
    for account in [ANONYMOUS, *accounts]:
        by_role.setdefault(account["role"], account)
    return list(by_role.values())


def take_all(browser: Browser, site: Site, options: Any) -> list[dict[str, Any]]:
    """Every picture that the options ask for."""
    rows = []
    for account in one_per_role(site.accounts()):
        if options.role and account["role"] not in options.role:
            continue
        for width in options.width or SIZES:
            for lang in options.lang or LANGUAGES:
                rows += photograph(browser, site, account, width, lang, options)
        contact_sheets(options.out / account["role"])
        print(f"{account['role']}: {sum(row['role'] == account['role'] for row in rows)} pictures", flush=True)
    return rows


def picture_a_plan(browser: Browser, site: Site) -> None:
    """Work out the demo week as its coordinator would, and save how the third day looks in the new plan."""
    visitor = Visitor(browser, site.url, size=README_SIZE, lang="en")
    visitor.sign_in(site.account("coordinator"))
    page = visitor.open("/plans/")
    before = page.url
    page.locator("form[action$='/solve'] button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/runs/" not in url and url != before, timeout=SOLVING)
    page.locator(".days a").nth(2).click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=README_PICTURE)
    visitor.close()


def parse_arguments() -> Any:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--role", action="append")
    parser.add_argument("--width", action="append", choices=list(SIZES))
    parser.add_argument("--lang", action="append", choices=LANGUAGES)
    parser.add_argument("--max-pages", type=int, default=80)
    return parser.parse_args()


def main() -> int:
    """Take the pictures; 1 if a page has a problem."""
    options = parse_arguments()
    (ROOT / "docs").mkdir(exist_ok=True)
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(make_demo(Path(folder) / "var")).start()
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
            picture_a_plan(browser, site)
            rows = take_all(browser, site, options)
        finally:
            site.stop()
    (options.out / "index.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    bad = [row for row in rows if row["problems"]]
    for row in bad:
        print(f"{row['role']} {row['path']} {row['width']} {row['lang']}: {'; '.join(row['problems'])}")
    print(f"{len(rows)} pictures in {options.out}, {len(bad)} with problems")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
