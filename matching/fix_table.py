"""Random unserved visits of made-up streets, each with a change that serves it or a proof that none does.

What a change promises is held against it: it is made, the plan is repaired for the instance as it then is,
and the independent checker judges the result, in which the visit is served and so is everyone who was.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from matching.changes import Fix, FixCode
from matching.explain import Explainer, Explanation, Proven
from matching.feasibility import check
from matching.generate import generate_street
from matching.instance import Household, Instance, Visit
from matching.plan import Plan
from matching.repair import RepairRefused, repair
from matching.solve import solve
from matching.stop import MaxIterations

PER_STREET = 20
ITERATIONS = 100
MOVES = (FixCode.MOVE_OTHER_VISIT, FixCode.HAND_OVER_VISIT, FixCode.RELEASE_PIN)


@dataclass
class Table:
    """What became of so many visits."""

    visits: int = 0
    room: int = 0  # the plan could take the visit as it stands (the search was short)
    failed: int = 0  # a fix that did not serve when it was made: must be 0
    open: int = 0  # neither a fix nor a proof: must be 0
    nobody_ever: int = 0  # of all: proven that no plan can serve the visit as things are
    fixed: dict[FixCode, list[Fix]] = field(default_factory=lambda: defaultdict(list))
    no_single: Counter[Proven] = field(default_factory=Counter)

    def rows(self) -> list[str]:
        """The table as text."""
        lines = [f"{'what serves it':<22}{'visits':>7}{'size, median':>14}{'points, median':>16}{'others moved':>14}"]
        for code in FixCode:
            fixes = self.fixed.get(code, [])
            if fixes:
                size = statistics.median(f.size for f in fixes)
                points = statistics.median(f.price.points for f in fixes)
                moved = sum(f.price.moved for f in fixes)
                lines.append(f"{code:<22}{len(fixes):>7}{size:>14.1f}{points:>16.0f}{moved:>14}")
        lines.append(f"{'room as it stands':<22}{self.room:>7}")
        lines.append(f"{'no single change: any':<22}{self.no_single[Proven.ANY_PLAN]:>7}   proven for any plan")
        lines.append(f"{'no single change: here':<22}{self.no_single[Proven.THIS_PLAN]:>7}   proven for this plan")
        lines.append(f"{'open':<22}{self.open:>7}")
        served = sum(map(len, self.fixed.values()))
        lines.append(
            f"{self.visits} visits: {served} with a change that served them when made ({self.failed} that did not); "
            f"{self.nobody_ever} proven to be beyond any plan as things are"
        )
        return lines


def fix_table(count: int, seed: int, *, visits_per_day: int = 150) -> Table:
    """Explain `count` random unserved visits of understaffed streets and hold every change to its word."""
    table, random = Table(), Random(seed)
    for instance, plan in _streets(random, visits_per_day):
        explainer = Explainer(instance, plan)
        left = [row.visit_id for row in plan.unserved]
        for name in random.sample(left, k=min(len(left), PER_STREET, count - table.visits)):
            _enter(table, plan, explainer.explain(explainer.state.lookup.visits[name], max_fixes=1))
        if table.visits >= count:
            return table
    raise AssertionError("the streets never end")


def _streets(random: Random, visits_per_day: int) -> Iterator[tuple[Instance, Plan]]:
    """Streets of one or two days with too few people, and here and there a rule that is hard to keep."""
    while True:
        seed = random.randrange(2**31)
        instance = generate_street(
            seed,
            visits_per_day=visits_per_day,
            days=random.choice([1, 1, 2]),
            carers=random.randint(visits_per_day // 10, visits_per_day // 6),
            volunteers=random.randint(0, visits_per_day // 6),
        )
        instance = _hardened(random, instance)
        yield instance, solve(instance, MaxIterations(ITERATIONS), seed)


def _hardened(random: Random, instance: Instance) -> Instance:
    """Some quotas are small, some households closed to new faces, some wishes hard, some skills unheard of."""
    quotas = tuple(replace(q, cap=40) if random.random() < 0.1 else q for q in instance.quotas)
    homes = tuple(_closed(h) if random.random() < 0.1 else h for h in instance.households)
    visits = tuple(_harder(random, v) for v in instance.visits)
    return replace(instance, quotas=quotas, households=homes, visits=visits)


def _closed(household: Household) -> Household:
    return replace(household, max_new_faces=0)


def _harder(random: Random, visit: Visit) -> Visit:
    if random.random() < 0.1 and visit.language_wish is not None:
        visit = replace(visit, language_wish=replace(visit.language_wish, values=("hakka",), hard=True))
    if random.random() < 0.02:
        visit = replace(visit, required_qualifications=("nursing", "psychology"))
    return visit


def _enter(table: Table, before: Plan, found: Explanation) -> None:
    table.visits += 1
    table.nobody_ever += found.proven
    if found.candidates:
        table.room += 1
    elif found.fix is not None:
        if serves_again(before, found.fix, found.visit_id):
            table.fixed[found.fix.code].append(found.fix)
        else:
            table.failed += 1
    elif found.no_single_change is not None:
        table.no_single[found.no_single_change] += 1
    else:
        table.open += 1


def serves_again(before: Plan, fix: Fix, visit_id: str) -> bool:
    """Whether the plan, repaired for the instance with the change in it, serves the visit and all it served.

    The other visits that wait are left out, as they would compete for what the change makes possible.
    """
    made = fix.made
    assert made is not None
    others = {row.visit_id for row in before.unserved} - {visit_id}
    visits = tuple(v for v in made.instance.visits if v.id not in others)
    start = made.plan if fix.code in MOVES else before
    start = replace(start, unserved=tuple(row for row in start.unserved if row.visit_id not in others))
    instance = replace(made.instance, visits=visits)
    try:
        again = repair(instance, start).plan
    except RepairRefused:
        return False
    return not check(instance, again) and not again.unserved
