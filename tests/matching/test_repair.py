"""Repair: what still holds stays, the checker accepts every result, and few are moved."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.events import absent, cancelled, running_plan_of, urgent
from matching.feasibility import check
from matching.instance import (
    Budget,
    ContractLine,
    FallbackRule,
    LineRule,
    Pin,
    Slot,
    WorkLimit,
)
from matching.objective import ObjectiveWeights
from matching.plan import Fallback
from matching.repair import repair
from tests.matching.builders import VOLUNTEER, carer, instance, pair, plan, shift, stop, visit, window
from tests.matching.test_explain import agreed
from tests.matching.test_recommend import empty_plan, grown

SEEDS = st.integers(0, 10**9)


def places(made):
    return {(s.visit_id, s.slot): (r.caregiver_id, s.start_minutes) for r in made.routes for s in r.stops}


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_after_any_event_the_checker_accepts_and_nothing_moves_without_need(seed):
    random = Random(seed)
    of, made = grown(random)
    of = agreed(random, of, made)
    event = random.choice(["cancelled", "absent", "longer"])
    if event == "cancelled":
        now = cancelled(of, random.choice(of.visits).id)
    elif event == "absent":
        begin = 5 * random.randint(90, 150)
        now = absent(of, random.choice(of.caregivers).id, begin, begin + 5 * random.randint(1, 60))
    else:
        wanted = random.choice(of.visits)
        now = urgent(of, replace(wanted, service_minutes=wanted.service_minutes + 15))
    done = repair(now, made)
    assert check(now, done.plan) == []
    if event == "cancelled":
        assert (done.moved, done.dropped) == ((), ())


def test_nothing_changes_where_nothing_happened():
    of = instance([visit("v", 1), visit("w", 3)])
    made = plan(of, {"a-0": [stop("v", 490), stop("w", 600)]})
    done = repair(of, made)
    assert (done.moved, done.placed, done.dropped) == ((), (), ())
    assert places(done.plan) == places(made)


def test_the_room_of_a_cancelled_visit_goes_to_one_that_waited():
    of = instance([visit("v", windows=(window(600, 600),)), visit("w", windows=(window(600, 600),))])
    made = plan(of, {"a-0": [stop("v", 600)]})
    done = repair(cancelled(of, "v"), made)
    assert (done.moved, done.placed, done.dropped) == ((), (("w", 0),), ())


def test_someone_else_takes_the_visits_of_an_ill_carer_at_the_same_time():
    of = instance([visit("v"), visit("w")], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600), stop("w", 700)]})
    done = repair(absent(of, "a", 0, 1080), made)
    assert places(done.plan) == {("v", 0): ("b", 600), ("w", 0): ("b", 700)}


def test_who_is_away_for_an_hour_may_come_later_as_fewer_must_be_told():
    of = instance([visit("v"), visit("w")], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600), stop("w", 700)]})
    done = repair(absent(of, "a", 0, 610), made)
    assert [(m.visit_id, m.to_caregiver_id, m.to_start_minutes) for m in done.moved] == [("v", "a", 620)]


def test_what_was_agreed_with_an_ill_carer_is_agreed_no_more_and_the_rest_is():
    of = instance(
        [visit("v", slots=(Slot(pin=Pin("a", 600)),)), visit("w", slots=(Slot(pin=Pin("a", 700)),))],
        [carer("a"), carer("b")],
    )
    now = absent(of, "a", 0, 650)
    assert [v.slots[0].pin for v in now.visits] == [None, Pin("a", 700)]
    done = repair(now, plan(of, {"a-0": [stop("v", 600), stop("w", 700)]}))
    assert places(done.plan)["w", 0] == ("a", 700)
    assert len(done.moved) == 1


def crowded(**more):
    """a is with w from 600 to 660, and w could as well be later; v can only be at 600."""
    w = visit("w", windows=(window(600, 900),), **more)
    of = instance([w])
    return of, plan(of, {"a-0": [stop("w", 600)]})


def test_an_urgent_visit_moves_another_that_can_wait():
    of, made = crowded()
    done = repair(urgent(of, visit("v", windows=(window(600, 600),), tier=0)), made)
    assert [(m.visit_id, m.to_start_minutes) for m in done.moved] == [("w", 660)]
    assert done.placed == (("v", 0),)


def test_an_urgent_visit_does_not_move_what_is_agreed():
    of, made = crowded(slots=(Slot(pin=Pin("a", 600)),))
    done = repair(urgent(of, visit("v", windows=(window(600, 600),), tier=0)), made)
    assert (done.moved, done.placed, done.dropped) == ((), (), ())
    assert [u.visit_id for u in done.plan.unserved] == ["v"]


@pytest.mark.parametrize("tier, served", [(0, "v"), (1, "w"), (2, "w")])
def test_only_a_more_vital_visit_takes_the_place_of_another(tier, served):
    of = instance([visit("w", windows=(window(600, 600),), tier=1)])
    made = plan(of, {"a-0": [stop("w", 600)]})
    done = repair(urgent(of, visit("v", windows=(window(600, 600),), tier=tier)), made)
    assert list(places(done.plan)) == [(served, 0)]


def test_of_two_people_the_one_who_can_stays():
    people = [carer("a"), carer("b"), carer("c")]
    of = instance([pair("v", windows=(window(600, 640),))], people)
    made = plan(of, {"a-0": [stop("v", 600)], "b-0": [stop("v", 600, slot=1)]})
    done = repair(absent(of, "a", 0, 1080), made)
    assert places(done.plan) == {("v", 0): ("c", 600), ("v", 1): ("b", 600)}


def test_a_two_person_visit_is_never_left_with_one_who_is_not_agreed():
    of = instance([pair("v")], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600)], "b-0": [stop("v", 600, slot=1)]})
    done = repair(absent(of, "a", 0, 1080), made)
    assert (places(done.plan), len(done.dropped)) == ({}, 2)


def test_a_longer_visit_moves_the_one_after_it():
    of = instance([visit("v", windows=(window(600, 600),)), visit("w")])
    made = plan(of, {"a-0": [stop("v", 600), stop("w", 660)]})
    done = repair(urgent(of, replace(of.visits[0], service_minutes=90)), made)
    assert [m.visit_id for m in done.moved] == ["w"]


def test_a_longer_visit_that_breaks_a_weeks_hours_gives_up_the_least_important():
    person = carer(work_limits=(WorkLimit(0, 0, max_minutes=150),))
    of = instance([visit("v", tier=0), visit("w", tier=2)], [person])
    made = plan(of, {"a-0": [stop("v", 600), stop("w", 660)]})
    done = repair(urgent(of, replace(of.visits[0], service_minutes=90)), made)
    assert [u.visit_id for u in done.plan.unserved] == ["w"]


def test_room_that_comes_free_on_the_first_line_is_used_again():
    paid = carer(organisation_id="o", needs_contract_line=True)
    lines = (ContractLine("l", "o", ("care",)), ContractLine("m", "o", ("care",)))
    names = {"contract_line_ids": ("l", "m"), "line_rule": LineRule.ORDERED}
    of = instance(
        [visit("v", **names), visit("w", **names)], [paid], contract_lines=lines, budgets=(Budget("b", "l", 0, 0, 60),)
    )
    made = plan(of, {"a-0": [stop("v", 600, line="l"), stop("w", 660, line="m")]})
    done = repair(cancelled(of, "v"), made)
    assert [s.line_id for r in done.plan.routes for s in r.stops] == ["l"]
    assert done.moved == ()


def test_a_volunteer_keeps_a_fallback_when_the_first_one_falls_ill():
    people = [carer("x", VOLUNTEER), carer("a"), carer("b")]
    of = instance([visit("v", fallback=FallbackRule.WANTED)], people)
    made = plan(of, {"x-0": [stop("v", 600)]}, fallbacks=[Fallback("v", 0, "a", "a-0", 600)])
    done = repair(absent(of, "a", 0, 1080), made)
    assert [f.caregiver_id for f in done.plan.fallbacks] == ["b"]
    assert done.moved == ()


def test_people_who_were_told_are_counted_against_the_running_plan():
    weights = ObjectiveWeights(told_per_person=2000)
    of = instance([visit("v"), visit("w")], [carer("a"), carer("b")], weights=weights)
    made = plan(of, {"a-0": [stop("v", 600)], "b-0": [stop("w", 600)]})
    of = replace(of, running_plan=running_plan_of(made))
    done = repair(absent(of, "a", 0, 1080), made)
    # a, b and the household of v; w stays as it was told.
    assert done.plan.objective.people_told == 3


def test_a_plan_for_nothing_is_repaired_into_a_first_plan():
    of = instance([visit("v"), visit("w")])
    made = empty_plan(of)
    assert len(places(repair(of, made).plan)) == 2


def test_a_shift_that_is_gone_gives_its_visits_to_others():
    of = instance([visit("v")], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600)]})
    done = repair(replace(of, shifts=(shift("b"),)), made)
    assert places(done.plan)["v", 0][0] == "b"
