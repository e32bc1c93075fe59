"""The script that seals and opens, in a real Chromium under the real content policy; Python and `pyrage` referee."""

import base64
import hashlib
import json
import random
import threading
import unicodedata

import pyrage
import pytest
from werkzeug.serving import make_server

from linkage.procurement.sealing import manifest, parts, payload
from tests.linkage.procurement import sealed
from tests.linkage.procurement.sealed import LOTS, TENDER

NAMES = {"tender": TENDER, "organisation": "0b000000-0000-4000-8000-000000000001", "version": 1}
PASSPHRASE = "四 words for the ﬁle １２３"  # full-width figures and a ligature: NFKC makes them plain
TO_TEXT = "bytes => btoa(Array.from(bytes, b => String.fromCharCode(b)).join(''))"
SEAL = f"""async ([names, keys, offer, files]) => {{
  const m = await import('/static/vendor/sealing.js'), text = {TO_TEXT};
  const sent = await m.seal(names, keys, offer, files.map(f => ({{...f, bytes: m.unbase64(f.bytes)}})));
  return {{manifest: text(sent.manifest), ciphertext: text(sent.ciphertext), parts: sent.parts.map(text),
    commitment: sent.commitment}};
}}"""
OFFICER = """async ([cases, bids, seat, key, passphrase]) => {
  const m = await import('/static/vendor/sealing.js');
  const holder = m.keyholder('/static/vendor/sealing-key.js');
  const { recipient } = await holder.unlock(m.unbase64(key), passphrase);
  const told = error => error instanceof m.Refused ? error.message : `${error}`;
  const answers = [];
  for (const [closing, tender] of cases) {
    const found = [];
    try {
      const entries = await m.checkClosing(closing, tender);
      for (const bid of bids) {
        const given = {place: bid.place, manifest: m.unbase64(bid.manifest), part: m.unbase64(bid.part)};
        found.push(await m.openPart(given, {tender, seat, entries, open: holder.open}).catch(told));
      }
    } catch (error) { found.push(told(error)); }
    answers.push(found);
  }
  return {recipient, answers};
}"""
MAKE = f"""async passphrase => {{
  const m = await import('/static/vendor/sealing.js'), text = {TO_TEXT};
  const made = await m.keyholder('/static/vendor/sealing-key.js').make(passphrase);
  return {{recipient: made.recipient, file: text(made.file)}};
}}"""


