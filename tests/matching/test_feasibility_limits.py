"""Rules over days, money and fallbacks: a plan that keeps each, and its bad twin (see test_feasibility)."""

from dataclasses import replace

import pytest

from matching.feasibility import check
from matching.instance import (
    Break,
    Budget,
    ContractLine,
    ExcludedPair,
    FallbackRule,
    Household,
    LineRule,
    Pin,
    Quota,
    Slot,
    Unit,
    WorkLimit,
)
from matching.objective import ObjectiveVector
from matching.plan import Fallback, Plan
from tests.matching.builders import (
    DAY,
    VOLUNTEER,
    carer,
    instance,
    pair,
    plan,
    shift,
    stop,
    visit,
    window,
)
from tests.matching.feasible import C, changed_route, codes, one

# Limits over days


def two_days(**person):
    of = instance(
        [visit("v", windows=(window(day=0),)), visit("w", windows=(window(day=1),))],
        [carer(**person)],
        horizon_days=2,
    )
    return of, plan(of, {"a-0": [stop("v", 600)], "a-1": [stop("w", DAY + 600)]})


def test_work_minutes_of_several_days_stay_within_the_limit_with_what_was_used():
    # Each day: ten minutes there, an hour, ten minutes back.
    assert check(*two_days(work_limits=(WorkLimit(0, 1, max_minutes=160),))) == []
    assert codes(*two_days(work_limits=(WorkLimit(0, 1, max_minutes=159),))) == [C.WORK_MINUTES]
    assert codes(*two_days(work_limits=(WorkLimit(0, 1, max_minutes=160, used_minutes=1),))) == [C.WORK_MINUTES]
    assert check(*two_days(work_limits=(WorkLimit(0, 0, max_minutes=80),))) == []


def test_a_limit_used_up_elsewhere_is_no_fault_of_a_plan_without_work_in_it():
    assert check(*two_days(work_limits=(WorkLimit(5, 6, max_minutes=10, used_minutes=11),))) == []


def test_visits_of_several_days_stay_within_the_limit():
    assert check(*two_days(work_limits=(WorkLimit(0, 1, max_visits=3, used_visits=1),))) == []
    assert codes(*two_days(work_limits=(WorkLimit(0, 1, max_visits=2, used_visits=1),))) == [C.WORK_VISITS]


def test_a_household_meets_no_more_new_faces_than_it_allows():
    visits = [visit("v", household_id="h"), visit("w", household_id="h")]
    routes = {"a-0": [stop("v", 600)], "b-0": [stop("w", 600)]}

    def found(**home):
        of = instance(visits, [carer("a"), carer("b")], households=[Household("h", **home)])
        return codes(of, plan(of, routes))

    assert found(max_new_faces=2) == []
    assert found(max_new_faces=1) == [C.NEW_FACES]
    assert found(max_new_faces=1, known_caregiver_ids=("a",)) == []


def test_a_person_comes_to_no_more_new_households_than_allowed():
    def found(limit, known=()):
        homes = [Household("h1", known_caregiver_ids=known)]
        of = instance([visit("v", 1), visit("w", 2)], [carer(max_new_households=limit)], households=homes)
        return codes(of, plan(of, {"a-0": [stop("v", 600), stop("w", 700)]}))

    assert found(2) == []
    assert found(1) == [C.NEW_HOUSEHOLDS]
    assert found(1, known=("a",)) == []


# Money


PAID = carer(organisation_id="o", needs_contract_line=True)
LINE, SECOND = ContractLine("l", "o", ("care",), price_fen=50), ContractLine("m", "o", ("care",))


def charged(line="l", person=PAID, lines=(LINE, SECOND), budgets=(), quotas=(), **more):
    more.setdefault("contract_line_ids", ("l", "m"))
    of = instance([visit(person_id="p", **more)], [person], contract_lines=lines, budgets=budgets, quotas=quotas)
    return of, plan(of, {"a-0": [stop("v", 600, line=line)]})


def test_a_paid_slot_names_its_line_and_another_none():
    assert check(*charged()) == []
    assert codes(*charged(line=None)) == [C.LINE_MISSING]
    assert codes(*charged(person=carer(organisation_id="o"))) == [C.LINE_NOT_NEEDED]


@pytest.mark.parametrize(
    "wrong",
    [
        ContractLine("l", "other", ("care",)),
        ContractLine("l", "o", ()),
        ContractLine("l", "o", ("care",), first_day=1),
        ContractLine("l", "o", ("care",), first_day=-9, last_day=-1),
    ],
)
def test_a_line_pays_only_its_organisation_services_and_days(wrong):
    assert codes(*charged(lines=(wrong, SECOND))) == [C.LINE_NOT_COVERING]


def test_a_line_pays_only_visits_that_name_it():
    assert codes(*charged(contract_line_ids=("m",))) == [C.LINE_NOT_COVERING]


