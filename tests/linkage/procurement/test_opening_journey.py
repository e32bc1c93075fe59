"""Three officers and two organisations at real browsers, a server of its own, and a canary looked for everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import delete

from linkage.core import outside
from linkage.core.extensions import db
from linkage.https import free_port
from linkage.procurement import publication, sealed_queries
from linkage.procurement.models import OpeningOfficer
from linkage.procurement.periodic import close_bidding
from linkage.procurement.sealing import verify_bids
from tests.tendering import draft, key, stored, street

ROOT = Path(__file__).resolve().parents[3]
OFFICERS = {"supervisor": 1, "coordinator": 2, "clerk": 3}
CANARY, PRICE = "canary-7f3a91c2e5", b":9876543}"  # in the statement; the price in fen as the sealed JSON has it
SERVE = """import sys
from werkzeug.serving import make_server
from linkage.application import create_app
make_server("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True).serve_forever()"""


@pytest.fixture
def server(app):
    """The application on the street's files in a process of its own: (address, process)."""
    folder, port = app.config["SETTINGS"].data_dir, free_port()
    own = {"LINKAGE_MODE": "test", "LINKAGE_DATA_DIR": str(folder), "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    with (folder / "server.log").open("wb") as log:
        command = [sys.executable, "-c", SERVE, str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/login", timeout=5).close()
            break
        time.sleep(0.1)
    yield address, process
    process.terminate()
    process.wait(20)


@pytest.fixture
def visit(app, server, browser):
    """`visit("clerk")`: a page of a signed-in browser; no script error and no report of the content policy passes."""
    contexts, troubles = {}, []

    def show(name):
        if name not in contexts:
            client = app.test_client()
            street.sign_in(client, name)
            context = contexts[name] = browser.new_context(base_url=server[0], accept_downloads=True)
            cookies = client._cookies.values()
            context.add_cookies([{"name": one.key, "value": one.value, "url": server[0]} for one in cookies])
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.on("console", lambda message: _hear(message, troubles))
            page.on("pageerror", lambda error: troubles.append(str(error)))
        return contexts[name].pages[0]

    yield show
    for context in contexts.values():
        context.close()
    assert not troubles


def _hear(message, troubles):
    """An error of script or policy; a 4xx that was meant is said by the browser too, and is none."""
    if message.type == "error" and "Failed to load resource" not in message.text:
        troubles.append(message.text)


def found_in(folder, process):
    """Where the canary or its price stands: files of the installation, and the memory of the server."""
    words = (CANARY.encode(), CANARY.encode("utf-16-le"), PRICE)
    places = {p.name for p in folder.rglob("*") if p.is_file() and any(word in p.read_bytes() for word in words)}
    with Path(f"/proc/{process.pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
            start, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if "r" not in rights or "w" not in rights:
                continue
            with suppress(OSError, ValueError, OverflowError):
                memory.seek(int(start, 16))
                block = memory.read(int(end, 16) - int(start, 16))
                places |= {"memory"} if any(word in block for word in words) else set()
    return places


def unlock(page, path, name):
    page.locator("#key").set_input_files(path)
    page.locator("#passphrase").fill(f"four words for {name}")


def make_key(page, tender_id, name, folder):
    """Make the key, keep the file, prove it in the drill; returns the file."""
    page.goto(f"/tenders/{tender_id}/officer")
    for field in ("#first", "#again"):
        page.locator(field).fill(f"four words for {name}")
    with page.expect_download() as download:
        page.locator("[data-officer=make] button[type=submit]").first.click()
    download.value.save_as(folder / f"{name}.age")
    page.locator("[data-officer=drill]").wait_for()
    unlock(page, folder / f"{name}.age", name)
    page.locator("[data-officer=drill] button[type=submit]").click()
    page.locator("[data-officer=drill]").wait_for(state="detached")
    return folder / f"{name}.age"


def bid(page, tender_id, price, statement=""):
    page.goto(f"/tenders/{tender_id}/bid")
    assert page.locator("[data-submit]").is_disabled()  # nothing is complete yet
    page.locator("[data-singles] [data-price]").first.fill(price)
    page.locator("#files").set_input_files({"name": "方案.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    page.locator("#statement").fill(statement)
    page.locator("[data-submit]").click()
    page.wait_for_url("**/receipts/*")


def release(page, tender_id, path, name):
    page.goto(f"/tenders/{tender_id}/officer")
    unlock(page, path, name)
    page.locator("[data-officer=release] button[type=submit]").first.click()
    page.locator("[data-release] button").click()
    page.locator("[data-officer=release]").wait_for(state="detached")


def test_bids_stay_unreadable_until_two_officers_open_them_and_the_record_verifies(
    ctx, commit, now, server, visit, move_clock, tmp_path
):
    folder, process = ctx.config["SETTINGS"].data_dir, server[1]
    tender_id = commit(lambda: draft_without_officers(now))
    page = visit("supervisor")
    page.goto(f"/tenders/{tender_id}/officers")
    for name, seat in OFFICERS.items():
        page.locator(f"#f-seat-{seat}").select_option(str(key(name)))
    page.locator("main form.form button[type=submit]").click()
    page.locator(".notice").first.wait_for()
    keys = {name: make_key(visit(name), tender_id, name, tmp_path) for name in OFFICERS}
    commit(lambda: publication.publish(stored(tender_id), by=street.actor("supervisor", now), now=now))

    bid(visit("manager"), tender_id, "91,000")
    bid(visit("manager"), tender_id, "98,765.43", CANARY)  # replaces
    bid(visit("manager2"), tender_id, "88000")
    visit("manager2").goto(f"/tenders/{tender_id}/bid")
    visit("manager2").locator("form[action$='/bid/withdraw'] button").click()
    visit("manager2").wait_for_url("**/receipts/*")
    visit("manager2").goto(f"/tenders/{tender_id}/bid")
    late = visit("manager2")  # has the page open when the deadline passes
    assert found_in(folder, process) == set()

    close_bidding(move_clock("2026-12-16T09:01"))
    late.locator("[data-singles] [data-price]").first.fill("1000")
    late.locator("#files").set_input_files({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    late.locator("[data-submit]").click()
    late.locator("[data-answer] [role=alert]").wait_for()
    release(visit("supervisor"), tender_id, keys["supervisor"], "supervisor")
    assert found_in(folder, process) == set()  # one officer alone
    clerk = visit("clerk")
    release(clerk, tender_id, keys["clerk"], "clerk")
    clerk.locator("main form[action$='/open'] button").click()
    clerk.wait_for_url("**/sealed")
    assert "98,765.43" in clerk.locator("main").inner_text()
    assert any(name.startswith("linkage.db") for name in found_in(folder, process))  # the search does find it

    supervisor = visit("supervisor")
    supervisor.goto(f"/tenders/{tender_id}/sealed")
    supervisor.locator("th a[href*='/bids/']").click()
    with supervisor.expect_download() as download:
        supervisor.locator("a[href*='/files/']").click()
    assert download.value.suggested_filename == "方案.pdf"

    db.session.rollback()
    assert [entry.kind for entry in sealed_queries.entries_of(tender_id)] == ["sealed", "sealed", "sealed", "withdrawn"]
    with clerk.expect_download() as download:
        clerk.locator("a[href$='/record']").click()
    download.value.save_as(tmp_path / "record.zip")
    arguments = [str(tmp_path / "record.zip"), "--key", str(outside.keep_dir() / "signing.pub")]
    assert verify_bids.main(arguments) == 0


def draft_without_officers(now):
    tender = draft(now)
    db.session.execute(delete(OpeningOfficer).where(OpeningOfficer.tender_id == tender.id))
    return tender.id
