"""The stand-alone verifier accepts an honest opening and names each kind of tampering."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from linkage.procurement.sealing import chain, verify_bids
from tests.linkage.procurement.sealed import Opening, write

SCRIPT = Path(verify_bids.__file__)


@pytest.fixture(scope="module")
def opening():
    """Four organisations: one replaces its bid, one withdraws."""
    made = Opening()
    made.take("org-a", 1)
    made.take("org-b", 1)
    made.take("org-c", 1)
    made.take("org-a", 2, prices={"lot": 5})
    made.take("org-c", 1, kind="withdrawn")
    made.take("org-d", 1)
    return made


@pytest.fixture
def examine(opening, tmp_path, capsys):
    """`examine(files)` → (exit code, what it said); held against the published list, every receipt and the key."""

    def run(files, *more):
        record = write(tmp_path / "record.zip", files)
        (tmp_path / "closing.json").write_text(json.dumps(opening.closing()))
        pem = opening.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / "signing.pub").write_bytes(pem)
        arguments = [str(record), "--key", str(tmp_path / "signing.pub")]
        if "alone" not in more:
            arguments += ["--published", str(tmp_path / "closing.json")]
        for number, receipt in enumerate(opening.receipts):
            path = tmp_path / f"receipt-{number}.json"
            path.write_text(json.dumps(receipt))
            arguments += ["--receipt", str(path)]
        return verify_bids.main(arguments), capsys.readouterr().out

    return run


def with_entries(opening, files, change):
    """The record after an operator rewrote its list (`change` edits the entries) and signed it anew."""
    entries = [json.loads(text) for text in opening.entries]
    change(entries)
    closing = json.loads(files["closing.json"]["text"])
    closing["entries"] = [chain.text_of(entry) for entry in entries]
    closing["head"] = chain.head_of(closing["tender"], closing["terms"], closing["entries"])
    return {**files, "closing.json": chain.signed(chain.text_of(closing), opening.key)}


def test_an_honest_opening_is_accepted_whichever_two_officers_came(opening, examine):
    for seats in ((1, 2), (1, 3), (2, 3), (1, 2, 3)):
        code, said = examine(opening.files(seats))
        assert (code, said.strip()) == (
            0,
            "6 entries, 3 bids recomputed, 0 by commitment alone, 1 published lists, 6 receipts: all of it fits",
        )


def test_a_changed_byte_is_named_wherever_it_is(opening, examine):
    for name, word in (
        ("ciphertext", "ciphertext"),
        ("manifest.json", "manifest"),
        ("part-2.age", "part 2"),
    ):
        files = opening.files()
        whole = bytearray(files[f"bids/0004/{name}"])
        whole[len(whole) // 2] ^= 1
        code, said = examine({**files, f"bids/0004/{name}": bytes(whole)})
        assert code == 1
        assert f"changed: {'the ' if word != 'part 2' else ''}{word} of entry 4 (sealed, organisation org-a" in said


def test_a_dropped_bid_is_named_although_the_list_was_signed_anew(opening, examine):
    files = with_entries(opening, opening.files(), lambda entries: entries.pop(1))
    code, said = examine(files)
    assert code == 1
    assert "dropped: entry 2 (sealed, organisation org-b, version 1) was published and is not in the record" in said
    renumbered = with_entries(opening, opening.files(), _drop_and_renumber)
    code, said = examine(renumbered, "alone")  # against the receipts alone
    assert code == 1 and "dropped" in said or "replaced" in said


def _drop_and_renumber(entries):
    del entries[1]
    for place, entry in enumerate(entries, 1):
        entry["place"] = place


def test_a_back_dated_bid_is_named(opening, examine):
    def back(entries):
        entries[5]["at"] = (datetime.fromisoformat(entries[5]["at"]) - timedelta(hours=5)).isoformat()

    code, said = examine(with_entries(opening, opening.files(), back))
    assert code == 1
    assert "back-dated: entry 6 (sealed, organisation org-d, version 1) carries an earlier time" in said
    assert "back-dated: the time of entry 6 (sealed, organisation org-d, version 1) was changed" in said


def test_a_bid_taken_after_the_deadline_is_named(opening, examine):
    def late(entries):
        entries[5]["at"] = (datetime.fromisoformat(entries[5]["at"]) + timedelta(days=3)).isoformat()

    code, said = examine(with_entries(opening, opening.files(), late))
    assert code == 1 and "late: entry 6" in said


def test_another_order_is_named(opening, examine):
    def swap(entries):
        entries[1], entries[2] = entries[2], entries[1]

    code, said = examine(with_entries(opening, opening.files(), swap))
    assert code == 1
    assert "order: at place 2 of the list stands entry 3" in said
    assert "order: the record lists the published entries in another order" in said


def test_an_officers_bad_part_is_named_and_the_bid_must_then_not_be_opened(opening, examine):
    files = opening.files()
    files["releases.json"][1]["bids"]["2"]["pieces"]["1"] = "00" * 32
    code, said = examine(files)
    assert code == 1
    assert "bad part: officer 3's pieces of entry 2 (sealed, organisation org-b, version 1)" in said
    assert "is said to be opened, with fewer than two good parts" in said


def test_a_content_that_was_not_sealed_is_named(opening, examine):
    files = opening.files()
    files["opened.json"]["4"]["payload_sha256"] = "ab" * 32
    code, said = examine(files)
    assert code == 1 and "content: what entry 4" in said


def test_a_list_signed_by_somebody_else_is_named(opening, examine):
    files = opening.files()
    files["closing.json"] = chain.signed(files["closing.json"]["text"], Ed25519PrivateKey.generate())
    code, said = examine(files)
    assert code == 1 and "the closing list is signed by another key" in said


def test_it_runs_as_one_file_elsewhere(opening, tmp_path):
    alone = tmp_path / "verify_bids.py"
    alone.write_bytes(SCRIPT.read_bytes())
    record = write(tmp_path / "record.zip", opening.files())
    command = [sys.executable, "-I", str(alone)]
    assert subprocess.run([*command, str(record)], cwd=tmp_path, capture_output=True).returncode == 0
    assert subprocess.run([*command, str(alone)], cwd=tmp_path, capture_output=True).returncode == 2
