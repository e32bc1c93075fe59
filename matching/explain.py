"""Why a visit is not served: who fails on what, whether that is proven, and what would change it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from matching.candidates import Candidate
from matching.changes import Fix
from matching.fixes import find_fixes
from matching.giving_way import give_way
from matching.instance import Instance, Visit
from matching.obstacles import STAGES, Code, PersonObstacles, obstacles_of
from matching.placing import Placing
from matching.plan import Plan
from matching.plan_state import Held, PlanState
from matching.proof import Prover
from matching.recommend import recommend
from matching.single import Widest


class Proven(StrEnum):
    """How far a proof reaches."""

    ANY_PLAN = "any_plan"
    THIS_PLAN = "this_plan"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one visit is not (fully) served.

    Parameters
    ----------
    candidates
        Not empty if the plan as it stands could take the visit after all, without moving anyone (it
        changed since, or the search was short); then there is nothing more to explain.
    proven
        No plan at all could serve the visit as long as every agreed slot is kept. Otherwise another
        plan might: search-limited.
    deciding
        What keeps back those who come closest (None if there are no people at all): of the slot that is
        hardest to fill, the most frequent obstacle of the people at the furthest stage
        (`obstacles.STAGES`).
    counts
        For each obstacle how many different people have it, the most frequent first.
    people
        Person by person and missing slot: every obstacle, those who come closest first.
    fixes
        The smallest verified change of each kind, least disturbing kind first.
    no_single_change
        Where there is no fix: proof that no single change (`changes.FixCode`) can do. `any_plan`: as long
        as every agreed slot is kept; `this_plan`: as long as all other visits but one stay as they are.
    """

    visit_id: str
    proven: bool
    deciding: Code | None
    counts: tuple[tuple[Code, int], ...]
    people: tuple[PersonObstacles, ...]
    fixes: tuple[Fix, ...]
    candidates: tuple[Candidate, ...] = ()
    no_single_change: Proven | None = None

    @property
    def fix(self) -> Fix | None:
        """The smallest change of the least disturbing kind; None if no single change is known to do."""
        return self.fixes[0] if self.fixes else None


class Explainer:
    """Explains visits against one plan; what they have in common is worked out once."""

    def __init__(self, instance: Instance, plan: Plan, *, held: Sequence[Held] = ()) -> None:
        self.state = PlanState(instance, plan, held=held)

    @cached_property
    def prover(self) -> Prover:
        """What proves that a visit cannot be served, for this plan."""
        return Prover(self.state)

    @cached_property
    def _widest(self) -> Widest:
        return Widest(self.prover.state, whole=False)

    @cached_property
    def _widest_here(self) -> Widest:
        return Widest(self.state, whole=True)

    def explain(self, visit: Visit, *, max_fixes: int = 3) -> Explanation:
        """Why this visit (of the plan, or a new one) is not served; up to `max_fixes` kinds of change."""
        candidates = recommend(self.state, visit, limit=3)
        if candidates:
            return Explanation(visit.id, False, None, (), (), (), tuple(candidates))
        placing = Placing(self.state, visit)
        people = sorted(obstacles_of(placing), key=lambda p: (-p.stage, p.slot))
        fixes = tuple(find_fixes(placing, limit=max_fixes))
        no_single_change = None
        if not fixes and max_fixes > 0:
            no_single_change = self._in_any_plan(visit)
            if no_single_change is None:
                fixes, no_single_change = self._in_this_plan(placing)
        return Explanation(
            visit_id=visit.id,
            proven=self.prover.nobody_ever(visit),
            deciding=_deciding(people),
            counts=_counts(people),
            people=tuple(people),
            fixes=fixes,
            no_single_change=no_single_change,
        )

    def _in_any_plan(self, visit: Visit) -> Proven | None:
        helpful = self._widest.helpful(self.prover.at_the_door(visit))
        return Proven.ANY_PLAN if helpful is None else None

    def _in_this_plan(self, placing: Placing) -> tuple[tuple[Fix, ...], Proven | None]:
        """Every other visit once more, and every other kind of change: a fix after all, a proof, or neither."""
        giving = give_way(placing)
        if giving.fix is not None:
            return (giving.fix,), None
        helpful = self._widest_here.helpful(placing.visit)
        return (), Proven.THIS_PLAN if giving.proven and helpful is None else None


def explain(instance: Instance, plan: Plan, *, max_fixes: int = 3) -> list[Explanation]:
    """An explanation for every visit that the plan lists as unserved, in its order."""
    explainer = Explainer(instance, plan)
    visits = {v.id: v for v in instance.visits}
    return [explainer.explain(visits[row.visit_id], max_fixes=max_fixes) for row in plan.unserved]


def _deciding(people: Sequence[PersonObstacles]) -> Code | None:
    closest: dict[int, int] = defaultdict(int)
    for person in people:
        closest[person.slot] = max(closest[person.slot], person.stage)
    if not closest:
        return None
    slot = min(closest, key=lambda k: (closest[k], k))
    at_stage = [p for p in people if p.slot == slot and p.stage == closest[slot]]
    codes = Counter(o.code for p in at_stage for o in p.obstacles if STAGES[o.code] == closest[slot])
    return min(codes, key=lambda code: (-codes[code], list(STAGES).index(code)))


def _counts(people: Sequence[PersonObstacles]) -> tuple[tuple[Code, int], ...]:
    found: dict[Code, set[str]] = defaultdict(set)
    for person in people:
        for obstacle in person.obstacles:
            found[obstacle.code].add(person.caregiver_id)
    order = list(STAGES)
    rows = [(code, len(names)) for code, names in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row[1], order.index(row[0]))))
