"""The checker's objective, term by term, on plans small enough to count by hand."""

from dataclasses import replace

from matching.feasibility import evaluate
from matching.instance import (
    ContractLine,
    Gender,
    Household,
    RunningAssignment,
    RunningPlan,
    Slot,
    Synchronisation,
    Unit,
    Wish,
)
from matching.objective import ObjectiveWeights
from tests.matching.builders import DAY, VOLUNTEER, carer, instance, pair, plan, shift, stop, visit, window


def term(name, of, routes, **more):
    return evaluate(of, plan(of, routes, **more))[name]


def test_unserved_visits_are_counted_by_tier_and_mandatory_ones_apart():
    of = instance([visit("u", tier=0), visit("v", tier=2), visit("w", mandatory=True), pair("x", tier=2)])
    terms = evaluate(of, plan(of, {"a-0": [stop("u", 600)]}))
    assert terms["unserved_mandatory"] == 1
    assert terms["unserved_by_tier"] == (0, 0, 2, 0, 0, 0, 0, 0, 0, 0)


def test_tardiness_is_summed_over_slots_and_the_largest_is_kept():
    late = {"max_tardiness_minutes": 60, "windows": (window(480, 600),)}
    people = [carer("a"), carer("b")]
    of = instance([visit("v", **late), pair("w", synchronisation=Synchronisation(0, 60), **late)], people)
    routes = {"a-0": [stop("v", 500), stop("w", 610)], "b-0": [stop("w", 630, slot=1)]}
    assert term("tardiness_minutes", of, routes) == 40
    assert term("max_tardiness_minutes", of, routes) == 30


def test_tardiness_counts_from_the_window_in_which_the_start_lies():
    of = instance([visit(windows=(window(480, 500), window(600, 620)), max_tardiness_minutes=60)])
    assert term("tardiness_minutes", of, {"a-0": [stop("v", 530)]}) == 30
    assert term("tardiness_minutes", of, {"a-0": [stop("v", 630)]}) == 10


def test_minutes_outside_the_nearest_preferred_window_are_counted():
    of = instance([visit(preferred_windows=(window(500, 510), window(600, 620)))])
    found = [term("outside_preferred_minutes", of, {"a-0": [stop("v", at)]}) for at in (490, 505, 540, 590, 650)]
    assert found == [10, 0, 30, 10, 30]


def test_a_new_face_is_a_pair_of_household_and_person_counted_once():
    visits = [visit("v", household_id="h"), visit("w", household_id="h"), visit("x", household_id="k")]
    homes = [Household("k", known_caregiver_ids=("a",))]
    of = instance(visits, households=homes)
    assert term("new_faces", of, {"a-0": [stop("v", 500), stop("w", 600), stop("x", 700)]}) == 1


def test_continuity_preference_and_standing_are_missed_only_where_somebody_is_named():
    named = visit(
        previous_caregiver_ids=("b",),
        preferred_caregiver_ids=("b", "c"),
        slots=(Slot(standing_caregiver_id="b"),),
    )
    of = instance([named, visit("w")], [carer("a"), carer("b"), carer("c")])
    for who, missed in (("a", (1, 1, 1)), ("b", (0, 0, 0)), ("c", (1, 0, 1))):
        terms = evaluate(of, plan(of, {f"{who}-0": [stop("v", 500), stop("w", 600)]}))
        assert (terms["not_previous"], terms["not_preferred"], terms["standing_broken"]) == missed


def test_soft_wishes_count_once_each_and_hard_ones_not():
    def missed(hard):
        wishes = {"gender_wish": Wish(("female",), hard), "language_wish": Wish(("minnan",), hard)}
        of = instance([visit(**wishes)], [carer(gender=Gender.MALE)])
        return term("wishes_missed", of, {"a-0": [stop("v", 600)]})

    assert (missed(False), missed(True)) == (2, 0)


def test_unfairness_grows_with_the_square_of_the_load():
    # Ten minutes there, an hour, ten back: 80 minutes of 600, of 100, and left out.
    for capacity, expected in ((None, 10), (100, 64), (0, 0)):
        of = instance([visit()], [carer(fair_capacity_minutes=capacity)])
        assert term("unfairness_minutes", of, {"a-0": [stop("v", 600)]}) == expected


