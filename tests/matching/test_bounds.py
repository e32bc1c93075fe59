"""Upper bounds on how many visits can be served: true for every plan, and sharp where the case is plain."""

import pytest

from matching.bounds import BoundName, served_bounds
from matching.feasibility import check
from matching.generate import generate_street
from matching.instance import Budget, ContractLine
from matching.lookup import Lookup
from matching.plan_state import PlanState
from matching.report import report
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import carer, instance, pair, shift, visit, window
from tests.matching.random_instances import random_instance


def most(of):
    return {(b.name, b.up_to_rank): b.served_at_most for b in served_bounds(Lookup(of))}


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_serves_more_than_the_bound(seed):
    of = random_instance(seed, visits=9)
    plan = solve(of, MaxIterations(60), seed)
    assert check(of, plan) == []
    left = {row.visit_id for row in plan.unserved}
    served = sorted(0 if v.mandatory else v.tier + 1 for v in of.visits if v.id not in left)
    for (_, rank), bound in most(of).items():
        assert sum(r <= rank for r in served) <= bound


def test_hours_money_and_both_together_each_have_their_own_bound():
    paid = [carer(n, organisation_id="o", needs_contract_line=True) for n in "ab"]
    rows = [visit(f"v{i}", 1 + i % 5, 60, contract_line_ids=("l",)) for i in range(12)]
    of = instance(
        rows,
        paid,
        [shift("a", end=780), shift("b", end=780)],  # five hours each
        contract_lines=(ContractLine("l", "o", ("care",)),),
        budgets=(Budget("k", "l", 0, 0, 470),),
    )
    found = most(of)
    assert found == {(BoundName.HOURS, 2): 10, (BoundName.MONEY, 2): 7, (BoundName.TOGETHER, 2): 7}


def test_a_rush_at_one_time_is_seen():
    rows = [visit(f"v{i}", 1 + i % 5, 60, windows=(window(540, 550),)) for i in range(5)]
    assert most(instance(rows, [carer("a"), carer("b")]))[BoundName.HOURS, 2] == 2


def test_two_people_are_needed_where_two_are_asked_for():
    rows = [pair(f"v{i}", 1 + i, 60) for i in range(3)]
    assert most(instance(rows, [carer("a"), carer("b")], [shift("a"), shift("b", end=600)]))[BoundName.HOURS, 2] <= 3


def test_the_report_says_the_bounds_and_a_street_comes_near_them():
    of = generate_street(3, visits_per_day=60, days=1, carers=6, volunteers=4)
    plan = solve(of, MaxIterations(200))
    rows = report(of, plan, state=PlanState(of, plan)).bounds.served
    last = [row for row in rows if row.name is BoundName.TOGETHER][-1]
    served = len(of.visits) - len(plan.unserved)
    assert served <= last.served_at_most < len(of.visits)
    assert last.served_at_most - served <= 0.4 * len(of.visits)
    assert {row.name for row in rows} == set(BoundName)
