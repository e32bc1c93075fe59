"""Passwords: argon2id with the parameters of OWASP's cheat sheet (19 MiB, 2 rounds), and what makes one weak.

Hashing takes tens of milliseconds on purpose: it is done with no transaction open.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 200
# The passwords that people try first; in lower case.
COMMON = {
    "12345678",
    "123456789",
    "1234567890",
    "11111111",
    "88888888",
    "66666666",
    "00000000",
    "87654321",
    "password",
    "password1",
    "passw0rd",
    "qwertyui",
    "qwertyuiop",
    "1q2w3e4r",
    "abc12345",
    "a1234567",
    "a12345678",
    "aa123456",
    "abcd1234",
    "woaini1314",
    "iloveyou",
    "admin123",
    "administrator",
    "linkage123",
    "5201314520",
}
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified against when the name is unknown, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password` (NFKC, so that half and full width are one)."""
    return _hasher.hash(_normal(password))


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether `password` fits; takes as long when there is no hash at all."""
    try:
        return _hasher.verify(password_hash or _NOBODY, _normal(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """The hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def fault(password: str, *, sign_in_name: str = "") -> str | None:
    """Why a new password is refused: short, long, common, name, repeated; None if it is not."""
    plain = _normal(password)
    lower = plain.casefold()
    if len(plain) < MIN_LENGTH:
        return "short"
    if len(plain) > MAX_LENGTH:
        return "long"
    if lower in COMMON:
        return "common"
    if sign_in_name and lower == sign_in_name.casefold():
        return "name"
    return "repeated" if len(set(lower)) < 4 else None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
