"""The stand-alone verifier, with a bad twin of every kind: each is found, named, and ends with exit code 1."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import world as street

from linkage.core import audit, audit_verify, checkpoints, outside
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

SCRIPT = Path(audit_verify.__file__)


@pytest.fixture
def evidence(app, tmp_path, capsys):
    """Twelve audit rows, checkpoints at 6 and at the end; a copy of the database, and everything kept elsewhere."""
    with app.app_context():
        for name in ("checkpoints.jsonl",):
            (app.config["SETTINGS"].keep_dir / name).unlink(missing_ok=True)
        for number in range(2, 13):
            unit_of_work(lambda n=number: audit.record("test.note", ("test", str(n)), by=street.key("user/clerk"),
                                                       now=street.NOW, field="名", count=n))  # fmt: skip
            if number in (6, 12):
                checkpoints.write(street.NOW)
        db.session.remove()
        db.engine.dispose()
        keep = app.config["SETTINGS"].keep_dir
    for name in ("checkpoints.jsonl", "signing.pub"):
        shutil.copy(keep / name, tmp_path / name)
    shutil.copy(app.config["SETTINGS"].data_dir / "linkage.db", tmp_path / "log.db")
    return tmp_path


def verified(folder, log="log.db", capsys=None):
    arguments = [str(folder / log), "--checkpoints", str(folder / "checkpoints.jsonl")]
    code = audit_verify.main([*arguments, "--key", str(folder / "signing.pub")])
    return code, capsys.readouterr().out if capsys else ""


def tamper(folder, *statements):
    with sqlite3.connect(folder / "log.db") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def rewrite_from(folder, number):
    """What an intruder with the whole database would do: compute every digest anew."""
    previous = audit_verify.GENESIS
    with sqlite3.connect(folder / "log.db") as database:
        for row in list(audit_verify.rows_of_sqlite(folder / "log.db")):
            digest = audit_verify.digest_of(previous, row)
            database.execute(
                "UPDATE audit_rows SET previous = ?, digest = ? WHERE number = ?", (previous, digest, row["number"])
            )
            previous = digest
        database.execute("UPDATE audit_head SET digest = ?", (previous,))
    database.close()


def test_a_whole_log_is_accepted_from_the_database_and_from_its_export(evidence, app, capsys):
    assert verified(evidence, capsys=capsys) == (0, "12 rows, 2 checkpoints: whole\n")
    with app.app_context():
        assert checkpoints.export_log(evidence / "log.jsonl") == 12
        db.session.remove()
    assert verified(evidence, "log.jsonl", capsys)[0] == 0


def test_the_script_runs_alone_without_the_application(evidence):
    alone = shutil.copy(SCRIPT, evidence / "verify.py")
    given = ["--checkpoints", "checkpoints.jsonl", "--key", "signing.pub"]
    done = subprocess.run(
        [sys.executable, "-I", alone, "log.db", *given], cwd=evidence, env={}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "12 rows, 2 checkpoints: whole\n"), done.stderr


@pytest.mark.parametrize(
    ("statements", "rewritten", "said"),
    [
        (["DELETE FROM audit_rows WHERE number = 4"], False, "gap: row 4 is missing"),
        (["UPDATE audit_rows SET actor_id = NULL WHERE number = 5"], False, "row 5: was changed"),
        (["UPDATE audit_rows SET detail = '{}' WHERE number = 5"], False, "row 5: was changed"),
        (["UPDATE audit_rows SET at = '2026-11-23 00:00:00.000000' WHERE number = 3"], False, "row 3: was changed"),
        (["DELETE FROM audit_rows WHERE number > 9"], False, "truncation: the log ends at row 9"),
        (["DELETE FROM audit_rows"], False, "truncation: the log ends at row 0"),
        (["UPDATE audit_rows SET action = 'test.other' WHERE number = 2"], True, "rewrite: row 6"),
        (
            ["DELETE FROM audit_rows WHERE number = 4", "UPDATE audit_rows SET number = number - 1 WHERE number > 4"],
            True,
            "rewrite: row 6",
        ),
    ],
)
def test_every_bad_twin_is_found_and_named(evidence, capsys, statements, rewritten, said):
    tamper(evidence, *statements)
    if rewritten:
        rewrite_from(evidence, 1)
    code, text = verified(evidence, capsys=capsys)
    assert code == 1 and said in text


def test_a_full_rewrite_is_invisible_without_checkpoints_kept_elsewhere(evidence, capsys):
    """Why they are exported: the chain alone accepts it."""
    tamper(evidence, "UPDATE audit_rows SET action = 'test.other' WHERE number = 2")
    rewrite_from(evidence, 1)
    assert audit_verify.main([str(evidence / "log.db")]) == 0


@pytest.mark.parametrize("change", ["number", "signature", "removed"])
def test_checkpoints_that_were_touched_are_found(evidence, capsys, change):
    path = evidence / "checkpoints.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    if change == "removed":
        lines = lines[1:]
    else:
        lines[0][change] = 5 if change == "number" else lines[1]["signature"]
    path.write_text("".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines))
    code, text = verified(evidence, capsys=capsys)
    assert code == 1 and "checkpoint line 1" in text


def test_after_a_restore_the_log_goes_on_from_an_earlier_row(evidence, app, capsys):
    """Signed by the installation: what was lost with the database put aside is no truncation."""
    with app.app_context():
        tamper(evidence, "DELETE FROM audit_rows WHERE number > 8")
        digest = sqlite3.connect(evidence / "log.db").execute("SELECT digest FROM audit_rows WHERE number = 8")
        line = {"number": 8, "digest": digest.fetchone()[0], "at": street.NOW.isoformat()}
        outside.CHECKPOINTS.append(kind="restore", **line)
        shutil.copy(app.config["SETTINGS"].keep_dir / "checkpoints.jsonl", evidence / "checkpoints.jsonl")
    assert verified(evidence, capsys=capsys)[0] == 0


def test_nothing_to_examine_is_neither_good_nor_bad(tmp_path, capsys):
    assert audit_verify.main([str(tmp_path / "nothing.db")]) == 2
