"""Two records of one household: found, looked at, merged; nothing is lost, and it can be explained later."""

import threading
from datetime import date

import pytest
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.core.errors import Conflict, DomainError
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households import checks, duplicates, merging, operations, queries
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft, TagDraft
from linkage.households.models import Household, HouseholdMerge, Tag
from linkage.needs.models import Need
from linkage.people import queries as people
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.visits.models import Visit
from tests.visiting import post_for, visits_of

TODAY = date(2026, 11, 24)
NUMBER = "350203194503020029"


def home(world, name="chen"):
    return db.session.get(Household, world.key("household/" + name))


def register(world, now, *, name="陈阿珠", birth=date(1945, 3, 2), telephone=None, id_number=None, tags=("destitute",)):
    """A second record of the same old lady, with a need of its own."""
    draft = HouseholdDraft(
        PlaceDraft(db.session.get(Area, 4), "香莲里27号502"),
        (MemberDraft(PersonDraft(name, birth_date=birth, sex="F", telephone=telephone, id_number=id_number)),),
        tags=tuple(TagDraft(tag, "街道") for tag in tags),
        consents=(ConsentDraft("service", TODAY),),
        number="A777",
    )
    row = operations.register_household(draft, by=world.actor("clerk"), now=now)
    post_for(world, "chen", "clean")
    return row.id


@pytest.fixture
def double(ctx, commit, world, now):
    """The id of a second record of 陈阿珠, with a weekly meal and a missing paper."""

    def make():
        lost = register(world, now)
        row = db.session.get(Household, lost)
        person = row.members[0].person_id
        need = post_for_record(row, person, world)
        assert visits_of(need)
        checks.ask_for_paper(row, "income", date(2026, 12, 24), by=world.actor("clerk"), now=now)
        return lost

    return commit(make)


def post_for_record(row, person, world):
    from_street = post_for.__globals__
    return from_street["post_need"](
        row,
        db.session.get(from_street["Service"], world.key("service/meal")),
        from_street["NeedRequest"](
            person_id=person, starts_on=date(2026, 11, 26), window_start=540, window_end=720, duration_minutes=60
        ),
        by=world.actor("clerk"),
        now=world.NOW,
    )


def merge(world, now, lost, found_by="birth"):
    kept, other = home(world), db.session.get(Household, lost)
    versions = (kept.row_version, other.row_version)
    return merging.merge_households(kept, other, found_by=found_by, versions=versions, by=world.actor("clerk"), now=now)


def test_a_pair_is_found_by_name_and_birth_date_within_ones_scope(double, world):
    (pair,) = duplicates.pairs(world.actor("clerk"), TODAY)
    assert (pair.way, {pair.first.id, pair.second.id}) == ("birth", {double, world.key("household/chen")})
    assert duplicates.pairs(world.actor("clerk2"), TODAY) == []


def test_a_pair_is_found_by_telephone_unless_sex_or_birth_date_speak_against_it(ctx, commit, world, now):
    telephone = home(world).members[0].person.telephone
    commit(lambda: register(world, now, name="陈阿朱", birth=None, telephone=telephone))
    assert [pair.way for pair in duplicates.pairs(world.actor("clerk"), TODAY)] == ["telephone"]
    draft = PersonDraft("陈阿朱", birth_date=date(1970, 1, 1), sex="F", telephone=telephone)
    row = queries.by_number(4, "A777").members[0]
    commit(
        lambda: operations.change_member(row, draft, relation="self", row_version=1, by=world.actor("clerk"), now=now)
    )
    assert duplicates.pairs(world.actor("clerk"), TODAY) == []


def test_two_id_numbers_are_two_people(ctx, commit, world, now):
    def both():
        home(world).members[0].person.id_number = NUMBER
        register(world, now, birth=date(1945, 3, 2), id_number="350203194503020045")

    commit(both)
    assert duplicates.pairs(world.actor("clerk"), TODAY) == []


def test_told_apart_once_they_are_not_shown_again(double, commit, world, now):
    commit(
        lambda: duplicates.tell_apart(home(world), db.session.get(Household, double), by=world.actor("clerk"), now=now)
    )
    assert duplicates.pairs(world.actor("clerk"), TODAY) == []


def test_everything_of_the_lost_record_is_the_kept_ones(double, commit, ctx, world, now):
    commit(lambda: merge(world, now, double))
    kept, lost = home(world), db.session.get(Household, double)
    assert lost.merged_into_id == kept.id and lost.closed_on == TODAY
    for model in (Need, Visit, Tag):
        assert db.session.query(model).filter_by(household_id=double).count() == 0
    assert {need.person_id for need in db.session.query(Need)} == {world.key("chen/head")}
    assert all(visit.place_id == kept.place_id for visit in db.session.query(Visit))
    assert all(visit.cancelled_at is None for visit in db.session.query(Visit))
    assert "destitute" in queries.tag_codes(kept, TODAY) and len(checks.papers_of(kept)) == 1
    assert len(queries.served_members(kept, TODAY)) == 1


