import html
import re
from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import select

from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.desk import checks, coverage, finding
from linkage.households.models import Household
from linkage.planning.models import Plan
from linkage.visits.models import Assignment
from tests.visiting import book_for, change, post_for, visits_of

EARLY = parse_moment("2026-11-20T09:00")


@pytest.fixture
def visit(ctx, commit, world):
    """``visit("chen", "meal")``: Thursday's visit, for which there is nobody yet."""

    def make(household="chen", service="meal", **values):
        return commit(lambda: visits_of(post_for(world, household, service, now=EARLY, **values))[0].id)

    return make


def test_the_supervisors_table_counts_each_visit_once_and_puts_the_worst_community_first(visit, world, now):
    for _ in range(2):
        visit("huang", "clean")
    visit("chen", "clean")
    day = parse_moment("2026-11-26T12:00").date()
    (street,) = coverage.table(world.actor("supervisor"), day, day, now)
    assert [(line.area.name, line.visits, line.trouble) for line in street.communities] == [
        ("盈翠社区", 2, 2),
        ("莲花北社区", 1, 1),
    ]
    assert coverage.table(world.actor("stranger"), day, day, now) == []


def test_the_supervisors_numbers_lead_to_exactly_their_rows(visit, open_as, words):
    visit("huang", "clean")
    supervisor = open_as("supervisor")
    page = supervisor.get("/?span=week").get_data(as_text=True)
    links = [html.unescape(link) for link in re.findall(r'class="count[^"]*" href="([^"]+)"', page)]
    assert links
    for link in links:
        assert "黄**" in words(supervisor.get(link))


def test_a_manager_sees_the_own_staff_their_week_and_the_gaps(visit, open_as, words, commit, world):
    bath = visit("chen", "bath", people=2)

    def book():
        first = db.session.get_one(finding.Visit, bath).slots[0].id
        book_for(world, "wu", first, "2026-11-26T09:00", now=EARLY, line="lukang/bath")

    commit(book)
    page = words(open_as("manager").get("/"))
    assert "1 thing to settle this week" in page and "吴丽珍" in page and "郭建明" not in page
    assert "99 h left" in page


def test_the_administrator_sees_the_first_failing_check(open_as, words, now, ctx):
    page = words(open_as("admin").get("/"))
    with current_app.test_request_context():
        states = [check.state for check in checks.all_checks(now)]
    assert states == sorted(states, key=("failed", "warning", "passed").index)
    assert "First:" in page and "has never run" in page  # no worker runs beside a test


def test_for_a_visit_with_nobody_the_people_who_can_come_are_shown_and_booked(visit, open_as, words, ctx):
    bath = visit("lin", "bath")
    clerk = open_as("clerk")
    page = clerk.get(f"/visits/{bath}/who").get_data(as_text=True)
    key = html.unescape(re.search(r'name="choice" value="([^"]+)"', page).group(1))
    assert "Arrange this" in page
    assert clerk.post(f"/visits/{bath}/who", data={"choice": key}).status_code == 303
    booked = db.session.scalars(select(Assignment)).one()
    assert str(booked.person_id) in key
    assert clerk.post(f"/visits/{bath}/who", data={"choice": key}).status_code == 409
    assert "Somebody is arranged or asked" in words(clerk.get(f"/visits/{bath}/who"))


def test_finding_somebody_needs_the_right_in_that_area(visit, open_as):
    bath = visit("lin", "bath")
    assert open_as("clerk2").get(f"/visits/{bath}/who").status_code == 404
    assert open_as("supervisor").get(f"/visits/{bath}/who").status_code == 403


def test_the_operator_finds_a_caller_by_telephone_with_what_is_open(visit, open_as, words, world, ctx):
    visit("chen", "meal")
    operator = open_as("operator")
    telephone = db.session.get(Household, world.key("household/chen")).members[0].person.telephone
    page = words(operator.get("/calls/find", query_string={"q": telephone}))
    assert "陈阿珠" in page and "1 open need" in page


def test_the_operator_reads_out_who_comes(visit, commit, world, open_as, words):
    meal, home = visit("chen", "meal", duration_minutes=30), f"/households/{world.key('household/chen')}"
    operator, clerk = open_as("operator"), open_as("clerk")
    assert "Meal delivery: we are still looking for somebody." in words(operator.get(home))
    slot = db.session.get_one(finding.Visit, meal).slots[0].id
    commit(lambda: book_for(world, "zhuang", slot, "2026-11-26T11:30", hours=0.5))
    assert "half past eleven in the morning 庄文斌 comes: Meal delivery." in words(operator.get(home))
    assert "Read this out" not in words(clerk.get(home))


def test_the_coordinator_is_told_that_the_week_has_no_plan_yet(open_as, words):
    assert "This week has no plan yet" in words(open_as("coordinator").get("/"))


def test_the_visits_own_page_leads_to_finding_somebody(visit, open_as):
    meal = visit("chen", "meal")
    assert f"/visits/{meal}/who" in open_as("clerk").get(f"/visits/{meal}").get_data(as_text=True)
    assert f"/visits/{meal}/who" not in open_as("supervisor").get(f"/visits/{meal}").get_data(as_text=True)


def test_the_coordinator_sees_the_line_of_truth_of_this_weeks_plan(visit, open_as, words, world, now):
    visit("chen", "meal")
    day = parse_moment("2026-11-23T12:00").date()
    week = {"first_day": day, "last_day": day + timedelta(days=6), "solved_from": now, "created_at": now}
    empty = {"summary": {}, "objective": {}, "curve": [], "surrogates": {}, "expires_at": now}
    change(world, lambda: db.session.add(Plan(area_id=3, number=1, **week, **empty)))
    page = words(open_as("coordinator").get("/"))
    assert "1 visit: 1 without anyone" in re.sub(r"\s+", " ", page)
