"""What a change that would serve a visit is: its kinds, its size, who would then come, and its price."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from matching.candidates import Candidate
from matching.eligibility import Parameter
from matching.instance import Instance, Visit
from matching.plan import Plan
from matching.plan_state import PlanState


class FixCode(StrEnum):
    """Kinds of change, least disturbing first. After the dash who is asked, and the parameters."""

    MOVE_OTHER_VISIT = "move_other_visit"  # - a visit not agreed yet, inside the time its household gave:
    #   visit, slot, caregiver, from_minutes, to_minutes, minutes
    HAND_OVER_VISIT = "hand_over_visit"  # - a visit not agreed yet, and another person: visit, slot,
    #   caregiver, to_caregiver, from_minutes, to_minutes
    SHIFT_WINDOW = "shift_window"  # - this household: minutes (negative: earlier), window
    EXTEND_SHIFT = "extend_shift"  # - one person: caregiver, shift, minutes, at ("start" or "end")
    WIDEN_RADIUS = "widen_radius"  # - one person: caregiver, and metres or radius_minutes
    MORE_HOURS = "more_hours"  # - one person's contract: caregiver, first_day, last_day, amount, unit
    TAKE_ON_HOUSEHOLD = "take_on_household"  # - one person: caregiver, limit (as it would be)
    BORROW_ON_LINE = "borrow_on_line"  # - who manages the contract: line, budget, amount, unit
    OTHER_DAY = "other_day"  # - this household: days (negative: earlier)
    RELAX_WISH = "relax_wish"  # - this household: wish ("gender" or "language")
    WELCOME_NEW_FACE = "welcome_new_face"  # - this household: limit (as it would be)
    RAISE_QUOTA = "raise_quota"  # - who grants it: quota, person, amount, unit
    RELEASE_PIN = "release_pin"  # - whoever agreed: visit, slot, caregiver (and where it would go: to_caregiver,
    #   from_minutes, to_minutes; none of these: an agreement about this very visit)
    ADD_CAREGIVER = "add_caregiver"  # - an organisation: kind, organisation, qualifications, gender,
    #   languages (comma between), start_minutes, end_minutes (of the work), minutes


@dataclass(frozen=True, slots=True)
class Price:
    """What a change costs besides the asking.

    Parameters
    ----------
    points
        By how much the objective's weighted sum rises, the visit's own part included.
    others_points
        The part of it that the other visits of the plan bear.
    moved
        Other visits' slots that go to another person or time.
    people_told
        Different caregivers and households of these.
    travel_minutes, cost_fen
        By how much travel and public cost rise.
    """

    points: float = 0
    others_points: float = 0
    moved: int = 0
    people_told: int = 0
    travel_minutes: float = 0
    cost_fen: float = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A change made: the instance with it, and the plan in which the visit has its place."""

    instance: Instance
    plan: Plan
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Fix:
    """One verified change and who would then come; `size` is what is smallest (minutes, metres, ...)."""

    code: FixCode
    parameters: tuple[tuple[str, Parameter], ...]
    size: float
    candidate: Candidate
    price: Price = Price()
    made: Made | None = field(default=None, repr=False, compare=False)

    def get(self, name: str) -> Parameter:
        return dict(self.parameters).get(name)


@dataclass(frozen=True, slots=True)
class Change:
    """A change to try: what it is called, how large it is, and the state and visit that it makes.

    `make` gives None where it turns out impossible. With `finish` more is to be done once the visit has
    its place (another visit, taken out to make room, is put elsewhere).
    """

    code: FixCode
    parameters: dict[str, Parameter]
    size: float
    make: Callable[[], tuple[PlanState, Visit] | None]
    finish: Callable[[Made], Made | None] | None = None


def price_of(before: Plan, made: Made) -> Price:
    """What the change costs, against the plan before."""
    old, new = before.objective, made.plan.objective
    places = {key: place for key, place in _places(before).items() if key[0] != made.candidate.visit_id}
    after = _places(made.plan)
    homes = {v.id: v.household_id for v in made.instance.visits}
    moved = [key for key, place in places.items() if after.get(key) != place]
    told = {("household", homes[name]) for name, _ in moved} | {("caregiver", places[key][0]) for key in moved}
    told |= {("caregiver", after[key][0]) for key in moved if key in after}
    points = new.total - old.total
    return Price(
        points=points,
        others_points=points - made.candidate.points,
        moved=len(moved),
        people_told=len(told),
        travel_minutes=new.travel_minutes - old.travel_minutes,
        cost_fen=new.cost_fen - old.cost_fen,
    )


def _places(plan: Plan) -> dict[tuple[str, int], tuple[str, float]]:
    return {(s.visit_id, s.slot): (r.caregiver_id, s.start_minutes) for r in plan.routes for s in r.stops}
