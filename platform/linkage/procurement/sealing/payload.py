"""What was inside a bid: the offer as JSON, the attachments, and zeros up to the padded length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from linkage.procurement.sealing.manifest import Malformed, digest, padme, read_json

MAGIC = b"LINKAGE-BID-1\n"
MOST_OFFERS = 40
MOST_ATTACHMENTS = 20
MOST_FEN = 10**12


@dataclass(frozen=True)
class Attachment:
    """A file of the bid."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class LotPrice:
    """What an offer asks for one lot."""

    offer: int
    lot: str
    price_fen: int


@dataclass(frozen=True)
class Offer:
    """An opened bid. Prices with the same `offer` stand together: all of them or none.

    Attributes
    ----------
    capacity_minutes, most_lots : what the organisation says it can take at most; None: no limit
    """

    prices: tuple[LotPrice, ...]
    capacity_minutes: int | None
    most_lots: int | None
    statement: str
    attachments: tuple[Attachment, ...]


def read_payload(data: bytes, *, tender: str, organisation: str, version: int, lots: set[str]) -> Offer:
    """The offer of a decrypted payload.

    Raises
    ------
    Malformed
        it is not well formed: the bid is void (said in the tender's rules beforehand).
    """
    body, files = _parts(data)
    names = {"format": "linkage-offer-1", "tender": tender, "organisation": organisation, "version": version}
    if {name: body.get(name) for name in names} != names:
        raise Malformed("offer")
    return Offer(
        prices=tuple(_prices(body.get("offers"), lots)),
        capacity_minutes=_limit(body.get("capacity_minutes")),
        most_lots=_limit(body.get("most_lots")),
        statement=_statement(body.get("statement", "")),
        attachments=tuple(_attachments(body.get("attachments"), files)),
    )


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    start = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise Malformed("payload")
    end = start + int.from_bytes(data[len(MAGIC) : start], "big")
    if end > len(data):
        raise Malformed("payload")
    return read_json(data[start:end]), data[end:]


def _prices(offers: Any, lots: set[str]) -> list[LotPrice]:
    if not isinstance(offers, list) or not 0 < len(offers) <= MOST_OFFERS:
        raise Malformed("offers")
    found, seen = [], set()
    for number, offer in enumerate(offers, 1):
        prices = offer.get("prices") if isinstance(offer, dict) else None
        if not isinstance(prices, dict) or not prices or not set(prices) <= lots or frozenset(prices) in seen:
            raise Malformed("offers")
        seen.add(frozenset(prices))
        for lot, price in sorted(prices.items()):
            if type(price) is not int or not 0 < price <= MOST_FEN:
                raise Malformed("prices")
            found.append(LotPrice(number, lot, price))
    return found


def _limit(value: Any) -> int | None:
    if value is not None and (type(value) is not int or not 0 < value < 2**53):
        raise Malformed("limits")
    return value


def _statement(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 20_000 or "\x00" in value:
        raise Malformed("statement")
    return value


def _attachments(listed: Any, files: bytes) -> list[Attachment]:
    if not isinstance(listed, list) or len(listed) > MOST_ATTACHMENTS:
        raise Malformed("attachments")
    found, at = [], 0
    for entry in listed:
        name, kind, size, hashed = _described(entry)
        content = files[at : at + size]
        if len(content) != size or digest(content) != hashed:
            raise Malformed("attachments")
        found.append(Attachment(name, kind, content))
        at += size
    if files[at:].strip(b"\x00"):
        raise Malformed("padding")
    return found


def _described(entry: Any) -> tuple[str, str, int, str]:
    if not isinstance(entry, dict):
        raise Malformed("attachments")
    name, kind, size, hashed = (entry.get(key) for key in ("name", "media_type", "size", "sha256"))
    texts = all(isinstance(value, str) and len(value) <= 200 and "\x00" not in value for value in (name, kind, hashed))
    if not texts or not name or type(size) is not int or size < 0:
        raise Malformed("attachments")
    return str(name), str(kind), size, str(hashed)


def pack(text: bytes, files: list[bytes]) -> bytes:
    """The same container as the browser writes (tests, and whoever bids by a program of their own)."""
    content = MAGIC + len(text).to_bytes(4, "big") + text + b"".join(files)
    return content.ljust(padme(len(content)), b"\x00")
