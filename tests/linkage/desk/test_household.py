import pytest

from linkage.core.extensions import db
from linkage.needs.models import Need
from linkage.visits.operations import cancel_visit
from linkage.visits.queries import get_visit
from tests.visiting import book_for, post_for, visits_of


@pytest.fixture
def home(world):
    return f"/households/{world.key('household/chen')}"


@pytest.fixture
def booked(ctx, commit, world):
    """Tomorrow's meal at 陈阿珠's, with 庄文斌."""
    need = commit(lambda: post_for(world, "chen", "meal", duration_minutes=30).id)

    def book():
        visit = visits_of(db.session.get(Need, need))[0]
        book_for(world, "zhuang", visit.slots[0].id, "2026-11-26T11:00", hours=0.5)
        return visit.id

    return commit(book)


def test_the_next_visit_and_the_line_of_time_stand_on_the_households_page(open_as, words, home, booked):
    page = words(open_as("clerk").get(home))
    assert "Next visit" in page and "Thu 26 Nov 11:00–11:30" in page and "庄文斌" in page
    assert page.index("Meal delivery") < page.index("Now 10:20") < page.index("Need: Meal delivery, once")


def test_the_line_of_time_is_narrowed_in_the_address(open_as, words, home, booked):
    page = words(open_as("clerk").get(home + "?show=needs"))
    assert "Need: Meal delivery" in page and "Consent given" not in page


def test_a_cancelled_visit_lies_below_the_now_line_with_its_reason(open_as, words, home, booked, commit, world, now):
    commit(lambda: cancel_visit(get_visit(booked), "hospital", by=world.actor("clerk"), now=now))
    page = words(open_as("clerk").get(home + "?show=visits"))
    assert page.index("Now 10:20") < page.index("Cancelled")
    assert "No visit is planned in the next four weeks." in page


def test_posting_is_offered_to_those_who_may(open_as, home):
    assert "/needs/new?household=" in open_as("clerk").get(home).get_data(as_text=True)
    assert "/needs/new?household=" not in open_as("supervisor").get(home).get_data(as_text=True)
