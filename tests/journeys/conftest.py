"""Real browsers against a real server and worker."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.site import ROOT, Site, copy_demo, make_demo
from tests.journeys.visitor import DESKTOP, Visitor

LONGEST = "test_main_job"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser, and the longest begins first: two workers end together then."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)
    items.sort(key=lambda item: (here not in item.path.parents, item.path.stem != LONGEST))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a demo installation, made once for all workers of a run; do not change it.

    `LINKAGE_JOURNEY_DEMO` names one that was made before, for whoever writes a journey.
    """
    made_before = os.environ.get("LINKAGE_JOURNEY_DEMO")
    if made_before:
        return Path(made_before)
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make_assets()
            make_demo(shared / "making").rename(folder)
    return folder


def make_assets() -> None:
    """Browser libraries and translations as `make` makes them; quick when nothing changed."""
    for script in (["vendor_assets.py"], ["i18n.py", "compile"]):
        subprocess.run([sys.executable, ROOT / "scripts" / script[0], *script[1:]], check=True)


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
