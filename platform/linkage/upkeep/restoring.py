"""Putting a backup back, and the drill that shows that it can be done (恢复与演练).

After the data are back: newest tables, erasures of the journal done again, every session ended, the audit chain
verified, the keys tried, and a signed line that says so. The drill does all of it beside the running installation.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.engine import make_url

from linkage.accounts.models import UserSession
from linkage.core import audit, checkpoints, clock, crypto, privacy
from linkage.core.config import ROOT
from linkage.core.extensions import db
from linkage.core.models import AuditRow, DataKey
from linkage.core.transactions import unit_of_work, writing
from linkage.upkeep import erasing
from linkage.upkeep.backup import Backup, BackupFailed, backups, read_backup

DRILLS = "drills.jsonl"
DRILL_SECONDS = 900
Report = dict[str, Any]


class RestoreRefused(Exception):
    """Nothing was changed; the message says why."""


def restore(backup: Backup, now: datetime, *, is_drill: bool = False) -> Report:
    """Make this installation's database what the backup holds; the one that was there is put aside.

    Raises
    ------
    RestoreRefused
        another kind of database, a master key that is not at hand, a process that has the database open, or a
        PostgreSQL database that is not empty.
    """
    _demand_fit(backup)
    aside = _put_sqlite(backup, now) if backup.manifest["database"] == "sqlite" else _put_postgres(backup)
    arrived = _counts()
    upgrade()
    report: Report = {
        "backup": backup.folder.name,
        "made_at": backup.manifest["made_at"],
        "put_aside": aside,
        "counts_differ": {
            name: [rows, arrived.get(name)]
            for name, rows in backup.manifest["tables"].items()
            if arrived.get(name) != rows
        },
        "tables": len(arrived),
        "rows": sum(arrived.values()),
    }
    unit_of_work(lambda: _after_restore(backup, report, now))
    report["audit_broken_at"] = audit.broken_at(db.session())
    db.session.rollback()
    report["keys"] = _try_keys()
    if not is_drill:
        checkpoints.write(now, kind="restore")
    report["ok"] = not (report["counts_differ"] or report["audit_broken_at"] or report["keys"]["unreadable"])
    report["audit_reaches"] = _reaches(backup)
    report["ok"] = report["ok"] and report["audit_reaches"]
    return report


def _demand_fit(backup: Backup) -> None:
    mine, theirs = db.engine.dialect.name, backup.manifest["database"]
    if mine != theirs:
        raise RestoreRefused(f"the backup is of {theirs}, this installation uses {mine}")
    missing = set(backup.manifest["master_keys"]) - set(crypto.master_keys())
    if missing:
        names = ", ".join(sorted(missing))
        raise RestoreRefused(f"the master key {names} of the backup was not given (LINKAGE_OLD_MASTER_KEYS)")
    if backup.manifest["index_key"] != crypto.blind("which index key", "")[:16]:
        raise RestoreRefused("LINKAGE_INDEX_KEY is not the one of the backup: nothing would be found by its number")


def _put_sqlite(backup: Backup, now: datetime) -> str:
    path = Path(str(db.engine.url.database))
    users = _who_has_open(path)
    if users:
        raise RestoreRefused(f"the database is in use by process {', '.join(map(str, users))}: stop the server first")
    db.session.remove()
    db.engine.dispose()
    aside = ""
    if path.exists():
        with sqlite3.connect(path) as present:
            present.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        present.close()
        target = path.with_name(f"{path.name}.before-restore-{clock.local(now):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
        path.rename(target)
        aside = str(target)
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".coming")
    shutil.copyfile(backup.folder / "linkage.db", fresh)
    fresh.chmod(0o600)
    with sqlite3.connect(fresh) as copy:
        whole = copy.execute("PRAGMA integrity_check").fetchone()[0]
    copy.close()
    if whole != "ok":
        raise BackupFailed(f"the backup's database is damaged: {whole}")
    fresh.rename(path)
    return aside


def _who_has_open(path: Path) -> list[int]:
    """Other processes that have the file open."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(file.path == str(path) for file in process.open_files()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _put_postgres(backup: Backup) -> str:
    with db.engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise RestoreRefused("the PostgreSQL database is not empty: name a new one in LINKAGE_DATABASE_URL")
    upgrade(revision=backup.manifest["migration"])
    with writing(), db.engine.begin() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("SET CONSTRAINTS ALL DEFERRED")
        raw.execute("SET LOCAL session_replication_role = replica")  # rows come by table, not by who refers to whom
        for name, columns in backup.manifest["columns"].items():
            listed = ", ".join(f'"{column}"' for column in columns)
            with raw.cursor() as cursor, (backup.folder / f"{name}.copy").open("rb") as file:
                cursor.execute(f'DELETE FROM "{name}"')
                with cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN') as rows:
                    while block := file.read(1 << 20):
                        rows.write(block)
        _set_sequences(connection)
    return ""


