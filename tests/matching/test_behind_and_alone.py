"""Volunteers only with a paid person reserved behind them, and two slots that one person may fill."""

from dataclasses import replace

from matching.explain import Explainer
from matching.feasibility import check
from matching.instance import (
    Budget,
    ContractLine,
    FallbackRule,
    ProviderKind,
    Slot,
    Synchronisation,
    WorkLimit,
)
from matching.obstacles import BusyCode
from matching.plan import PlanStatus
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import VOLUNTEER, carer, instance, pair, shift, visit, window

REQUIRED = FallbackRule.REQUIRED


def solved(of):
    plan = solve(of, MaxIterations(60))
    assert check(of, plan) == []
    return plan


def who(plan):
    return {(s.visit_id, s.slot): r.caregiver_id for r in plan.routes for s in r.stops}


def volunteers_and_one_carer(*visits, **more):
    people = [carer("x", VOLUNTEER), carer("y", VOLUNTEER), carer("a", cost_per_minute_fen=90, **more)]
    return instance([*visits], people)


def test_a_volunteer_is_planned_with_the_paid_person_reserved_behind_her():
    of = volunteers_and_one_carer(visit("v", fallback=REQUIRED))
    plan = solved(of)
    assert who(plan)["v", 0] in "xy"
    assert [(f.visit_id, f.caregiver_id) for f in plan.fallbacks] == [("v", "a")]
    assert plan.objective.cost_fen == 0


def test_one_paid_person_stands_behind_one_of_two_volunteers_at_the_same_time():
    at_nine = (window(540, 540),)
    both = [visit(name, place, windows=at_nine, fallback=REQUIRED) for name, place in (("v", 1), ("w", 2))]
    plan = solved(volunteers_and_one_carer(*both))
    assert len(plan.fallbacks) == len(plan.unserved) == 1
    # Without the rule both are served.
    free = [replace(v, fallback=FallbackRule.WANTED) for v in both]
    assert solved(volunteers_and_one_carer(*free)).unserved == ()


def test_what_a_fallback_would_draw_is_reserved_on_the_budget():
    lines = (ContractLine("l", "o", ("care",), price_fen=50),)
    rows = [visit(n, p, fallback=REQUIRED, contract_line_ids=("l",)) for n, p in (("v", 1), ("w", 2))]
    people = [carer("x", VOLUNTEER), carer("a", organisation_id="o", needs_contract_line=True)]
    of = instance(rows, people, contract_lines=lines, budgets=(Budget("b", "l", 0, 0, 60),))
    plan = solved(of)
    assert (len(plan.unserved), len(plan.fallbacks)) == (1, 1)


def test_a_volunteer_without_anybody_paid_is_told_that_nobody_could_stand_behind():
    of = instance([visit("v", fallback=REQUIRED)], [carer("x", VOLUNTEER)])
    plan = solved(of)
    (row,) = Explainer(of, plan).explain(of.visits[0], max_fixes=1).people
    assert [o.code for o in row.obstacles] == [BusyCode.NO_FALLBACK]
    assert [u.visit_id for u in plan.unserved] == ["v"]


def test_a_plan_with_a_question_in_it_is_not_called_the_best():
    plan = solved(volunteers_and_one_carer(visit("v", fallback=REQUIRED)))
    assert plan.status is PlanStatus.STOPPED


def alone_or_not(allowed, people, **more):
    rule = Synchronisation(30, 90, same_caregiver_allowed=allowed)
    return instance([pair("v", minutes=30, synchronisation=rule)], people, **more)


def test_one_person_comes_twice_where_that_is_allowed_and_is_counted_once():
    once = (WorkLimit(0, 0, max_visits=1),)
    plan = solved(alone_or_not(True, [carer("a", work_limits=once)]))
    assert who(plan) == {("v", 0): "a", ("v", 1): "a"}
    (nobody,) = solved(alone_or_not(False, [carer("a")])).unserved
    assert (nobody.code, nobody.proven) == ("no_second_person", True)


def test_one_person_cannot_do_both_at_once():
    rule = Synchronisation(0, 0, same_caregiver_allowed=True)
    of = instance([pair("v", synchronisation=rule)], [carer("a")])
    assert len(solved(of).unserved) == 1


def test_one_person_comes_in_two_shifts_to_one_visit():
    rule = Synchronisation(180, 240, same_caregiver_allowed=True)
    wide = (window(480, 800),)
    of = instance(
        [pair("v", minutes=30, windows=wide, synchronisation=rule)],
        [carer("a")],
        [shift("a", end=600), shift("a", start=660, end=900, id="late")],
    )
    assert [r.shift_id for r in solved(of).routes] == ["a-0", "late"]


def test_it_costs_less_that_one_stays_than_that_two_come():
    plan = solved(alone_or_not(True, [carer("a"), carer("b")]))
    assert len(set(who(plan).values())) == 1
    assert plan.objective.travel_minutes == 20


def test_a_mix_that_asks_for_two_kinds_asks_for_two_people():
    rule = Synchronisation(30, 90, same_caregiver_allowed=True)
    mixes = ((ProviderKind.CARER, VOLUNTEER),)
    wanted = pair("v", minutes=30, synchronisation=rule, mixes=mixes, slots=(Slot(), Slot()))
    assert set(who(solved(instance([wanted], [carer("a"), carer("x", VOLUNTEER)]))).values()) == {"a", "x"}
