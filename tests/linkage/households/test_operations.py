from datetime import date, timedelta

import pytest
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.events import ConsentWithdrawn, HouseholdMoved, _effects, effect
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.permissions import visible_rows
from linkage.households import operations, queries
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft, TagDraft
from linkage.households.erasure import erase
from linkage.households.models import Household, Tag
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.people.queries import find_by_id_number

ID_NUMBER = "350203194510120028"


def member(name, relation="self", **facts):
    return MemberDraft(PersonDraft(name, **facts), relation)


def draft(area_id=4, **values):
    place = PlaceDraft(db.session.get(Area, area_id), "香莲里31号204室", "门铃坏了")
    members = (member("郑桂花", sex="F", birth_date=date(1945, 10, 12), id_number=ID_NUMBER, telephone="13850012217"),)
    return HouseholdDraft(**{"place": place, "members": members, **values})


@pytest.fixture
def registered(commit, world, now):
    """``registered(**values)``: a household that was registered by the clerk."""

    def register(**values):
        return commit(lambda: operations.register_household(draft(**values), by=world.actor("clerk"), now=now))

    return register


@pytest.fixture
def heard():
    """The events of these kinds that were announced."""
    kinds, events = (ConsentWithdrawn, HouseholdMoved), []
    for kind in kinds:
        effect(kind, "test")(events.append)
    yield events
    for kind in kinds:
        _effects[kind][:] = [entry for entry in _effects[kind] if entry[0] != "test"]


def chen(world):
    return db.session.get(Household, world.key("household/chen"))


def test_a_registered_household_has_number_door_code_password_and_an_audit_row(registered, ctx):
    household = registered()
    assert household.number == "0001"
    assert household.door_code.isdigit() and len(household.door_code) == 4
    assert household.password in operations.PASSWORDS
    assert household.place.is_approximate
    row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).one()
    assert row.action == "households.register" and "郑" not in str(row.detail)


def test_a_number_is_unique_in_its_community_only(registered):
    with pytest.raises(InvalidInput) as refused:
        registered(number="A001")
    assert refused.value.field == "number"
    assert registered(number="B001").number == "B001"


def test_an_automatic_number_steps_over_one_that_was_given(registered, commit, world, now):
    registered(number="0001")
    members = (member("林小英"),)
    second = commit(lambda: operations.register_household(draft(members=members), by=world.actor("clerk"), now=now))
    assert second.number == "0002"


def test_one_human_being_is_one_person_and_lives_in_one_household(registered, commit, world, now):
    registered()
    with pytest.raises(operations.MemberRefused):
        registered()
    contact = (member("林丽"), member("郑桂花", relation="contact", id_number=ID_NUMBER))
    second = registered(members=contact)
    assert second.members[1].person.id == find_by_id_number(ID_NUMBER).id


def test_an_id_number_with_another_name_is_refused(registered):
    registered()
    with pytest.raises(operations.MemberRefused):
        registered(members=(member("郑贵花", id_number=ID_NUMBER),))


def test_a_household_of_contacts_only_is_refused(registered):
    with pytest.raises(InvalidInput):
        registered(members=(member("林丽", relation="contact"),))


def test_a_household_may_be_served_with_a_valid_consent_only(registered, commit, world, now):
    household, today = registered(), local_date(now)
    assert queries.unservable_reason(household, today) == "consent"
    until = ConsentDraft("service", today, today + timedelta(days=30))
    commit(lambda: operations.record_consent(household, until, by=world.actor("clerk"), now=now))
    assert queries.may_be_served(household, today + timedelta(days=30))
    assert queries.unservable_reason(household, today + timedelta(days=31)) == "consent"
    assert not queries.may_be_served(household, today, "health")


@pytest.mark.parametrize("days", [-1, 0, 30, 31])
def test_the_consent_of_a_list_and_of_a_page_agree(registered, days, now, ctx):
    today = local_date(now)
    household = registered(consents=(ConsentDraft("service", today, today + timedelta(days=30)),))
    day = today + timedelta(days=days)
    rows = db.session.scalars(select(Household.id).where(queries.has_consent("service", day))).all()
    assert (household.id in rows) == (queries.consent_for(household, "service", day) is not None)


def test_withdrawing_consent_is_announced_and_holds_at_once(heard, commit, world, now):
    home = chen(world)
    commit(lambda: operations.withdraw_consent(home, "service", by=world.actor("clerk"), now=now))
    assert [(event.household_id, event.purpose) for event in heard] == [(home.id, "service")]
    assert queries.unservable_reason(home, local_date(now)) == "consent"
    with pytest.raises(Conflict):
        commit(lambda: operations.withdraw_consent(home, "service", by=world.actor("clerk"), now=now))


