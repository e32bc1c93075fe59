"""Recomputes a sealed opening without the application: one file, the standard library and `cryptography` alone.

    python verify_bids.py RECORD.zip [--published CLOSING.json ...] [--receipt RECEIPT.json ...] [--key signing.pub]

RECORD.zip is the record of the opening, as the tender's page gives it. `--published` is the closing list as it was
sent to you at the closing, `--receipt` what you were given when you sealed, `--key` the installation's public key (PEM)
from where it was kept apart; the more of these, the more is found. Exit code 0 when all of it fits, 1 when something
differs, with each difference named; 2 when there was nothing to examine.

What is found: a changed byte of a bid; a bid that was dropped, put in, back-dated or replaced after the closing;
entries in another order; an officer's bad part; a content that is not what was sealed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

Json = dict[str, Any]
SEATS = ("1", "2", "3")


def sha256(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def signature_fault(paper: Json, key: bytes | None) -> str | None:
    """What is wrong with the signature of {text, signature, key}; `key`: the raw public key that it must be."""
    given = base64.b64decode(paper["key"])
    if key is not None and given != key:
        return "is signed by another key than the one that you gave"
    try:
        Ed25519PublicKey.from_public_bytes(given).verify(base64.b64decode(paper["signature"]), paper["text"].encode())
    except (InvalidSignature, ValueError):
        return "was changed (the signature does not fit)"
    return None


class Record:
    """The record's files, and the closing list in it."""

    def __init__(self, path: Path) -> None:
        self.files = zipfile.ZipFile(path)
        self.names = set(self.files.namelist())
        self.paper: Json = self.json("closing.json")
        self.closing: Json = json.loads(self.paper["text"])
        self.entries: list[Json] = [json.loads(text) for text in self.closing["entries"]]
        self.releases: list[Json] = self.json("releases.json")
        self.opened: Json = self.json("opened.json")

    def json(self, name: str) -> Any:
        return json.loads(self.files.read(name))

    def of(self, place: int, name: str) -> bytes | None:
        path = f"bids/{place:04d}/{name}"
        return self.files.read(path) if path in self.names else None


def start_of(closing: Json) -> str:
    """The head of the empty chain: of this tender and of the terms that were frozen at its publication."""
    return sha256(f"linkage tender {closing['tender']} {closing['terms']}")


def title(entry: Json) -> str:
    return f"entry {entry['place']} ({entry['kind']}, organisation {entry['organisation']}, version {entry['version']})"


def chain_faults(record: Record) -> Iterator[str]:
    """What does not fit within the list itself."""
    tender, deadline = record.closing["tender"], datetime.fromisoformat(record.closing["deadline"])
    head, before, versions = start_of(record.closing), None, dict[str, int]()
    for place, (text, entry) in enumerate(zip(record.closing["entries"], record.entries, strict=True), 1):
        head, at = sha256(head + text), datetime.fromisoformat(entry["at"])
        if entry["place"] != place:
            yield f"order: at place {place} of the list stands {title(entry)}"
        if entry["tender"] != tender:
            yield f"{title(entry)} is of another tender"
        if before is not None and at < before:
            yield f"back-dated: {title(entry)} carries an earlier time than the entry before it"
        if at >= deadline:
            yield f"late: {title(entry)} was taken after the deadline"
        if entry["kind"] == "sealed":
            if entry["version"] != versions.get(entry["organisation"], 0) + 1:
                yield f"{title(entry)} does not follow the organisation's version before it"
            versions[entry["organisation"]] = entry["version"]
        before = at
    if head != record.closing["head"]:
        yield "the list does not lead to the head that was published"


def published_faults(record: Record, papers: list[Json], key: bytes | None) -> Iterator[str]:
    """Where the record's list is not the one that was published at the closing."""
    own = record.closing["entries"]
    for paper in papers:
        if fault := signature_fault(paper, key):
            yield f"the published list {fault}"
        published = json.loads(paper["text"])
        if published["tender"] != record.closing["tender"]:
            yield "the published list is of another tender"
            continue
        yield from _list_differences(own, published["entries"])
        if paper["text"] != record.paper["text"] and published["entries"] == own:
            yield "the record's closing list is not the published one (same entries; times, head or officers differ)"


