"""Before saying yes a volunteer learns the community, the work and a coarse distance; after it name and door."""

from datetime import timedelta

import pytest

from linkage.core.extensions import db
from linkage.core.permissions import Actor, may, visible_rows
from linkage.households.models import Household
from linkage.households.permissions import may_see as may_see_household
from linkage.needs.permissions import may_see as may_see_need
from linkage.offers import queries
from linkage.offers.models import Offer
from linkage.visits.models import Visit
from linkage.visits.permissions import may_see as may_see_visit


def seen(world, name, visit, at):
    actor = Actor(world.actor(name).user_id, world.key(name), world.actor(name).grants, at)
    visit = db.session.get(Visit, visit.id)
    home = db.session.get(Household, visit.household_id)
    return [may(actor, right, row) for right, row in (
        (may_see_visit, visit), (may_see_need, visit.need), (may_see_household, home))]  # fmt: skip


def test_an_offer_shows_community_work_and_coarse_distance_only(asking, offer_to, visit, ctx):
    asking("zhuang", on=visit())
    found = queries.preview(offer_to("zhuang"))
    assert (found.community, found.service.code, found.minutes, found.community_metres) == (
        "莲花北社区",
        "meal",
        60,
        100,
    )
    assert not {"visit", "household", "address", "person", "place"} & set(type(found).__dataclass_fields__)


def test_the_distance_is_to_the_communitys_centre_and_never_to_the_home(asking, offer_to, visit, world, ctx):
    asking("ye", on=visit("lin"))
    asking("ye", on=visit("chen"), hour="10:30")
    metres = {queries.preview(offer).community_metres for offer in queries.open_offers_of(world.key("ye"))}
    assert len(metres) == 1  # two homes of one community look alike


def test_a_volunteer_who_is_only_asked_sees_neither_visit_nor_household(asking, visit, world, now):
    target = visit()
    asking("zhuang", on=target)
    assert seen(world, "zhuang", target, now) == [False, False, False]


def test_after_yes_everything_opens_until_two_hours_after_the_end(asking, say, visit, world, now, at):
    target = visit()
    asking("zhuang", on=target)
    say("zhuang", "accept")
    for moment, expected in ((now, True), (at("10:30"), True), (at("12:00"), True), (at("12:01"), False)):
        assert seen(world, "zhuang", target, moment) == [expected] * 3, moment
    assert seen(world, "ye", target, now) == [False] * 3


def test_an_organisation_sees_where_its_people_are_booked_and_nowhere_else(asking, visit, world, now, tick):
    target = visit()
    asking("zhuang", fallback="wu", on=target)
    assert seen(world, "manager", target, now) == [False] * 3
    tick(now + timedelta(minutes=240))
    assert seen(world, "manager", target, now) == [True] * 3
    assert seen(world, "manager2", target, now) == [False] * 3


@pytest.mark.parametrize(("who", "count"), [("zhuang", 1), ("ye", 0), ("clerk", 2), ("clerk2", 0), ("coordinator", 2),
                                            ("stranger", 0), ("wu", 0), ("chen_home", 0)])  # fmt: skip
def test_who_sees_offers(asking, visit, world, who, count):
    asking("zhuang", on=visit())
    asking("hong", on=visit("chen"))
    assert len(db.session.scalars(visible_rows(world.actor(who), Offer)).all()) == count
