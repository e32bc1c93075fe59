"""The frozen result of planning: who goes where, when, and what could not be placed.

Instants are minutes from midnight of day 0, as in `instance`. A plan holds nothing that depends on
the clock of the machine, so the same input, seed and iteration budget give the same bytes.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from matching.fields import bounded, count, minutes
from matching.objective import ObjectiveVector


class PlanStatus(StrEnum):
    """complete: the search ended by itself; stopped: its budget ended; cancelled: someone said so."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class UnservedCode(StrEnum):
    """The short reason at a visit that was not placed; `explain` gives the full one."""

    NOBODY_ELIGIBLE = "nobody_eligible"
    NO_SECOND_PERSON = "no_second_person"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Stop:
    """One slot served; `line_id` pays for it.

    Access takes the `access_minutes` directly before `start_minutes`, unless the stop before (or the
    shift's start) is at the same location. No break or absence of the caregiver overlaps access and
    service. The time between leaving the stop before and `arrival_minutes`, less the breaks and
    absences in it, is at least the travel time; arrival plus access is not after the start (waiting,
    breaks and absences may lie between).
    """

    visit_id: str
    slot: int = count(high=1)
    arrival_minutes: float = minutes()
    start_minutes: float = minutes()
    end_minutes: float = minutes()
    tardiness_minutes: float = minutes(default=0)
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedBreak:
    """A break taken; `index` is its place in the shift's `breaks`."""

    index: int = count()
    start_minutes: float = minutes()
    end_minutes: float = minutes()


@dataclass(frozen=True, slots=True)
class Route:
    """One shift's stops in the order they are visited; shifts without stops have no route.

    `departure_minutes` leaves the shift's start location, `return_minutes` reaches its end location
    (the first arrival and the last end where the shift has no such location).
    """

    shift_id: str
    caregiver_id: str
    departure_minutes: float = minutes()
    return_minutes: float = minutes()
    travel_minutes: float = minutes()
    work_minutes: float = minutes()
    stops: tuple[Stop, ...] = ()
    breaks: tuple[PlannedBreak, ...] = ()


@dataclass(frozen=True, slots=True)
class Fallback:
    """The paid caregiver behind a volunteer's slot, at the same start.

    All fallbacks of a plan could fall due together: with them added at their start times, every
    stop of the shift keeps its time, work limits hold, and budgets and quotas have room.
    """

    visit_id: str
    slot: int = count(high=1)
    caregiver_id: str = ""
    shift_id: str = ""
    start_minutes: float = minutes(default=0)
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unserved:
    """A visit that is not fully staffed.

    `proven` only where no plan at all could serve it; otherwise the search did not find a place.
    """

    visit_id: str
    code: UnservedCode
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for one instance.

    Parameters
    ----------
    routes
        In the order of the instance's shifts.
    unserved
        In the order of the instance's visits. A visit with one of two slots in a route is listed
        here too (half staffed); that happens only where the one slot is pinned.
    instance_digest
        SHA-256 of the instance's canonical JSON: which instance this plan answers.
    iterations
        How many iterations the search ran.
    """

    routes: tuple[Route, ...] = ()
    unserved: tuple[Unserved, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    objective: ObjectiveVector = field(default_factory=ObjectiveVector)
    status: PlanStatus = PlanStatus.COMPLETE
    seed: int = bounded(0, 2**63 - 1, default=0)
    iterations: int = count(default=0)
    instance_digest: str = ""
