"""The administrator's pages: a person's file, an erasure with its proof, backups; and what the first page says."""

import json
import shutil

import pytest
import world as street
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import AuditRow, Job
from linkage.households.models import Member
from linkage.people.models import Person
from linkage.upkeep.models import DataRequest

CHEN = street.key("chen/head")
PAGES = "/administration/data-requests/"


@pytest.fixture
def admin(sign_in):
    return sign_in("admin")


@pytest.fixture(autouse=True)
def english_and_nothing_kept(app, admin):
    admin.set_cookie("lang", "en")
    settings = app.config["SETTINGS"]
    for path in (*settings.keep_dir.glob("*.jsonl"), *settings.backup_dir.glob("drills.jsonl")):
        path.unlink()
    for folder in settings.backup_dir.glob("*/"):
        shutil.rmtree(folder)


def test_a_person_is_found_and_shown_masked(admin):
    found = admin.get(PAGES + "?q=陈阿珠").text
    assert "陈**" in found and "陈阿珠" not in found.replace('value="陈阿珠"', "")
    page = admin.get(PAGES + f"of/{CHEN}").text
    assert "overwritten" in page and "stays:" in page


def test_the_file_is_fetched_by_whoever_asked_within_an_hour(app, admin, sign_in, move_clock):
    assert admin.post(PAGES + f"of/{CHEN}/file", data={}).status_code == 422
    made = admin.post(PAGES + f"of/{CHEN}/file", data={"reason": "asked_by_person"})
    told = admin.get(made.location + "/json")
    assert "陈阿珠" in json.dumps(told.json, ensure_ascii=False) and told.headers["Cache-Control"] == "no-store"
    readable = admin.get(made.location + "/html").text
    assert "香莲里27号502室" in readable and "Door note" in readable
    with app.app_context():
        row = db.session.scalars(select(AuditRow).where(AuditRow.action == "privacy.reveal_all")).one()
        assert row.subject_id == str(CHEN) and row.detail == {"reason": "asked_by_person"}
    assert sign_in("clerk").get(made.location + "/json").status_code in (403, 404)
    move_clock("2026-11-24T11:30")
    assert admin.get(made.location + "/json").status_code == 404
    assert "The hour is over" in admin.get(made.location).text


def test_an_erasure_needs_reason_and_tick_and_ends_in_its_proof(app, admin):
    refused = admin.post(PAGES + f"of/{CHEN}/erase", data={"reason": "asked_by_person"})
    assert refused.status_code == 422 and "Tick that it cannot be undone" in refused.text
    done = admin.post(PAGES + f"of/{CHEN}/erase", data={"reason": "asked_by_person", "sure": "1"})
    proof = admin.get(done.location).text
    assert "none was found" in proof and "Number in the journal" in proof
    with app.app_context():
        assert db.session.get(Person, CHEN).name == ""
        assert db.session.scalars(select(Member).where(Member.person_id == CHEN)).one()
    assert "An erased person" in admin.get(PAGES + f"of/{CHEN}").text


def test_what_stands_in_the_way_is_listed_instead_of_the_button(admin):
    page = admin.get(PAGES + f"of/{street.key('wu')}").text
    assert "still employed as a carer" in page and "Erase this person" not in page
    again = admin.post(PAGES + f"of/{street.key('wu')}/erase", data={"reason": "not_needed", "sure": "1"})
    assert again.status_code == 422 and "still employed as a carer" in again.text


def test_a_backup_is_made_and_shown_and_the_drill_is_asked_for_once(app, admin):
    assert admin.post("/administration/upkeep/backup").status_code == 303
    page = admin.get("/administration/upkeep/").text
    assert "Last backup" in page and "linkage-2026" in page
    for _ in range(2):
        admin.post("/administration/upkeep/drill")
    with app.app_context():
        assert db.session.query(Job).filter_by(kind="upkeep.drill").count() == 1
    assert "BEGIN PUBLIC KEY" in admin.get("/administration/upkeep/keep/key").text


def test_the_first_page_says_what_fails_first_and_leads_there(admin, move_clock):
    admin.post("/administration/upkeep/backup")
    move_clock("2026-11-26T10:20")
    first = admin.get("/").text
    assert "Make one now, and see whether the worker runs." in first and "/administration/upkeep/" in first


def test_an_administrator_of_a_part_does_not_run_the_whole(app, sign_in):
    assert sign_in("supervisor").get("/administration/upkeep/").status_code == 403
    with app.app_context():
        assert db.session.query(DataRequest).count() == 0
