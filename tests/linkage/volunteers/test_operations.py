"""Volunteers: the record, what they offer, pausing, leaving and coming back."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from linkage.areas.models import Place
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.events import AbsenceRecorded, PersonDied, _effects, announce
from linkage.core.extensions import db
from linkage.people.operations import PersonDraft
from linkage.volunteers import operations, queries
from linkage.volunteers.models import Volunteer
from linkage.volunteers.operations import OfferDraft, RecordDraft

TODAY = date(2026, 11, 24)
PERSON = PersonDraft(name="林小红", id_number="350203198503070024", telephone="13900001111")
CHILD = PersonDraft(name="林小小", birth_date=date(2012, 5, 1), sex="F", telephone="13900002222")
RECORD = RecordDraft(area_id=4, insured_to=date(2027, 6, 30))


@pytest.fixture
def offer(world):
    return OfferDraft(services=(world.key("service/meal"), world.key("service/chat")))


@pytest.fixture
def register(commit, world, now):
    def work(person=PERSON, record=RECORD, offer=None, by="clerk"):
        wanted = offer or OfferDraft(services=(world.key("service/meal"),))
        return commit(lambda: operations.register_volunteer(person, record, wanted, by=world.actor(by), now=now))

    return work


def test_a_volunteer_is_registered_with_a_public_number(register, offer):
    volunteer = register(offer=offer)
    assert volunteer.number == "V000001"
    assert {row.service_id for row in volunteer.services} == set(offer.services)
    assert volunteer.person.birth_date == date(1985, 3, 7)


def test_nobody_is_registered_outside_of_the_own_area(register):
    with pytest.raises(NotAllowed):
        register(record=replace(RECORD, area_id=5))


def test_nobody_is_registered_twice(register):
    register()
    with pytest.raises(InvalidInput) as refusal:
        register()
    assert refusal.value.field == "id_number"


def test_a_minor_needs_a_guardians_consent(register):
    with pytest.raises(InvalidInput) as refusal:
        register(person=CHILD)
    assert list(refusal.value.errors) == ["guardian_consent_on"]
    consented = replace(RECORD, guardian_consent_on=date(2026, 11, 20))
    assert register(person=CHILD, record=consented).guardian_consent_on == date(2026, 11, 20)


def test_a_small_child_is_not_registered(register):
    small = replace(CHILD, birth_date=date(2019, 1, 1))
    with pytest.raises(InvalidInput) as refusal:
        register(person=small, record=replace(RECORD, guardian_consent_on=TODAY))
    assert list(refusal.value.errors) == ["birth_date"]


def test_a_record_without_birth_date_and_sex_is_refused(register):
    with pytest.raises(InvalidInput) as refusal:
        register(person=PersonDraft(name="无名"))
    assert set(refusal.value.errors) == {"birth_date", "sex", "telephone"}


def test_volunteers_do_not_offer_what_only_carers_do(register, world):
    with pytest.raises(InvalidInput) as refusal:
        register(offer=OfferDraft(services=(world.key("service/bath"),)))
    assert list(refusal.value.errors) == ["services"]


def test_a_home_is_kept_until_another_is_given(register, commit, now, world):
    here = replace(RECORD, home_address="香莲里9号", home_position=(24.4891, 118.1203))
    volunteer = register(record=here)
    first = volunteer.home_place_id
    assert (volunteer.home.address, volunteer.home.position) == ("香莲里9号", [24.4891, 118.1203])

    def change(record):
        commit(
            lambda: operations.change_record(
                volunteer, PERSON, record, row_version=volunteer.row_version,
                person_version=volunteer.person.row_version, by=world.actor("clerk"), now=now,
            )
        )  # fmt: skip

    change(RECORD)
    assert volunteer.home_place_id == first
    change(replace(RECORD, home_position=(24.4899, 118.1203)))
    assert volunteer.home_place_id != first
    assert (volunteer.home.address, volunteer.home.position) == ("香莲里9号", [24.4899, 118.1203])
    assert db.session.get(Place, first) is not None  # what was snapshot from it stays true


def test_of_two_editors_of_an_offer_the_second_is_refused(register, commit, offer, now, world):
    volunteer = register()
    by = world.actor("clerk")
    commit(lambda: operations.change_offer(volunteer, offer, row_version=1, by=by, now=now))
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_offer(volunteer, offer, row_version=1, by=by, now=now))


@pytest.mark.parametrize("field", ["radius_metres", "weekly_minutes"])
def test_an_offer_has_its_bounds(register, commit, offer, now, world, field):
    volunteer = register()
    with pytest.raises(InvalidInput):
        wrong = replace(offer, **{field: 0})
        commit(lambda: operations.change_offer(volunteer, wrong, row_version=1, by=world.actor("clerk"), now=now))


@pytest.mark.parametrize(
    ("first", "last", "day", "status"),
    [
        (TODAY, None, TODAY, "paused"),
        (TODAY, None, TODAY + timedelta(days=300), "paused"),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=4), TODAY + timedelta(days=1), "active"),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=4), TODAY + timedelta(days=4), "paused"),
        (TODAY + timedelta(days=2), TODAY + timedelta(days=4), TODAY + timedelta(days=5), "active"),
    ],
)
def test_a_pause_holds_between_its_days_in_python_and_sql_alike(commit, now, world, first, last, day, status):
    volunteer = db.session.get(Volunteer, world.key("volunteer/zhuang"))
    commit(lambda: operations.pause(volunteer, first, last, by=world.actor("zhuang"), now=now))
    assert queries.status(volunteer, day) == status
    for key in ("active", "paused", "left"):
        found = db.session.scalars(select(Volunteer.id).where(queries.with_status(key, day))).all()
        assert (volunteer.id in found) == (key == status)


def test_a_pause_is_ended_and_not_set_in_the_past(commit, now, world):
    volunteer, by = db.session.get(Volunteer, world.key("volunteer/zhuang")), world.actor("zhuang")
    with pytest.raises(InvalidInput):
        commit(lambda: operations.pause(volunteer, TODAY - timedelta(days=1), None, by=by, now=now))
    commit(lambda: operations.pause(volunteer, TODAY, None, by=by, now=now))
    commit(lambda: operations.resume(volunteer, by=by, now=now))
    assert queries.status(volunteer, TODAY) == "active"
    with pytest.raises(Conflict):
        commit(lambda: operations.resume(volunteer, by=by, now=now))


def test_who_leaves_is_away_from_all_that_lies_ahead_and_may_come_back(register, commit, now, world):
    heard = []
    _effects[AbsenceRecorded].append(("test", heard.append))
    volunteer = register()
    try:
        commit(lambda: operations.leave(volunteer, by=world.actor("clerk"), now=now))
    finally:
        _effects[AbsenceRecorded].pop()
    assert heard[0].starts_at == now
    assert (heard[0].ends_at - now).days > 365
    assert queries.status(volunteer, TODAY) == "left"
    with pytest.raises(Conflict):
        commit(lambda: operations.leave(volunteer, by=world.actor("clerk"), now=now))
    again = register()
    assert (again.id, again.number, again.left_at) == (volunteer.id, "V000001", None)


def test_a_death_ends_the_volunteering(commit, now, world):
    commit(lambda: announce(PersonDied(None, now, world.key("zhuang"), TODAY)))
    assert db.session.get(Volunteer, world.key("volunteer/zhuang")).left_at == now


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"text": "zwb"}, {"zhuang"}),
        ({"text": "XM00002"}, {"ye"}),
        ({"insurance": "none"}, set()),
        ({"area_path": "/1/2/3/5/"}, {"ye"}),
        ({}, {"zhuang", "ye", "hong"}),
    ],
)
def test_volunteers_are_found(ctx, world, filters, found):
    rows = db.session.scalars(queries.find(world.actor("coordinator"), TODAY, **filters)).unique().all()
    assert {row.id for row in rows} == {world.key("volunteer/" + name) for name in found}


def test_volunteers_are_found_by_what_they_do(ctx, world):
    rows = db.session.scalars(queries.find(world.actor("coordinator"), TODAY, service_id=world.key("service/clean")))
    assert [row.id for row in rows.unique()] == [world.key("volunteer/zhuang")]