def _set_sequences(connection: Any) -> None:
    """Numbers that the database gives go on above the largest that is there."""
    for table in db.metadata.sorted_tables:
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name}
            )
            if sequence:
                top = connection.scalar(select(func.max(column)))
                connection.execute(
                    text("SELECT setval(:s, :n, :used)"), {"s": sequence, "n": top or 1, "used": bool(top)}
                )


def _counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        present = set(inspect(connection).get_table_names())
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in db.metadata.tables.items()
            if name in present
        }


def _after_restore(backup: Backup, report: Report, now: datetime) -> None:
    report["erased_again"] = erasing.apply_journal(now)
    ended = db.session.execute(update(UserSession).where(UserSession.revoked_at.is_(None)).values(revoked_at=now))
    report["sessions_ended"] = ended.rowcount  # type: ignore[attr-defined]
    audit.record("upkeep.restore", ("backups", backup.folder.name[:40]), by=None, now=now, rows=report["rows"])


def _reaches(backup: Backup) -> bool:
    """The restored log holds the very row that was the last one when the backup was made."""
    known = backup.manifest["audit"]
    row = db.session.get(AuditRow, known["number"])
    db.session.rollback()
    return known["number"] == 0 or (row is not None and row.digest == known["digest"])


def _try_keys() -> dict[str, int]:
    """Unwrap every data key: what the keys at hand can read."""
    keys = db.session.scalars(select(DataKey.id).where(DataKey.wrapped.is_not(None))).all()
    unreadable = 0
    for key_id in keys:
        try:
            privacy.raw_key(key_id)
        except (crypto.Damaged, crypto.MissingMasterKey):
            unreadable += 1
    privacy.drop_keys(db.session())
    db.session.rollback()
    return {"tried": len(keys), "unreadable": unreadable}


# --- the drill ------------------------------------------------------------------------------------------------


def drill(now: datetime, backup: Backup | None = None) -> Report:
    """Restore a backup (by default the latest) into a scratch place, in a process of its own, and keep the report.

    Raises
    ------
    BackupFailed
        there is no backup yet, or it is not whole.
    """
    if backup is None:
        latest = backups()
        if not latest:
            raise BackupFailed("there is no backup yet: make one first")
        backup = latest[0]
    read_backup(backup.folder)
    scratch = Path(tempfile.mkdtemp(prefix="linkage-drill-"))
    database = _scratch_database(scratch)
    try:
        report = _restore_elsewhere(backup, scratch, database, now)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        _drop_scratch(database)
    report |= {"drilled_at": now.isoformat(timespec="seconds")}
    with (current_app.config["SETTINGS"].backup_dir / DRILLS).open("a") as file:
        file.write(json.dumps(report, ensure_ascii=False) + "\n")
    return report


def _scratch_database(scratch: Path) -> str:
    if db.engine.dialect.name == "sqlite":
        return "sqlite:///" + str(scratch / "linkage.db")
    name = f"linkage_drill_{secrets.token_hex(4)}"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    return db.engine.url.set(database=name).render_as_string(hide_password=False)


def _drop_scratch(database: str) -> None:
    url = make_url(database)
    if not url.drivername.startswith("sqlite"):
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))


def _restore_elsewhere(backup: Backup, scratch: Path, database: str, now: datetime) -> Report:
    settings = current_app.config["SETTINGS"]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "LINKAGE_MODE": settings.mode,
        "LINKAGE_DATA_DIR": str(scratch),
        "LINKAGE_DATABASE_URL": database,
        "LINKAGE_QUEUE_URL": "sqlite://",
        "LINKAGE_KEEP_DIR": str(settings.keep_dir),
        "LINKAGE_BACKUP_DIR": str(settings.backup_dir),
        "LINKAGE_OLD_MASTER_KEYS": ",".join(settings.old_master_keys),
        **{f"LINKAGE_{name}": value for name, value in settings.secrets.items()},
    }
    env.pop("LINKAGE_NOW", None)
    command = [sys.executable, "-m", "flask", "--app", "app", "restore", str(backup.folder), "--drill", "--json"]
    done = subprocess.run(
        [*command, "--at", now.isoformat()], env=env, cwd=ROOT, capture_output=True, text=True, timeout=DRILL_SECONDS
    )
    try:
        report: Report = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        said = done.stderr.strip().splitlines()
        report = {"backup": backup.folder.name, "ok": False, "failure": said[-1][:300] if said else "no answer"}
    return report


def last_drill() -> Report | None:
    """The report of the last drill."""
    path: Path = current_app.config["SETTINGS"].backup_dir / DRILLS
    lines = path.read_text().splitlines() if path.exists() else []
    return json.loads(lines[-1]) if lines else None
