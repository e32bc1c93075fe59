"""Booking: who may be bound to a slot, what it takes of the contract line, and what lets go of it."""

from datetime import date, timedelta

import pytest
from visiting import book_for, change, visits_of

from linkage.contracts.capacity import capacity_snapshot
from linkage.contracts.ledger import CapacityConflict
from linkage.contracts.models import ContractLine
from linkage.core import clock
from linkage.core.events import SlotReleased
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.households.models import Consent
from linkage.organisations.models import Carer
from linkage.people.models import Person, WorkException
from linkage.services.models import HeldQualification, Service
from linkage.visits import booking
from linkage.visits.errors import SENTENCES, Refused
from linkage.visits.models import Assignment, Visit
from linkage.volunteers.models import Volunteer, VolunteerService

HOUR = timedelta(hours=1)


def held(world, name, month="2026-11"):
    line = db.session.get(ContractLine, world.key("line/" + name))
    found = capacity_snapshot([line], [month])[line.id, month]
    return found.reserved, found.committed, found.delivered


def refusal(make):
    with pytest.raises(Refused) as refused:
        make()
    return refused.value.reason


def fresh(assignment):
    return db.session.get(Assignment, assignment.id)


def test_a_paid_booking_commits_its_minutes(booked, world):
    one = booked("wu", line="lukang/clean")
    assert held(world, "lukang/clean") == (0, 60, 0)
    assert (one.organisation_name, one.accepted_at) == ("鹭康居家养老", None)


def test_a_volunteer_takes_nothing_of_a_line(booked):
    one = booked("zhuang", "lin", "chat")
    assert (one.capacity, one.line_id, one.charge, one.accepted_at is None) == ("volunteer", None, 0, False)


def test_the_second_person_of_a_visit_charged_once_takes_nothing(booked, visit, world):
    target = visit("lin", "bath", people=2)
    booked("wu", on=target, line="lukang/bath")
    booked("xu", on=target, place=1, line="lukang/bath", charge=0)
    assert held(world, "lukang/bath") == (0, 60, 0)


def test_booking_is_audited_with_ids_only(booked, world):
    booked("wu")
    row = db.session.query(AuditRow).filter_by(action="visits.book").one()
    assert row.detail["person"] == str(world.key("wu")) and set(row.detail) == {"slot", "person", "capacity"}


def test_a_slot_is_taken_once(booked, visit):
    target = visit("lin", "clean")
    booked("wu", on=target)
    assert refusal(lambda: booked("xu", on=target)) == "slot_taken"


@pytest.mark.parametrize(
    ("other", "travel", "clashes"),
    [("10:00", 0, False), ("09:59", 0, True), ("09:30", 0, True), ("10:00", 5, True), ("10:05", 5, False),
     ("11:00", 60, False)],
)  # fmt: skip
def test_a_person_is_in_one_place_at_a_time_and_the_way_there_counts(booked, visit, other, travel, clashes):
    booked("wu")
    second = visit("chen", "clean")
    make = lambda: booked("wu", on=second, at=f"2026-11-26T{other}", travel_minutes=travel)  # noqa: E731
    assert (refusal(make) == "overlap") if clashes else make().travel_minutes == travel


def test_one_person_cannot_take_both_places_of_a_visit(booked, visit):
    target = visit("lin", "bath", people=2)
    booked("wu", on=target)
    assert refusal(lambda: booked("wu", on=target, place=1)) == "overlap"


def test_a_released_booking_frees_slot_time_and_minutes(booked, visit, commit, world, now):
    target = visit("lin", "clean")
    one = booked("wu", on=target, line="lukang/clean")
    commit(lambda: booking.release(fresh(one), "replanned", by=None, now=now))
    assert held(world, "lukang/clean") == (0, 0, 0)
    assert booked("wu", on=target).id != one.id
    assert refusal(lambda: commit(lambda: booking.release(fresh(one), "replanned", by=None, now=now))) == "released"


def test_releasing_announces_who_no_longer_comes(booked, commit, world, now, monkeypatch):
    one, heard = booked("wu"), []
    monkeypatch.setattr("linkage.core.events._effects", {SlotReleased: [("test", heard.append)]})
    commit(lambda: booking.release(fresh(one), "replanned", by=None, now=now))
    assert [(event.slot_id, event.person_id, event.reason) for event in heard] == [
        (one.slot_id, world.key("wu"), "replanned")
    ]