def _list_differences(own: list[str], published: list[str]) -> Iterator[str]:
    here, there = {json.loads(text)["place"]: text for text in own}, {json.loads(t)["place"]: t for t in published}
    for place in sorted(set(here) | set(there)):
        if place not in here:
            yield f"dropped: {title(json.loads(there[place]))} was published and is not in the record"
        elif place not in there:
            yield f"put in: {title(json.loads(here[place]))} was not published"
        elif here[place] != there[place]:
            yield f"{_what_changed(json.loads(here[place]), json.loads(there[place]))} since it was published"
    if sorted(own) == sorted(published) and own != published:
        yield "order: the record lists the published entries in another order"


def _what_changed(here: Json, there: Json) -> str:
    differing = sorted(name for name in here if here[name] != there.get(name))
    if differing == ["at"]:
        return f"back-dated: the time of {title(here)} was changed (published {there['at']}, now {here['at']})"
    return f"replaced: {', '.join(differing)} of {title(here)} changed"


def receipt_faults(record: Record, receipts: list[Json], key: bytes | None) -> Iterator[str]:
    """Where a bidder's receipt does not fit the list."""
    heads, head = [start_of(record.closing)], ""
    for text in record.closing["entries"]:
        heads.append(sha256(heads[-1] + text))
    for paper in receipts:
        receipt = json.loads(paper["text"])
        entry, head = json.loads(receipt["entry"]), receipt["head"]
        if fault := signature_fault(paper, key):
            yield f"the receipt of {title(entry)} {fault}"
        place, texts = entry["place"], record.closing["entries"]
        if receipt["entry"] not in texts:
            same = [json.loads(text) for text in texts if json.loads(text)["place"] == place]
            gone = f"dropped: {title(entry)} has a receipt and is not in the list"
            yield _what_changed(same[0], entry) + " since its receipt" if same else gone
        elif place >= len(heads) or heads[place] != head:
            yield f"order: {title(entry)} stands behind other entries than its receipt says"


def live_places(entries: list[Json]) -> set[int]:
    """The entries whose bids may count: each organisation's last, unless it was withdrawn."""
    last: dict[str, Json] = {}
    for entry in entries:
        if entry["kind"] == "sealed":
            last[entry["organisation"]] = entry
        elif entry["kind"] == "withdrawn":
            last.pop(entry["organisation"], None)
    return {entry["place"] for entry in last.values()}


def manifest_faults(record: Record, entry: Json) -> Iterator[str]:
    """Whether the manifest of a sealed entry is the committed one and names this bid and these officers."""
    raw = record.of(entry["place"], "manifest.json")
    if raw is None:
        yield f"dropped: the manifest of {title(entry)} is not in the record"
        return
    if sha256(raw) != entry["commitment"]:
        yield f"changed: the manifest of {title(entry)} is not the committed one"
        return
    header = json.loads(json.loads(raw)["header"])
    if [header[name] for name in ("tender", "organisation", "version")] != [
        entry[name] for name in ("tender", "organisation", "version")
    ]:
        yield f"the manifest of {title(entry)} names another bid"
    if header["recipients"] != record.closing["recipients"]:
        yield f"{title(entry)} was sealed for other officers than those published"


def content_faults(record: Record, entry: Json) -> Iterator[str]:
    """Whether ciphertext and parts are those of the manifest, and the content what the officers' pieces open."""
    place, raw = entry["place"], record.of(entry["place"], "manifest.json")
    if raw is None or sha256(raw) != entry["commitment"]:
        return
    manifest = json.loads(raw)
    ciphertext = record.of(place, "ciphertext")
    if ciphertext is None:
        yield f"dropped: the ciphertext of {title(entry)} is not in the record"
        return
    if sha256(ciphertext) != manifest["ciphertext"]["sha256"]:
        yield f"changed: the ciphertext of {title(entry)} is not the one that was sealed"
        return
    for seat in SEATS:
        part = record.of(place, f"part-{seat}.age")
        if part is None or sha256(part) != manifest["parts"][int(seat) - 1]:
            yield f"changed: part {seat} of {title(entry)} is not the one that was sealed"
    yield from opening_faults(record, entry, manifest, ciphertext)


def good_pieces(record: Record, place: int, hashes: list[str]) -> tuple[int, dict[str, bytes], list[str]]:
    """(officers with two good pieces, piece by seat, officers who claimed good pieces and have not)."""
    good, pieces, bad = 0, dict[str, bytes](), []
    for release in record.releases:
        seat, given = str(release["seat"]), release["bids"].get(str(place), {})
        if "pieces" not in given:
            continue
        own = {other: bytes.fromhex(text) for other, text in given["pieces"].items()}
        right = set(own) == set(SEATS) - {seat} and all(sha256(own[s]) == hashes[int(s) - 1] for s in own)
        if right:
            good, pieces = good + 1, pieces | own
        else:
            bad.append(seat)
    return good, pieces, bad


