"""Organisations and their carers: registering, employing, absences, the end of an employment."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.events import AbsenceRecorded, PersonDied, _effects, announce
from linkage.core.extensions import db
from linkage.organisations import operations, queries
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.operations import EmploymentDraft, OrganisationDraft
from linkage.people.models import Person, WorkException
from linkage.people.operations import PersonDraft
from linkage.services.models import HeldQualification

TODAY = date(2026, 11, 24)
ID_NUMBER = "350203198503070024"


@pytest.fixture
def draft():
    return OrganisationDraft(
        name="莲心社会工作服务中心", short_name="莲心社工", uscc="52350203MJY012345B", area_id=3,
        rating="3A", rating_valid_to=date(2028, 5, 1),
    )  # fmt: skip


@pytest.fixture
def terms():
    return EmploymentDraft(kind="carer", weekly_minutes=2400, travel_mode="ebike", valid_from=TODAY)


@pytest.fixture
def lukang(ctx, world):
    return db.session.get(Organisation, world.key("lukang"))


def test_an_organisation_is_registered_with_its_credit_code(commit, draft, now, world):
    commit(lambda: operations.register_organisation(draft, by=world.actor("coordinator"), now=now))
    assert queries.by_uscc("52350203MJY012345B").short_name == "莲心社工"


def test_a_mistyped_credit_code_is_refused_at_its_field(commit, draft, now, world):
    wrong = replace(draft, uscc="52350203MJY012345C")
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.register_organisation(wrong, by=world.actor("coordinator"), now=now))
    assert refusal.value.field == "uscc"


def test_one_credit_code_stands_for_one_organisation(commit, draft, now, world):
    commit(lambda: operations.register_organisation(draft, by=world.actor("coordinator"), now=now))
    with pytest.raises(InvalidInput):
        commit(lambda: operations.register_organisation(draft, by=world.actor("admin"), now=now))


def test_nobody_registers_an_organisation_outside_of_the_own_area(commit, draft, now, world):
    elsewhere = replace(draft, area_id=6)
    with pytest.raises(NotAllowed):
        commit(lambda: operations.register_organisation(elsewhere, by=world.actor("coordinator"), now=now))


def test_a_rating_needs_its_date(commit, draft, now, world):
    with pytest.raises(InvalidInput) as refusal:
        undated = replace(draft, rating_valid_to=None)
        commit(lambda: operations.register_organisation(undated, by=world.actor("admin"), now=now))
    assert refusal.value.field == "rating_valid_to"


def test_of_two_editors_of_an_organisation_the_second_is_refused(commit, draft, lukang, now, world):
    by = world.actor("manager")
    commit(lambda: operations.change_organisation(lukang, draft, row_version=1, by=by, now=now))
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_organisation(lukang, draft, row_version=1, by=by, now=now))


def test_a_carer_is_found_by_id_number_instead_of_entered_twice(commit, lukang, terms, now, world):
    manager, other = world.actor("manager"), world.actor("manager2")
    jiahe = db.session.get(Organisation, world.key("jiahe"))
    person = PersonDraft(name="林小红", id_number=ID_NUMBER, telephone="13900001111")
    first = commit(lambda: operations.employ(lukang, person, terms, by=manager, now=now))
    second = commit(lambda: operations.employ(jiahe, person, terms, by=other, now=now))
    assert first.person_id == second.person_id
    assert first.person.birth_date == date(1985, 3, 7)


def test_nobody_is_employed_twice_at_once_by_one_organisation(commit, lukang, terms, now, world):
    person = PersonDraft(name="林小红", id_number=ID_NUMBER)
    by = world.actor("manager")
    commit(lambda: operations.employ(lukang, person, replace(terms, valid_to=TODAY), by=by, now=now))
    with pytest.raises(InvalidInput):
        commit(lambda: operations.employ(lukang, person, terms, by=by, now=now))
    again = replace(terms, valid_from=TODAY + timedelta(days=1))
    assert commit(lambda: operations.employ(lukang, person, again, by=by, now=now)).valid_from == again.valid_from


def test_a_child_is_not_employed(commit, lukang, terms, now, world):
    person = PersonDraft(name="林小小", birth_date=date(2012, 1, 1))
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.employ(lukang, person, terms, by=world.actor("manager"), now=now))
    assert refusal.value.field == "birth_date"


def test_an_absence_is_announced_with_its_hours(commit, now, world):
    heard = []
    _effects[AbsenceRecorded].append(("test", heard.append))
    try:
        carer = db.session.get(Carer, world.key("carer/wu"))
        commit(
            lambda: operations.report_absence(
                carer, first=TODAY, last=None, start=time(13), end=time(17), reason="ill",
                by=world.actor("manager"), now=now,
            )
        )  # fmt: skip
    finally:
        _effects[AbsenceRecorded].pop()
    assert [(event.person_id, event.ends_at - event.starts_at) for event in heard] == [
        (world.key("wu"), timedelta(hours=4))
    ]
    assert db.session.scalars(select(WorkException)).one().reason == "ill"


def test_a_past_absence_is_not_entered(commit, now, world):
    carer = db.session.get(Carer, world.key("carer/wu"))
    with pytest.raises(InvalidInput):
        commit(
            lambda: operations.report_absence(
                carer, first=date(2026, 11, 20), last=None, start=None, end=None, reason="ill",
                by=world.actor("manager"), now=now,
            )
        )  # fmt: skip


def test_a_death_ends_the_employment(commit, now, world):
    commit(lambda: announce(PersonDied(None, now, world.key("wu"), TODAY)))
    assert db.session.get(Carer, world.key("carer/wu")).valid_to == TODAY


def test_an_organisation_closes_when_nobody_works_there_any_more(commit, lukang, terms, now, world):
    by = world.actor("admin")
    with pytest.raises(Conflict):
        commit(lambda: operations.close_organisation(lukang, on=TODAY, by=by, now=now))
    for name in ("wu", "xu"):
        commit(lambda name=name: operations.end_employments(world.key(name), TODAY, by=None, now=now))
    commit(lambda: operations.close_organisation(lukang, on=TODAY, by=by, now=now))
    assert lukang.closed_on == TODAY
    with pytest.raises(Conflict):
        person = PersonDraft(name="林小红", id_number=ID_NUMBER)
        commit(lambda: operations.employ(lukang, person, terms, by=by, now=now))


def test_what_ends_soon_is_counted_until_it_is_renewed(commit, now, world):
    def hold(last):
        db.session.add(
            HeldQualification(
                person_id=world.key("guo"),
                code="care_worker",
                valid_from=date(2024, 1, 1),
                valid_to=last,
                created_at=now,
            )
        )
        from_test(now)

    commit(lambda: hold(TODAY + timedelta(days=20)))
    actor = world.actor("coordinator")
    assert queries.expiring_counts(actor, TODAY) == {90: 1, 60: 1, 30: 1, 7: 0}
    assert queries.papers_of([world.key("guo")], TODAY)[world.key("guo")].state == "expiring"
    commit(lambda: hold(TODAY + timedelta(days=700)))
    assert queries.expiring_counts(actor, TODAY)[90] == 0
    assert queries.papers_of([world.key("guo")], TODAY)[world.key("guo")].state == "valid"


def from_test(now):
    operations.audit.record("test.hold", ("street", "3"), by=None, now=now)


def test_a_search_finds_by_name_initials_and_telephone(ctx, world):
    actor = world.actor("manager")
    telephone = db.session.get(Person, world.key("wu")).telephone
    for text in ("丽珍", "wlz", telephone, telephone[-4:]):
        found = db.session.scalars(queries.find_carers(actor, TODAY, text=text)).all()
        assert world.key("carer/wu") in {carer.id for carer in found}, text
    assert queries.count(queries.find_carers(actor, TODAY, text="guo")) == 0  # 郭建明 works for the other one
