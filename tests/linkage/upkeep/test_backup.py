"""Backup, restore and the drill: whole, private, refused where it would do harm, and nobody erased comes back."""

import json
import sqlite3

import pytest
import world as street
from conftest import make_app
from flask_migrate import upgrade
from sqlalchemy import func, select

from linkage.accounts.models import UserSession
from linkage.core import audit, checkpoints, crypto
from linkage.core.extensions import db
from linkage.core.models import AuditRow, DataKey
from linkage.core.outside import CHECKPOINTS
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household
from linkage.people.models import Person
from linkage.upkeep import erasing, restoring
from linkage.upkeep.backup import BackupFailed, backups, forget_old, make_backup, read_backup


def command(app, *args):
    return app.test_cli_runner().invoke(args=[str(arg) for arg in args])


def rename(name):
    def change():
        db.session.get(Person, street.key("wu")).name = name
        audit.record("test.change", ("test", "1"), by=None, now=street.NOW)

    unit_of_work(change)


def erase(person):
    return unit_of_work(
        lambda: erasing.erase_person(street.key(person), reason="asked_by_person", by=None, now=street.NOW)
    )


def test_a_backup_holds_every_row_and_only_its_owner_reads_it(installation, tmp_path):
    done = command(installation, "backup", tmp_path / "kept")
    assert done.exit_code == 0 and "not in it: LINKAGE_MASTER_KEY" in done.output
    with installation.app_context():
        people = db.session.scalar(select(func.count()).select_from(Person))
        found = read_backup(tmp_path / "kept")
    copy = sqlite3.connect(found.folder / "linkage.db")
    assert copy.execute("SELECT count(*) FROM people").fetchone()[0] == people == found.manifest["tables"]["people"]
    assert [path.stat().st_mode & 0o077 for path in (found.folder, *found.folder.iterdir())] == [0, 0, 0]
    assert not any("secret" in path.name or path.suffix == ".pem" for path in found.folder.rglob("*"))


def test_an_existing_folder_is_not_overwritten(installation, tmp_path):
    (tmp_path / "kept").mkdir()
    assert command(installation, "backup", tmp_path / "kept").exit_code == 2
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_restore_brings_back_what_was_and_puts_aside_what_is(installation):
    with installation.app_context():
        backup = make_backup(street.NOW)
        rename("另一个")
        report = restoring.restore(backup, street.NOW)
        assert report["ok"] and report["counts_differ"] == {} and report["keys"]["unreadable"] == 0
        assert db.session.get(Person, street.key("wu")).name == "吴丽珍"
        assert db.session.get(Household, street.key("household/chen")).door_code == "4711"
        aside = sqlite3.connect(report["put_aside"])
        names = {name for (name,) in aside.execute("SELECT name FROM people")}
        assert "另一个" in names
        assert CHECKPOINTS.read()[-1]["kind"] == "restore"
        assert db.session.scalar(select(func.count()).where(UserSession.revoked_at.is_(None))) == 0


def test_an_erased_person_stays_erased_after_a_restore(installation):
    with installation.app_context():
        backup = make_backup(street.NOW)
        erase("chen/head")
        assert restoring.restore(backup, street.NOW)["erased_again"] == 2  # the person, and the household of one
        person = db.session.get(Person, street.key("chen/head"))
        home = db.session.get(Household, street.key("household/chen"))
        assert (person.name, person.telephone, person.birth_date) == ("", None, None)
        assert (home.door_code, home.place.address, home.number[:7]) == (None, None, "erased-")
        assert audit.broken_at(db.session()) is None


def test_a_database_that_was_put_back_by_hand_is_brought_up_to_the_journal_too(installation):
    """The bad twin of the restore command: a copied file; the hourly run does what the command would have done."""
    with installation.app_context():
        backup = make_backup(street.NOW)
        erase("chen/head")
        db.session.remove()
        db.engine.dispose()
        path = installation.config["SETTINGS"].data_dir / "linkage.db"
        path.write_bytes((backup.folder / "linkage.db").read_bytes())
        assert db.session.get(Person, street.key("chen/head")).name == "陈阿珠"
        db.session.rollback()
        assert unit_of_work(lambda: erasing.apply_journal(street.NOW)) == 2
        assert unit_of_work(lambda: erasing.apply_journal(street.NOW)) == 0
        assert db.session.get(Person, street.key("chen/head")).name == ""


