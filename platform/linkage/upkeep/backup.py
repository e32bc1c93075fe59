"""A backup: the whole database at one moment, checked, with a manifest; taken while everything runs.

SQLite through its own backup API; PostgreSQL by COPY of every table in one repeatable-read snapshot (no program
besides Python is needed; `pg_dump` is as good where it is at hand). Not in it, and to be kept apart: the keys (a
backup is readable only with its master key), and the keep folder (`core.outside`), which must not be put back.
There are no other files: what is uploaded is kept, encrypted, in the database.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from flask import current_app
from sqlalchemy import func, select

from linkage.core import checkpoints, crypto
from linkage.core.clock import local
from linkage.core.extensions import db
from linkage.core.models import DataKey

MANIFEST = "manifest.json"
MAKING = ".making-"
DAY_SECONDS = 86_400
NOT_IN_IT = (
    "LINKAGE_MASTER_KEY, LINKAGE_INDEX_KEY, LINKAGE_SECRET_KEY: keep them apart from the backup",
    "the keep folder (LINKAGE_KEEP_DIR): journal of erasures, audit checkpoints, signing key; never put it back",
)


class BackupFailed(Exception):
    """The copy could not be made or is not whole; nothing is left of it."""


@dataclass(frozen=True)
class Backup:
    """One backup folder and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["made_at"])

    @property
    def kilobytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir()) // 1024


def _free(folder: Path) -> Path:
    """This name, or with a number behind it: two backups of one second are two."""
    others = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(name for name in chain([folder], others) if not name.exists())


def make_backup(now: datetime, target: Path | None = None) -> Backup:
    """Write a backup into the folder `target` (by default a new one of the backup folder), readable by its owner.

    Raises
    ------
    BackupFailed
        the folder exists, the disk is full, or the copy is damaged.
    """
    parent: Path = current_app.config["SETTINGS"].backup_dir
    folder = target or _free(parent / f"linkage-{local(now):%Y%m%d-%H%M%S}")
    if folder.exists():
        raise BackupFailed(f"{folder} exists already; nothing was written")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    making = Path(tempfile.mkdtemp(prefix=folder.name + MAKING, dir=folder.parent))  # only its owner reads it
    try:
        files = _copy_sqlite(making) if db.engine.dialect.name == "sqlite" else _copy_postgres(making)
        manifest = {**_describe(now), **files}
        manifest["files"] = {path.name: _sha256(path) for path in sorted(making.iterdir())}
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        for path in making.iterdir():
            path.chmod(0o600)
            _to_disk(path)
        making.rename(folder)
    except BaseException as error:
        shutil.rmtree(making, ignore_errors=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise BackupFailed(str(error)) from error
        raise
    return Backup(folder, manifest)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe(now: datetime) -> dict[str, Any]:
    settings = current_app.config["SETTINGS"]
    return {
        "made_at": now.isoformat(timespec="seconds"),
        "database": db.engine.dialect.name,
        "mode": settings.mode,
        "index_key": crypto.blind("which index key", "")[:16],
        "not_in_it": list(NOT_IN_IT),
    }


def facts() -> dict[str, Any]:
    """What a copy is compared with: rows of each table, migration, head of the audit log, master keys in use."""
    tables = {
        name: db.session.scalar(select(func.count()).select_from(table)) for name, table in db.metadata.tables.items()
    }
    number, digest = checkpoints.head()
    return {
        "tables": dict(sorted(tables.items())),
        "migration": MigrationContext.configure(db.session.connection()).get_current_revision(),
        "audit": {"number": number, "digest": digest},
        "master_keys": sorted(
            db.session.scalars(select(DataKey.master_id).where(DataKey.wrapped.is_not(None)).distinct())
        ),
    }


def _copy_sqlite(folder: Path) -> dict[str, Any]:
    path = folder / "linkage.db"
    source, copy = sqlite3.connect(str(db.engine.url.database)), sqlite3.connect(path)
    try:
        source.backup(copy)
        whole = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if whole != "ok":
            raise BackupFailed(f"the copy is damaged: {whole}")
        copy.execute("PRAGMA journal_mode=DELETE")
        found = _facts_of_sqlite(copy)
    finally:
        source.close()
        copy.close()
    return found


def _facts_of_sqlite(copy: sqlite3.Connection) -> dict[str, Any]:
    """As `facts`, of the copy: it may be older than what the session sees by now."""
    names = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    mine = sorted(set(names) & set(db.metadata.tables))
    audit = copy.execute("SELECT number, digest FROM audit_head").fetchone() or (0, "0" * 64)
    has_version = "alembic_version" in names
    return {
        "tables": {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in mine},  # noqa: S608
        "migration": copy.execute("SELECT version_num FROM alembic_version").fetchone()[0] if has_version else None,
        "audit": {"number": audit[0], "digest": audit[1]},
        "master_keys": sorted(
            key for (key,) in copy.execute("SELECT DISTINCT master_id FROM data_keys WHERE wrapped IS NOT NULL")
        ),
    }


def _copy_postgres(folder: Path) -> dict[str, Any]:
    """Each table as PostgreSQL's own COPY text, all of one snapshot."""
    db.session.rollback()
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    try:
        found = facts()
        raw = db.session.connection().connection.driver_connection
        assert raw is not None
        for table in db.metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            command = f'COPY "{table.name}" ({columns}) TO STDOUT'
            with (folder / f"{table.name}.copy").open("wb") as file, raw.cursor().copy(command) as rows:
                for block in rows:
                    file.write(block)
    finally:
        db.session.rollback()
    found["columns"] = {table.name: [column.name for column in table.columns] for table in db.metadata.sorted_tables}
    return found


def read_backup(folder: Path) -> Backup:
    """A backup whose files are those of its manifest.

    Raises
    ------
    BackupFailed
        there is no manifest, a file is missing, or one was changed.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        for name, digest in manifest["files"].items():
            if _sha256(folder / name) != digest:
                raise BackupFailed(f"{folder / name} is not what was written: its SHA-256 differs")
    except (OSError, ValueError, KeyError) as error:
        raise BackupFailed(f"{folder} holds no whole backup: {error}") from error
    return Backup(folder, manifest)


def backups() -> list[Backup]:
    """The backups of the backup folder by their manifests alone, the latest first."""
    parent: Path = current_app.config["SETTINGS"].backup_dir
    found = []
    for path in sorted(parent.glob(f"*/{MANIFEST}"), reverse=True):
        if MAKING in path.parent.name:
            continue
        try:
            found.append(Backup(path.parent, json.loads(path.read_text())))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def forget_old(now: datetime, *, keep_days: int, keep_at_least: int = 3) -> int:
    """Delete backups older than `keep_days`, but never the latest few; returns how many were deleted."""
    for left in current_app.config["SETTINGS"].backup_dir.glob(f"*{MAKING}*"):
        if time.time() - left.stat().st_mtime > DAY_SECONDS:  # of a backup that was cut off
            shutil.rmtree(left, ignore_errors=True)
    old = [backup for backup in backups()[keep_at_least:] if (now - backup.made_at).days >= keep_days]
    for backup in old:
        shutil.rmtree(backup.folder)
    return len(old)
