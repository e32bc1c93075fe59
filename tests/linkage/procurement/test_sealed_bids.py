"""Sealed bids on the database: officers, chain, closing, opening, and the record that the verifier examines."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

import pyrage
import pytest
from sqlalchemy import select

from linkage.core import outside
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.organisations.models import Exclusion, Organisation
from linkage.procurement import bidding, officers, opening, publication, record, sealed_queries
from linkage.procurement.models import Bid, BidContent, BidEntry, Closing, PartRelease
from linkage.procurement.periodic import close_bidding
from linkage.procurement.sealing import payload, verify_bids
from tests.linkage.procurement import sealed
from tests.tendering import DEADLINE, draft, key, stored, street

SEATS = ("supervisor", "coordinator", "clerk")
BIDDERS = ("lukang", "jiahe")


@pytest.fixture
def identities():
    return sealed.officers()


@pytest.fixture
def tender(commit, now, identities):
    """Published, with three officers who named, made and proved their keys as the pages do."""

    def make():
        made = draft(now)
        by = street.actor("supervisor", now)
        candidates = sealed_queries.candidates(made, by)
        officers.name_officers(made, seats(), candidates, by=by, now=now)
        for seat, name in enumerate(SEATS, 1):
            drilled(made, name, identities[seat - 1], now)
        publication.publish(made, by=by, now=now)
        return made

    return stored(commit(make).id)


def seats(**changed):
    names = {str(seat): name for seat, name in enumerate(SEATS, 1)} | changed
    return {int(seat): key(name) for seat, name in names.items()}


def drilled(tender, name, identity, now):
    officer = sealed_queries.officer_of(tender.id, key(name))
    officers.set_key(officer, str(identity.to_public()), by=street.actor(name, now), now=now)
    token = pyrage.decrypt(sealed.base64.b64decode(officer.drill), [identity]).decode()
    officers.prove_key(officer, token, by=street.actor(name, now), now=now)


def hand(name, now):
    manager = {"lukang": "manager", "jiahe": "manager2"}[name]
    organisation = db.session.get_one(Organisation, key(name))
    return bidding.Hand(organisation, street.actor(manager, now), now, outside.signing_key())


def sealed_for(tender, name, version=1, **how):
    names = {"tender": str(tender.id), "organisation": str(key(name)), "version": version}
    prices = how.pop("prices", {str(tender.lots[0].id): 9_000_000})
    return sealed.seal(names, bidding.recipients_of(tender), prices, **how)


def give(tender, name, identity, now, **instead):
    """An officer releases; `instead`: place → what is given for it."""
    officer = sealed_queries.officer_of(tender.id, key(name))
    given = {}
    for bid in sealed_queries.counted_bids(tender.id, whole=True):
        part = pyrage.decrypt(sealed.base64.b64decode(bid.parts[officer.position - 1]), [identity])
        given[bid.place] = {"pieces": json.loads(part)["pieces"]}
    given |= {int(place): what for place, what in instead.items()}
    opening.release_parts(officer, given, by=street.actor(name, now), now=now)


@pytest.fixture
def bids(tender, commit, now):
    """Two organisations; the first replaces its bid."""

    def make():
        bidding.seal_bid(tender, sealed_for(tender, "lukang"), hand=hand("lukang", now))
        bidding.seal_bid(tender, sealed_for(tender, "jiahe"), hand=hand("jiahe", now))
        again = sealed_for(tender, "lukang", 2, prices={str(lot.id): 9_500_000 for lot in tender.lots})
        return bidding.seal_bid(tender, again, hand=hand("lukang", now + timedelta(minutes=1)))

    commit(make)
    return tender


@pytest.fixture
def closed(bids, move_clock):
    after = move_clock("2026-12-16T09:01")
    close_bidding(after)
    return stored(bids.id), after


def examined(tender, tmp_path, own=None, receipts=True):
    """What the stand-alone verifier says of the tender's record: (exit code, output via capsys)."""
    closing = sealed_queries.closing_of(tender.id)
    path = tmp_path / "record.zip"
    path.write_bytes(record.record_of(tender, closing, own=own))
    (tmp_path / "closing.json").write_text(json.dumps(closing.paper))
    arguments = [str(path), "--published", str(tmp_path / "closing.json")]
    arguments += ["--key", str(outside.keep_dir() / "signing.pub")]
    for entry in sealed_queries.entries_of(tender.id) if receipts else []:
        (tmp_path / f"{entry.place}.json").write_text(json.dumps(entry.receipt))
        arguments += ["--receipt", str(tmp_path / f"{entry.place}.json")]
    return verify_bids.main(arguments)


