"""The backup command: a whole copy while the database is in use."""

import sqlite3

from linkage.core.extensions import db


def test_the_copy_holds_what_was_committed_and_only_its_owner_reads_it(app, tmp_path):
    target = tmp_path / "backup.db"
    done = app.test_cli_runner().invoke(args=["backup", str(target)])
    assert done.exit_code == 0, done.output
    with app.app_context():
        people = db.session.execute(db.text("SELECT count(*) FROM people")).scalar()
        db.session.remove()
    assert sqlite3.connect(target).execute("SELECT count(*) FROM people").fetchone()[0] == people > 0
    assert target.stat().st_mode & 0o077 == 0


def test_an_existing_file_is_not_overwritten(app, tmp_path):
    target = tmp_path / "backup.db"
    target.write_text("mine")
    assert app.test_cli_runner().invoke(args=["backup", str(target)]).exit_code == 2
    assert target.read_text() == "mine"
