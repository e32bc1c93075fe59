"""The tender's chain of receipts, and the list that is published at the closing.

Every bid that was sealed, withdrawn or confirmed is an *entry*: one JSON text, kept as written. Each head is SHA-256 of
the head before it and the entry. A receipt is an entry with its heads, signed Ed25519 by the installation; the closing
list is every entry and the last head, signed likewise, and is given to every bidder before a part is released.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KINDS = ("sealed", "withdrawn", "confirmed")


def start_of(tender: str, terms: str) -> str:
    """The head of a tender's empty chain: its own, so that no entry fits another tender.

    `terms`: SHA-256 of what was frozen at the publication.
    """
    return hashlib.sha256(f"linkage tender {tender} {terms}".encode()).hexdigest()


def head_after(head: str, entry: str) -> str:
    """The head once `entry` stands behind `head`."""
    return hashlib.sha256((head + entry).encode()).hexdigest()


def head_of(tender: str, terms: str, entries: Iterable[str]) -> str:
    """The head of a whole chain."""
    head = start_of(tender, terms)
    for entry in entries:
        head = head_after(head, entry)
    return head


def text_of(values: dict[str, Any]) -> str:
    """The one text that is hashed, signed and kept; nobody ever writes it anew from its values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def moment(at: datetime) -> str:
    """A time in a signed text, with its offset."""
    return at.isoformat(timespec="microseconds")


def entry_text(
    *, tender: str, place: int, kind: str, organisation: str, version: int, commitment: str, at: datetime
) -> str:
    """One line of the chain: `kind` of KINDS, `place` from 1."""
    assert kind in KINDS
    return text_of(
        {
            "format": "linkage-entry-1",
            "tender": tender,
            "place": place,
            "kind": kind,
            "organisation": organisation,
            "version": version,
            "commitment": commitment,
            "at": moment(at),
        }
    )


def closing_text(
    *,
    tender: str,
    number: str,
    terms: str,
    deadline: datetime,
    at: datetime,
    recipients: Iterable[str],
    entries: list[str],
    counted: list[int],
) -> str:
    """What is published at the closing.

    `recipients`: the officers' public keys in the order of their seats; `counted`: the places of the bids that will be
    opened (each organisation's last, neither withdrawn nor left unconfirmed after a clarification).
    """
    return text_of(
        {
            "format": "linkage-closing-1",
            "tender": tender,
            "number": number,
            "terms": terms,
            "deadline": moment(deadline),
            "at": moment(at),
            "recipients": list(recipients),
            "entries": entries,
            "counted": counted,
            "head": head_of(tender, terms, entries),
        }
    )


def signed(text: str, key: Ed25519PrivateKey) -> dict[str, str]:
    """The text with its signature and the public key that verifies it (compare its fingerprint elsewhere)."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "text": text,
        "signature": base64.b64encode(key.sign(text.encode())).decode(),
        "key": base64.b64encode(public).decode(),
    }


def receipt_of(entry: str, previous: str, key: Ed25519PrivateKey) -> dict[str, str]:
    """What the bidder keeps: the entry, the head before it and the head after it, signed."""
    body = {
        "format": "linkage-receipt-1",
        "entry": entry,
        "previous": previous,
        "head": head_after(previous, entry),
    }
    return signed(text_of(body), key)
