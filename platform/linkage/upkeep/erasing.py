"""Erasing a person or household, with proof; and doing it again after a restore (删除权).

The journal outside the database is written last before the commit: once a line stands there, the erasure is carried
out, by this transaction or, should it be lost, by the next run of `apply_journal`. A restored database is brought up
to it before anybody is served.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from linkage.core import audit, privacy
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.models import DataKey
from linkage.core.outside import ERASURES
from linkage.core.transactions import failpoint
from linkage.upkeep import dossier, searching
from linkage.upkeep.models import ERASURE_REASONS, DataRequest

Subject = tuple[str, uuid.UUID]


def subjects_with(person_id: uuid.UUID) -> list[Subject]:
    """The person, and what is about them alone (a household of one)."""
    return [("person", person_id), *privacy.companions_of(person_id)]


def holds(person_id: uuid.UUID, now: datetime) -> list[privacy.Hold]:
    """Why the person cannot be erased yet."""
    found: dict[str, privacy.Hold] = {}
    for kind, ident in subjects_with(person_id):
        found |= {str(hold.text): hold for hold in privacy.holds_of(kind, ident, now)}
    return list(found.values())


def outlook(person_id: uuid.UUID) -> tuple[dict[str, int], dict[str, tuple[int, Any]]]:
    """(table → rows that will be overwritten, table → (rows that stay, why))."""
    gone: dict[str, int] = {}
    stays: dict[str, tuple[int, Any]] = {}
    coverage = privacy.coverage()
    for kind, ident in subjects_with(person_id):
        for table, rows in dossier.counts(kind, ident).items():
            _, reason = coverage.get(table, ("", None))
            if reason is None:
                gone[table] = max(gone.get(table, 0), rows)
            else:
                stays[table] = (max(stays.get(table, (0, None))[0], rows), reason)
    return gone, stays


def erase_person(person_id: uuid.UUID, *, reason: str, by: uuid.UUID | None, now: datetime) -> DataRequest:
    """Erase a person for good, and what is about them alone; the request holds the proof.

    Raises
    ------
    InvalidInput
        an unknown reason.
    Conflict
        something must happen first: the visits to come, the employment, the role of administrator.
    """
    if reason not in ERASURE_REASONS:
        raise InvalidInput(_l("Choose a reason."), field="reason")
    waiting = holds(person_id, now)
    if waiting:
        raise Conflict(waiting[0].text, remedy=waiting[0].remedy)
    subjects = subjects_with(person_id)
    gone, stays = outlook(person_id)
    values = sorted({value for kind, ident in subjects for value in dossier.values(kind, ident)})
    number = sum(1 for entry in ERASURES.read() if entry["kind"] == "erased") + 1
    request = DataRequest(
        kind="erasure",
        subject_kind="person",
        subject_id=person_id,
        reason=reason,
        done_by=by,
        created_at=now,
        proof={},
    )
    db.session.add(request)
    for kind, ident in subjects:
        carry_out(kind, ident, now)
    db.session.flush()
    columns, rows = searching.cells_searched()
    request.proof = {
        "subjects": [[kind, str(ident)] for kind, ident in subjects],
        "keys_dropped": len(subjects),
        "overwritten": gone,
        "kept": {table: [rows, _message_id(why)] for table, (rows, why) in stays.items()},
        "searched": {"values": len(values), "columns": columns, "rows": rows},
        "found": searching.in_database(values),
        "journal": number,
    }
    audit.record("privacy.erase", ("people", person_id), by=by, now=now, reason=reason, subjects=len(subjects))
    db.session.flush()
    _note(subjects, reason, number, now)
    failpoint("erasure.journal written")
    return request


def _message_id(lazy: Any) -> str:
    """The English source of a lazy text: the proof is read in either language later on."""
    return str(getattr(lazy, "_args", (str(lazy),))[0])


def _note(subjects: Sequence[Subject], reason: str, number: int, now: datetime) -> None:
    for kind, ident in subjects:
        ERASURES.append(
            kind="erased", number=number, subject=kind, id=ident, key=privacy.key_of(kind, ident), reason=reason, at=now
        )


def carry_out(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Every room forgets it: higher rooms first, which may still read what the lower ones will drop."""
    for erase in reversed(privacy.erasers().values()):
        erase(kind, subject_id, now)


def to_do() -> int:
    """How many lines of the journal this database does not know of yet."""
    keys = [uuid.UUID(entry["key"]) for entry in ERASURES.read() if entry.get("key")]
    left = sum(
        db.session.scalar(
            select(func.count()).where(DataKey.id.in_(keys[start : start + 500]), DataKey.wrapped.is_not(None))
        )
        or 0
        for start in range(0, len(keys), 500)
    )
    db.session.rollback()
    return left


def apply_journal(now: datetime) -> int:
    """Erase again whatever the journal names and this database still knows; returns how many. May be run at any time.

    A key is dropped even where its owner's row is not found: nothing that the journal names is ever readable again.
    """
    done = 0
    for entry in ERASURES.read():
        key = db.session.get(DataKey, uuid.UUID(entry["key"])) if entry.get("key") else None
        if key is None or key.wrapped is None:
            continue
        kind, ident = entry["subject"], uuid.UUID(entry["id"])
        carry_out(kind, ident, now)
        privacy.forget_key(key.id, now)
        audit.record("privacy.erase_again", (kind, ident), by=None, now=now, journal=entry["number"])
        done += 1
    return done
