"""A person at a browser: signs in, and notices everything that a page does wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response
from playwright.sync_api import Error as BrowserError

DESKTOP = (1280, 800)
PHONE = (360, 740)
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AXE_RUN = """axe.run(document, {resultTypes: ['violations'], iframes: false, preload: false}).then(r =>
  r.violations.map(v => `${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(' ')).join()}`))"""
WATCH_CSP = """addEventListener('securitypolicyviolation', e => window.reportTrouble(
  `CSP ${e.effectiveDirective} ${e.blockedURI || 'inline'} ${e.sample}`), true)"""
EXPECTED_CONSOLE = "Failed to load resource"  # said for every 4xx; the answer's status is looked at instead


class Visitor:
    """One browser context with one page open.

    `troubles` collects script errors, console errors, CSP reports, answers of 5xx and requests to other
    hosts; a journey fails if there are any at its end.
    """

    def __init__(
        self, browser: Browser, url: str, *, size: tuple[int, int] = DESKTOP, lang: str = "zh", **context: Any
    ) -> None:
        self.url = url
        self.size = size
        self.troubles: list[str] = []
        is_phone = size[0] < 600
        self.context: BrowserContext = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN" if lang == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            has_touch=is_phone,
            is_mobile=is_phone,
            base_url=url,
            **context,
        )
        self.context.add_cookies([{"name": "lang", "value": lang, "url": url}])
        self.context.expose_binding("reportTrouble", lambda _source, text: self.troubles.append(text))
        self.context.add_init_script(WATCH_CSP)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self._watch(self.page)

    def _watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("response", self._response)
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED_CONSOLE not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.troubles.append(f"{response.status} {response.url}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.troubles.append(f"request to another host: {request.url}")

    def open(self, path: str) -> Page:
        """Open a page by its path."""
        self.page.goto(path)
        return self.page

    def sign_in(self, account: dict[str, Any]) -> Page:
        """Sign in through the form; ends on the account's first page."""
        self.open("/login")
        form = self.page.locator("form").filter(has=self.page.locator("input[type=password]"))
        form.locator("input[autocomplete=username]").fill(account["username"])
        form.locator("input[type=password]").fill(account["password"])
        form.locator("button[type=submit]").click()
        self.page.wait_for_url(lambda address: "/login" not in address)
        return self.page

    def axe(self) -> list[str]:
        """What axe finds on the open page; empty when nothing."""
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(AXE_RUN)
        return found

    def missing_icons(self) -> list[str]:
        """Icons on the page that the served picture file does not hold."""
        script = """async () => {
          const wanted = [...document.querySelectorAll('svg use')].map(u => u.href.baseVal), missing = [];
          const files = {};
          for (const href of new Set(wanted)) {
            const [file, id] = href.split('#');
            files[file] ??= await (await fetch(file)).text();
            if (!files[file].includes(`id="${id}"`)) missing.push(href);
          }
          return missing;
        }"""
        found: list[str] = self.page.evaluate(script)
        return found

    def is_wider_than_the_screen(self) -> bool:
        """Whether the page must be pushed sideways."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth")
        return width > self.size[0]

    def close(self) -> None:
        """Close the context."""
        with suppress(BrowserError):
            self.context.close()

    def __repr__(self) -> str:
        return f"Visitor({self.page.url}, {json.dumps(self.troubles)})"
