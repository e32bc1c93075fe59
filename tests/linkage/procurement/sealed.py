"""A bidder and three officers who work by a program of their own (age by `pyrage`): referee of what browsers do."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from linkage.procurement.sealing import chain, parts, payload
from linkage.procurement.sealing.manifest import SEATS, Sent, read_manifest

TENDER = "6f1c7c5e-0000-4000-8000-000000000001"
TERMS = "7e" * 32
LOTS = ("a0000000-0000-4000-8000-000000000001", "a0000000-0000-4000-8000-000000000002")
DEADLINE = datetime(2026, 12, 15, 1, 30, tzinfo=UTC)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def officers():
    """Three age identities."""
    return [pyrage.x25519.Identity.generate() for _ in SEATS]


def recipients(identities):
    return [str(identity.to_public()) for identity in identities]


def offer_text(names, prices, **more):
    """The offer's JSON: `prices` {lot: fen} as one offer a lot."""
    offers = [{"prices": {lot: fen}} for lot, fen in prices.items()]
    body = {"format": "linkage-offer-1", **names, "offers": offers, "attachments": [], **more}
    return json.dumps(body).encode()


def seal(names, keys, prices=None, *, content=None, part_names=None, spoil=()):
    """A sealed bid.  `content`: another payload; `part_names`: what the parts name instead; `spoil`: seats whose parts
    hold random pieces."""
    pieces = [secrets.token_bytes(32) for _ in SEATS]
    nonce = secrets.token_bytes(12)
    hashes = [sha256(piece) for piece in pieces]
    header = json.dumps(
        {
            "format": "linkage-bid-1",
            **names,
            "nonce": base64.b64encode(nonce).decode(),
            "recipients": list(keys),
            "pieces": hashes,
        }
    )
    key = bytes(a ^ b ^ c for a, b, c in zip(*pieces, strict=True))
    plain = content if content is not None else payload.pack(offer_text(names, prices or {LOTS[0]: 100_00}), [])
    ciphertext = AESGCM(key).encrypt(nonce, plain, header.encode())
    files = []
    for seat in SEATS:
        own = {str(s): (secrets.token_bytes(32) if seat in spoil else pieces[s - 1]).hex() for s in SEATS if s != seat}
        part = {"format": "linkage-part-1", **(part_names or names), "seat": seat, "header": sha256(header.encode())}
        recipient = pyrage.x25519.Recipient.from_str(keys[seat - 1])
        files.append(pyrage.encrypt(json.dumps({**part, "pieces": own}).encode(), [recipient]))
    manifest = json.dumps(
        {
            "header": header,
            "ciphertext": {"sha256": sha256(ciphertext), "bytes": len(ciphertext)},
            "parts": [sha256(part) for part in files],
        }
    )
    return Sent(manifest.encode(), ciphertext, tuple(files))


def released(identity, seat, sent):
    """The pieces an officer gives, as text by seat."""
    part = json.loads(pyrage.decrypt(sent.parts[seat - 1], [identity]))
    return part["pieces"]


@dataclass
class Opening:
    """A tender's chain and its opening, written as the platform writes them."""

    identities: list = field(default_factory=officers)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list = field(default_factory=list)
    sent: dict = field(default_factory=dict)
    receipts: list = field(default_factory=list)
    at: datetime = DEADLINE - timedelta(days=2)

    def take(self, organisation, version, kind="sealed", **how):
        """One more entry, a minute after the last; returns its receipt."""
        place, self.at = len(self.entries) + 1, self.at + timedelta(minutes=1)
        commitment = ""
        names = {"tender": TENDER, "organisation": organisation, "version": version}
        if kind == "sealed":
            self.sent[place] = seal(names, recipients(self.identities), **how)
            commitment = sha256(self.sent[place].manifest)
        entry = chain.entry_text(**names, place=place, kind=kind, commitment=commitment, at=self.at)
        self.receipts.append(chain.receipt_of(entry, chain.head_of(TENDER, TERMS, self.entries), self.key))
        self.entries.append(entry)
        return self.receipts[-1]

    def closing(self):
        text = chain.closing_text(
            tender=TENDER,
            number="P-2026-000001",
            terms=TERMS,
            deadline=DEADLINE,
            at=DEADLINE,
            recipients=recipients(self.identities),
            entries=self.entries,
            counted=sorted(self.live().values()),
        )
        return chain.signed(text, self.key)

    def live(self):
        """Organisation → place of its last bid that was not withdrawn."""
        live = {}
        for text in self.entries:
            entry = json.loads(text)
            live.pop(entry["organisation"], None)
            if entry["kind"] == "sealed":
                live[entry["organisation"]] = entry["place"]
        return live

    def files(self, seats=(1, 3)):
        """The record's files by name."""
        live = self.live()
        releases = [
            {
                "seat": seat,
                "bids": {
                    str(place): {"pieces": released(self.identities[seat - 1], seat, self.sent[place])}
                    for place in live.values()
                },
            }
            for seat in seats
        ]
        files = {"closing.json": self.closing(), "releases.json": releases, "opened.json": {}}
        for place, sent in self.sent.items():
            files[f"bids/{place:04d}/manifest.json"] = sent.manifest
            if place in live.values():
                files["opened.json"][str(place)] = self._opened(place, releases)
                files[f"bids/{place:04d}/ciphertext"] = sent.ciphertext
                for seat in SEATS:
                    files[f"bids/{place:04d}/part-{seat}.age"] = sent.parts[seat - 1]
        return files

    def _opened(self, place, releases):
        manifest = read_manifest(self.sent[place].manifest)
        good = [parts.read_pieces(one["bids"][str(place)]["pieces"], one["seat"], manifest) for one in releases]
        try:
            content = parts.open_with(manifest, self.sent[place].ciphertext, [one for one in good if one])
        except parts.NotOpened:
            return {"state": "not_opened"}
        return {"state": "opened", "payload_sha256": sha256(content)}


def write(path, files):
    """The record as a zip."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    path.write_bytes(memory.getvalue())
    return path
