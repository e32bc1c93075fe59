"""Households over time: who dies or leaves, consent that is taken back, papers that come later, support that tapers."""

from datetime import date, timedelta

import pytest

from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.households import checks, due, operations, queries
from linkage.households.drafts import MemberDraft, TagDraft
from linkage.households.models import Household, Paper
from linkage.needs.models import Need
from linkage.people.operations import PersonDraft
from linkage.visits.models import Visit
from tests.visiting import book_for, change, post_for, visits_of

TODAY = date(2026, 11, 24)


def home(world, name="chen"):
    return db.session.get(Household, world.key("household/" + name))


def weekly(world, household="chen", **values):
    return post_for(
        world,
        household,
        "meal",
        recurrence="FREQ=WEEKLY",
        starts_on=TODAY,
        window_start=13 * 60,
        window_end=18 * 60,
        duration_minutes=30,
        **values,
    )


def standing(world, household="chen"):
    rows = db.session.query(Visit).filter_by(household_id=world.key("household/" + household))
    return [visit.day for visit in rows.order_by(Visit.day) if visit.cancelled_at is None]


@pytest.fixture
def booked(ctx, commit, world):
    """A weekly meal at 陈阿珠's; next week's with 庄文斌."""
    need = commit(lambda: weekly(world).id)

    def book():
        visit = visits_of(db.session.get(Need, need))[1]
        book_for(world, "zhuang", visit.slots[0].id, "2026-12-01T14:00", hours=0.5)

    commit(book)
    return need


def kinds_told(world, name):
    return {row.kind for row in db.session.query(OutboxRow).filter_by(person_id=world.key(name))}


def test_after_a_death_nothing_is_planned_people_are_told_and_nothing_is_lost(booked, commit, ctx, world, now):
    def die():
        head = home(world).members[0].person
        operations.record_death(head, home(world), on=TODAY, by=world.actor("clerk2"), now=now)

    commit(die)
    assert standing(world) == []
    assert db.session.query(Visit).filter_by(need_id=booked).count() == 5  # kept, each with its reason
    assert "visits.released" in kinds_told(world, "zhuang") and "needs.ended" in kinds_told(world, "clerk")
    with pytest.raises(InvalidInput):
        commit(lambda: weekly(world))


def test_one_of_two_dies_and_the_others_visits_stay(booked, commit, ctx, world, now):
    def live_together():
        draft = MemberDraft(PersonDraft("陈老伴", birth_date=date(1944, 1, 1), sex="M"), "spouse")
        member = operations.add_member(home(world), draft, by=world.actor("clerk"), now=now)
        post_for(world, "chen", "clean", person_id=member.person_id)
        return member.person_id

    spouse = commit(live_together)
    commit(
        lambda: operations.record_death(
            home(world).members[0].person, home(world), on=TODAY, by=world.actor("clerk"), now=now
        )
    )
    left = db.session.query(Visit).filter_by(person_id=spouse).all()
    assert left and all(visit.cancelled_at is None for visit in left) and home(world).closed_on is None


def test_who_leaves_is_not_visited_from_the_next_day_on(booked, commit, ctx, world, now):
    def leave():
        draft = MemberDraft(PersonDraft("陈老伴", birth_date=date(1944, 1, 1), sex="M"), "spouse")
        operations.add_member(home(world), draft, by=world.actor("clerk"), now=now)
        operations.end_membership(home(world).members[0], by=world.actor("clerk"), now=now)

    commit(leave)
    assert standing(world) == [TODAY]
    assert db.session.get(Need, booked).withdrawn_reason == "moved"
    assert "visits.released" in kinds_told(world, "zhuang")


def test_withdrawn_consent_stops_planning_and_the_page_says_so(booked, commit, ctx, world, now, sign_in):
    commit(lambda: operations.withdraw_consent(home(world), "service", by=world.actor("clerk"), now=now))
    assert standing(world) == []
    assert queries.withdrawn_at(home(world), "service", TODAY) == now
    db.session.rollback()
    client = sign_in("clerk")
    client.set_cookie("lang", "en")
    page = client.get(f"/households/{world.key('household/chen')}").get_data(as_text=True)
    assert "withdrew its consent on" in page and "Record a new consent" in page


def test_consent_is_kept_by_purpose_with_the_version_of_its_text(ctx, world):
    assert {row.purpose: row.text_version for row in home(world).consents} == dict.fromkeys(
        ("service", "health", "volunteers"), "2026-11"
    )