def test_any_two_officers_open_and_the_verifier_accepts_the_record(closed, commit, identities, tmp_path, capsys):
    tender, after = closed
    commit(lambda: give(tender, "supervisor", identities[0], after))
    with pytest.raises(Conflict):
        commit(lambda: opening.open_bids(tender, by=street.actor("supervisor", after), now=after))
    commit(lambda: give(tender, "clerk", identities[2], after))
    commit(lambda: opening.open_bids(tender, by=street.actor("clerk", after), now=after))
    opened = [bid for bid in sealed_queries.all_bids(tender.id) if bid.opened_at]
    assert [(bid.place, bid.version, len(bid.lots)) for bid in opened] == [(2, 1, 1), (3, 2, 3)]
    assert {row.price_fen for row in opened[1].lots} == {9_500_000}
    assert stored(tender.id).opened_at == after
    assert examined(tender, tmp_path) == 0
    assert "2 bids recomputed" in capsys.readouterr().out
    assert examined(tender, tmp_path, own=[key("jiahe")]) == 0
    assert "1 bids recomputed, 1 by commitment alone" in capsys.readouterr().out


def test_nothing_in_the_database_can_be_rewritten_without_the_verifier_naming_it(
    closed, commit, identities, tmp_path, capsys
):
    tender, after = closed
    for name, identity in zip(SEATS[:2], identities[:2], strict=True):
        commit(lambda name=name, identity=identity: give(tender, name, identity, after))
    commit(lambda: opening.open_bids(tender, by=street.actor("supervisor", after), now=after))
    whole = record.record_of(tender, sealed_queries.closing_of(tender.id))

    def tampered(change):
        files = {
            name: zipfile.ZipFile(io.BytesIO(whole)).read(name)
            for name in zipfile.ZipFile(io.BytesIO(whole)).namelist()
        }
        change(files)
        path = sealed.write(tmp_path / "tampered.zip", files)
        return verify_bids.main([str(path)]), capsys.readouterr().out

    assert tampered(lambda files: None)[0] == 0
    code, said = tampered(lambda files: files.pop("bids/0002/manifest.json"))
    assert code == 1 and "dropped: the manifest of entry 2" in said
    code, said = tampered(lambda files: files.update({"bids/0003/ciphertext": files["bids/0002/ciphertext"]}))
    assert code == 1 and "changed: the ciphertext of entry 3" in said
    other = json.dumps({"2": {"state": "opened", "payload_sha256": "00"}, "3": {"state": "withheld"}}).encode()
    code, said = tampered(lambda files: files.update({"opened.json": other}))
    assert code == 1 and "content: what entry 2" in said


def test_the_chain_and_what_officers_gave_cannot_be_changed_in_the_database(closed, commit, identities):
    tender, after = closed
    commit(lambda: give(tender, "supervisor", identities[0], after))
    for model, name in ((BidEntry, "head"), (Closing, "head"), (PartRelease, "fault")):
        with pytest.raises(Exception, match="append-only"):
            commit(lambda model=model, name=name: setattr(db.session.scalars(select(model)).first(), name, "x"))


def test_the_closing_list_goes_to_every_bidder_and_asks_the_officers(closed, now):
    tender, after = closed
    told = db.session.execute(select(OutboxRow.person_id, OutboxRow.kind).where(OutboxRow.created_at == after)).all()
    closing = sealed_queries.closing_of(tender.id)
    assert {who for who, kind in told if kind == "procurement.closing_list"} == {key("manager"), key("manager2")}
    assert {who for who, kind in told if kind == "procurement.please_open"} == {key(name) for name in SEATS}
    assert json.loads(closing.paper["text"])["counted"] == [2, 3]
    close_bidding(after)  # once
    assert len(db.session.scalars(select(Closing)).all()) == 1


def test_a_late_bid_is_refused_by_the_clock_and_by_the_published_list(bids, commit, move_clock, now):
    sent = sealed_for(bids, "jiahe", 2)
    with pytest.raises(Conflict):
        commit(lambda: bidding.seal_bid(bids, sent, hand=hand("jiahe", DEADLINE)))
    close_bidding(move_clock("2026-12-16T09:01"))
    with pytest.raises(Conflict):  # one that waited for the lock since before the deadline
        commit(lambda: bidding.seal_bid(bids, sent, hand=hand("jiahe", DEADLINE - timedelta(seconds=1))))