def test_under_first_only_the_first_covering_line_pays():
    assert check(*charged(line="l", line_rule=LineRule.FIRST)) == []
    assert codes(*charged(line="m", line_rule=LineRule.FIRST)) == [C.LINE_NOT_COVERING]


def test_under_ordered_a_later_line_pays_only_if_the_earlier_is_full():
    full, room = Budget("b", "l", 0, 0, 59), Budget("b", "l", 0, 0, 60)
    assert check(*charged(line="m", budgets=(full,))) == []
    assert codes(*charged(line="m", budgets=(room,))) == [C.LINE_RULE]
    assert check(*charged(line="m", budgets=(room,), line_rule=LineRule.ANY)) == []


@pytest.mark.parametrize("unit, drawn", [(Unit.MINUTES, 60), (Unit.VISITS, 1), (Unit.MEALS, 3), (Unit.FEN, 3000)])
def test_a_budget_is_drawn_in_its_unit_on_top_of_what_is_used(unit, drawn):
    more = {"charge_meals": 3, "line_rule": LineRule.ANY}
    assert check(*charged(budgets=(Budget("b", "l", 0, 30, drawn + 7, unit, used=7),), **more)) == []
    assert codes(*charged(budgets=(Budget("b", "l", 0, 30, drawn + 6, unit, used=7),), **more)) == [C.BUDGET]
    assert check(*charged(budgets=(Budget("b", "l", 1, 30, 0, unit),), **more)) == []


def test_a_visit_may_draw_other_minutes_than_it_lasts():
    assert check(*charged(budgets=(Budget("b", "l", 0, 0, 45),), charge_minutes=45)) == []


@pytest.mark.parametrize("line", ["l", None])
def test_a_quota_counts_what_one_person_draws(line):
    assert check(*charged(quotas=(Quota("q", "p", 0, 30, 70, line, used=10),))) == []
    assert codes(*charged(quotas=(Quota("q", "p", 0, 30, 69, line, used=10),))) == [C.QUOTA]


def test_a_quota_of_another_line_or_other_days_is_not_touched():
    assert check(*charged(quotas=(Quota("q", "p", 0, 30, 0, "m"),))) == []
    assert check(*charged(quotas=(Quota("q", "p", 1, 30, 0),))) == []


def test_two_people_draw_twice_unless_the_visit_is_charged_once():
    people = (PAID, replace(PAID, id="b"))

    def found(**more):
        of = instance(
            [pair(contract_line_ids=("l",), **more)],
            people,
            contract_lines=(LINE,),
            budgets=(Budget("b", "l", 0, 0, 60),),
        )
        rows = {"a-0": [stop("v", 600, line="l")], "b-0": [stop("v", 600, slot=1, line="l")]}
        return codes(of, plan(of, rows))

    assert found() == [C.BUDGET]
    assert found(charged_once=True) == []


# Fallbacks

VOLUNTEER_AND_CARER = (carer("x", VOLUNTEER), carer("a"), carer("b"))


def with_fallback(behind=(), own=(), people=VOLUNTEER_AND_CARER, rule=FallbackRule.WANTED, start=600, **more):
    """Volunteer x serves v at 600, carer a has the stops `own`; `behind` are the fallbacks."""
    visits = [visit("v", fallback=rule, contract_line_ids=("l",)), visit("w", 3)]
    of = instance(visits, people, contract_lines=(LINE,), **more)
    routes = {"x-0": [stop("v", 600)]}
    if own:
        routes["a-0"] = list(own)
    return of, plan(of, routes, fallbacks=behind)


BEHIND = Fallback("v", 0, "a", "a-0", 600)


def test_a_fallback_that_would_make_it_is_accepted():
    assert check(*with_fallback([BEHIND])) == []
    assert check(*with_fallback([BEHIND], own=[stop("w", 680)])) == []


def test_a_fallback_must_leave_every_stop_of_the_shift_in_time():
    assert codes(*with_fallback([BEHIND], own=[stop("w", 679)])) == [C.FALLBACK_TIME]


def test_a_fallback_finds_another_place_for_the_break():
    people_shifts = [shift("x"), shift("a", breaks=(Break(590, 700, 30),)), shift("b")]
    of, made = with_fallback([BEHIND], own=[stop("w", 710)], shifts=people_shifts)
    made = plan(
        of, {"x-0": [stop("v", 600)], "a-0": [stop("w", 710)]}, breaks={"a-0": [(610, 640)]}, fallbacks=[BEHIND]
    )
    assert check(of, made) == []
    later = plan(
        of, {"x-0": [stop("v", 600)], "a-0": [stop("w", 709)]}, breaks={"a-0": [(610, 640)]}, fallbacks=[BEHIND]
    )
    assert codes(of, later) == [C.FALLBACK_TIME]


