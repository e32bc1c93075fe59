import pytest

from linkage.areas.periodic import name_estates
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
    page = open_as("coordinator").get("/search?q=陈", headers={"HX-Request": "true"})
    assert "陈**" in words(page) and "陈阿珠" not in words(page)
    assert "<html" not in page.get_data(as_text=True)


def test_a_home_is_found_by_its_building_by_those_who_may_see_addresses(open_as, words, ctx, now):
    name_estates(now)  # the night's work reads the addresses of before
    page = words(open_as("clerk").get("/search?q=xianglianli"))
    assert "香莲里27号" in page and "陈阿珠" in page
    assert "香莲里" not in words(open_as("coordinator").get("/search?q=xll")).replace("xll", "")


def test_areas_and_organisations_are_found_by_pinyin_within_the_scope(open_as, words):
    assert "鹭康居家养老" in words(open_as("coordinator").get("/search?q=lukang"))
    assert "莲花北社区" in words(open_as("coordinator").get("/search?q=lianhuabei"))
    assert "Nothing found" in words(open_as("stranger").get("/search?q=lianhuabei"))


@pytest.mark.parametrize("typed", ["陈阿", "阿珠", "chenazhu"])
def test_a_masked_name_is_not_confirmed_by_typing_the_whole_of_it(open_as, words, typed):
    assert "陈**" not in words(open_as("coordinator").get("/search", query_string={"q": typed}))
    assert "陈**" in words(open_as("coordinator").get("/search?q=陈"))
