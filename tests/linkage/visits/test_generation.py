"""Visits are made up to four weeks ahead by a stable key, and follow their need."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from visiting import change, visits_of

from linkage.areas.models import Place
from linkage.core.clock import at_minutes
from linkage.core.events import ConsentWithdrawn, HouseholdMoved, PersonDied, announce
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.households.models import Household
from linkage.needs.models import Need
from linkage.needs.operations import NeedRequest, change_need, withdraw_need
from linkage.people.models import Person
from linkage.visits import generation, periodic
from linkage.visits.models import Visit
from linkage.visits.queries import accepted_ahead


def edit(world, need, now, **values):
    same = {name: getattr(need, name) for name in NeedRequest.__dataclass_fields__ if name != "note"}
    fresh = db.session.get(Need, need.id)
    request = replace(NeedRequest(**same), **values)
    return change_need(fresh, request, row_version=fresh.row_version, by=world.actor("clerk"), now=now)


def told(kind, person_id=None):
    rows = db.session.query(OutboxRow).filter_by(kind=kind)
    return (rows.filter_by(person_id=person_id) if person_id else rows).all()


def test_a_one_off_need_has_its_visit_at_once(post):
    (visit,) = visits_of(post())
    assert (visit.day, visit.windows, len(visit.slots)) == (date(2026, 11, 26), [[540, 720]], 1)
    assert visit.number == visit.key == "X20261124-0001-261126"


def test_a_two_person_need_has_two_slots(post):
    (visit,) = visits_of(post("chen", "bath", people=2))
    assert [slot.position for slot in visit.slots] == [0, 1]


def test_a_need_of_several_days_is_one_visit_with_several_windows(post):
    (visit,) = visits_of(post(flexible_days=2))
    assert visit.windows == [[540, 720], [1980, 2160]]
    assert visit.latest_at == at_minutes(date(2026, 11, 27), 720)


def test_a_series_reaches_four_weeks_ahead_and_no_further(post):
    days = [visit.day for visit in visits_of(post(recurrence="FREQ=WEEKLY;BYDAY=TH"))]
    assert days == [date(2026, 11, 26) + timedelta(weeks=n) for n in range(4)]


def test_making_visits_twice_makes_nothing_new(post, commit, now):
    need = post(recurrence="FREQ=DAILY")
    before = len(visits_of(need))
    assert commit(lambda: generation.make_visits(db.session.get(Need, need.id), now=now)) == []
    assert len(visits_of(need)) == before == 27


def test_each_night_goes_on_and_catches_up_after_an_outage(post, now, ctx):
    need = post(recurrence="FREQ=WEEKLY;BYDAY=TH")
    periodic.make_visits_ahead(now + timedelta(days=21))
    days = [visit.day for visit in visits_of(need)]
    assert days == [date(2026, 11, 26) + timedelta(weeks=n) for n in range(7)]
    periodic.make_visits_ahead(now + timedelta(days=21))
    assert len(visits_of(need)) == 7


def test_a_window_that_has_closed_today_makes_no_visit(post, now):
    need = post(starts_on=date(2026, 11, 24), recurrence="FREQ=DAILY", window_end=10 * 60)
    assert visits_of(need)[0].day == date(2026, 11, 25)


def test_a_visit_keeps_the_address_of_its_day_until_the_household_moves(post, world, now):
    need = post()
    (visit,) = visits_of(need)
    assert (visit.address, visit.planning_area_id, visit.area_id) == ("香莲里27号502室", 3, 4)
    assert "香莲里".encode() not in visit.address_sealed

    def move():
        household = db.session.get(Household, need.household_id)
        place = Place(key_id=household.key_id, area_id=5, position_source="pin", created_at=now)
        place.address = "盈翠里9号101室"
        db.session.add(place)
        db.session.flush()
        household.place_id, household.area_id = place.id, 5
        announce(HouseholdMoved(by=None, now=now, household_id=household.id))

    change(world, move)
    assert visits_of(need)[0].address == "盈翠里9号101室" and visits_of(need)[0].area_id == 5

    change(
        world, lambda: announce(HouseholdMoved(by=None, now=now + timedelta(days=9), household_id=need.household_id))
    )
    assert visits_of(need)[0].row_version == visit.row_version


def test_an_edit_moves_what_nobody_accepted_and_lists_what_somebody_did(post, booked, commit, world, now):
    need = post("lin", "chat", recurrence="FREQ=WEEKLY;BYDAY=TH")
    booked("zhuang", on=visits_of(need)[1], at="2026-12-03T09:00")
    commit(lambda: edit(world, need, now, window_start=10 * 60, window_end=13 * 60))
    windows = [visit.windows for visit in visits_of(need)]
    assert windows == [[[600, 780]], [[540, 720]], [[600, 780]], [[600, 780]]]
    assert [visit.day for visit in accepted_ahead(db.session.get(Need, need.id), now)] == [date(2026, 12, 3)]


def test_an_edit_to_other_days_cancels_and_makes_and_back_again_revives(post, commit, world, now):
    need = post(recurrence="FREQ=WEEKLY;BYDAY=TH")
    commit(lambda: edit(world, need, now, recurrence="FREQ=WEEKLY;BYDAY=FR"))
    standing = [visit.day.weekday() for visit in visits_of(need) if visit.cancelled_at is None]
    assert standing == [4, 4, 4, 4]
    commit(lambda: edit(world, need, now, recurrence="FREQ=WEEKLY;BYDAY=TH"))
    standing = [visit.day.weekday() for visit in visits_of(need) if visit.cancelled_at is None]
    assert standing == [3, 3, 3, 3]
    assert len({visit.key for visit in visits_of(need)}) == 8


def test_an_edit_lets_a_booking_go_that_nobody_accepted(post, booked, commit, world, now):
    need = post("lin", "clean")
    wu = booked("wu", on=visits_of(need)[0])
    commit(lambda: edit(world, need, now, duration_minutes=90))
    assert db.session.get(type(wu), wu.id).release_reason == "need_changed"
    assert [row.params["reason"] for row in told("visits.released", world.key("wu"))] == ["need_changed"]


def test_an_edit_from_two_people_to_one_leaves_one_place(post, commit, world, now):
    need = post("lin", "bath", people=2)
    commit(lambda: edit(world, need, now, people=1))
    (visit,) = visits_of(need)
    assert len(visit.places) == 1
    commit(lambda: edit(world, db.session.get(Need, need.id), now, people=2))
    assert len(visits_of(need)[0].slots) == len(visits_of(need)[0].places) == 2


def test_withdrawing_a_need_cancels_every_coming_visit_and_tells_who_would_have_come(post, booked, commit, world, now):
    need = post("lin", "chat", recurrence="FREQ=WEEKLY;BYDAY=TH")
    zhuang = booked("zhuang", on=visits_of(need)[0])
    commit(lambda: withdraw_need(db.session.get(Need, need.id), "hospital", by=world.actor("clerk"), now=now))
    assert all(visit.cancelled_at == now for visit in visits_of(need))
    assert db.session.get(type(zhuang), zhuang.id).released_at == now
    assert len(told("visits.released", world.key("zhuang"))) == 1
    assert commit(lambda: generation.make_visits(db.session.get(Need, need.id), now=now + timedelta(days=9))) == []


def test_a_dead_recipients_needs_are_withdrawn_and_a_dead_carer_is_let_go(post, booked, world, now):
    need = post("lin", "clean")
    wu = booked("wu", on=visits_of(need)[0])

    def die(name):
        person = db.session.get(Person, world.key(name))
        person.died_on = date(2026, 11, 24)
        announce(PersonDied(by=None, now=now, person_id=person.id, on=person.died_on))

    change(world, lambda: die("wu"))
    assert db.session.get(type(wu), wu.id).release_reason == "died"
    assert len(told("visits.dropped", world.key("clerk"))) == 1
    change(world, lambda: die("lin/head"))
    assert db.session.get(Need, need.id).withdrawn_reason == "died"
    assert visits_of(need)[0].cancelled_at == now


@pytest.mark.parametrize(("purpose", "cancelled", "released"), [("service", True, True), ("volunteers", False, True),
                                                                ("health", False, False)])  # fmt: skip
def test_withdrawn_consent_ends_what_it_was_given_for(post, booked, world, now, purpose, cancelled, released):
    need = post("lin", "chat")
    zhuang = booked("zhuang", on=visits_of(need)[0])
    event = ConsentWithdrawn(by=None, now=now, household_id=need.household_id, purpose=purpose)
    change(world, lambda: announce(event))
    assert (db.session.get(Need, need.id).withdrawn_at is not None) is cancelled
    assert (db.session.get(type(zhuang), zhuang.id).released_at is not None) is released


def test_a_withdrawn_or_finished_need_is_not_looked_at_each_night(post, now, ctx):
    post()
    assert generation.needs_to_extend(now + timedelta(days=30), 50) == []
    assert db.session.query(Visit).count() == 1