@pytest.fixture(scope="module")
def page(template, browser):
    """A page of the application, with its content policy."""
    server = make_server("127.0.0.1", 0, template, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    shown = context.new_page()
    shown.goto(f"http://127.0.0.1:{server.port}/login")
    yield shown
    context.close()
    server.shutdown()


@pytest.fixture(scope="module")
def identities():
    return sealed.officers()


@pytest.fixture(scope="module")
def key_file(page):
    """An officer's key, made in the browser."""
    return page.evaluate(MAKE, PASSPHRASE)


def seal(page, keys, offer, files=(), names=NAMES):
    listed = [{**file, "bytes": base64.b64encode(file["bytes"]).decode()} for file in files]
    sent = page.evaluate(SEAL, [names, keys, offer, listed])
    commitment = sent.pop("commitment")
    whole = manifest.Sent(
        base64.b64decode(sent["manifest"]),
        base64.b64decode(sent["ciphertext"]),
        tuple(base64.b64decode(part) for part in sent["parts"]),
    )
    assert hashlib.sha256(whole.manifest).hexdigest() == commitment
    return whole


def checked(sent, keys, **changed):
    return manifest.check_sent(sent, **{**NAMES, "recipients": tuple(keys), **changed})


def test_every_pair_of_officers_opens_what_the_browser_sealed_and_no_single_one_does(page, identities):
    keys = sealed.recipients(identities)
    file = {"name": "服务方案.pdf", "type": "application/pdf", "bytes": b"%PDF-1.7 \x00\xff" * 9000}
    offer = {"offers": [{"prices": {LOTS[0]: 123_45}}, {"prices": {LOTS[0]: 100_00, LOTS[1]: 99_00}}], "most_lots": 2}
    sent = seal(page, keys, offer, [file])
    found = checked(sent, keys)
    good = {}
    for seat, identity in enumerate(identities, 1):
        good[seat] = parts.read_pieces(sealed.released(identity, seat, sent), seat, found)
        with pytest.raises(parts.NotOpened, match="parts"):
            parts.open_with(found, sent.ciphertext, [good[seat]])
    contents = {
        parts.open_with(found, sent.ciphertext, [good[a], good[b]]) for a in (1, 2, 3) for b in (1, 2, 3) if a != b
    }
    assert len(contents) == 1
    read = payload.read_payload(contents.pop(), **NAMES, lots=set(LOTS))
    assert [(price.offer, price.lot, price.price_fen) for price in read.prices] == [
        (1, LOTS[0], 123_45),
        (2, LOTS[0], 100_00),
        (2, LOTS[1], 99_00),
    ]
    assert (read.most_lots, read.attachments[0].name, read.attachments[0].content) == (2, file["name"], file["bytes"])


def test_two_versions_share_no_piece_no_nonce_and_no_length_tells_the_price(page, identities):
    keys = sealed.recipients(identities)
    first = seal(page, keys, {"offers": [{"prices": {LOTS[0]: 1}}]})
    second = seal(page, keys, {"offers": [{"prices": {LOTS[0]: 999_999_999}}]}, names={**NAMES, "version": 2})
    one, two = checked(first, keys), checked(second, keys, version=2)
    assert not set(one.pieces) & set(two.pieces) and one.nonce != two.nonce
    assert len(first.ciphertext) == len(second.ciphertext) == 64 * 1024 + 16
    with pytest.raises(manifest.Malformed, match="version"):
        checked(second, keys)


def test_the_browser_pads_as_python_does(page):
    lengths = [1, 65_536, 65_537, 70_000, 100_001, 1_000_000, 2**20, 2**20 + 1, 9_999_999]
    counted = page.evaluate("async n => n.map((await import('/static/vendor/sealing.js')).padme)", lengths)
    assert counted == [manifest.padme(length) for length in lengths]
    assert all(manifest.is_padded(length) and length >= given for given, length in zip(lengths, counted, strict=True))
    assert max(length / given for given, length in zip(lengths[2:], counted[2:], strict=True)) < 1.12


def test_no_flipped_bit_is_accepted(page, identities):
    keys = sealed.recipients(identities)
    sent = seal(page, keys, {"offers": [{"prices": {LOTS[0]: 5}}]})
    found = checked(sent, keys)
    good = [parts.read_pieces(sealed.released(identities[seat - 1], seat, sent), seat, found) for seat in (1, 2)]
    dice = random.Random(6)
    for name in ("ciphertext", "manifest", 0, 1, 2):
        for _ in range(120):
            changed = _flip(sent, name, dice)
            if name == "manifest":
                assert hashlib.sha256(changed.manifest).hexdigest() != found.commitment
                continue
            with pytest.raises(manifest.Malformed):
                checked(changed, keys)
            if name == "ciphertext":  # and where the server looked away
                with pytest.raises(parts.NotOpened, match="key"):
                    parts.open_with(found, changed.ciphertext, good)
            else:
                with pytest.raises(pyrage.DecryptError):
                    pyrage.decrypt(changed.parts[name], [identities[name]])


def _flip(sent, name, dice):
    whole = bytearray(sent.parts[name] if isinstance(name, int) else getattr(sent, name))
    whole[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
    if isinstance(name, int):
        return manifest.Sent(
            sent.manifest, sent.ciphertext, tuple(bytes(whole) if n == name else p for n, p in enumerate(sent.parts))
        )
    return manifest.Sent(**{**sent.__dict__, name: bytes(whole)})


def test_a_key_made_in_the_browser_opens_with_any_spelling_of_its_passphrase_and_with_age(page, key_file):
    raw = base64.b64decode(key_file["file"])
    plain = pyrage.passphrase.decrypt(raw, unicodedata.normalize("NFKC", PASSPHRASE)).decode().strip()
    assert str(pyrage.x25519.Identity.from_str(plain).to_public()) == key_file["recipient"]
    with pytest.raises(pyrage.DecryptError):
        pyrage.passphrase.decrypt(raw, PASSPHRASE)  # as typed it is another passphrase: the browser normalises


def test_the_officers_page_gives_its_part_of_this_bid_and_refuses_every_other(page, identities, key_file):
    keys = [key_file["recipient"], *sealed.recipients(identities)[1:]]
    opening = sealed.Opening(identities=identities)
    names = [{**NAMES, "organisation": f"org-{letter}"} for letter in "abcdef"]
    elsewhere = sealed.seal({**names[1], "tender": "another"}, keys)
    made = {
        1: sealed.seal(names[0], keys),
        2: _dressed_as(sealed.seal(names[1], keys), elsewhere),  # a part of another tender under this bid's manifest
        3: sealed.seal(names[2], keys, part_names=names[0]),  # a copy of a competitor's
        4: sealed.seal(names[3], keys, spoil=(1,)),
        5: elsewhere,
        6: sealed.seal(names[5], [pyrage_key(), *keys[1:]]),
    }
    for place, sent in made.items():
        opening.sent[place] = sent
        opening.entries.append(_entry(place, names[place - 1], sent))
    bids = [
        {"place": place, "manifest": _text(sent.manifest), "part": _text(sent.parts[0])} for place, sent in made.items()
    ]
    bids.append({**bids[0], "part": _text(sealed.seal(names[0], keys).parts[0])})  # exchanged by the server
    bids.append({**bids[0], "place": 9})
    closing = _closing(opening, keys, "2026-01-15T01:30:00+00:00")
    early = _closing(opening, keys, "2096-01-15T01:30:00+00:00")
    cut = json.loads(closing)
    cut["entries"].pop()
    cases = [(closing, TENDER), (early, TENDER), (json.dumps(cut), TENDER), (closing, "another")]
    answer = page.evaluate(OFFICER, [cases, bids, 1, key_file["file"], PASSPHRASE.replace("ﬁ", "fi")])
    assert answer["recipient"] == key_file["recipient"]
    (first, *refused), *lists = answer["answers"]
    assert parts.read_pieces(first, 1, manifest.read_manifest(made[1].manifest)) is not None
    assert refused == [
        "other-tender",
        "other-bid",
        "bad-piece",
        "other-tender",
        "unreadable",
        "changed",
        "not-on-the-list",
    ]
    assert lists == [["too-early"], ["chain"], ["other-tender"]]


def pyrage_key():
    return str(pyrage.x25519.Identity.generate().to_public())


def _dressed_as(sent, other):
    """The bid with another's first part, its hash put into the manifest."""
    body = json.loads(sent.manifest)
    body["parts"][0] = sealed.sha256(other.parts[0])
    return manifest.Sent(json.dumps(body).encode(), sent.ciphertext, (other.parts[0], *sent.parts[1:]))


def _entry(place, names, sent):
    return sealed.chain.entry_text(
        **{**names, "tender": TENDER},
        place=place,
        kind="sealed",
        commitment=sealed.sha256(sent.manifest),
        at=sealed.DEADLINE,
    )


def _closing(opening, keys, deadline):
    values = {"tender": TENDER, "deadline": deadline, "terms": sealed.TERMS, "entries": opening.entries}
    return json.dumps({**values, "head": sealed.chain.head_of(TENDER, sealed.TERMS, opening.entries)})


def _text(data):
    return base64.b64encode(data).decode()