def test_a_tag_needs_dates_that_do_not_overlap_its_like(commit, world, now):
    home, by = chen(world), world.actor("clerk")
    with pytest.raises(InvalidInput):
        commit(lambda: operations.add_tag(home, TagDraft("aged_80"), by=by, now=now))
    with pytest.raises(InvalidInput):
        early = TagDraft("destitute", valid_from=date(2026, 5, 2), valid_to=date(2026, 5, 1))
        commit(lambda: operations.add_tag(home, early, by=by, now=now))
    commit(lambda: operations.add_tag(home, TagDraft("destitute", valid_to=date(2027, 5, 1)), by=by, now=now))
    assert "destitute" in queries.tag_codes(home, date(2027, 5, 1))
    assert "destitute" not in queries.tag_codes(home, date(2027, 5, 2))


def test_moving_keeps_the_old_address_and_its_dates(heard, commit, world, now):
    home, by = chen(world), world.actor("clerk")
    old = home.place_id
    new = PlaceDraft(db.session.get(Area, 5), "盈翠里9号401室", position=(24.484, 118.125))
    commit(lambda: operations.move_household(home, new, row_version=home.row_version, by=by, now=now))
    first, second = queries.residences(home)
    assert (first.place_id, first.valid_to) == (old, date(2026, 11, 23))
    assert (second.place_id, second.valid_from, second.valid_to) == (home.place_id, date(2026, 11, 24), None)
    assert (home.area_id, home.number, home.place.address) == (5, "A001", "盈翠里9号401室")
    assert [type(event) for event in heard] == [HouseholdMoved]


def test_an_edit_on_an_older_version_is_refused(commit, world, now):
    home, by = chen(world), world.actor("clerk")
    seen = home.row_version
    commit(lambda: operations.change_household(home, row_version=seen, by=by, now=now, hazard="门槛高"))
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_household(home, row_version=seen, by=by, now=now, hazard="狗"))
    assert chen(world).hazard == "门槛高"


def test_a_death_closes_the_household_where_nobody_is_left(heard, commit, world, now):
    home = chen(world)
    person = home.members[0].person
    commit(lambda: operations.record_death(person, home, on=date(2026, 11, 24), by=world.actor("clerk"), now=now))
    assert home.closed_on == date(2026, 11, 24)
    assert queries.unservable_reason(home, date(2026, 11, 24)) == "closed"
    assert [event.household_id for event in heard] == [home.id]


def test_a_death_leaves_a_household_open_where_somebody_lives_on(commit, world, now):
    home, by = chen(world), world.actor("clerk")
    person = home.members[0].person
    commit(lambda: operations.add_member(home, member("陈水生", relation="spouse"), by=by, now=now))
    commit(lambda: operations.record_death(person, home, on=date(2026, 11, 24), by=by, now=now))
    assert home.closed_on is None
    assert [m.person.name for m in queries.served_members(home, date(2026, 11, 25))] == ["陈水生"]


def test_the_last_one_who_lives_there_cannot_be_taken_out(commit, world, now):
    with pytest.raises(Conflict):
        commit(lambda: operations.end_membership(chen(world).members[0], by=world.actor("clerk"), now=now))


def test_an_erased_household_reads_as_nothing(commit, world, now):
    home = chen(world)

    def forget():
        erase("household", home.id, now)
        audit.record("test.erase", home, by=None, now=now)

    commit(forget)
    db.session.expire_all()
    home = chen(world)
    assert (home.health, home.place.address, home.door_code) == (None, None, None)
    assert {tag.source for tag in db.session.scalars(select(Tag).where(Tag.household_id == home.id))} == {""}


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("clerk", {"A001", "A002"}),
        ("clerk2", {"B001"}),
        ("stranger", {"C001"}),
        ("coordinator", {"A001", "A002", "B001"}),
        ("operator", {"A001", "A002", "B001", "C001"}),
        ("supervisor", {"A001", "A002", "B001", "C001"}),
        ("chen_home", {"A001"}),
        ("admin", set()),
    ],
)
def test_each_role_sees_the_households_of_its_scope(ctx, world, who, sees):
    assert {row.number for row in db.session.scalars(visible_rows(world.actor(who), Household))} == sees


def test_sensitive_facts_are_not_in_the_database_file_in_clear(registered, ctx):
    registered(health="癫痫病史", hazard="有大狗", password="金门菜刀")
    db.session.remove()
    folder = ctx.config["SETTINGS"].data_dir
    stored = b"".join(path.read_bytes() for path in folder.glob("linkage.db*"))
    for secret in (ID_NUMBER, "13850012217", "香莲里31号204室", "癫痫病史", "有大狗", "金门菜刀"):
        assert secret.encode() not in stored
    assert "郑桂花".encode() in stored
    assert db.session.scalars(select(Person).where(Person.name == "郑桂花")).one().id_number == ID_NUMBER
