"""What the checker finds: a code, the ids and numbers it is about, and a sentence to read."""

from dataclasses import dataclass
from enum import StrEnum

Parameter = str | int | float | None

EPSILON = 1e-6
"""Minutes below which two instants are the same (travel may be fractional)."""


class ViolationCode(StrEnum):
    """Every rule of the model that a plan can break."""

    # The plan as a document
    UNKNOWN_ID = "unknown_id"
    ROUTE_TWICE = "route_twice"
    ROUTE_EMPTY = "route_empty"
    NOT_THEIR_SHIFT = "not_their_shift"
    SLOT_TWICE = "slot_twice"
    HALF_STAFFED = "half_staffed"
    NOT_LISTED_UNSERVED = "not_listed_unserved"
    LISTED_THOUGH_SERVED = "listed_though_served"
    LISTED_TWICE = "listed_twice"
    # The route of one shift
    BEFORE_SHIFT = "before_shift"
    AFTER_SHIFT = "after_shift"
    TRAVEL_TOO_SHORT = "travel_too_short"
    ACCESS_TOO_SHORT = "access_too_short"
    SERVICE_TIME = "service_time"
    ABSENT = "absent"
    BREAK_MISSING = "break_missing"
    BREAK_TIME = "break_time"
    BREAK_INTERRUPTED = "break_interrupted"
    STATED_TRAVEL = "stated_travel"
    STATED_WORK = "stated_work"
    STATED_TARDINESS = "stated_tardiness"
    # One visit
    OUTSIDE_WINDOWS = "outside_windows"
    DIFFERENT_WINDOWS = "different_windows"
    OFFSET = "offset"
    SAME_PERSON = "same_person"
    MIX = "mix"
    EXCLUDED_PAIR = "excluded_pair"
    PINNED_PERSON = "pinned_person"
    PINNED_START = "pinned_start"
    PIN_DROPPED = "pin_dropped"
    # One person at one slot
    PROVIDER_KIND = "provider_kind"
    SERVICE_NOT_OFFERED = "service_not_offered"
    QUALIFICATION_MISSING = "qualification_missing"
    QUALIFICATION_NOT_VALID = "qualification_not_valid"
    GENDER = "gender"
    LANGUAGE = "language"
    EXCLUDED = "excluded"
    MINOR = "minor"
    INSURANCE = "insurance"
    RADIUS = "radius"
    # Limits over days
    WORK_MINUTES = "work_minutes"
    WORK_VISITS = "work_visits"
    NEW_FACES = "new_faces"
    NEW_HOUSEHOLDS = "new_households"
    # Money
    LINE_MISSING = "line_missing"
    LINE_NOT_NEEDED = "line_not_needed"
    LINE_NOT_COVERING = "line_not_covering"
    LINE_RULE = "line_rule"
    BUDGET = "budget"
    QUOTA = "quota"
    # Fallbacks
    FALLBACK_TWICE = "fallback_twice"
    FALLBACK_NOT_WANTED = "fallback_not_wanted"
    FALLBACK_MISSING = "fallback_missing"
    FALLBACK_NOT_BEHIND_VOLUNTEER = "fallback_not_behind_volunteer"
    FALLBACK_UNPAID = "fallback_unpaid"
    FALLBACK_START = "fallback_start"
    FALLBACK_TIME = "fallback_time"
    # What the plan says of itself
    OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule; `parameters` are the ids and numbers that the sentence is made of."""

    code: ViolationCode
    message: str
    parameters: tuple[tuple[str, Parameter], ...] = ()

    def get(self, name: str) -> Parameter:
        return dict(self.parameters).get(name)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def violation(code: ViolationCode, message: str, **parameters: Parameter) -> Violation:
    """A violation whose sentence is `message` filled with its parameters."""
    return Violation(code, message.format(**parameters), tuple(parameters.items()))
