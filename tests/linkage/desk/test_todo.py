import html
import re
from datetime import timedelta

import pytest

from linkage.contracts.models import ContractLine, LineMonth
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.tasks import kinds
from linkage.households.models import Tag
from linkage.services.models import HeldQualification
from linkage.volunteers.models import Volunteer
from tests.visiting import change, post_for, visits_of

TODAY = parse_moment("2026-11-24T12:00").date()
EARLY = parse_moment("2026-11-20T09:00")
COUNT = re.compile(r'class="count[^"]*" href="([^"]+)">\s*(\d+)')


@pytest.fixture
def ending(ctx, world):
    """A carer's paper ends in 5 days, a volunteer's insurance in 25, a household's tag ended yesterday."""

    def do():
        paper = db.session.query(HeldQualification).filter_by(person_id=world.key("wu")).first()
        paper.valid_to = TODAY + timedelta(days=5)
        volunteer = db.session.query(Volunteer).filter_by(person_id=world.key("zhuang")).one()
        volunteer.insured_to = TODAY + timedelta(days=25)
        tag = db.session.query(Tag).filter_by(household_id=world.key("household/chen")).first()
        tag.valid_to = TODAY - timedelta(days=1)

    change(world, do)


def numbers(client, address):
    """Address → number of every count on a page."""
    page = client.get(address).get_data(as_text=True)
    return {html.unescape(link): int(number) for link, number in COUNT.findall(page)}


def rows(client, address):
    return client.get(address).get_data(as_text=True).count('<li class="row')


@pytest.mark.parametrize("who", ["clerk", "coordinator", "manager"])
def test_what_ends_is_counted_by_days_and_each_number_leads_to_its_rows(ending, open_as, who):
    client = open_as(who)
    found = numbers(client, "/expiring")
    assert found and all(rows(client, address) == number for address, number in found.items())


def test_each_role_is_told_of_what_ends_in_its_hands(ending, open_as, words):
    assert "庄文斌" in words(open_as("clerk").get("/todo/volunteers.insurance"))
    assert "陈阿珠" in words(open_as("clerk").get("/todo/households.tags"))
    assert "吴丽珍" in words(open_as("manager").get("/todo/organisations.papers"))
    assert "吴丽珍" not in words(open_as("manager2").get("/todo/organisations.papers"))
    assert open_as("manager").get("/todo/households.tags").headers["Location"] == "/"
    assert "陈" not in words(open_as("clerk2").get("/todo/households.tags"))


def test_many_of_a_kind_are_one_line_that_leads_to_all_of_them(commit, world, open_as, words):
    tomorrow = {"starts_on": TODAY + timedelta(days=1), "by": None, "now": EARLY}
    hours = [{"window_start": 60 * hour, "window_end": 60 * hour + 60} for hour in range(9, 16)]
    commit(lambda: [visits_of(post_for(world, "chen", "clean", **tomorrow, **span)) for span in hours])
    clerk = open_as("clerk")
    first = words(clerk.get("/"))
    assert "2 more" in first and "See all 7" in first
    assert rows(clerk, "/todo/visits.nobody") == 7


def test_a_line_that_is_used_to_95_percent_is_the_buyers_task(ctx, world, open_as, words):
    def use(minutes):
        line = db.session.get(ContractLine, world.key("line/lukang/bath"))
        db.session.query(LineMonth).filter_by(line_id=line.id).delete()
        db.session.add(
            LineMonth(line_id=line.id, month="2026-11", cap=6000, committed=minutes, reserved=0, delivered=0)
        )

    change(world, lambda: use(5640))
    assert "nearly used up" not in words(open_as("coordinator").get("/"))
    change(world, lambda: use(5700))
    page = words(open_as("coordinator").get("/"))
    assert "Raise the cap" in page and "95 %" in page
    assert "Raise the cap" not in words(open_as("manager").get("/"))


def test_every_kind_of_work_can_be_opened_by_those_whom_it_concerns(ctx, world, open_as):
    for who in ("clerk", "operator", "coordinator", "manager", "supervisor"):
        client = open_as(who)
        for kind in kinds(world.actor(who)):
            assert client.get(f"/todo/{kind.name}").status_code == 200, (who, kind.name)
