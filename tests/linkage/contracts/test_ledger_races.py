"""Sixty-four clients take the last minutes of a line: it is never over its cap, and as many win as fit."""

import threading
from datetime import date

import pytest
from sqlalchemy import exc, select, text

from linkage.contracts import ledger
from linkage.contracts.ledger import CapacityConflict, Charge
from linkage.contracts.models import ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

CLIENTS = 64
DAY = date(2026, 11, 25)


def race(app, clients, work):
    """Run `work(n)` in `clients` threads at once, each in a transaction of its own; return what each ended with."""
    gate, ends = threading.Barrier(clients), [None] * clients

    def run(number):
        with app.app_context():
            gate.wait()
            try:
                ends[number] = unit_of_work(lambda: work(number)) and "won"
            except Exception as error:  # each end is looked at by the test
                ends[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return ends


def set_limits(app, world, now, **limits):
    def change():
        line = db.session.get(ContractLine, world.key("line/lukang/bath"))
        for name, value in limits.items():
            setattr(line, name, value)
        audit.record("test.limits", line, by=None, now=now)

    with app.app_context():
        unit_of_work(change)
        db.session.remove()


def charge(world, number, person):
    return Charge(world.key("line/lukang/bath"), DAY, 60, world.key(person), slot_id=world.key(f"slot {number}"))


def test_64_clients_take_the_last_minutes(any_app, world, now):
    set_limits(any_app, world, now, monthly_cap=10 * 60 + 59)
    people = ["chen/head", "lin/head", "huang/head"]
    ends = race(any_app, CLIENTS, lambda n: ledger.commit(charge(world, n, people[n % 3]), by=None, now=now))
    assert ends.count("won") == 10
    assert all(isinstance(end, CapacityConflict) and end.reason == "cap" for end in ends if end != "won")
    with any_app.app_context():
        row = db.session.scalars(select(LineMonth)).one()
        assert (row.committed, row.cap) == (600, 659)
        assert len(db.session.scalars(select(LedgerEntry)).all()) == 10


def test_64_clients_take_the_last_of_one_persons_quota(any_app, world, now):
    set_limits(any_app, world, now, monthly_quota=200)
    ends = race(any_app, CLIENTS, lambda n: ledger.reserve(charge(world, n, "chen/head"), by=None, now=now))
    assert ends.count("won") == 3
    assert all(isinstance(end, CapacityConflict) and end.reason == "quota" for end in ends if end != "won")
    with any_app.app_context():
        assert db.session.scalars(select(PersonMonth)).one().used == 180
        assert db.session.scalars(select(LineMonth)).one().reserved == 180


def test_64_clients_give_one_slots_minutes_back_once(any_app, world, now):
    with any_app.app_context():
        unit_of_work(lambda: [ledger.commit(charge(world, n, "chen/head"), by=None, now=now) for n in range(3)])
        db.session.remove()
    ends = race(any_app, CLIENTS, lambda n: ledger.uncommit(charge(world, 0, "chen/head"), by=None, now=now))
    assert ends.count("won") == 1
    assert all(isinstance(end, CapacityConflict) and end.reason == "not-held" for end in ends if end != "won")
    with any_app.app_context():
        assert db.session.scalars(select(LineMonth)).one().committed == 120


def test_an_entry_is_neither_changed_nor_deleted_on_each_database(any_app, world, now):
    with any_app.app_context():
        unit_of_work(lambda: ledger.commit(charge(world, 1, "chen/head"), by=None, now=now))
        for statement in ("UPDATE ledger_entries SET quantity = 1", "DELETE FROM ledger_entries"):
            with pytest.raises(exc.DBAPIError, match="append-only"):
                unit_of_work(lambda statement=statement: db.session.execute(text(statement)))
        assert db.session.scalars(select(LedgerEntry)).one().quantity == 60
