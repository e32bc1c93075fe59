"""What `recommend` answers: rows of people and times with reasons, and how a week is covered."""

from dataclasses import dataclass
from enum import StrEnum

from matching.eligibility import Parameter
from matching.objective import ObjectiveVector


class NoteCode(StrEnum):
    """What speaks for a row, or against it; after the dash its parameters besides `caregiver`."""

    STANDING = "standing"
    CAME_BEFORE = "came_before"
    KNOWN_TO_HOUSEHOLD = "known_to_household"
    PREFERRED = "preferred"
    LANGUAGE = "language"  # - wanted
    GENDER = "gender"  # - wanted
    PREFERRED_TIME = "preferred_time"
    NOBODY_ELSE_MOVES = "nobody_else_moves"
    LINE_HAS_ROOM = "line_has_room"  # - line, left (after this visit), unit
    FALLBACK_READY = "fallback_ready"  # - fallback
    NEW_FACE = "new_face"
    NOT_STANDING = "not_standing"  # - standing
    NOT_CAME_BEFORE = "not_came_before"
    LANGUAGE_MISSED = "language_missed"  # - wanted
    GENDER_MISSED = "gender_missed"  # - wanted
    OUTSIDE_PREFERRED_TIME = "outside_preferred_time"  # - minutes
    LATE = "late"  # - minutes
    NO_FALLBACK = "no_fallback"


@dataclass(frozen=True, slots=True)
class Note:
    """One reason for or against a row, to be worded by whoever shows it."""

    code: NoteCode
    parameters: tuple[tuple[str, Parameter], ...] = ()

    def get(self, name: str) -> Parameter:
        return dict(self.parameters).get(name)


@dataclass(frozen=True, slots=True)
class Backup:
    """The paid person who stands behind a volunteer, in one of her shifts, on one of her lines."""

    caregiver_id: str
    shift_id: str
    line_id: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """One person in one slot of a row."""

    slot: int
    caregiver_id: str
    shift_id: str
    start_minutes: float
    end_minutes: float
    line_id: str | None
    travel_added_minutes: float
    backup: Backup | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to serve a visit, or to fill the slots it still lacks, without moving anyone.

    Parameters
    ----------
    places
        The people who would come, in slot order.
    travel_added_minutes, cost_fen
        What the row adds to the plan's travel and public cost.
    points
        What it adds to the objective's weighted sum; less is better.
    change
        The same term by term (unserved visits not counted).
    advantages, drawbacks
        Reasons for and against.
    """

    visit_id: str
    day: int
    start_minutes: float
    places: tuple[Place, ...]
    travel_added_minutes: float
    cost_fen: float
    points: float
    change: ObjectiveVector
    advantages: tuple[Note, ...]
    drawbacks: tuple[Note, ...]

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return tuple(place.caregiver_id for place in self.places)


class Cover(StrEnum):
    """none: nobody can start then; some: someone, but not every slot can be filled; enough: all can."""

    NONE = "none"
    SOME = "some"
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class StartCover:
    """How one start time is covered, and by how many different people."""

    start_minutes: float
    cover: Cover
    people: int


@dataclass(frozen=True, slots=True)
class DayCover:
    """One day of the week strip: every start within the visit's windows, `step_minutes` apart."""

    day: int
    starts: tuple[StartCover, ...]
