"""Why this caregiver: what speaks for and against whoever comes, and who would be the next best."""

from dataclasses import dataclass, replace

from matching.candidates import Candidate, Note
from matching.charging import Booked
from matching.errors import MatchingError
from matching.instance import Pin, Visit
from matching.placing import Placing, Way
from matching.plan import Plan
from matching.plan_state import PlanState
from matching.rebuild import plan_of, with_visit
from matching.recommend import candidate_of


class NotPlanned(MatchingError):
    """The slot that was asked about has nobody in this plan."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Why one slot is with this person.

    Parameters
    ----------
    agreed
        The slot is pinned: the plan had no choice.
    points
        What the place adds to the objective's sum as it is.
    advantages, drawbacks
        Reasons for and against this person, here, at this time.
    able
        How many other people could come at some time without anyone else moving.
    next_best
        The best of these, and at what time; None if there is none.
    dearer_points
        How much more the next best would add (less than 0: the search has missed a better place).
    """

    visit_id: str
    slot: int
    caregiver_id: str
    start_minutes: float
    agreed: bool
    points: float
    advantages: tuple[Note, ...]
    drawbacks: tuple[Note, ...]
    able: int
    next_best: Candidate | None
    dearer_points: float | None


def explain_assignment(state: PlanState, visit_id: str, slot: int = 0) -> Assignment:
    """Why the slot is with whoever comes to it. Raises `NotPlanned` where nobody does."""
    row = next((b for b in state.at_visit.get(visit_id, ()) if b.slot == slot), None)
    if row is None:
        raise NotPlanned(f"{visit_id}[{slot}]: nobody comes in this plan")
    bare, visit = _taken_out(state, row)
    there = _pinned(visit, slot, Pin(row.caregiver.id, row.start_minutes))
    own = min(Placing(bare, there).ways(), key=_points, default=None)
    others = [way for way in Placing(bare, visit).ways() if _who(way, slot) != row.caregiver.id]
    best = min(others, key=_points, default=None)
    as_shown = None if own is None else candidate_of(bare, visit, own)
    return Assignment(
        visit_id=visit_id,
        slot=slot,
        caregiver_id=row.caregiver.id,
        start_minutes=row.start_minutes,
        agreed=row.visit.slots[slot].pin is not None,
        points=0.0 if own is None else own.points,
        advantages=() if as_shown is None else as_shown.advantages,
        drawbacks=() if as_shown is None else as_shown.drawbacks,
        able=len({_who(way, slot) for way in others}),
        next_best=None if best is None else candidate_of(bare, visit, best),
        dearer_points=None if best is None or own is None else best.points - own.points,
    )


def _taken_out(state: PlanState, row: Booked) -> tuple[PlanState, Visit]:
    """The plan without this place (and whoever stands behind it), and the visit with the slot not agreed."""
    visit = _pinned(row.visit, row.slot, None)
    instance = with_visit(state.instance, visit)
    planned = [b for b in state.planned if b is not row]
    behind = [b for b in state.behind if b.key != row.key]
    plan = plan_of(PlanState(state.instance, Plan(), lookup=state.lookup), planned, behind, state.plan, {row.shift.id})
    return PlanState(instance, plan), visit


def _pinned(visit: Visit, slot: int, pin: Pin | None) -> Visit:
    return replace(visit, slots=tuple(replace(s, pin=pin) if k == slot else s for k, s in enumerate(visit.slots)))


def _points(way: Way) -> float:
    return way.points


def _who(way: Way, slot: int) -> str:
    return next(b.caregiver.id for b in way.booked if b.slot == slot)
