"""Other visits that give way: found where it hides in a cap, and proven not to exist as brute force sees it."""

from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.changes import FixCode
from matching.explain import Explainer, Proven
from matching.feasibility import check
from matching.feasibility.facts import Facts, bookings_of, fallbacks_of
from matching.giving_way import give_way
from matching.instance import ContractLine, Quota, Slot, WorkLimit
from matching.placing import Placing
from matching.plan_state import PlanState
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import VOLUNTEER, carer, instance, pair, plan, shift, stop, visit, window
from tests.matching.referee import placings
from tests.matching.tiny import tiny_instance

MOST = 400


@given(st.integers(0, 10**9))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_brute_force_finds_no_visit_that_could_give_way_where_that_is_proven(seed):
    of = tiny_instance(Random(seed))
    made = solve(of, MaxIterations(20), seed)
    assert check(of, made) == []
    explainer = Explainer(of, made)
    for row in made.unserved:
        wanted = explainer.state.lookup.visits[row.visit_id]
        placing = Placing(explainer.state, wanted)
        found = explainer.explain(wanted, max_fixes=1)
        if found.fix is not None:
            assert found.fix.made is not None and check(found.fix.made.instance, found.fix.made.plan) == []
        if found.no_single_change is not Proven.THIS_PLAN or not placing.missing:
            continue
        for other in {b.visit.id for b in explainer.state.planned} - {wanted.id}:
            assert not somehow(of, made, wanted, explainer.state.lookup.visits[other])


def somehow(of, made, wanted, other) -> bool:
    """Whether both fit without the other's present place, at any times of a grid."""
    facts = Facts(of)
    planned = [b for b in bookings_of(facts, made) if b.visit.id != other.id]
    behind = [b for b in fallbacks_of(facts, made) if b.visit.id != other.id]
    return any(
        next(placings(of, [*planned, *one], behind, other), None) is not None
        for one in islice(placings(of, planned, behind, wanted), MOST)
    )


def test_a_quota_is_freed_by_giving_another_visit_of_the_person_to_a_volunteer():
    paid = carer("a", organisation_id="o", needs_contract_line=True)
    rows = [
        visit("v", 1, contract_line_ids=("l",), person_id="p", provider_kinds=(paid.kind,)),
        visit("u", 1, contract_line_ids=("l",), person_id="p", windows=(window(900, 910),)),
    ]
    other = carer("b", organisation_id="o", needs_contract_line=True)
    of = instance(
        rows,
        [paid, other, carer("x", VOLUNTEER)],
        [shift("a", end=720), shift("b", start=840), shift("x", start=840)],
        contract_lines=(ContractLine("l", "o", ("care",)),),
        quotas=(Quota("q", "p", 0, 0, 60),),
    )
    made = plan(of, {"b-0": [stop("u", 900, line="l")]})
    found = give_way(Placing(PlanState(of, made), rows[0]))
    assert found.fix is not None
    assert (found.fix.code, found.fix.get("visit"), found.fix.get("to_caregiver")) == (
        FixCode.HAND_OVER_VISIT,
        "u",
        "x",
    )
    assert check(found.fix.made.instance, found.fix.made.plan) == []


def test_hours_of_another_day_are_freed_by_handing_a_visit_over():
    week = (WorkLimit(0, 1, max_minutes=100),)
    rows = [
        visit("v", 1, windows=(window(540, 560),)),
        visit("u", 1, windows=(window(540, 560, day=1),)),
    ]
    shifts = [shift("a"), shift("a", day=1), shift("b", day=1)]
    of = instance(rows, [carer("a", work_limits=week), carer("b")], shifts, horizon_days=2)
    made = plan(of, {"a-1": [stop("u", 1440 + 540)]})
    found = give_way(Placing(PlanState(of, made), rows[0]))
    assert found.fix is not None and found.fix.get("to_caregiver") == "b"


def test_a_visit_of_two_people_gives_way():
    rows = [
        visit("v", 1, windows=(window(540, 540),), slots=(Slot(),), excluded_caregiver_ids=("b",)),
        pair("u", 2, windows=(window(480, 900),)),
    ]
    of = instance(rows, [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("u", 530, 0)], "b-0": [stop("u", 530, 1)]})
    found = give_way(Placing(PlanState(of, made), rows[0]))
    assert found.fix is not None
    assert check(found.fix.made.instance, found.fix.made.plan) == []
    assert (found.fix.code, found.fix.get("visit")) == (FixCode.MOVE_OTHER_VISIT, "u")


def test_that_nobody_can_give_way_is_proven():
    both = (window(540, 550),)
    rows = [visit("v", 1, windows=both), visit("u", 2, windows=both)]
    of = instance(rows, [carer("a")])
    made = plan(of, {"a-0": [stop("u", 540)]})
    found = give_way(Placing(PlanState(of, made), rows[0]))
    assert (found.fix, found.proven) == (None, True)
