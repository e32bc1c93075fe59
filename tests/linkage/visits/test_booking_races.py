"""64 clients at once, on both databases: one winner, no overlap, no other error; and each guard's bad twin."""

import time

import pytest
from sqlalchemy import text
from visiting import book_for, make_volunteers, overlaps, post_for, race, visits_of

from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.visits import booking
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment

CLIENTS = 64


@pytest.fixture
def arena(any_app):
    with any_app.app_context():
        yield any_app
        db.session.remove()


def one_slot_wanted_by_all(world, app):
    names = make_volunteers(world, CLIENTS)
    slot_id = visits_of(unit_of_work(lambda: post_for(world, "lin", "chat")))[0].slots[0].id
    at = "2026-11-26T09:00"
    answers = race(app, [lambda name=name: book_for(world, name, slot_id, at) for name in names])
    standing = db.session.query(Assignment).filter_by(slot_id=slot_id, released_at=None).count()
    return answers, standing


def one_person_for_many_slots(world, app, rounds=1):
    """One person accepts 64 slots that all overlap (09:00, 09:30 and 10:00)."""
    found = []
    for _round in range(rounds):
        needs = [unit_of_work(lambda: post_for(world, "lin", "chat")) for _n in range(CLIENTS)]
        slots = [visits_of(need)[0].slots[0].id for need in needs]
        hours = ("09:00", "09:20", "09:40")
        jobs = [
            lambda slot=slot, at=f"2026-11-26T{hours[n % 3]}": book_for(world, "zhuang", slot, at)
            for n, slot in enumerate(slots)
        ]
        found.append(race(app, jobs))
    return found


def test_of_64_who_want_one_slot_one_gets_it(arena, world):
    answers, standing = one_slot_wanted_by_all(world, arena)
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert standing == 1
    assert refused == ["slot_taken"] * (CLIENTS - 1)


def test_one_person_wins_one_of_64_overlapping_slots(arena, world):
    (answers,) = one_person_for_many_slots(world, arena)
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert refused == ["overlap"] * (CLIENTS - 1)
    assert overlaps(world.key("zhuang")) == []


def test_bad_twin_without_the_index_and_the_check_a_slot_is_taken_twice(arena, world, monkeypatch):
    unit_of_work(lambda: db.session.execute(text("DROP INDEX uq_assignments_active_slot")))
    monkeypatch.setattr(booking, "_demand_free_slot", lambda slot: None)
    _answers, standing = one_slot_wanted_by_all(world, arena)
    assert standing > 1


def test_bad_twin_without_the_overlap_test_a_person_is_in_two_places(arena, world, monkeypatch):
    monkeypatch.setattr(booking, "_demand_free_time", lambda *_args, **_kwargs: None)
    one_person_for_many_slots(world, arena)
    assert overlaps(world.key("zhuang"))


@pytest.mark.postgres
def test_bad_twin_without_the_persons_row_postgres_books_a_person_twice(postgres_app, world, monkeypatch):
    """SQLite has one writer at a time; PostgreSQL shows why the person's row is updated first."""
    monkeypatch.setattr(booking, "_lock_person", lambda person_id: db.session.get(booking.Person, person_id))
    # Between the look for an overlap and the insert: as long as a slow disk would make it.
    monkeypatch.setattr(booking, "_demand_not_kept", lambda *_args: time.sleep(0.05))
    with postgres_app.app_context():
        one_person_for_many_slots(world, postgres_app)
        assert overlaps(world.key("zhuang"))
        db.session.remove()