def test_a_booking_lies_within_the_hours_that_were_asked_for(booked, visit):
    target = visit("lin", "clean")
    for moment in ("2026-11-26T08:59", "2026-11-26T11:01", "2026-11-27T09:00"):
        assert refusal(lambda at=moment: booked("wu", on=target, at=at)) == "outside_window"


def test_nobody_is_booked_for_a_cancelled_visit(booked, visit, world, now):
    target = visit("lin", "clean")
    change(world, lambda: setattr(db.session.get(Visit, target.id), "cancelled_at", now))
    assert refusal(lambda: booked("wu", on=target)) == "cancelled"


def test_nobody_is_booked_for_what_has_passed(booked, visit, now):
    target = visit("lin", "clean")
    assert refusal(lambda: booked("wu", on=target, now=now + timedelta(days=3))) == "passed"


def _set(world, model, name, **values):
    row = db.session.get(model, world.key(name))
    for field, value in values.items():
        setattr(row, field, value)


def _withdraw(world, purpose):
    db.session.query(Consent).filter_by(
        household_id=world.key("household/lin"), purpose=purpose
    ).one().withdrawn_at = world.NOW


def _absent(world, name, day, start=None, end=None):
    db.session.add(
        WorkException(
            person_id=world.key(name), kind="absent", first_day=day, last_day=day, start_minute=start,
            end_minute=end, created_at=world.NOW,
        )
    )  # fmt: skip


THURSDAY = date(2026, 11, 26)
CHANGES = [
    ("wu", "clean", "person_gone", lambda w: _set(w, Person, "wu", died_on=date(2026, 11, 1))),
    ("wu", "clean", "not_working_here", lambda w: _set(w, Carer, "carer/wu", valid_to=date(2026, 11, 25))),
    ("wu", "clean", "absent", lambda w: _absent(w, "wu", THURSDAY)),
    ("wu", "clean", "absent", lambda w: _absent(w, "wu", THURSDAY, 590, 700)),
    ("wu", "clean", "household_consent", lambda w: _withdraw(w, "service")),
    (
        "guo",
        "clean",
        "missing_qualification",
        lambda w: _set(w, Service, "service/clean", qualifications=["care_worker"]),
    ),
    ("wu", "clean", "qualification_expired", lambda w: _expire(w)),
    ("zhuang", "chat", "consent_volunteers", lambda w: _withdraw(w, "volunteers")),
    ("zhuang", "chat", "not_working_here", lambda w: _set(w, Volunteer, "volunteer/zhuang", left_at=w.NOW)),
    ("zhuang", "chat", "paused", lambda w: _set(w, Volunteer, "volunteer/zhuang", paused_from=date(2026, 11, 20))),
    ("zhuang", "chat", "guardian_consent", lambda w: _set(w, Person, "zhuang", birth_date=date(2010, 1, 1))),
    ("zhuang", "chat", "insurance_missing", lambda w: _raise_risk(w)),
    ("zhuang", "chat", "service_not_offered", lambda w: db.session.query(VolunteerService).delete()),
    ("wu", "chat", "wrong_provider_kind", lambda w: None),
]


def _expire(world):
    _set(world, Service, "service/clean", qualifications=["care_worker"])
    db.session.query(HeldQualification).filter_by(person_id=world.key("wu")).one().valid_to = date(2026, 11, 25)


def _raise_risk(world):
    _set(world, Service, "service/chat", risk="raised")
    _set(world, Volunteer, "volunteer/zhuang", insured_to=date(2026, 11, 25))


@pytest.mark.parametrize(("who", "service", "reason", "spoil"), CHANGES)
def test_booking_asks_again_what_may_have_changed_since_the_plan(booked, visit, world, who, service, reason, spoil):
    target = visit("lin", service)
    change(world, lambda: spoil(world))
    assert refusal(lambda: booked(who, on=target)) == reason


def test_a_renewed_qualification_counts_and_the_expired_paper_beside_it_does_not_matter(booked, visit, world):
    target = visit("lin", "clean")

    def renew():
        _expire(world)
        db.session.add(
            HeldQualification(
                person_id=world.key("wu"), code="care_worker", valid_from=THURSDAY, valid_to=None, created_at=world.NOW
            )
        )

    change(world, renew)
    assert booked("wu", on=target).id


