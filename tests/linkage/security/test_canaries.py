"""Personal values in clear on no disk: planted through the real operations, then searched for in every form."""

import base64
import gzip
import io
import json
import logging
import shutil
import sqlite3
import sys
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from visiting import post_for

from linkage import worker
from linkage.areas.models import Area
from linkage.core import audit, checkpoints, jobs
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households import operations as households
from linkage.households.assessing import record_assessment
from linkage.households.assessment import ITEMS, Factors
from linkage.households.models import Assessment, Household
from linkage.imports.models import UploadGroup
from linkage.people.operations import PersonDraft, register_person
from linkage.planning import operations as planning
from linkage.planning.models import Plan
from linkage.upkeep import searching
from linkage.upkeep.backup import make_backup
from linkage.upkeep.erasing import erase_person
from linkage.worker import Runner

sys.path.insert(0, str(Path(__file__).parents[1] / "imports"))
import sheets  # noqa: E402

ID_NUMBER, TELEPHONE = sheets.id_number("19410917", "288"), "13977664521"
ERASED = "13977664533"
ADDRESS, DOOR_NOTE, POSITION = "石亭路41号707室", "金丝雀在门垫下面", (24.487613, 118.121987)
WAITING = "13850019977"
FAULTY = sheets.changed(sheets.GOOD[2], 户号="009", 身份证号="", 出生日期="1953-02-31", 联系电话=WAITING)
CANARIES = {
    "ID number": ID_NUMBER,
    "telephone": TELEPHONE,
    "telephone in a row that waits": WAITING,
    "telephone of somebody erased": ERASED,
    "address": ADDRESS,
    "door note": DOOR_NOTE,
    "latitude": str(POSITION[0]),
    "longitude": str(POSITION[1]),
    "imported ID number": sheets.ZHENG,
    "imported telephone": "13850012217",
    "imported address": "香莲里31号204室",
}


NAMES = {value: name for name, value in CANARIES.items()}


def found_in(content):
    """The names of the canaries in `content`."""
    return {NAMES[value] for value in searching.found_in(content, NAMES)}


@pytest.fixture
def planted(app, world, sign_in, now, caplog, queue):
    """Canaries through registering, assessing, posting, importing, planning, erasing and a backup, and log lines."""
    caplog.set_level(logging.DEBUG)
    with app.app_context():
        by = world.actor("clerk")
        person = unit_of_work(
            lambda: register_person(PersonDraft("金丝雀", telephone=TELEPHONE, id_number=ID_NUMBER), by=by, now=now)
        )
        gone = unit_of_work(lambda: register_person(PersonDraft("金丝鸟", telephone=ERASED), by=by, now=now))
        home = db.session.get(Household, world.key("household/lin"))
        draft = households.PlaceDraft(db.session.get(Area, 4), ADDRESS, door_note=DOOR_NOTE, position=POSITION)
        version, person_id, gone_id = home.row_version, person.id, gone.id
        unit_of_work(lambda: move(world, draft, version, by, now))
        unit_of_work(lambda: assess(world, by, now))
        unit_of_work(lambda: post_for(world, "lin", "clean"))
        unit_of_work(lambda: erase_person(gone_id, reason="asked_by_person", by=None, now=now))
        db.session.remove()
    client = sign_in("clerk")
    file = {
        "file": (io.BytesIO(sheets.workbook([*sheets.GOOD, FAULTY])), "名册.xlsx"),
        "kind": "roster",
        "area_id": "4",
    }
    location = client.post("/imports/", data=file, content_type="multipart/form-data").headers["Location"]
    client.get(location, follow_redirects=True)
    client.post(f"{location}/take")
    with app.app_context():
        unit_of_work(lambda: planning.request_plan(
            db.session.get(Area, 3), first_day=world.MONDAY, last_day=world.NOW.date(), by=world.actor("coordinator"),
            now=now, seconds=1,
        ))  # fmt: skip
        work(app)
        checkpoints.write(now)
        make_backup(now)
        db.session.remove()
    return client, location, person_id


