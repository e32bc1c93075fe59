import pytest

from tests.visiting import post_for


@pytest.mark.parametrize("typed", ["陈阿珠", "caz", "A001"])
def test_a_household_is_found_by_name_pinyin_and_number(open_as, words, world, typed):
    page = open_as("clerk").get("/search", query_string={"q": typed})
    assert "陈阿珠" in words(page) and f"/households/{world.key('household/chen')}" in page.get_data(as_text=True)


def test_staff_and_volunteers_are_found_by_those_who_may_see_them(open_as, words):
    page = words(open_as("coordinator").get("/search?q=吴丽珍"))
    assert "鹭康居家养老" in page


def test_needs_and_visits_are_found_by_the_beginning_of_their_number(open_as, words, commit, world):
    number = commit(lambda: post_for(world, "chen", "meal").number)
    page = words(open_as("clerk").get("/search", query_string={"q": number}))
    assert number in page and f"{number}-261126" in page


def test_nothing_of_another_street_is_found(open_as, words, commit, world):
    number = commit(lambda: post_for(world, "chen", "meal").number)
    stranger = open_as("stranger")
    for typed in ("陈阿珠", "A001", number):
        assert "Nothing found" in words(stranger.get("/search", query_string={"q": typed}))


def test_names_of_households_are_masked_in_the_suggestions_for_the_roles_above(open_as, words):
    page = open_as("coordinator").get("/search?q=陈阿珠", headers={"HX-Request": "true"})
    assert "陈**" in words(page) and "陈阿珠" not in words(page).replace("“陈阿珠”", "")
    assert "<html" not in page.get_data(as_text=True)
