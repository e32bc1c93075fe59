"""Personal values in clear on no disk: planted through the real operations, then searched for in every form."""

import base64
import io
import logging
import sqlite3
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from visiting import post_for

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households import operations as households
from linkage.households.models import Household
from linkage.imports.models import Upload
from linkage.people.operations import PersonDraft, register_person
from linkage.planning import operations as planning
from linkage.planning.models import Plan
from linkage.worker import Runner

sys.path.insert(0, str(Path(__file__).parents[1] / "imports"))
import sheets  # noqa: E402

ID_NUMBER, TELEPHONE = sheets.id_number("19410917", "288"), "13977664521"
ADDRESS, DOOR_NOTE, POSITION = "石亭路41号707室", "金丝雀在门垫下面", (24.487613, 118.121987)
CANARIES = {
    "ID number": ID_NUMBER,
    "telephone": TELEPHONE,
    "address": ADDRESS,
    "door note": DOOR_NOTE,
    "latitude": str(POSITION[0]),
    "longitude": str(POSITION[1]),
    "imported ID number": sheets.ZHENG,
    "imported telephone": "13850012217",
    "imported address": "香莲里31号204室",
}


def found_in(content, depth=3):
    """The canaries in `content`: as text in two encodings, as base64 at any offset, in JSON, inside what unpacks."""
    found = {name for name, value in CANARIES.items() if any(form in content for form in forms(value))}
    if depth:
        for inner in unpacked(content):
            found |= found_in(inner, depth - 1)
    return found


def forms(value):
    plain = (value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be"), ascii(value)[1:-1].encode())
    inside = [base64.b64encode(b"\0" * shift + value.encode())[4 if shift else 0 :][:-4] for shift in range(3)]
    if value.replace(".", "").isdigit() and "." in value:
        plain += (struct.pack(">d", float(value)), struct.pack("<d", float(value)))  # as databases store numbers
    return [*plain, *(form for form in inside if len(form) >= 8)]


def unpacked(content):
    """What lies compressed in `content`: zip archives, and zlib streams wherever one begins."""
    if b"PK\x03\x04" in content:
        try:
            with zipfile.ZipFile(io.BytesIO(content[content.index(b"PK\x03\x04") :])) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        except (zipfile.BadZipFile, NotImplementedError):
            pass
    for head in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        place = content.find(head)
        while place >= 0:
            try:
                stream = zlib.decompressobj()
                inner = stream.decompress(memoryview(content)[place : place + 2_000_000], 50_000_000)
                if len(inner) > 20:
                    yield inner
            except zlib.error:
                pass
            place = content.find(head, place + 1)


@pytest.fixture
def planted(app, world, sign_in, now, caplog):
    """Canaries through registering, posting, importing and planning, with every log line of it."""
    caplog.set_level(logging.DEBUG)
    with app.app_context():
        by = world.actor("clerk")
        person = unit_of_work(
            lambda: register_person(PersonDraft("金丝雀", telephone=TELEPHONE, id_number=ID_NUMBER), by=by, now=now)
        )
        home = db.session.get(Household, world.key("household/lin"))
        draft = households.PlaceDraft(db.session.get(Area, 4), ADDRESS, door_note=DOOR_NOTE, position=POSITION)
        version, person_id = home.row_version, person.id
        unit_of_work(lambda: move(world, draft, version, by, now))
        unit_of_work(lambda: post_for(world, "lin", "clean"))
        db.session.remove()
    client = sign_in("clerk")
    file = {"file": (io.BytesIO(sheets.workbook(sheets.GOOD)), "名册.xlsx"), "kind": "roster", "area_id": "4"}
    location = client.post("/imports/", data=file, content_type="multipart/form-data").headers["Location"]
    client.get(location, follow_redirects=True)
    with app.app_context():
        unit_of_work(lambda: planning.request_plan(
            db.session.get(Area, 3), first_day=world.MONDAY, last_day=world.NOW.date(), by=world.actor("coordinator"),
            now=now, seconds=1,
        ))  # fmt: skip
        work(app)
        db.session.remove()
    return client, location, person_id


def move(world, draft, version, by, now):
    home = db.session.get(Household, world.key("household/lin"))
    return households.move_household(home, draft, row_version=version, by=by, now=now)


def work(app):
    runner = Runner(app)
    while runner.run_one():
        pass


def test_no_file_of_the_data_folder_holds_a_canary(app, planted):
    folder = app.config["SETTINGS"].data_dir
    with app.app_context():
        assert db.session.query(Upload).count() == 1 and db.session.query(Plan).one().instance
        db.session.remove()
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "template.db"]
    assert {file.name for file in files} >= {"linkage.db", "linkage.db-wal"}
    assert {file.name: found for file in files if (found := found_in(file.read_bytes()))} == {}


def test_no_cell_of_the_database_holds_a_canary(app, planted):
    """Cell by cell as well: a long value is spread over pages of the file."""
    database = sqlite3.connect(app.config["SETTINGS"].data_dir / "linkage.db")
    leaks = {}
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in database.execute(f'SELECT * FROM "{table}"'):
            for cell in row:
                content = cell if isinstance(cell, bytes) else str(cell).encode()
                if found := found_in(content):
                    leaks.setdefault(table, set()).update(found)
    assert leaks == {}


def test_no_log_line_and_no_error_page_holds_a_canary(app, planted, caplog, capfd):
    client, location, _person_id = planted
    form = {"name": "金丝雀", "telephone": TELEPHONE + "x", "id_number": ID_NUMBER[:-1] + "0", "address": ADDRESS}
    answers = [
        client.get(f"/search?q={TELEPHONE}"),
        client.get(f"/nothing/{ID_NUMBER}"),
        client.post("/households/new", data=form),
        client.post(f"{location}/cells", data={"fix": ADDRESS}),
        client.post("/households/new", data={**form, "csrf_token": "wrong"}, headers={"X-CSRFToken": "wrong"}),
        client.post("/imports/", data={"file": (io.BytesIO(ID_NUMBER.encode()), f"{ID_NUMBER}.xlsx"), "area_id": "4"}),
    ]
    printed = "".join(capfd.readouterr())
    assert found_in((caplog.text + printed).encode()) == set()
    errors = [answer for answer in answers if answer.status_code in (400, 404, 500)]
    assert errors and all(found_in(answer.data) == set() for answer in errors)


@pytest.mark.parametrize(
    "hide",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: b"x" + base64.b64encode(b"ab" + text.encode() + b"more"),
        lambda text: b"head" + zlib.compress(text.encode() * 3),
        lambda text: zipped(text.encode()),
        lambda text: zlib.compress(zipped(text.encode("utf-16-be"))),
    ],
)
def test_the_search_finds_what_is_hidden(hide):
    """The bad twin."""
    assert "address" in found_in(b"before" + hide(ADDRESS) + b"after")
    assert "telephone" in found_in(b"before" + hide(TELEPHONE) + b"after")


def test_a_value_written_in_clear_is_found_in_the_database_file(app, world):
    with app.app_context():
        unit_of_work(lambda: plain(world))
        db.session.remove()
    folder = app.config["SETTINGS"].data_dir
    assert any("door note" in found_in(file.read_bytes()) for file in folder.glob("linkage.db*"))


def plain(world):
    audit.record("test.leak", ("test", "1"), by=None, now=world.NOW, note=DOOR_NOTE)


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", content)
    return file.getvalue()