def test_a_withdrawn_bid_is_never_opened_and_another_may_follow(bids, commit, now):
    commit(lambda: bidding.withdraw_bid(bids, hand=hand("jiahe", now)))
    with pytest.raises(Conflict):
        commit(lambda: bidding.withdraw_bid(bids, hand=hand("jiahe", now)))
    assert [bid.place for bid in sealed_queries.counted_bids(bids.id)] == [3]
    entry = commit(lambda: bidding.seal_bid(bids, sealed_for(bids, "jiahe", 2), hand=hand("jiahe", now)))
    assert (entry.place, entry.bid.version) == (5, 2)


def test_what_is_not_this_organisations_next_bid_for_these_officers_is_refused(tender, commit, now, identities):
    def refused(error, sent):
        with pytest.raises(error):
            commit(lambda: bidding.seal_bid(tender, sent, hand=hand("jiahe", now)))

    good = sealed_for(tender, "jiahe")
    refused(InvalidInput, sealed_for(tender, "lukang"))
    refused(InvalidInput, replace(good, ciphertext=good.ciphertext[:-1] + b"x"))
    refused(InvalidInput, replace(good, parts=(good.parts[1], good.parts[0], good.parts[2])))
    refused(InvalidInput, replace(good, manifest=good.manifest.replace(b'{"header"', b'{"parts": [], "header"')))
    refused(Conflict, sealed_for(tender, "jiahe", 2))
    names = {"tender": str(tender.id), "organisation": str(key("jiahe")), "version": 1}
    refused(Conflict, sealed.seal(names, sealed.recipients(sealed.officers())))
    refused(InvalidInput, sealed.seal({**names, "tender": str(key("other"))}, bidding.recipients_of(tender)))
    commit(lambda: bidding.seal_bid(tender, good, hand=hand("jiahe", now)))


def test_organisations_without_the_rating_or_excluded_cannot_bid(tender, commit, now):
    def exclude():
        db.session.add(
            Exclusion(organisation_id=key("jiahe"), source="财政局", reason="x", valid_from=now.date(), created_at=now)
        )
        bidding.audit.record("organisations.exclude", ("organisations", key("jiahe")), by=None, now=now)

    commit(exclude)
    with pytest.raises(Conflict):
        commit(lambda: bidding.seal_bid(tender, sealed_for(tender, "jiahe"), hand=hand("jiahe", now)))


def test_a_bid_that_was_not_confirmed_after_a_clarification_takes_no_part(bids, commit, now, move_clock):
    later = now + timedelta(days=1)
    by = street.actor("supervisor", later)
    commit(lambda: publication.clarify(bids, "时段改为全天", True, by=by, now=later))
    commit(lambda: bidding.confirm_bid(bids, hand=hand("lukang", later + timedelta(hours=1))))
    with pytest.raises(Conflict):
        commit(lambda: bidding.confirm_bid(bids, hand=hand("lukang", later + timedelta(hours=2))))
    assert [bid.place for bid in sealed_queries.counted_bids(bids.id)] == [3]
    assert [entry.kind for entry in sealed_queries.entries_of(bids.id)] == ["sealed", "sealed", "sealed", "confirmed"]


def test_an_officer_is_replaced_before_the_first_bid_and_never_after(tender, commit, now, identities):
    by = street.actor("supervisor", now)

    def swap(name):
        officers.name_officers(tender, seats(**{"3": name}), sealed_queries.candidates(tender, by), by=by, now=now)

    commit(lambda: swap("operator"))
    with pytest.raises(Conflict):
        commit(lambda: bidding.seal_bid(tender, sealed_for_any(tender), hand=hand("jiahe", now)))
    new = sealed.officers()[0]
    commit(lambda: drilled(tender, "operator", new, now))
    commit(lambda: bidding.seal_bid(tender, sealed_for(tender, "jiahe"), hand=hand("jiahe", now)))
    with pytest.raises(Conflict):
        commit(lambda: swap("clerk"))
    officer = sealed_queries.officer_of(tender.id, key("operator"))
    with pytest.raises(Conflict):
        commit(
            lambda: officers.set_key(officer, str(identities[2].to_public()), by=street.actor("operator", now), now=now)
        )


