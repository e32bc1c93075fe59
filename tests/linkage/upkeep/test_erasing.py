"""Erasure with proof: nothing of a person is left that tells who it was, and every table is accounted for."""

import json
import uuid

import pytest
import world as street
from sqlalchemy import JSON, select
from visiting import change, post_for

from linkage.accounts.models import User
from linkage.application import ROOMS
from linkage.core import audit, privacy
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.models import DataKey
from linkage.core.outside import ERASURES, Forged
from linkage.core.transactions import armed, unit_of_work
from linkage.households.models import Household, Tag
from linkage.imports.models import Upload, UploadGroup
from linkage.needs.models import Need
from linkage.people.models import Person
from linkage.upkeep import dossier, erasing, searching
from linkage.volunteers.models import Volunteer

CHEN = street.key("chen/head")


@pytest.fixture(autouse=True)
def own_keep(app):
    """No journal of an earlier test."""
    for path in (app.config["SETTINGS"].data_dir / "keep").glob("*.jsonl"):
        path.unlink()


def erase(person_id=CHEN, reason="asked_by_person"):
    return unit_of_work(lambda: erasing.erase_person(person_id, reason=reason, by=None, now=street.NOW))


def test_the_highest_room_forgets_first_whichever_was_imported_first(template):
    assert list(privacy.erasers()) == [room for room in ROOMS if room in privacy.erasers()]


def test_every_table_that_refers_to_people_is_accounted_for():
    """Overwritten by its room's eraser, or kept with a reason: a new table must say which."""
    tables = {
        table.name
        for table in db.metadata.sorted_tables
        if any(privacy.refers(table, kind) for kind in ("person", "household"))
        or any(column.name.endswith("_sealed") for column in table.columns)
        or table.name in {field.table for field in privacy.PERSONAL_FIELDS}
    }
    assert tables - set(privacy.coverage()) == set()
    assert set(privacy.coverage()) <= set(db.metadata.tables)
    assert {field.table for field in privacy.PERSONAL_FIELDS} <= {
        table for table, (_, reason) in privacy.coverage().items() if reason is None
    }


def plant(canary):
    """The canary in every text of every row that is about the person and that an erasure says it overwrites."""

    def write():
        planted = []
        for kind, ident in erasing.subjects_with(CHEN):
            for table in dossier.tables_about(kind):
                if privacy.coverage()[table.name][1] is not None:
                    continue
                for column in table.columns:
                    if _may_hold(table, column):
                        value = {"note": canary} if isinstance(column.type, JSON) else canary
                        where = dossier.about(table, kind, ident)
                        db.session.execute(table.update().where(where).values({column.name: value}))
                        planted.append((table.name, column.name))
        audit.record("test.plant", ("test", "1"), by=None, now=street.NOW)
        return planted

    return unit_of_work(write)


# Codes from a list and numbers that the platform itself gave: they tell nothing, and stay.
CODES = {"capacity", "cancel_reason", "channel", "kind", "locale", "method", "month", "position_source", "purpose"} | {
    "relation", "role", "status", "text_version", "travel_mode", "withdrawn_reason", "work_kind", "recurrence", "tag",
    "key", "windows", "care_level", "sex", "languages", "code", "file_digest", "columns", "summary",
}  # fmt: skip
PUBLIC_NUMBERS = {("households", "source"), ("needs", "number"), ("visits", "number"), ("volunteers", "number")}


def _may_hold(table, column):
    return (
        searching.is_text(column)
        and column.name not in CODES
        and not column.name.endswith(("_exact", "_last4", "_hash"))
        and (table.name, column.name) not in PUBLIC_NUMBERS
        and table.name != "grants"
        or (table.name, column.name) == ("grants", "scope_name")
    )


def test_a_canary_in_every_text_about_a_person_is_gone_after_the_erasure(ctx, world):
    need = unit_of_work(lambda: post_for(world, "chen", "meal"))
    change(world, lambda: setattr(db.session.get(Need, need.id), "withdrawn_at", street.NOW))
    cancel(need)
    planted = plant("canary-7f3a")
    assert len(planted) >= 8 and ("people", "name") in planted and ("needs", "wishes") in planted
    before = searching.in_database(["canary-7f3a"])
    assert set(before) >= {"people.name", "needs.wishes", "visits.wishes", "households.number", "tags.source"}
    assert erase().proof["found"] == {}
    assert searching.in_database(["canary-7f3a"]) == {}


def cancel(need):
    def work():
        visits = db.metadata.tables["visits"]
        db.session.execute(visits.update().where(visits.c.need_id == need.id).values(cancelled_at=street.NOW))

    change(street, work)


