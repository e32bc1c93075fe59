"""How long each role's first page and the five most used forms take on a slow office line: 200 ms and 1 Mbit/s.

Chromium is slowed down (CDP Network.emulateNetworkConditions). "First": nothing is in the browser's cache, as on the
morning after an update; "then": as on every other day. Seconds until the page is there with styles and scripts, kB
on the line. Exit status 1 when a page takes more than 3 s the second time, or weighs more than 500 kB unpacked.

    python scripts/slow_network.py [--demo FOLDER]      FOLDER: the data folder of a demo, which is copied first
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest import BROWSER_ARGUMENTS  # noqa: E402
from tests.journeys.site import Site, copy_demo, make_demo  # noqa: E402
from tests.journeys.visitor import Visitor  # noqa: E402

LATENCY_MS, BYTES_A_SECOND = 200, 1_000_000 / 8
MOST_SECONDS, MOST_BYTES = 3.0, 500_000
FORMS = (
    ("community", "/households/new"),
    ("community", "/needs/new"),
    ("community", "/imports/"),
    ("operator", "/calls/"),
    ("coordinator", "/plans/"),
)


class Line:
    """A slow line, and what went over it since it was last asked."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.sent = visitor, 0.0
        self.session: CDPSession = visitor.context.new_cdp_session(visitor.page)
        self.session.send("Network.enable")
        self.session.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.sent += event["encodedDataLength"]

    def slow(self) -> None:
        speed = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
        self.session.send("Network.emulateNetworkConditions", {"offline": False, "latency": LATENCY_MS, **speed})

    def open(self, path: str) -> tuple[float, float, int]:
        """Seconds, kB on the line, and bytes of the page itself unpacked."""
        self.sent, started = 0.0, time.monotonic()
        self.visitor.page.goto(path, wait_until="load")
        took = time.monotonic() - started
        return took, self.sent / 1000, len(self.visitor.page.content().encode())


def measure(browser: Browser, site: Site, account: dict[str, Any], path: str) -> bool:
    visitor = Visitor(browser, site.url)
    visitor.page.set_default_timeout(120_000)
    visitor.sign_in(account)
    line = Line(visitor)
    line.slow()
    line.session.send("Network.clearBrowserCache")
    first, then = line.open(path), min((line.open(path) for _time in range(2)), key=lambda one: one[0])
    visitor.close()
    good = then[0] <= MOST_SECONDS and then[2] <= MOST_BYTES
    print(
        f"{account['role']:14} {path:22} first {first[0]:5.1f} s {first[1]:6.0f} kB   then {then[0]:5.1f} s "
        f"{then[1]:6.0f} kB   page {then[2] / 1000:6.0f} kB{'' if good else '  SLOW'}",
        flush=True,
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", type=Path, metavar="FOLDER")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "var"
        site = Site(copy_demo(chosen.demo, data) if chosen.demo else make_demo(data)).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_ARGUMENTS)
        try:
            accounts = {}
            for account in site.accounts():
                accounts.setdefault(account["role"], account)
            pages = [(role, account["first_page"]) for role, account in accounts.items()] + list(FORMS)
            results = [measure(browser, site, accounts[role], path) for role, path in pages]
        finally:
            browser.close()
            site.stop()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
