"""64 clients accept one slot, and one person accepts 64 overlapping slots: over HTTP, on both databases."""

import threading

import pytest
import world as street
from visiting import make_volunteers, open_for, overlaps, post_for, visits_of

from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.offers.models import Offer
from linkage.visits import booking
from linkage.visits.models import Assignment

CLIENTS = 64


@pytest.fixture
def arena(any_app):
    with any_app.app_context():
        yield any_app
        db.session.remove()


def _accept_all(app, pairs):
    """Each (name, offer id) accepts at the same moment, with a client of its own; returns the status codes."""
    clients = []
    for name, offer_id in pairs:
        client = app.test_client()
        street.sign_in(client, name)
        clients.append((client, f"/offers/{offer_id}/accept"))
    db.session.remove()
    barrier, codes = threading.Barrier(len(clients)), []

    def run(client, url):
        barrier.wait()
        codes.append(client.post(url).status_code)

    threads = [threading.Thread(target=run, args=pair) for pair in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return sorted(codes)


def _everybody_asked_about_one_slot(app):
    names = make_volunteers(street, CLIENTS)
    slot_id = visits_of(unit_of_work(lambda: post_for(street, "lin", "meal")))[0].slots[0].id
    row = unit_of_work(lambda: open_for(street, slot_id, ["zhuang"], fallback="wu"))
    unit_of_work(lambda: [_ask(row.id, slot_id, name) for name in names])
    pairs = [(name, db.session.query(Offer.id).filter_by(person_id=street.key(name)).scalar()) for name in names]
    return slot_id, _accept_all(app, pairs)


def _ask(round_id, slot_id, name):
    first = db.session.query(Offer).filter_by(slot_id=slot_id).first()
    db.session.add(
        Offer(
            round_id=round_id, slot_id=slot_id, person_id=street.key(name), starts_at=first.starts_at,
            ends_at=first.ends_at, reasons=[], asked_at=street.NOW, answer_by=first.answer_by,
        )
    )  # fmt: skip
    street.audit.record("test.ask", ("test", "1"), by=None, now=street.NOW)


def _one_person_asked_about_many_slots(app):
    needs = [unit_of_work(lambda: post_for(street, "lin", "meal")) for _n in range(CLIENTS)]
    slots = [visits_of(need)[0].slots[0].id for need in needs]
    hours = ("09:00", "09:20", "09:40")
    for place, slot_id in enumerate(slots):
        unit_of_work(lambda slot=slot_id, hour=hours[place % 3]: open_for(street, slot, ["zhuang"], hour=hour))
    offers = db.session.query(Offer.id).filter_by(person_id=street.key("zhuang")).all()
    return _accept_all(app, [("zhuang", row.id) for row in offers])


def test_of_64_who_accept_one_slot_one_wins_and_63_are_told_kindly(arena):
    slot_id, codes = _everybody_asked_about_one_slot(arena)
    assert codes == [303] + [409] * (CLIENTS - 1)
    assert db.session.query(Assignment).filter_by(slot_id=slot_id, released_at=None).count() == 1
    accepted = db.session.query(Offer).filter(Offer.accepted_at.is_not(None), Offer.withdrawn_at.is_(None))
    assert accepted.count() == 1


def test_of_64_overlapping_slots_one_person_gets_one(arena):
    codes = _one_person_asked_about_many_slots(arena)
    assert codes == [303] + [409] * (CLIENTS - 1)
    assert overlaps(street.key("zhuang")) == []
    assert db.session.query(Assignment).filter_by(person_id=street.key("zhuang"), released_at=None).count() == 1


def test_bad_twin_without_the_guard_of_time_one_person_gets_several(arena, monkeypatch):
    monkeypatch.setattr(booking, "_demand_free_time", lambda *_args, **_kwargs: None)
    monkeypatch.setattr("linkage.offers.operations._take_back_clashing", lambda *_args: None)
    codes = _one_person_asked_about_many_slots(arena)
    assert codes.count(303) > 1 and overlaps(street.key("zhuang"))
