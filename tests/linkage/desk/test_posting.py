import html
import re

import pytest
from sqlalchemy import select

from linkage.core.extensions import db
from linkage.needs.models import Need
from linkage.visits.models import Assignment
from tests.visiting import post_for


@pytest.fixture
def sent(world):
    """What the form sends for a bath at 陈阿珠's on Thursday."""
    return {
        "household": str(world.key("household/chen")),
        "service": str(world.key("service/bath")),
        "repeats": "once",
        "starts_on": "2026-11-26",
        "from": "09:00",
        "to": "12:00",
        "channel": "counter",
    }


def needs():
    return db.session.scalars(select(Need).order_by(Need.number)).all()


@pytest.mark.parametrize("typed", ["陈阿珠", "caz", "A001"])
def test_the_household_is_found_while_typing(open_as, words, world, typed):
    page = open_as("clerk").get("/needs/new/find", query_string={"q": typed})
    assert "陈阿珠" in words(page) and "林秀英" not in words(page)
    assert f"household={world.key('household/chen')}" in page.get_data(as_text=True)


def test_a_household_of_another_street_is_neither_found_nor_posted_for(open_as, words, sent, ctx):
    stranger = open_as("stranger")
    assert "Nobody found" in words(stranger.get("/needs/new/find", query_string={"q": "陈阿珠"}))
    assert stranger.post("/needs/new", data=sent).status_code == 422
    assert needs() == []


def test_a_need_is_posted_with_what_the_service_takes_where_nothing_else_is_said(open_as, sent, ctx, world):
    assert open_as("clerk").post("/needs/new", data=sent).status_code == 303
    (need,) = needs()
    assert (need.duration_minutes, need.people) == (60, 2)  # severely impaired: two people go without being ticked
    assert need.posted_by == world.key("user/clerk")


def test_wishes_become_firm_only_where_it_is_ticked(open_as, sent, ctx):
    open_as("clerk").post("/needs/new", data=sent | {"wishes": ["F", "minnan"], "must": "1"})
    assert needs()[0].wishes == {"gender": "F", "gender_hard": True, "language": "minnan", "language_hard": True}


def test_a_weekly_need_repeats_on_the_chosen_days(open_as, sent, ctx):
    open_as("clerk").post("/needs/new", data=sent | {"repeats": "weekly", "days": ["1", "3"]})
    assert needs()[0].recurrence == "FREQ=WEEKLY;BYDAY=TU,TH"


def test_nothing_typed_is_lost_when_something_is_wrong(open_as, sent, words):
    page = open_as("clerk").post("/needs/new", data=sent | {"to": "09:30", "note": "门铃坏了"})
    assert page.status_code == 422 and "does not fit between these hours" in words(page)
    text = page.get_data(as_text=True)
    assert "门铃坏了" in text and 'value="09:30"' in text and "陈阿珠" in text


def test_the_note_beside_the_form_says_the_suggested_priority_and_its_reason(open_as, sent, words):
    page = words(open_as("clerk").post("/needs/new/answer", data=sent))
    assert "Suggested priority: Important (severely disabled)." in page


def test_a_repeated_request_is_shown_before_it_is_posted_and_linked_then(open_as, sent, words, commit, world, ctx):
    first = commit(lambda: post_for(world, "chen", "bath", people=2).number)
    clerk = open_as("clerk")
    assert f"{first} is open already" in words(clerk.post("/needs/new/answer", data=sent))
    clerk.post("/needs/new", data=sent)
    assert needs()[1].repeats_id == needs()[0].id


def test_sending_the_form_twice_posts_once(open_as, sent, ctx):
    clerk = open_as("clerk")
    answers = [clerk.post("/needs/new", data=sent | {"_idem": "one"}) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(needs()) == 1


@pytest.mark.parametrize(("who", "status"), [("clerk", 200), ("operator", 200), ("manager", 403), ("wu", 403)])
def test_who_may_post(open_as, who, status):
    assert open_as(who).get("/needs/new").status_code == status


def test_the_page_says_who_could_come_and_posting_with_the_best_row_books_exactly_them(open_as, sent, words, ctx):
    clerk = open_as("clerk")
    page = clerk.post("/needs/new/answer", data=sent).get_data(as_text=True)
    key = html.unescape(re.search(r'name="choice" value="([^"]+~[^"]+)"', page).group(1))
    assert "Post, Thu 26 Nov" in page and "Fits best" in page
    assert clerk.post("/needs/new", data=sent | {"choice": key}).status_code == 303
    booked = db.session.scalars(select(Assignment)).all()
    shown = {part.split("~")[1] for part in key.split("|")}
    assert {str(one.person_id) for one in booked} == shown and len(shown) == 2
    assert {f"{one.starts_at:%Y%m%dT%H%M}" for one in booked} == {key.split("~")[2].split("|")[0]}


def test_a_row_that_is_gone_posts_nothing_and_says_so(open_as, sent, words, ctx, world):
    page = open_as("clerk").post("/needs/new", data=sent | {"choice": f"0~{world.key('wu')}~20261126T0301"})
    assert page.status_code == 422 and "this has become impossible" in words(page)
    assert needs() == []


def test_where_nobody_can_come_the_smallest_change_is_offered_and_taken_into_the_form(open_as, sent, words, ctx):
    evening = sent | {"from": "18:00", "to": "19:30"}
    clerk = open_as("clerk")
    page = clerk.post("/needs/new/answer", data=evening)
    assert "Nobody can come in this span" in words(page) and "Post as it is" in words(page)
    value = re.search(r'name="adjust" value="([^"]+)"', page.get_data(as_text=True)).group(1)
    form = clerk.post("/needs/new/adjust", data=evening | {"adjust": value}).get_data(as_text=True)
    assert f'name="to" type="time" step="300" value="{value.split()[2]}"' in form
    assert "Fits best" in form and needs() == []


def test_posting_where_nobody_can_come_is_still_allowed(open_as, sent, ctx):
    assert open_as("clerk").post("/needs/new", data=sent | {"from": "18:00", "to": "19:30"}).status_code == 303
    assert db.session.scalars(select(Assignment)).all() == []