def test_people_in_both_records_become_one_who_knows_what_either_knew(ctx, commit, world, now):
    lost = commit(lambda: register(world, now, id_number=NUMBER, tags=()))
    other = db.session.get(Household, lost).members[0].person_id
    commit(lambda: merge(world, now, lost))
    person, double = db.session.get(Person, world.key("chen/head")), db.session.get(Person, other)
    assert double.merged_into_id == person.id and person.id_number == NUMBER == double.id_number
    assert people.find_by_id_number(NUMBER).id == person.id


def test_the_losing_number_still_finds_the_household(double, commit, ctx, world, now, sign_in):
    commit(lambda: merge(world, now, double))
    rows = db.session.scalars(queries.found(world.actor("clerk"), queries.Filters(text="A777"), TODAY)).all()
    assert [row.id for row in rows] == [world.key("household/chen")]
    db.session.rollback()
    answer = sign_in("clerk").get(f"/households/{double}")
    assert answer.status_code == 302 and answer.location.endswith(str(world.key("household/chen")))


def test_a_merge_can_be_explained_later(double, commit, ctx, world, now, sign_in):
    moved = commit(lambda: merge(world, now, double).id)
    row = db.session.get(HouseholdMerge, moved)
    assert len(row.moved["needs"]) == 1 and len(row.moved["tags"]) == 1 and len(row.people) == 1
    url = f"/households/{row.kept_id}/merges/{moved}"
    db.session.rollback()
    assert "A777" in sign_in("clerk").get(url).get_data(as_text=True)


def test_the_last_word_on_consent_holds_whichever_record_it_stands_in(double, commit, ctx, world, now):
    later = now.replace(hour=now.hour + 1)
    commit(
        lambda: operations.withdraw_consent(
            db.session.get(Household, double), "service", by=world.actor("clerk"), now=later
        )
    )
    commit(lambda: merge(world, later, double))
    assert queries.consent_for(home(world), "service", TODAY) is None
    assert all(visit.cancelled_at is not None for visit in db.session.query(Visit))


def test_a_record_that_was_changed_since_is_not_merged(double, commit, ctx, world, now):
    def stale():
        kept, lost = home(world), db.session.get(Household, double)
        merging.merge_households(
            kept, lost, found_by="birth", versions=(kept.row_version, 99), by=world.actor("clerk"), now=now
        )

    with pytest.raises(Conflict):
        commit(stale)


def test_merging_on_the_page(double, ctx, world, sign_in):
    one, two = home(world), db.session.get(Household, double)
    form = {"keep": str(one.id), "version_one": one.row_version, "version_two": two.row_version, "found_by": "birth"}
    url = f"/households/{one.id}/merge/{two.id}"
    db.session.rollback()
    assert sign_in("clerk").get(url).status_code == 200
    assert sign_in("clerk").post(url, data=form).status_code == 303
    assert db.session.query(HouseholdMerge).count() == 1


def test_of_many_merges_and_posts_at_once_one_merge_wins_and_nothing_is_left_behind(any_app, world, now):
    """Both directions at once, and needs posted to the lost record meanwhile."""
    with any_app.app_context():
        lost = unit_of_work(lambda: register(world, now))
        versions = {row.id: row.row_version for row in (home(world), db.session.get(Household, lost))}
        person = db.session.get(Household, lost).members[0].person_id
        db.session.remove()
    clients = 12
    ends, gate = [None] * clients, threading.Barrier(clients)

    def work(number):
        one, two = home(world), db.session.get(Household, lost)
        if number % 3 == 2:
            post_for_record(two, person, world)
            return
        kept, other = (one, two) if number % 3 else (two, one)
        seen = (versions[kept.id], versions[other.id])
        merging.merge_households(kept, other, found_by="birth", versions=seen, by=world.actor("clerk"), now=now)

    def client(number):
        with any_app.app_context():
            gate.wait()
            try:
                unit_of_work(lambda: work(number))
                ends[number] = "won"
            except Exception as error:  # each end is looked at below
                ends[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(end == "won" or isinstance(end, DomainError) for end in ends), ends
    assert sum(end == "won" for number, end in enumerate(ends) if number % 3 != 2) == 1
    with any_app.app_context():
        merged = db.session.scalars(select(HouseholdMerge)).one()
        assert db.session.query(Need).filter_by(household_id=merged.lost_id).count() == 0
        assert db.session.query(Visit).filter_by(household_id=merged.lost_id).count() == 0
        db.session.remove()