def sealed_for_any(tender):
    names = {"tender": str(tender.id), "organisation": str(key("jiahe")), "version": 1}
    return sealed.seal(names, sealed.recipients(sealed.officers()))


def test_a_key_is_proved_only_by_opening_the_drill(commit, now, identities):
    tender = commit(lambda: draft(now))
    by = street.actor("supervisor", now)
    commit(lambda: officers.name_officers(tender, seats(), sealed_queries.candidates(tender, by), by=by, now=now))
    officer = sealed_queries.officer_of(tender.id, key("supervisor"))
    public = str(identities[0].to_public())
    commit(lambda: officers.set_key(officer, public, by=by, now=now))
    with pytest.raises(InvalidInput):
        commit(lambda: officers.prove_key(officer, "00" * 32, by=by, now=now))
    with pytest.raises(Conflict):
        commit(lambda: officers.set_key(officer, public, by=street.actor("coordinator", now), now=now))
    other = sealed_queries.officer_of(tender.id, key("coordinator"))
    for wrong in (public, "age1x", "AGE-SECRET-KEY-1"):
        with pytest.raises(InvalidInput):
            commit(lambda wrong=wrong: officers.set_key(other, wrong, by=street.actor("coordinator", now), now=now))
    with pytest.raises(InvalidInput):
        commit(
            lambda: officers.name_officers(
                tender, seats(**{"3": "admin"}), sealed_queries.candidates(tender, by), by=by, now=now
            )
        )
    with pytest.raises(InvalidInput):
        commit(lambda: publication.publish(tender, by=by, now=now))


def test_parts_are_released_after_the_list_for_all_bids_and_once(bids, commit, now, move_clock, identities):
    with pytest.raises(Conflict):
        commit(lambda: give(bids, "supervisor", identities[0], now))
    after = move_clock("2026-12-16T09:01")
    close_bidding(after)
    officer = sealed_queries.officer_of(bids.id, key("supervisor"))
    by = street.actor("supervisor", after)
    with pytest.raises(InvalidInput):
        commit(lambda: opening.release_parts(officer, {2: {"fault": "unreadable"}}, by=by, now=after))
    with pytest.raises(Conflict):
        commit(lambda: opening.release_parts(officer, {}, by=street.actor("clerk", after), now=after))
    commit(lambda: give(bids, "supervisor", identities[0], after))
    with pytest.raises(Conflict):
        commit(lambda: give(bids, "supervisor", identities[0], after))


def test_bad_parts_leave_one_bid_closed_unless_the_third_officer_helps(closed, commit, identities, tmp_path, capsys):
    tender, after = closed
    by = street.actor("supervisor", after)
    commit(lambda: give(tender, "supervisor", identities[0], after))
    commit(
        lambda: give(tender, "coordinator", identities[1], after, **{"2": {"pieces": {"1": "00" * 32, "3": "11" * 32}}})
    )
    assert opening.lacking(tender) == [2]
    with pytest.raises(Conflict):
        commit(lambda: opening.open_bids(tender, by=by, now=after))
    commit(lambda: opening.open_bids(tender, by=by, now=after, without_third=True))
    states = {bid.place: (bid.opened_at is not None, bid.void_reason) for bid in sealed_queries.counted_bids(tender.id)}
    assert states == {2: (False, "parts"), 3: (True, "")}
    assert examined(tender, tmp_path) == 1  # and the verifier says whose part was bad
    assert "bad part: officer 2's pieces of entry 2" in capsys.readouterr().out


def test_a_well_sealed_bid_whose_content_is_not_well_formed_is_void(
    tender, commit, now, move_clock, identities, tmp_path
):
    wrong = payload.pack(b'{"format": "linkage-offer-1"}', [])
    commit(lambda: bidding.seal_bid(tender, sealed_for(tender, "jiahe", content=wrong), hand=hand("jiahe", now)))
    after = move_clock("2026-12-16T09:01")
    close_bidding(after)
    for name, identity in zip(SEATS[:2], identities[:2], strict=True):
        commit(lambda name=name, identity=identity: give(tender, name, identity, after))
    commit(lambda: opening.open_bids(tender, by=street.actor("clerk", after), now=after))
    bid = db.session.scalars(select(Bid)).one()
    assert (bid.opened_at, bid.void_reason, bid.lots) == (None, "offer", [])
    assert db.session.scalars(select(BidContent)).one().sha256
    assert examined(tender, tmp_path) == 0
