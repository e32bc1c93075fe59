"""Real browsers against a real server and worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.site import ROOT, Site, copy_demo, make_demo
from tests.journeys.visitor import DESKTOP, Visitor

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-features=Translate,OptimizationHints,HttpsUpgrades",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium (scripts/browser.py installs it)."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert executable, "no chromium: run scripts/browser.py"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)


@pytest.fixture(scope="session")
def made_assets() -> None:
    """Browser libraries and translations as `make` makes them; quick when nothing changed."""
    for script in (["vendor_assets.py"], ["i18n.py", "compile"]):
        subprocess.run([sys.executable, ROOT / "scripts" / script[0], *script[1:]], check=True)


@pytest.fixture(scope="session")
def demo(made_assets: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a demo installation, made once; do not change it.

    `LINKAGE_JOURNEY_DEMO` names one that was made before, for whoever writes a journey.
    """
    made_before = os.environ.get("LINKAGE_JOURNEY_DEMO")
    if made_before:
        return Path(made_before)
    return make_demo(tmp_path_factory.mktemp("demo") / "var")


@pytest.fixture
def site(demo: Path, tmp_path: Path) -> Iterator[Site]:
    """A running installation of the test's own."""
    running = Site(copy_demo(demo, tmp_path / "var")).start()
    yield running
    running.stop()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """`visit("coordinator", size=PHONE, lang="en")` gives a signed-in visitor; `visit()` an anonymous one.

    The test fails at its end if any page of any visitor had trouble.
    """
    visitors: list[Visitor] = []

    def make(role: str = "", *, size: tuple[int, int] = DESKTOP, index: int = 0, **options: Any) -> Visitor:
        visitor = Visitor(browser, site.url, size=size, **options)
        visitors.append(visitor)
        if role:
            visitor.sign_in(site.account(role, index))
        return visitor

    yield make
    troubles = [trouble for visitor in visitors for trouble in visitor.troubles]
    for visitor in visitors:
        visitor.close()
    assert not troubles