def test_the_drill_restores_beside_the_running_installation(installation):
    with installation.app_context():
        make_backup(street.NOW)
        erase("chen/head")
        db.session.remove()
    done = command(installation, "drill")
    assert done.exit_code == 0, done.output
    assert "erasures done again: 2" in done.output and "audit log: whole" in done.output
    with installation.app_context():
        assert restoring.last_drill()["ok"]
        assert [entry["kind"] for entry in CHECKPOINTS.read()] == []  # a drill leaves no trace in the log's history


def test_a_drill_on_a_damaged_backup_fails_by_name(installation):
    with installation.app_context():
        folder = make_backup(street.NOW).folder
    content = bytearray((folder / "linkage.db").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "linkage.db").write_bytes(content)
    done = command(installation, "drill", folder)
    assert done.exit_code == 1 and "SHA-256 differs" in done.output


def test_a_drill_finds_an_audit_log_that_was_changed_before_the_backup(installation):
    with installation.app_context():
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE audit_rows SET action = 'test.other' WHERE number = 1")
        db.session.remove()
        report = restoring.restore(make_backup(street.NOW), street.NOW, is_drill=True)
        assert (report["ok"], report["audit_broken_at"]) == (False, 1)


def test_a_backup_of_another_key_is_refused_before_anything_is_touched(installation, tmp_path):
    with installation.app_context():
        backup = make_backup(street.NOW)
    stranger = make_app(tmp_path / "stranger")
    done = command(stranger, "restore", backup.folder)
    assert done.exit_code == 1 and "master key" in done.output
    assert not (tmp_path / "stranger" / "linkage.db").exists()


def test_old_backups_go_but_never_the_last_three(installation):
    with installation.app_context():
        for day in range(5):
            make_backup(street.NOW.replace(day=10 + day))
        assert forget_old(street.NOW, keep_days=9) == 2  # of 10 and 11 November; those of 12, 13, 14 are the last three
        assert len(backups()) == 3


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(installation, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("linkage.upkeep.backup._sha256", full)
    with installation.app_context():
        with pytest.raises(BackupFailed, match="No space"):
            make_backup(street.NOW)
        assert list(installation.config["SETTINGS"].backup_dir.iterdir()) == []


@pytest.mark.postgres
def test_postgres_is_backed_up_drilled_and_restored_into_an_empty_database(
    postgres_server, empty_postgres, tmp_path, request
):
    app = make_app(tmp_path / "one", LINKAGE_DATABASE_URL=empty_postgres)
    with app.app_context():
        upgrade()
        unit_of_work(lambda: street.build(street.NOW))
        backup = make_backup(street.NOW)
        erase("chen/head")
        report = restoring.drill(street.NOW)
        assert report["ok"] and report["erased_again"] == 2, report
        with pytest.raises(restoring.RestoreRefused, match="not empty"):
            restoring.restore(backup, street.NOW)
        db.session.execute(db.text("DROP SCHEMA public CASCADE"))
        db.session.execute(db.text("CREATE SCHEMA public"))
        db.session.commit()
        report = restoring.restore(backup, street.NOW)
        assert report["ok"] and report["counts_differ"] == {} and report["erased_again"] == 2
        assert db.session.get(Household, street.key("household/lin")).door_code == "2203"
        db.session.rollback()
        rename("吴珍")  # numbers go on: an audit row is added behind those that came back
        assert audit.broken_at(db.session()) is None
        db.session.remove()
        db.engine.dispose()


def test_the_signed_line_of_a_restore_names_where_the_log_goes_on(installation):
    with installation.app_context():
        checkpoints.write(street.NOW)
        backup = make_backup(street.NOW)
        rename("甲")
        checkpoints.write(street.NOW)
        restoring.restore(backup, street.NOW)
        last = db.session.scalar(select(func.max(AuditRow.number)))
        assert [line["kind"] for line in CHECKPOINTS.read()] == ["checkpoint", "checkpoint", "restore"]
        assert CHECKPOINTS.read()[-1]["number"] == last
        assert crypto.master_id() == db.session.scalars(select(DataKey.master_id).limit(1)).one()


def test_the_report_of_a_restore_is_one_line_of_json(installation):
    with installation.app_context():
        folder = make_backup(street.NOW).folder
        db.session.remove()
        db.engine.dispose()
    done = command(installation, "restore", folder, "--json")
    assert json.loads(done.output.splitlines()[-1])["ok"] and done.exit_code == 0
