"""What is kept outside the database and its backups: signed, chained lines that are only ever added.

The *keep folder* (`LINKAGE_KEEP_DIR`) holds the journal of erasures, the checkpoints of the audit log and the key
that signs both. A database that was put back from a backup, cut short or rewritten is held against them. Lines
name ids, numbers and digests, never a person.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from flask import current_app

START = "0" * 64


class Forged(Exception):
    """A line of a signed log does not carry this installation's signature, or does not follow the one before it."""


def keep_dir() -> Path:
    """The folder, made for its owner alone."""
    folder: Path = current_app.config["SETTINGS"].keep_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def signing_key() -> Ed25519PrivateKey:
    """The key that signs; made the first time, with its public half beside it for whoever verifies."""
    path = keep_dir() / "signing.pem"
    with _locked(keep_dir() / ".lock"):
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            _write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (keep_dir() / "signing.pub").write_bytes(public)
    found = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(found, Ed25519PrivateKey)
    return found


def key_fingerprint() -> str:
    """Sixteen signs by which people compare the public key."""
    raw = signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def canonical(entry: dict[str, Any]) -> bytes:
    """The bytes that are signed: the entry without its signature, keys sorted, no spaces."""
    body = {key: value for key, value in entry.items() if key != "signature"}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class SignedLog:
    """One file of the keep folder. Each line holds the SHA-256 of the line before it, and an Ed25519 signature."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> Path:
        return keep_dir() / self.name

    def append(self, **entry: Any) -> dict[str, Any]:
        """Add a line that has reached the disk when this returns; safe between processes."""
        key = signing_key()
        with _locked(self.path.with_suffix(".lock")):
            previous = START
            if self.path.exists():
                lines = self.path.read_bytes().splitlines()
                previous = hashlib.sha256(lines[-1]).hexdigest() if lines else START
            line: dict[str, Any] = {**json.loads(json.dumps(entry, default=str)), "previous": previous}
            line["signature"] = base64.b64encode(key.sign(canonical(line))).decode()
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return line

    def read(self) -> list[dict[str, Any]]:
        """Every line, oldest first.

        Raises
        ------
        Forged
            a line was changed, removed from within, or signed by somebody else.
        """
        if not self.path.exists():
            return []
        public, previous, found = signing_key().public_key(), START, []
        for number, raw in enumerate(self.path.read_bytes().splitlines(), 1):
            entry = json.loads(raw)
            if entry.get("previous") != previous or not _is_signed(entry, public):
                raise Forged(f"{self.name}, line {number}")
            previous = hashlib.sha256(raw).hexdigest()
            found.append(entry)
        return found


def _is_signed(entry: dict[str, Any], key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(entry.get("signature", "")), canonical(entry))
    except (InvalidSignature, ValueError):
        return False
    return True


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


ERASURES = SignedLog("erasures.jsonl")
CHECKPOINTS = SignedLog("checkpoints.jsonl")
