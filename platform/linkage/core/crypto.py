"""Encryption of personal fields: AES-256-GCM under one key per person or household, and blind indexes.

The associated data is table, column, row and key: a value that is moved to another place does not decrypt.
A data key is wrapped by the master key; erasing a person forgets the data key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

NONCE_BYTES = 12
KEY_BYTES = 32


class Damaged(Exception):
    """A ciphertext does not belong where it stands, or was changed."""


class MissingMasterKey(Exception):
    """What is stored was wrapped by a master key that this process was not given; the message names it."""


def seal(key: bytes, plain: bytes, associated: str) -> bytes:
    """Encrypt `plain`; the result is nonce + ciphertext + tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated.encode())


def unseal(key: bytes, sealed: bytes, associated: str) -> bytes:
    """Decrypt what `seal` made with the same key and associated data.  Raises Damaged."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated.encode())
    except InvalidTag as error:
        raise Damaged(associated) from error


def master_key() -> bytes:
    return _key_bytes(current_app.config["SETTINGS"].secrets["MASTER_KEY"])


def _key_bytes(text: str) -> bytes:
    return base64.b64decode(text)[:KEY_BYTES]


def master_id() -> str:
    """A short public name of the master key in use: which rows a rotation still has to rewrap."""
    return id_of_master(master_key())


def id_of_master(key: bytes) -> str:
    return hashlib.sha256(b"master-id" + key).hexdigest()[:16]


def master_keys() -> dict[str, bytes]:
    """Every master key that was given, the one in use and earlier ones, by its public name."""
    given = (_key_bytes(text) for text in current_app.config["SETTINGS"].old_master_keys)
    return {id_of_master(key): key for key in (*given, master_key())}


def derived_key(purpose: str) -> bytes:
    """A key for installation-wide material (staged uploads and the like), derived from the master key."""
    return HKDF(SHA256(), KEY_BYTES, None, purpose.encode()).derive(master_key())


def wrap(key: bytes, key_id: uuid.UUID) -> bytes:
    return seal(master_key(), key, f"data_keys|wrapped|{key_id}")


def unwrap(wrapped: bytes, key_id: uuid.UUID, wrapped_by: str) -> bytes:
    """The data key that the master key named `wrapped_by` had wrapped.

    Raises
    ------
    MissingMasterKey
        that master key was not given.
    """
    master = master_keys().get(wrapped_by)
    if master is None:
        raise MissingMasterKey(
            f"a data key is wrapped by the master key {wrapped_by}, which was not given: set it in LINKAGE_MASTER_KEY, "
            "or in LINKAGE_OLD_MASTER_KEYS until `flask --app app rotate-master-key` is done"
        )
    return unseal(master, wrapped, f"data_keys|wrapped|{key_id}")


def blind(purpose: str, text: str) -> str:
    """A keyed index of `text`: equal texts have equal indexes, and nothing else can be learned without the key."""
    key = base64.b64decode(current_app.config["SETTINGS"].secrets["INDEX_KEY"])
    return hmac.new(key, f"{purpose}|{text}".encode(), hashlib.sha256).hexdigest()[:32]