def opening_faults(record: Record, entry: Json, manifest: Json, ciphertext: bytes) -> Iterator[str]:
    """Whether what the record says was in the bid is what its pieces open."""
    header = json.loads(manifest["header"])
    good, pieces, bad = good_pieces(record, entry["place"], header["pieces"])
    for seat in bad:
        yield f"bad part: officer {seat}'s pieces of {title(entry)} are not the committed ones"
    stated = record.opened.get(str(entry["place"]), {"state": "missing"})
    if good < 2:
        if stated["state"] != "not_opened":
            yield f"{title(entry)} is said to be {stated['state']}, with fewer than two good parts"
        return
    key = bytes(a ^ b ^ c for a, b, c in zip(*(pieces[seat] for seat in SEATS), strict=True))
    try:
        nonce = base64.b64decode(header["nonce"])
        content: str | None = sha256(AESGCM(key).decrypt(nonce, ciphertext, manifest["header"].encode()))
    except InvalidTag:
        content = None
    if stated["state"] == "not_opened" or (stated["state"] == "opened" and content is None):
        yield f"{title(entry)} is said to be {stated['state']}, and its pieces say otherwise"
    elif content != stated.get("payload_sha256"):
        yield f"content: what {title(entry)} is said to have held is not what was sealed"


def verify(record: Record, published: list[Json], receipts: list[Json], key: bytes | None) -> tuple[str, list[str]]:
    """(what was looked at, what differs)."""
    faults = [f"the closing list {fault}"] if (fault := signature_fault(record.paper, key)) else []
    faults += [*chain_faults(record), *published_faults(record, published, key)]
    faults += receipt_faults(record, receipts, key)
    live, withheld = set(record.closing["counted"]), 0
    for place in sorted(live - live_places(record.entries)):
        faults.append(f"bid {place} is said to count, and was withdrawn or replaced")
    for entry in (one for one in record.entries if one["kind"] == "sealed"):
        faults += manifest_faults(record, entry)
        if entry["place"] not in live:
            continue
        if record.opened.get(str(entry["place"]), {}).get("state") == "withheld":
            withheld += 1
        else:
            faults += content_faults(record, entry)
    for place in sorted(set(record.opened) - {str(one) for one in live}):
        faults.append(f"bid {place} is said to be opened and is not one that counts")
    seen = f"{len(record.entries)} entries, {len(live) - withheld} bids recomputed, {withheld} by commitment alone"
    unconfirmed = len(live_places(record.entries) - live)
    seen += f", {unconfirmed} left out as not confirmed" if unconfirmed else ""
    return f"{seen}, {len(published)} published lists, {len(receipts)} receipts", list(dict.fromkeys(faults))


def read_papers(paths: list[Path]) -> list[Json]:
    """Signed texts: {text, signature, key}."""
    return [json.loads(path.read_bytes()) for path in paths]


def read_key(path: Path | None) -> bytes | None:
    """The raw public key in a PEM file."""
    if path is None:
        return None
    key = load_pem_public_key(path.read_bytes())
    assert isinstance(key, Ed25519PublicKey), "not an Ed25519 public key"
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="verify-bids", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("record", type=Path, help="the record of the opening (zip)")
    parser.add_argument("--published", type=Path, action="append", default=[], help="the list as sent at the closing")
    parser.add_argument("--receipt", type=Path, action="append", default=[], help="a receipt of yours")
    parser.add_argument("--key", type=Path, help="the installation's public key (PEM), kept elsewhere")
    options = parser.parse_args(arguments)
    try:
        if not zipfile.is_zipfile(options.record):
            raise ValueError(f"{options.record} is not a record (zip)")
        published, receipts = read_papers(options.published), read_papers(options.receipt)
        key = read_key(options.key)
    except (OSError, ValueError, AssertionError) as error:
        print(f"nothing to examine: {error}", file=sys.stderr)
        return 2
    try:
        seen, faults = verify(Record(options.record), published, receipts, key)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, zipfile.BadZipFile) as error:
        seen, faults = "the record", [f"not well formed: {type(error).__name__} {error}"]
    for fault in faults:
        print(fault)
    if key is None:
        print("note: signatures were held against the key inside the record; give --key to hold them against yours")
    print(f"{seen}: {'all of it fits' if not faults else f'{len(faults)} differences'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
