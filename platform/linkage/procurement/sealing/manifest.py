"""What a bidder's browser sends: the manifest's bytes as sent, the ciphertext and three parts.

The server can check that they belong together and name this tender, this organisation, this version and these
officers. It cannot read any of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

SEATS = (1, 2, 3)
SHA256 = re.compile(r"[0-9a-f]{64}")
MANIFEST_BYTES = 16_384
PART_BYTES = 8_192
NONCE_BYTES = 12
TAG_BYTES = 16
LEAST_PAYLOAD = 65_536
HEADER = {"format", "tender", "organisation", "version", "nonce", "recipients", "pieces"}


class Malformed(Exception):
    """Not what a bidder's browser makes; the message is a code: what differs."""


@dataclass(frozen=True)
class Manifest:
    """A parsed manifest.

    Attributes
    ----------
    header : the text that is the ciphertext's associated data, exactly as sent
    tender, organisation : ids as text
    pieces : SHA-256 of the three pieces of the key, by seat
    parts : SHA-256 of the three age files, by seat
    """

    commitment: str
    header: str
    tender: str
    organisation: str
    version: int
    nonce: bytes
    recipients: tuple[str, ...]
    pieces: tuple[str, ...]
    parts: tuple[str, ...]
    ciphertext_sha256: str
    ciphertext_bytes: int


@dataclass(frozen=True)
class Sent:
    """One sealed bid as it arrived."""

    manifest: bytes
    ciphertext: bytes
    parts: tuple[bytes, ...]


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def read_json(data: bytes | str) -> dict[str, Any]:
    """A JSON object in which no name stands twice (readers would differ in which they believe).  Raises Malformed."""
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed("json") from error
    if not isinstance(found, dict):
        raise Malformed("json")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("json")
    return found


def read_manifest(data: bytes) -> Manifest:
    """Parse and check the form.

    Raises
    ------
    Malformed
        a field is missing, unknown or not of its kind.
    """
    if len(data) > MANIFEST_BYTES:
        raise Malformed("size")
    outer = read_json(data)
    if set(outer) != {"header", "ciphertext", "parts"} or not isinstance(outer["header"], str):
        raise Malformed("manifest")
    header, cipher = read_json(outer["header"]), outer["ciphertext"]
    if set(header) != HEADER or header["format"] != "linkage-bid-1":
        raise Malformed("header")
    if not isinstance(cipher, dict) or set(cipher) != {"sha256", "bytes"}:
        raise Malformed("manifest")
    return Manifest(
        commitment=digest(data),
        header=outer["header"],
        tender=_text(header["tender"]),
        organisation=_text(header["organisation"]),
        version=_count(header["version"]),
        nonce=_nonce(header["nonce"]),
        recipients=tuple(map(_text, _three(header["recipients"]))),
        pieces=_digests(header["pieces"]),
        parts=_digests(outer["parts"]),
        ciphertext_sha256=_digests([cipher["sha256"]] * 3)[0],
        ciphertext_bytes=_count(cipher["bytes"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise Malformed("header")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise Malformed("header")
    return value


def _three(values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) != len(SEATS):
        raise Malformed("header")
    return values


def _digests(values: Any) -> tuple[str, ...]:
    found = _three(values)
    if not all(isinstance(value, str) and SHA256.fullmatch(value) for value in found):
        raise Malformed("header")
    return tuple(found)


def _nonce(value: Any) -> bytes:
    try:
        nonce = base64.b64decode(_text(value), validate=True)
    except binascii.Error as error:
        raise Malformed("header") from error
    if len(nonce) != NONCE_BYTES:
        raise Malformed("header")
    return nonce


def check_sent(sent: Sent, *, tender: str, organisation: str, version: int, recipients: tuple[str, ...]) -> Manifest:
    """The parsed manifest of a bid that is this one, whole.

    Raises
    ------
    Malformed
        the message says what differs: tender, organisation, version, recipients, ciphertext, parts, padding, pieces …
    """
    found = read_manifest(sent.manifest)
    for name, wanted in (("tender", tender), ("organisation", organisation), ("version", version)):
        if getattr(found, name) != wanted:
            raise Malformed(name)
    if found.recipients != recipients:
        raise Malformed("recipients")
    if len(set(found.pieces)) != len(SEATS):
        raise Malformed("pieces")
    if (len(sent.ciphertext), digest(sent.ciphertext)) != (found.ciphertext_bytes, found.ciphertext_sha256):
        raise Malformed("ciphertext")
    if not is_padded(len(sent.ciphertext) - TAG_BYTES):
        raise Malformed("padding")
    if any(len(part) > PART_BYTES for part in sent.parts) or tuple(map(digest, sent.parts)) != found.parts:
        raise Malformed("parts")
    return found


def padme(length: int) -> int:
    """The length to which `length` bytes are padded (Padmé, Nikitin et al. 2019), at least 64 KiB."""
    if length <= LEAST_PAYLOAD:
        return LEAST_PAYLOAD
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def is_padded(length: int) -> bool:
    """A length that tells no more than its order of magnitude."""
    return length == padme(length)
