"""The audit log: every change has its row, in the same transaction, numbered just before the commit.

Rows hold ids and field names, never personal data. Numbers are gapless and each row's digest covers the one
before it, so that a removed or altered row shows (a truncated log shows against an exported checkpoint).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from linkage.core.extensions import db
from linkage.core.models import AuditHead, AuditRow

GENESIS = "0" * 64
# Bookkeeping of the machine itself, not deeds of a person: needs no audit row.
UNAUDITED = {
    "audit_rows",
    "audit_head",
    "outbox",
    "idempotency_keys",
    "periodic_runs",
    "access_rows",
    "sequences",
    "jobs",
    "user_sessions",
    "sign_in_attempts",
    "inbox_messages",
    "data_keys",
    "rate_limits",
}


class Unaudited(Exception):
    """A transaction changed rows without saying who did what."""


def record(action: str, subject: Any, *, by: uuid.UUID | None, now: datetime, **detail: Any) -> None:
    """Note that user `by` (None: the system itself) did `action` to `subject`; written at the commit.

    `detail` may hold ids, field names, counts, times and reasons from a list; never names, numbers or free text.
    """
    kind, ident = _name(subject)
    entry = {
        "action": action,
        "subject_kind": kind,
        "subject_id": ident,
        "actor_id": by,
        "at": now,
        "detail": json.loads(json.dumps(detail, default=str)),
    }
    db.session().info.setdefault("audit", []).append(entry)


def _name(subject: Any) -> tuple[str, str]:
    if isinstance(subject, tuple):
        return str(subject[0]), str(subject[1])
    return subject.__tablename__, str(subject.id)


def digest_of(previous: str, row: dict[str, Any]) -> str:
    """SHA-256 over the previous digest and the row's canonical JSON (keys sorted, no spaces)."""
    body = {
        key: str(row[key]) if row[key] is not None else None
        for key in ("number", "actor_id", "action", "subject_kind", "subject_id")
    }
    body |= {"at": row["at"].isoformat(), "detail": row["detail"]}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def _note_changes(session: Session, _context: Any) -> None:
    changed = {row.__tablename__ for row in (*session.new, *session.deleted)}
    changed |= {row.__tablename__ for row in session.dirty if session.is_modified(row)}
    session.info.setdefault("changed", set()).update(changed - UNAUDITED)


def _number_rows(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    entries = session.info.pop("audit", [])
    changed = session.info.pop("changed", set())
    if changed and not entries:
        raise Unaudited(f"no audit row for a change of {', '.join(sorted(changed))}")
    if not entries:
        return
    head = session.scalars(select(AuditHead).where(AuditHead.id == 1).with_for_update()).one_or_none()
    if head is None:
        head = AuditHead(id=1, number=0, digest=GENESIS)
        session.add(head)
    for entry in entries:
        row = {**entry, "number": head.number + 1}
        digest = digest_of(head.digest, row)
        session.add(AuditRow(**row, previous=head.digest, digest=digest))
        head.number, head.digest = row["number"], digest
    session.flush()


def _forget(session: Session) -> None:
    session.info.pop("audit", None)
    session.info.pop("changed", None)


def broken_at(session: Session) -> int | None:
    """The number of the first audit row that does not fit its predecessor; None when the log is whole."""
    previous, expected = GENESIS, 1
    for row in session.scalars(select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=1000)):
        values = {
            key: getattr(row, key)
            for key in ("number", "actor_id", "action", "subject_kind", "subject_id", "at", "detail")
        }
        if row.number != expected or row.previous != previous or digest_of(previous, values) != row.digest:
            return expected
        previous, expected = row.digest, expected + 1
    head = session.get(AuditHead, 1)
    return None if head is None or (head.number, head.digest) == (expected - 1, previous) else expected


def init_app() -> None:
    for name, hook in (("after_flush", _note_changes), ("before_commit", _number_rows), ("after_rollback", _forget)):
        if not event.contains(Session, name, hook):
            event.listen(Session, name, hook)
