"""Resident ID numbers (GB 11643) and telephone numbers: normal forms, checks and masks."""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import lru_cache

import phonenumbers
from stdnum.iso7064 import mod_11_2

PROVINCES = {
    11,
    12,
    13,
    14,
    15,
    21,
    22,
    23,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    41,
    42,
    43,
    44,
    45,
    46,
    50,
    51,
    52,
    53,
    54,
    61,
    62,
    63,
    64,
    65,
    71,
    81,
    82,
    83,
}
SHORT_NUMBERS = {"110", "119", "120", "12345", "12349"}


def normalise_id_number(text: str) -> str:
    """Half-width, upper case, without spaces and hyphens."""
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "").upper()


def id_number_fault(text: str) -> str | None:
    """What is wrong with a resident ID number: length, province, date, checksum; None when nothing is.

    The county code is not checked: codes are abolished and added, and people keep theirs for life (GB 11643-1999).
    """
    number = normalise_id_number(text)
    if len(number) != 18 or not number[:17].isdigit():
        return "length"
    if int(number[:2]) not in PROVINCES:
        return "province"
    if birth_date_of(number) is None:
        return "date"
    return None if mod_11_2.is_valid(number) else "checksum"


def birth_date_of(number: str) -> date | None:
    """The birth date in an 18-digit ID number; None when it is no real day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> str:
    """F or M, by the parity of the 17th digit."""
    return "M" if int(number[16]) % 2 else "F"


@lru_cache(maxsize=16)  # one number is asked for several times in a row; few stay in memory
def normalise_telephone(text: str) -> str:
    """E.164 where it is a possible number of China (+86…), else the bare digits (short numbers stay as they are)."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit() or c == "+")
    if digits in SHORT_NUMBERS:
        return digits
    try:
        number = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException:
        return digits
    if not phonenumbers.is_valid_number(number):
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def telephone_fault(text: str) -> str | None:
    """None for a valid number of China or a known short number, else "invalid"."""
    normal = normalise_telephone(text)
    return None if normal in SHORT_NUMBERS or normal.startswith("+") else "invalid"


def show_telephone(text: str) -> str:
    """As people in China write it: 13800138000, 0592-2051234."""
    normal = normalise_telephone(text)
    if not normal.startswith("+86"):
        return normal
    national = normal.removeprefix("+86")
    if national.startswith("1") and len(national) == 11:
        return national
    number = phonenumbers.parse(normal, "CN")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).replace(" ", "-")


def mask_telephone(text: str | None) -> str:
    """138****8000."""
    if not text:
        return ""
    shown = show_telephone(text)
    return f"{shown[:3]}****{shown[-4:]}" if len(shown) > 7 else "****"


def mask_id_number(text: str | None) -> str:
    """3502**********0028."""
    return f"{text[:4]}{'*' * 10}{text[-4:]}" if text else ""


def mask_name(name: str) -> str:
    """张**: the surname and a star for each other character (two stars at least)."""
    return name[:1] + "*" * max(2, len(name) - 1) if name else ""