def test_capacity_is_the_length_of_all_shifts_of_the_horizon():
    of = instance([visit()], horizon_days=2, shifts=[shift(), shift(day=1, end=1480 - 400)])
    assert term("unfairness_minutes", of, {"a-0": [stop("v", 600)]}) == 80 * 80 // 1200


def test_cost_is_the_lines_price_or_the_persons_own():
    paid = carer("a", organisation_id="o", needs_contract_line=True)
    line = ContractLine("l", "o", ("care",), unit=Unit.VISITS, price_fen=3000)
    own, free = carer("b", cost_per_minute_fen=20), carer("c", VOLUNTEER)
    names = {"contract_line_ids": ("l",)}
    of = instance([visit("u", **names), visit("v"), visit("w")], [paid, own, free], contract_lines=(line,))
    routes = {"a-0": [stop("u", 600, line="l")], "b-0": [stop("v", 600)], "c-0": [stop("w", 600)]}
    assert term("cost_fen", of, routes) == 3000 + 60 * 20


def test_a_visit_charged_once_costs_its_first_charged_slot():
    paid = [carer(x, organisation_id="o", needs_contract_line=True) for x in "ab"]
    lines = (ContractLine("l", "o", ("care",), price_fen=10), ContractLine("m", "o", ("care",), price_fen=7))
    of = instance([pair(contract_line_ids=("l", "m"), charged_once=True)], paid, contract_lines=lines)
    routes = {"a-0": [stop("v", 600, slot=1, line="m")], "b-0": [stop("v", 600, slot=0, line="l")]}
    assert term("cost_fen", of, routes) == 600


def told(routes, *running, tolerance=0):
    visits = [visit("v", household_id="h"), visit("w", household_id="k")]
    of = instance(visits, [carer("a"), carer("b")], running_plan=RunningPlan(running, tolerance))
    return term("people_told", of, routes)


def test_nobody_is_told_of_what_stays_or_moves_within_the_tolerance():
    running = RunningAssignment("v", 0, "a", 600)
    assert told({"a-0": [stop("v", 600)]}, running) == 0
    assert told({"a-0": [stop("v", 610)]}, running, tolerance=10) == 0
    assert told({"a-0": [stop("w", 600)], "b-0": [stop("v", 600)]}) == 0


def test_the_household_and_everyone_who_comes_or_no_longer_comes_is_told_once():
    running = RunningAssignment("v", 0, "a", 600)
    assert told({"a-0": [stop("v", 611)]}, running, tolerance=10) == 2
    assert told({}, running) == 2
    assert told({"b-0": [stop("v", 600)]}, running) == 3
    both = (running, RunningAssignment("w", 0, "b", 700))
    swapped = {"a-0": [stop("w", 700)], "b-0": [stop("v", 600)]}
    assert told(swapped, *both) == 4


def test_travel_is_there_between_and_back():
    of = instance([visit("v", 1), visit("w", 4)])
    assert term("travel_minutes", of, {"a-0": [stop("v", 500), stop("w", 600)]}) == 10 + 30 + 40


def test_the_total_is_the_weighted_sum_without_unserved_visits():
    weights = ObjectiveWeights(travel_per_minute=7, new_face=11, unfairness_per_minute=13)
    of = instance([visit(), visit("w")], weights=weights)
    terms = evaluate(of, plan(of, {"a-0": [stop("v", 600)]}))
    assert terms["total"] == 7 * 20 + 11 * 1 + 13 * 10


def test_a_day_later_nothing_changes_but_the_day():
    of = instance([visit(windows=(window(day=3),))], horizon_days=4)
    terms = evaluate(of, plan(of, {"a-3": [stop("v", 3 * DAY + 600)]}))
    first = instance([visit()])
    same = evaluate(first, plan(first, {"a-0": [stop("v", 600)]}))
    capacity = {"unfairness_minutes": terms["unfairness_minutes"], "total": terms["total"]}
    assert {**same, **capacity} == terms


def test_weights_of_zero_make_a_total_of_zero():
    nothing = ObjectiveWeights(**dict.fromkeys(ObjectiveWeights.__slots__, 0))
    of = replace(instance([visit()]), weights=nothing)
    assert term("total", of, {"a-0": [stop("v", 600)]}) == 0
