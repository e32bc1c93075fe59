"""Verifies an audit log without the application: one file, the standard library and `cryptography` alone.

    python audit_verify.py LOG --checkpoints checkpoints.jsonl --key signing.pub

LOG is the SQLite database, or the lines that ``flask --app app audit-export`` wrote (PostgreSQL too). The checkpoints
and the public key must come from where they were kept apart, not from the machine that is examined. Exit code 0 when
the log is whole, 1 when it is not, with each difference named; 2 when there was nothing to examine.

What is found: a row removed (gap), changed (digest), put in or renumbered; the log cut short below a checkpoint
(truncation); all of it computed anew (rewrite); a checkpoint that was changed, removed from within or not signed.
What is younger than the last checkpoint can be cut off unseen: keep the checkpoints elsewhere, and often.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sqlite3
import sys
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

GENESIS = "0" * 64
Row = dict[str, Any]


def digest_of(previous: str, row: Row) -> str:
    """SHA-256 over the previous digest and the row's canonical JSON."""
    names = ("number", "actor_id", "action", "subject_kind", "subject_id")
    body: Row = {name: None if row[name] is None else str(row[name]) for name in names}
    body |= {"at": row["at"], "detail": row["detail"]}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def rows_of_sqlite(path: Path) -> Iterator[Row]:
    """The rows of the table in a SQLite file, opened for reading alone."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        for row in database.execute("SELECT * FROM audit_rows ORDER BY number"):
            at = datetime.fromisoformat(row["at"]).replace(tzinfo=UTC)
            actor = None if row["actor_id"] is None else str(uuid.UUID(row["actor_id"]))
            yield {**dict(row), "at": at.isoformat(), "actor_id": actor, "detail": json.loads(row["detail"])}


def rows_of_lines(path: Path) -> Iterator[Row]:
    """The rows that were exported as JSON lines."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_checkpoints(path: Path, key: Ed25519PublicKey) -> tuple[list[Row], list[str]]:
    """The signed lines, and what is wrong with the file itself."""
    previous, found, wrong = GENESIS, [], []
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        entry = json.loads(raw)
        signed = {name: value for name, value in entry.items() if name != "signature"}
        text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        try:
            key.verify(base64.b64decode(entry.get("signature", "")), text.encode())
            found.append(entry)
        except (InvalidSignature, ValueError):
            wrong.append(f"checkpoint line {number}: the signature is not this key's")
        if entry.get("previous") != previous:
            wrong.append(f"checkpoint line {number}: does not follow the line before it")
        previous = hashlib.sha256(raw).hexdigest()
    return found, wrong


def chain_faults(rows: Iterable[Row], digests: dict[int, str]) -> Iterator[str]:
    """What does not fit within the log itself; `digests` receives number → digest as computed."""
    previous, expected = GENESIS, 1
    for row in rows:
        number = row["number"]
        if number != expected:
            yield f"gap: row {expected} is missing" if number > expected else f"row {number} stands twice"
            previous, expected = row["previous"], number
        if row["previous"] != previous:
            yield f"row {number}: does not follow row {number - 1}"
        computed = digest_of(row["previous"], row)
        if computed != row["digest"]:
            yield f"row {number}: was changed (its digest differs)"
        digests[number] = computed
        previous, expected = row["digest"], expected + 1


def checkpoint_faults(entries: list[Row], digests: dict[int, str]) -> Iterator[str]:
    """Where the log and the checkpoints disagree. After a restore the log goes on from an earlier row: signed too."""
    for place, entry in enumerate(entries):
        later = [one for one in entries[place:] if one["kind"] == "restore"]
        if any(one["number"] < entry["number"] for one in later):
            continue
        number, last = entry["number"], max(digests, default=0)
        if number > last:
            yield f"truncation: the log ends at row {last}, a checkpoint of {entry['at']} knows row {number}"
        elif number and digests.get(number) != entry["digest"]:
            yield f"rewrite: row {number} is not the one that the checkpoint of {entry['at']} knows"


def verify(rows: Iterable[Row], checkpoints: tuple[list[Row], list[str]] | None) -> tuple[int, list[str]]:
    """(rows read, what differs)."""
    digests: dict[int, str] = {}
    faults = list(chain_faults(rows, digests))
    if checkpoints is not None:
        entries, wrong = checkpoints
        faults += wrong + list(checkpoint_faults(entries, digests))
    return len(digests), faults


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path, help="the SQLite database, or exported lines")
    parser.add_argument("--checkpoints", type=Path, help="the signed checkpoints, kept elsewhere")
    parser.add_argument("--key", type=Path, help="the public key (PEM) that they are signed with")
    options = parser.parse_args(arguments)
    if not options.log.is_file() or (options.checkpoints is None) != (options.key is None):
        print("nothing to examine: give the log, and the checkpoints together with their key", file=sys.stderr)
        return 2
    checkpoints = None
    if options.checkpoints is not None:
        key = load_pem_public_key(options.key.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            print("the key is not an Ed25519 public key", file=sys.stderr)
            return 2
        checkpoints = read_checkpoints(options.checkpoints, key)
    is_database = options.log.read_bytes()[:15] == b"SQLite format 3"
    count, faults = verify((rows_of_sqlite if is_database else rows_of_lines)(options.log), checkpoints)
    for fault in faults:
        print(fault)
    seen = f"{count} rows, {len(checkpoints[0])} checkpoints" if checkpoints else f"{count} rows, no checkpoints"
    print(f"{seen}: {'whole' if not faults else f'{len(faults)} differences'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