def test_two_fallbacks_of_one_carer_may_fall_due_together():
    visits = [visit("v", 1, fallback=FallbackRule.WANTED), visit("w", 3, fallback=FallbackRule.WANTED)]
    of = instance(visits, [carer("x", VOLUNTEER), carer("y", VOLUNTEER), carer("a")])

    def found(second):
        routes = {"x-0": [stop("v", 600)], "y-0": [stop("w", second)]}
        return codes(of, plan(of, routes, fallbacks=[BEHIND, Fallback("w", 0, "a", "a-0", second)]))

    assert found(680) == []
    assert found(679) == [C.FALLBACK_TIME]


def test_a_fallback_is_there_only_where_wanted_and_always_where_required():
    assert codes(*with_fallback([BEHIND], rule=FallbackRule.NONE)) == [C.FALLBACK_NOT_WANTED]
    assert check(*with_fallback(rule=FallbackRule.WANTED)) == []
    assert codes(*with_fallback(rule=FallbackRule.REQUIRED)) == [C.FALLBACK_MISSING]
    assert check(*with_fallback([BEHIND], rule=FallbackRule.REQUIRED)) == []
    # A volunteer who has agreed is no question any more.
    of, made = with_fallback(rule=FallbackRule.REQUIRED)
    accepted = (Slot(pin=Pin("x", 600)),)
    of = replace(of, visits=(replace(of.visits[0], slots=accepted), *of.visits[1:]))
    assert check(of, made) == []


def test_a_fallback_stands_once_behind_a_volunteer_at_the_same_start():
    assert codes(*with_fallback([BEHIND, replace(BEHIND, caregiver_id="b", shift_id="b-0")])) == [C.FALLBACK_TWICE]
    assert codes(*with_fallback([replace(BEHIND, start_minutes=601)])) == [C.FALLBACK_START]
    paid = (carer("x"), *VOLUNTEER_AND_CARER[1:])
    assert codes(*with_fallback([BEHIND], people=paid)) == [C.FALLBACK_NOT_BEHIND_VOLUNTEER]


def test_a_fallback_is_paid_and_in_her_own_shift():
    free = (carer("x", VOLUNTEER), carer("a", VOLUNTEER), carer("b"))
    assert codes(*with_fallback([BEHIND], people=free)) == [C.FALLBACK_UNPAID]
    assert codes(*with_fallback([replace(BEHIND, shift_id="b-0")])) == [C.NOT_THEIR_SHIFT]


def test_a_fallback_may_fill_the_slot_by_every_rule():
    unable = (carer("x", VOLUNTEER), carer("a", service_ids=()), carer("b"))
    assert codes(*with_fallback([BEHIND], people=unable)) == [C.SERVICE_NOT_OFFERED]


def test_a_fallback_counts_in_hours_and_reserves_its_line():
    def behind_paid(cap=60, minutes=80):
        limit = WorkLimit(0, 0, max_minutes=minutes)
        people = (carer("x", VOLUNTEER), replace(PAID, work_limits=(limit,)), carer("b"))
        return with_fallback([replace(BEHIND, line_id="l")], people=people, budgets=(Budget("b", "l", 0, 0, cap),))

    assert check(*behind_paid()) == []
    assert codes(*behind_paid(cap=59)) == [C.BUDGET]
    assert codes(*behind_paid(minutes=79)) == [C.WORK_MINUTES]


def test_a_fallback_goes_together_with_the_other_person():
    people = (carer("x", VOLUNTEER), carer("a"), carer("b"))

    def found(fallback, **more):
        of = instance([pair(fallback=FallbackRule.WANTED)], people, **more)
        rows = {"x-0": [stop("v", 600)], "b-0": [stop("v", 600, slot=1)]}
        return codes(of, plan(of, rows, fallbacks=[fallback]))

    assert found(BEHIND) == []
    assert found(BEHIND, excluded_pairs=(ExcludedPair("a", "b"),)) == [C.EXCLUDED_PAIR]
    assert C.SAME_PERSON in found(replace(BEHIND, caregiver_id="b", shift_id="b-0"))


# What the plan says of itself


def test_a_stated_objective_that_is_not_true_is_refused_term_by_term():
    of, made = one()
    assert made.objective.travel_minutes == 20
    false = replace(made, objective=replace(made.objective, travel_minutes=19, people_told=1))
    assert [v.get("term") for v in check(of, false)] == ["travel_minutes", "people_told"]
    assert codes(of, replace(made, objective=ObjectiveVector())) == [C.OBJECTIVE]


def test_every_violation_reads_as_an_english_sentence():
    of, made = one(start=491)
    sentences = [str(v) for v in check(of, changed_route(made, departure_minutes=479.5))]
    assert sentences == ["before_shift: a leaves at 479.5, before shift a-0 begins at 480"]


def test_an_empty_instance_with_an_empty_plan_is_accepted():
    of = instance([])
    assert check(of, Plan()) == []
