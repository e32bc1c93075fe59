"""What officers release, and what two of them give together.

A piece counts only if its SHA-256 is the one that the manifest fixed before the deadline: whichever two officers come,
they can make but one key, so but one content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linkage.procurement.sealing.manifest import SEATS, Manifest, digest

PIECE = re.compile(r"[0-9a-f]{64}")
FAULTS = (
    "unreadable",
    "other-tender",
    "other-bid",
    "changed",
    "bad-piece",
    "not-on-the-list",
)
Pieces = Mapping[int, bytes]


class NotOpened(Exception):
    """Fewer than two good parts, or a key that does not open the ciphertext; the message is the code."""


def read_pieces(values: Any, seat: int, manifest: Manifest) -> dict[int, bytes] | None:
    """The two pieces that the officer of `seat` released; None where they are not the ones that were committed."""
    if not isinstance(values, dict) or set(values) != {str(other) for other in SEATS if other != seat}:
        return None
    found: dict[int, bytes] = {}
    for other, text in values.items():
        if not isinstance(text, str) or not PIECE.fullmatch(text):
            return None
        piece = bytes.fromhex(text)
        if digest(piece) != manifest.pieces[int(other) - 1]:
            return None
        found[int(other)] = piece
    return found


def open_with(manifest: Manifest, ciphertext: bytes, good: Iterable[Pieces]) -> bytes:
    """The payload that two or three officers' good pieces open.

    Raises
    ------
    NotOpened
        "parts": fewer than two officers' pieces; "key": the ciphertext is not of this key.
    """
    released = list(good)
    pieces = {seat: piece for one in released for seat, piece in one.items()}
    if len(released) < 2 or set(pieces) != set(SEATS):
        raise NotOpened("parts")
    key = bytes(a ^ b ^ c for a, b, c in zip(*(pieces[seat] for seat in SEATS), strict=True))
    try:
        return AESGCM(key).decrypt(manifest.nonce, ciphertext, manifest.header.encode())
    except InvalidTag as error:
        raise NotOpened("key") from error
