"""Registering, finding and erasing people."""

import uuid
from datetime import date

import pytest
from sqlalchemy import select

from linkage.core import audit, privacy
from linkage.core.errors import InvalidInput, StaleVersion
from linkage.core.extensions import db
from linkage.core.models import AccessRow, AuditRow
from linkage.core.readings import folded, person_keys
from linkage.core.transactions import unit_of_work
from linkage.people import queries
from linkage.people.erasure import erase
from linkage.people.identity import id_number_fault
from linkage.people.models import Person, PersonKey
from linkage.people.operations import (
    PersonDraft,
    change_person,
    checked,
    find_or_register,
    open_field,
    register_person,
)


@pytest.fixture
def clerk(ctx, world):
    return world.actor("clerk")


@pytest.fixture
def number():
    first = "35020319450302002"
    return next(first + check for check in "0123456789X" if id_number_fault(first + check) is None)


@pytest.fixture
def shan(commit, clerk, now, number):
    draft = PersonDraft("单雅琴", telephone="138 0013 8000", id_number=number, languages=("minnan",))
    return commit(lambda: register_person(draft, by=clerk, now=now))


def found(text):
    return {person.name for person in db.session.scalars(queries.search(select(Person), text))}


def test_birth_date_and_sex_follow_from_the_id_number(shan):
    assert (shan.birth_date, shan.sex) == (date(1945, 3, 2), "F")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"telephone": "123"}, "telephone"),
        ({"id_number": "350203194503020028"}, "id_number"),
        ({"sex": "X", "id_number": None}, "sex"),
        ({"birth_date": date(1946, 3, 2)}, "birth_date"),
        ({"sex": "M"}, "sex"),
        ({"languages": ("klingon",)}, "languages"),
    ],
)
def test_a_wrong_field_is_refused_by_name(ctx, number, change, field):
    values = {"name": "单雅琴", "id_number": number} | change
    with pytest.raises(InvalidInput) as refused:
        checked(PersonDraft(**values))
    assert list(refused.value.errors) == [field]


def test_two_people_never_have_one_id_number(shan, clerk, now, number):
    with pytest.raises(InvalidInput) as refused:
        register_person(PersonDraft("别人", id_number=number), by=clerk, now=now)
    assert refused.value.field == "id_number"


def test_the_same_id_number_and_name_is_the_same_person(shan, clerk, commit, now, number):
    again = commit(lambda: find_or_register(PersonDraft("单雅琴", id_number=number.lower()), by=clerk, now=now))
    assert (again.person.id, again.linked) == (shan.id, False)


def test_the_same_id_number_under_another_name_is_refused(shan, clerk, now, number):
    with pytest.raises(InvalidInput):
        find_or_register(PersonDraft("单雅芹", id_number=number), by=clerk, now=now)


@pytest.mark.parametrize(
    "text", ["雅琴", "单雅", "syq", "dyq", "shanyaqin", "ShanYa", "13800138000", "+86 138 0013 8000", "8000", "0021"]
)
def test_a_person_is_found_by_name_pinyin_initials_and_numbers(shan, number, text):
    assert "单雅琴" in found(text if text != "0021" else number[-4:])


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("单雅琴", "shan dan chan shanyq syq dyq yaqin yq 雅琴 琴"),
        ("解小龙", "xie jie xiexl xxl jxl"),
        ("仇长乐", "qiu chou qiucl ccl qiuzhangle"),
        ("区乐怡", "ou qu ouly qyy ouyueyi"),
        ("欧阳修", "ouyang oyx ouyx yangxiu 阳修 欧阳"),
        ("买买提·阿不都", "买买提阿不都 maimaiti 阿不都"),
        ("Maria Lopez", "maria MariaL lopez"),
    ],
)
def test_every_reading_of_a_name_and_its_parts_is_a_key(name, typed):
    keys = person_keys(name)
    for text in typed.split():
        assert any(key.startswith(folded(text)) for key in keys), text


@pytest.mark.parametrize(
    ("typed", "shown"), [("单", True), ("单**", True), ("s", True), ("单雅", False), ("雅", False)]
)
def test_a_masked_name_confirms_its_first_character_and_no_more(shan, typed, shown):
    rows = db.session.scalars(queries.search(select(Person), typed, masked=True)).all()
    assert ("单雅琴" in {person.name for person in rows}) is shown


@pytest.mark.parametrize("typed", ["00138000", "138000", "38000"])
def test_more_than_the_last_four_figures_find_it_too(shan, typed):
    assert found(typed) == {"单雅琴"}


def test_the_keys_follow_the_name_and_an_erased_person_has_none(any_app, now):
    with any_app.app_context():
        draft = PersonDraft("仇小龙")
        person_id = unit_of_work(lambda: register_person(draft, by=None, now=now).id)
        assert found("qxl") == {"仇小龙"} == found("小龙")
        unit_of_work(lambda: [erase("person", person_id, now), audit.record("x", ("people", ""), by=None, now=now)])
        assert not db.session.scalars(select(PersonKey).where(PersonKey.person_id == person_id)).all()
        db.session.remove()


def test_a_person_is_found_by_the_whole_id_number(shan, number):
    assert found(number) == {"单雅琴"}


@pytest.mark.parametrize("text", ["雅芹", "aqin", "13800138001", "1380013", "%", "_", "|"])
def test_what_does_not_fit_finds_nobody(shan, text):
    assert "单雅琴" not in found(text)


def test_people_of_one_name_and_birth_date_are_possible_duplicates(shan):
    assert [person.id for person in queries.possible_duplicates("单雅琴", date(1945, 3, 2))] == [shan.id]
    assert queries.possible_duplicates("单雅琴", date(1945, 3, 3)) == []
    assert queries.possible_duplicates("单雅琴", date(1945, 3, 2), but=shan.id) == []


def test_a_change_names_its_fields_and_renews_the_search_keys(shan, clerk, commit, now, number):
    draft = PersonDraft("王雅琴", telephone="13800138000", id_number=number, languages=("minnan",))
    person = db.session.get(Person, shan.id)
    assert commit(lambda: change_person(person, draft, row_version=1, by=clerk, now=now)) == ["name"]
    assert (found("wyq"), found("syq")) == ({"王雅琴"}, set())


def test_a_form_opened_before_another_change_is_refused(shan, clerk, now):
    with pytest.raises(StaleVersion):
        change_person(shan, PersonDraft("单雅琴"), row_version=0, by=clerk, now=now)


def test_opening_a_field_leaves_an_audit_row_and_an_access_row_without_the_value(shan, clerk, commit, now):
    person = db.session.get(Person, shan.id)
    assert commit(lambda: open_field(person, "telephone", purpose="contact", by=clerk, now=now)) == "+8613800138000"
    row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).one()
    assert (row.action, row.detail) == ("people.reveal", {"field": "telephone", "purpose": "contact"})
    assert db.session.scalars(select(AccessRow)).one().subject_id == str(shan.id)


def test_an_erased_person_is_found_by_nothing_and_has_no_numbers(shan, commit, now, number):
    def erase():
        audit.record("test.erase", ("people", shan.id), by=None, now=now)
        for erase_in in privacy.erasers().values():
            erase_in("person", shan.id, now)

    commit(erase)
    person = db.session.get(Person, shan.id)
    assert (person.name, person.telephone, person.id_number, person.birth_date) == ("", None, None, None)
    assert found(number) == found("syq") == found("13800138000") == set()


def test_erasing_a_household_touches_no_person(shan, commit, now):
    for erase_in in privacy.erasers().values():
        erase_in("household", uuid.uuid4(), now)
    assert db.session.get(Person, shan.id).name == "单雅琴"