def test_the_proof_says_what_went_what_stays_and_that_nothing_was_found(ctx, world):
    telephone = db.session.get(Person, CHEN).telephone
    proof = erase().proof
    assert proof["overwritten"]["people"] == 1 and proof["overwritten"]["households"] == 1
    assert proof["kept"]["members"][1] == "that a person without a name belonged to a household"
    assert proof["searched"]["values"] >= 6 and proof["found"] == {}
    assert telephone not in json.dumps(proof) and "陈阿珠" not in json.dumps(proof, ensure_ascii=False)
    home = db.session.get(Household, world.key("household/chen"))
    assert (home.health, home.care_level, home.place.position) == (None, "", None)
    assert {tag.source for tag in db.session.scalars(select(Tag).where(Tag.household_id == home.id))} == {""}
    user = db.session.get(User, world.key("user/chen_home"))
    assert user.disabled_at and user.sign_in_name.startswith("erased-")
    keys = (db.session.get(Person, CHEN).key_id, home.key_id)
    assert [db.session.get(DataKey, key).wrapped for key in keys] == [None, None]


def test_a_name_that_somebody_else_has_too_is_told_in_the_proof(ctx, world):
    """The bad twin of the search: what is still there is found, and where."""
    change(world, lambda: setattr(db.session.get(Person, world.key("lin/head")), "name", "陈阿珠"))
    found = erase().proof["found"]
    assert found["people.name"] == 1 and found.keys() == {"people.name", "person_keys.key"}


def test_whoever_still_has_visits_work_or_an_office_is_not_erased_yet(ctx, world):
    unit_of_work(lambda: post_for(world, "lin", "meal"))
    holds = {
        name: [str(hold.text) for hold in erasing.holds(world.key(name), street.NOW)]
        for name in ("lin/head", "wu", "zhuang", "admin", "huang/head")
    }
    assert len(holds["lin/head"]) == 2 and holds["huang/head"] == []
    assert all(holds[name] for name in ("wu", "zhuang", "admin"))
    with pytest.raises(Conflict):
        erase(world.key("wu"))
    assert db.session.get(Person, world.key("wu")).name == "吴丽珍" and ERASURES.read() == []


def test_a_volunteer_who_has_left_leaves_a_number_and_minutes(ctx, world):
    change(world, lambda: setattr(db.session.get(Volunteer, world.key("volunteer/zhuang")), "left_at", street.NOW))
    proof = erase(world.key("zhuang")).proof
    assert db.session.get(Volunteer, world.key("volunteer/zhuang")).number == "XM00001"
    assert proof["kept"]["work_patterns"][0] == 7 and proof["overwritten"]["places"] == 1


def test_staged_rows_that_name_the_person_go_and_others_stay(ctx, world):
    telephone = db.session.get(Person, CHEN).telephone
    upload_id = stage(world, ["陈阿珠 " + telephone, "别人 13900001111"])
    erase()
    left = db.session.scalars(select(UploadGroup).where(UploadGroup.upload_id == upload_id)).all()
    assert [group.rows for group in left] == [["别人 13900001111"]]


def stage(world, texts):
    upload_id = uuid.uuid4()

    def work():
        key = privacy.new_key("upload", street.NOW)
        db.session.add(
            Upload(id=upload_id, key_id=key, kind="roster", area_id=4, file_digest="0" * 64, columns=[], summary={},
                   created_at=street.NOW, expires_at=street.NOW)
        )  # fmt: skip
        for position, text in enumerate(texts):
            group = UploadGroup(
                upload_id=upload_id, key_id=key, position=position, faults=[], counts={}, ticked=[], taken={}
            )
            group.rows = [text]
            db.session.add(group)

    change(world, work)
    return upload_id


def test_a_crash_between_the_journal_and_the_commit_is_made_good(ctx, world):
    def crash():
        raise RuntimeError("power cut")

    with armed("erasure.journal written", crash), pytest.raises(RuntimeError):
        erase()
    assert db.session.get(Person, CHEN).name == "陈阿珠"
    db.session.rollback()
    unit_of_work(lambda: erasing.apply_journal(street.NOW))
    assert db.session.get(Person, CHEN).name == ""
    assert audit.broken_at(db.session()) is None


def test_a_journal_line_that_was_changed_is_refused(ctx, app):
    erase()
    path = app.config["SETTINGS"].keep_dir / "erasures.jsonl"
    path.write_text(path.read_text().replace("asked_by_person", "asked_by_nobody"))
    with pytest.raises(Forged):
        ERASURES.read()


def test_the_file_holds_everything_about_the_person_and_nothing_of_others(ctx, world):
    unit_of_work(lambda: post_for(world, "chen", "meal"))
    told = json.dumps(dossier.dossier("person", CHEN, now=street.NOW), ensure_ascii=False)
    person = db.session.get(Person, CHEN)
    for value in ("陈阿珠", person.telephone, "香莲里27号502室", "左边的门", "高血压", "1945-03-02", "counter"):
        assert value in told, value
    for other in ("林秀英", "凌香里8号301室", db.session.get(Person, world.key("lin/head")).telephone, "_sealed"):
        assert other not in told
