"""Signed checkpoints of the audit log, kept outside the database: a log cut short or rewritten shows against them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from linkage.core import outside
from linkage.core.extensions import db
from linkage.core.models import AuditHead, AuditRow


def head() -> tuple[int, str]:
    """(number, digest) of the last audit row; (0, zeros) of an empty log."""
    row = db.session.get(AuditHead, 1)
    return (0, outside.START) if row is None else (row.number, row.digest)


def write(now: datetime, *, kind: str = "checkpoint") -> dict[str, Any] | None:
    """Sign where the log stands; None where it stands as the last line says already.

    `kind` "restore" says that the database was put back: the log goes on from here, and what earlier lines know of
    later rows is lost with the database that was put away.
    """
    number, digest = head()
    lines = outside.CHECKPOINTS.read()
    if kind == "checkpoint" and lines and (lines[-1]["number"], lines[-1]["digest"]) == (number, digest):
        return None
    return outside.CHECKPOINTS.append(kind=kind, number=number, digest=digest, at=now.isoformat(timespec="seconds"))


def last() -> dict[str, Any] | None:
    """The last signed line.  Raises Forged."""
    lines = outside.CHECKPOINTS.read()
    return lines[-1] if lines else None


def export_log(target: Path) -> int:
    """Write the audit log as JSON lines, as `audit_verify` reads them; returns how many rows."""
    count = 0
    with target.open("x", encoding="utf-8") as file:
        for row in db.session.scalars(select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=1000)):
            told = {
                "number": row.number,
                "at": row.at.isoformat(),
                "actor_id": None if row.actor_id is None else str(row.actor_id),
                "action": row.action,
                "subject_kind": row.subject_kind,
                "subject_id": row.subject_id,
                "detail": row.detail,
                "previous": row.previous,
                "digest": row.digest,
            }
            file.write(json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n")
            count += 1
    return count