def test_an_absence_at_another_time_of_the_day_does_not_matter(booked, visit, world):
    target = visit("lin", "clean")
    change(world, lambda: _absent(world, "wu", THURSDAY, 600, 700))
    assert booked("wu", on=target).id


@pytest.mark.parametrize(("wish", "who", "reason"), [({"gender": "M", "gender_hard": True}, "wu", "gender"),
                                                     ({"language": "hakka", "language_hard": True}, "wu", "language"),
                                                     ({"gender": "M", "gender_hard": False}, "wu", None)])  # fmt: skip
def test_hard_wishes_bind_and_soft_ones_do_not(booked, visit, wish, who, reason):
    target = visit("lin", "clean", wishes=wish)
    make = lambda: booked(who, on=target)  # noqa: E731
    assert (refusal(make) == reason) if reason else make().id


def test_two_people_come_in_an_allowed_mix(booked, visit, world):
    change(world, lambda: _set(world, Service, "service/clean", mixes=[["carer", "volunteer"]]))
    target = visit("lin", "clean", people=2)
    booked("wu", on=target)
    assert refusal(lambda: booked("xu", on=target, place=1)) == "wrong_provider_kind"
    assert booked("zhuang", on=target, place=1).capacity == "volunteer"


def test_without_room_on_the_line_nobody_is_booked(booked, visit, world):
    change(world, lambda: _set(world, ContractLine, "line/lukang/clean", monthly_cap=59))
    target = visit("lin", "clean")
    with pytest.raises(CapacityConflict):
        booked("wu", on=target, line="lukang/clean")
    assert db.session.query(Assignment).count() == 0


def test_a_paid_booking_moves_until_a_day_before(booked, commit, world, now):
    one = booked("wu", line="lukang/clean")
    start = one.starts_at + HOUR
    commit(lambda: booking.move(fresh(one), starts_at=start, ends_at=start + HOUR, by=None, now=now))
    assert fresh(one).starts_at == start and held(world, "lukang/clean") == (0, 60, 0)
    late = start - timedelta(hours=23)
    move = lambda: booking.move(fresh(one), starts_at=start - HOUR, ends_at=start, by=None, now=late)  # noqa: E731
    assert refusal(lambda: commit(move)) == "too_late_to_move"


def test_what_was_accepted_never_moves_unasked(booked, commit, now):
    one = booked("zhuang", "lin", "chat")
    start = one.starts_at + HOUR

    def move(asked):
        booking.move(fresh(one), starts_at=start, ends_at=start + HOUR, by=None, now=now, asked=asked)

    assert refusal(lambda: commit(lambda: move(False))) == "accepted"
    commit(lambda: move(True))
    assert fresh(one).starts_at == start


def test_a_move_does_not_collide_with_itself_but_with_others(booked, visit, commit, now):
    one = booked("wu")
    booked("wu", on=visit("chen", "clean"), at="2026-11-26T10:30")
    half = one.starts_at + HOUR / 2
    commit(lambda: booking.move(fresh(one), starts_at=half, ends_at=half + HOUR, by=None, now=now))
    clash = half + HOUR / 2
    move = lambda: booking.move(fresh(one), starts_at=clash, ends_at=clash + HOUR, by=None, now=now)  # noqa: E731
    assert refusal(lambda: commit(move)) == "overlap"


def test_moving_into_another_month_moves_the_minutes(post, commit, world, now):
    target = visits_of(post("lin", "clean", starts_on=date(2026, 11, 30), flexible_days=2))[0]
    one = commit(lambda: book_for(world, "wu", target.slots[0].id, "2026-11-30T09:00", line="lukang/clean"))
    start = clock.parse_moment("2026-12-01T09:00")
    commit(lambda: booking.move(fresh(one), starts_at=start, ends_at=start + HOUR, by=None, now=now))
    assert (held(world, "lukang/clean"), held(world, "lukang/clean", "2026-12")) == ((0, 0, 0), (0, 60, 0))


def test_every_refusal_has_a_sentence_in_both_languages(ctx):
    with ctx.test_request_context(headers={"Cookie": "lang=en"}):
        assert all(str(sentence).endswith(".") for sentence in SENTENCES.values())
