from datetime import timedelta

import pytest

from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.visits import operations
from linkage.visits.models import Assignment
from tests.visiting import book_for, post_for, visits_of

EARLY = parse_moment("2026-11-20T09:00")
TODAY = {"starts_on": parse_moment("2026-11-24T12:00").date(), "now": EARLY}


@pytest.fixture
def today(ctx, commit, world):
    """``today("lin", "clean", 10, 12)``: the first slot of a visit of today within these hours."""

    def make(household, service, first, last):
        hours = {"window_start": first * 60, "window_end": last * 60}
        return commit(lambda: visits_of(post_for(world, household, service, **TODAY, **hours))[0].slots[0].id)

    return make


def test_each_visit_of_today_stands_in_the_section_of_what_became_of_it(today, commit, world, open_as, words):
    late, nobody, back = today("lin", "clean", 10, 12), today("chen", "clean", 14, 16), today("lin", "clean", 15, 18)
    commit(lambda: book_for(world, "guo", late, "2026-11-24T10:00", now=EARLY))
    booked = commit(lambda: book_for(world, "guo", back, "2026-11-24T16:00", now=EARLY).id)
    commit(
        lambda: operations.give_back(db.session.get(Assignment, booked), by=None, now=world.NOW - timedelta(hours=1))
    )
    page = words(open_as("coordinator").get("/board"))
    for words_of in ("Late by 20 min", "Without anyone 1", "Given back, nobody yet 1", "郭建明 gave it back at 09:20"):
        assert words_of in page
    assert nobody and "3 to look at" in page
    assert "陈阿珠" not in page


def test_the_board_shows_only_ones_own_area_and_only_to_those_who_run_the_day(today, open_as, words):
    today("chen", "clean", 14, 16)
    assert "The day goes as planned" in words(open_as("stranger").get("/board"))
    assert open_as("supervisor").get("/board").status_code == 403