def test_a_tag_of_one_person_entitles_nobody_else(commit, ctx, world, now):
    def two():
        draft = MemberDraft(PersonDraft("陈老伴", birth_date=date(1944, 1, 1), sex="M"), "spouse")
        member = operations.add_member(home(world), draft, by=world.actor("clerk"), now=now)
        operations.add_tag(home(world), TagDraft("destitute", "单人保", member=1), by=world.actor("clerk"), now=now)
        return member.person_id

    spouse = commit(two)
    assert "destitute" in due.entitling_codes(home(world), TODAY, spouse)
    assert "destitute" not in due.entitling_codes(home(world), TODAY, world.key("chen/head"))


def test_a_missing_paper_never_stops_the_service(commit, ctx, world, now):
    paper = commit(lambda: checks.ask_for_paper(home(world), "disability", TODAY, by=world.actor("clerk"), now=now).id)
    later = now + timedelta(days=20)
    assert due.count(world.actor("clerk", later), "papers", later) == 1
    assert due.paper_note(home(world), TODAY + timedelta(days=20)).days == -20
    assert queries.may_be_served(home(world), TODAY + timedelta(days=20))
    commit(lambda: post_for(world, "chen", "meal", starts_on=TODAY + timedelta(days=21), now=later))
    row = lambda: db.session.get(Paper, paper)  # noqa: E731
    commit(lambda: checks.postpone_paper(row(), home(world), date(2027, 1, 31), by=world.actor("clerk"), now=later))
    assert (row().first_due_on, row().due_on) == (TODAY, date(2027, 1, 31))
    commit(lambda: checks.settle_paper(row(), home(world), came=True, by=world.actor("clerk"), now=later))
    assert due.paper_note(home(world), TODAY) is None
    with pytest.raises(Conflict):
        commit(lambda: checks.settle_paper(row(), home(world), came=False, by=world.actor("clerk"), now=later))


def test_support_goes_on_for_six_months_after_eligibility_ends_then_a_review_is_due(commit, ctx, world, now):
    def end():
        tag = home(world, "lin").tags[0]
        operations.change_tag(
            tag,
            home(world, "lin"),
            source="复核",
            valid_from=tag.valid_from,
            valid_to=date(2026, 10, 31),
            by=world.actor("clerk"),
            now=now,
        )

    commit(end)
    assert due.taper_of(home(world, "lin"), TODAY).until == date(2027, 5, 2)
    assert due.entitling_codes(home(world, "lin"), TODAY) == {"minimum_living"}
    assert due.entitling_codes(home(world, "lin"), date(2027, 5, 3)) == set()
    assert due.count(world.actor("clerk"), "taper", now) == 0
    april = now + timedelta(days=150)
    assert due.count(world.actor("clerk", april), "taper", april) == 1
    again = TagDraft("minimum_living", "再次认定", valid_from=date(2027, 1, 1))
    commit(lambda: operations.add_tag(home(world, "lin"), again, by=world.actor("clerk"), now=now))
    assert due.taper_of(home(world, "lin"), date(2027, 1, 1)) is None


@pytest.mark.parametrize(("days", "kinds"), [(5, 4), (20, 3), (45, 2), (80, 1), (100, 0)])
def test_a_tag_that_ends_is_told_90_60_30_and_7_days_before(ctx, world, now, days, kinds):
    change(world, lambda: setattr(home(world, "lin").tags[0], "valid_to", TODAY + timedelta(days=days)))
    counts = [due.count(world.actor("clerk"), kind, now) for kind in ("tags7", "tags30", "tags60", "tags90")]
    assert counts == [0] * (4 - kinds) + [1] * kinds


def test_three_addresses_stand_side_by_side(commit, ctx, world, now, sign_in):
    def fill():
        row = home(world)
        operations.change_household(
            row,
            row_version=row.row_version,
            by=world.actor("clerk"),
            now=now,
            registered_address="泉州市安溪县",
            usual_address="漳州市龙文区",
        )

    commit(fill)
    assert b"\xe9\xbe\x99\xe6\x96\x87" not in home(world).usual_address_sealed
    db.session.rollback()
    page = sign_in("clerk").get(f"/households/{world.key('household/chen')}").get_data(as_text=True)
    assert all(place in page for place in ("泉州市安溪县", "漳州市龙文区", "香莲里27号"))