@pytest.fixture
def queue(app, monkeypatch):
    """Huey's file, which other unit tests do without; what lies in the data folder besides is taken away again."""
    settings = app.config["SETTINGS"]
    before = {path.name for path in settings.data_dir.iterdir()}
    monkeypatch.setattr(jobs, "_wakers", [])
    made = worker.make_queue("sqlite://", settings.data_dir)
    wake = made.task(name="work")(lambda: None)
    jobs.on_enqueue(lambda: worker.wake(wake))
    yield made
    made.storage.close()
    for path in settings.data_dir.iterdir():
        if path.name not in before and not path.name.startswith("linkage.db"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def assess(world, by, now):
    member = db.session.get(Household, world.key("household/lin")).members[0]
    scores = {code: item.top for code, item in ITEMS.items()}
    record_assessment(member, scores, Factors(dementia=True), reason="first", on=now.date(), by=by, now=now)


def move(world, draft, version, by, now):
    home = db.session.get(Household, world.key("household/lin"))
    return households.move_household(home, draft, row_version=version, by=by, now=now)


def work(app):
    runner = Runner(app)
    while runner.run_one():
        pass


def test_no_file_of_the_data_folder_holds_a_canary(app, planted, queue):
    """The database with its WAL, the queue, the keep folder, the solver's folder, and a backup of it all."""
    folder = app.config["SETTINGS"].data_dir
    assert queue.pending_count() >= 2
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "template.db"]
    places = {file.relative_to(folder).as_posix().split("/")[0] for file in files}
    assert places >= {"linkage.db", "linkage.db-wal", "queue.db", "keep", "backups"}
    assert [file for file in files if file.parent.parent.name == "backups" and file.name == "linkage.db"]
    assert {str(file): found for file in files if (found := found_in(file.read_bytes()))} == {}


def test_instances_uploads_and_assessments_hold_what_they_should_and_show_none_of_it(app, planted):
    """What is kept compressed or encrypted is really there; else finding nothing would prove nothing."""
    with app.app_context():
        (plan,) = db.session.query(Plan).all()
        assert b'"travel_modes"' in zlib.decompress(plan.instance) and found_in(plan.instance) == set()
        assert searching.in_packed_cells(NAMES) == {} == searching.in_database(NAMES)
        groups = db.session.query(UploadGroup).order_by(UploadGroup.position).all()
        assert [bool(group.taken_at) for group in groups] == [True, True, False]
        undo = json.dumps([group.undo for group in groups[:2]], ensure_ascii=False)
        assert "郑桂花" in undo and all(group.undo["record"]["made"] for group in groups[:2])
        waiting = json.dumps(groups[2].rows, ensure_ascii=False)
        assert found_in(waiting.encode()) == {"telephone in a row that waits"}
        (row,) = db.session.query(Assessment).all()
        assert row.facts["dementia"] is True
        sealed = [row.facts_sealed, groups[0].undo_sealed, groups[1].undo_sealed, groups[2].rows_sealed]
        words = ["郑桂花", "许天来", "dementia", "scores", "record"]
        assert all(sealed) and {word for cell in sealed for word in searching.found_in(cell, words)} == set()
        db.session.remove()


@pytest.mark.parametrize("place", ["queue.db", "keep/erasures.log", "solving/x/instance.json", "backups/b/linkage.db"])
def test_a_canary_laid_into_any_place_of_the_data_folder_is_found(tmp_path, place):
    """The bad twin of each kind of place: queued, copied in base64, packed in UTF-16."""
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.name == "queue.db":
        queue = worker.make_queue("sqlite://", tmp_path)
        queue.task(name="leak")(lambda address: None)(ADDRESS)
        queue.storage.close()
    elif file.name == "linkage.db":
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE copy (cell BLOB)")
            database.execute("INSERT INTO copy VALUES (?)", (base64.b64encode(b"at " + ADDRESS.encode()),))
            database.commit()
    else:
        file.write_bytes(b"head" + zlib.compress(ADDRESS.encode("utf-16-le") * 3))
    found = searching.in_files([tmp_path], NAMES)
    assert found.get(str(file)) == 1 or found == {f"{file}-wal": 1}


def test_a_canary_in_the_instance_of_a_plan_or_in_a_backup_is_found(app, planted, now):
    """The bad twin through the database: a long cell over many pages, and the copy of an audit row in clear."""
    with app.app_context():
        filling = "".join(str(number) for number in range(20_000))

        def leak():
            plan = db.session.query(Plan).one()
            plan.instance = zlib.compress((filling + DOOR_NOTE).encode(), 6)
            audit.record("test.leak", ("test", "1"), by=None, now=now, note=DOOR_NOTE)

        unit_of_work(leak)
        assert searching.in_packed_cells(NAMES) == {"plans.instance": 1}
        copy = make_backup(now, app.config["SETTINGS"].backup_dir / "later").folder
        assert found_in((copy / "linkage.db").read_bytes()) == {"door note"}
        assert searching.in_files([copy], NAMES) == {str(copy / "linkage.db"): 1}
        db.session.remove()
    told = app.test_cli_runner().invoke(args=["find-values"], input=f"{DOOR_NOTE}\n{TELEPHONE}\n")
    assert told.exit_code == 1 and DOOR_NOTE not in told.output and TELEPHONE not in told.output
    assert "plans.instance: 1\n" in told.output and "audit_rows.detail: 1\n" in told.output
    assert f"{copy / 'linkage.db'}: 1\n" in told.output


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
        lambda text: text.encode("gb18030"),
        lambda text: gzip.compress(text.encode()),
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
