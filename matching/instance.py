"""The whole input of one planning problem, frozen.

Time
    Day 0 is the first day of the horizon. Every instant (`..._minutes` of a shift, window, pin) is
    counted from midnight at the beginning of day 0, so 8:00 on day 2 is 2 * 1440 + 480 = 3360.
    Numbers are whole minutes; fractions are allowed where travel itself is fractional.
Identity
    Ids are opaque strings, unique within their list. The platform sends surrogate ids and travel
    times only: no names, no positions.
Hard and soft
    What is written here is hard unless its docstring says *soft*; soft things cost what
    `objective.ObjectiveWeights` says.

The names are the field's own (HHCRSP): Mankowska, Meisel, Bierwirth (2014), "The home health care
routing and scheduling problem with interdependent services", doi:10.1007/s10729-013-9243-1.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from matching.fields import bounded, count, day, fen, minutes
from matching.objective import ObjectiveWeights

MINUTES_PER_DAY = 1440


class ProviderKind(StrEnum):
    """Who comes: carer (护理员), social worker (社工) or volunteer (志愿者)."""

    CARER = "carer"
    SOCIAL_WORKER = "social_worker"
    VOLUNTEER = "volunteer"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNSPECIFIED = "unspecified"


class Unit(StrEnum):
    """The unit of a contract line's cap or of a person's quota."""

    MINUTES = "minutes"
    VISITS = "visits"
    MEALS = "meals"
    FEN = "fen"


class LineRule(StrEnum):
    """Which of a visit's eligible contract lines pays for a slot.

    ``first``: of the lines that cover the slot, the first of the caregiver's organisation; if it is full,
    the slot cannot go to that organisation. ``ordered``: the earliest line in that order that still
    has room in the finished plan. ``any``: whichever the plan likes best.
    """

    FIRST = "first"
    ORDERED = "ordered"
    ANY = "any"


class FallbackRule(StrEnum):
    """Whether a volunteer's place is backed by a paid caregiver who would still make it.

    ``none``: no. ``wanted``: where one can be found. ``required``: a volunteer who has not agreed yet
    (by a pin) may be planned only with one, whose time, hours and budget are reserved.
    """

    NONE = "none"
    WANTED = "wanted"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The span in which service may *start*: start_minutes <= start <= end_minutes.

    Both ends are absolute instants. (The platform turns "the whole visit between" into this.)
    """

    start_minutes: float = minutes()
    end_minutes: float = minutes()


@dataclass(frozen=True, slots=True)
class Location:
    """A place. Its index in `Instance.locations` is its row and column in every travel matrix.

    Latitude and longitude in degrees WGS-84 are needed only where a travel mode has no matrix or a
    caregiver's radius is given in metres.
    """

    id: str
    latitude: float | None = bounded(-90, 90, default=None, unit="degrees")
    longitude: float | None = bounded(-180, 180, default=None, unit="degrees")


@dataclass(frozen=True, slots=True)
class TravelMode:
    """How someone travels: a matrix of minutes, or a speed applied to coordinates.

    Parameters
    ----------
    matrix_minutes
        ``matrix_minutes[i][j]`` minutes from location i to j; square, one row per location.
        It need not be symmetric nor obey the triangle inequality.
    speed_metres_per_minute, detour_factor
        Without a matrix: great-circle metres * detour_factor / speed, rounded up to whole minutes.
    """

    id: str
    matrix_minutes: tuple[tuple[float, ...], ...] | None = bounded(0, 1440, default=None, unit="minutes")
    speed_metres_per_minute: float | None = bounded(1, 2000, default=None, unit="metres per minute")
    detour_factor: float = bounded(1, 5, default=1.3)


@dataclass(frozen=True, slots=True)
class Qualification:
    """A skill or qualification held, from and until a day index inclusive (None: no limit).

    A day may be negative (it began, or ended, before the horizon).
    """

    id: str
    valid_from_day: int | None = bounded(-100_000, 100_000, default=None, unit="day")
    valid_until_day: int | None = bounded(-100_000, 100_000, default=None, unit="day")


@dataclass(frozen=True, slots=True)
class Absence:
    """A span [start, end) in which the person neither serves nor travels (ill, busy elsewhere)."""

    start_minutes: float = minutes()
    end_minutes: float = minutes()


@dataclass(frozen=True, slots=True)
class WorkLimit:
    """An upper limit on one person's work over the days first_day..last_day inclusive.

    Work is service + access + travel of the routes of those days (waiting and breaks are not work).
    `used_minutes` and `used_visits` were already worked in that period outside this instance.
    Daily and weekly hours, and "at most two visits a week", are all of this form.
    """

    first_day: int = day()
    last_day: int = day()
    max_minutes: float | None = minutes(default=None)
    max_visits: int | None = count(default=None)
    used_minutes: float = minutes(default=0)
    used_visits: int = count(default=0)


@dataclass(frozen=True, slots=True)
class Caregiver:
    """A person who comes.

    Parameters
    ----------
    service_ids
        The services this person offers; None means every service.
    organisation_id, needs_contract_line
        With `needs_contract_line` every slot of this person is charged to a contract line of
        `organisation_id`; without it nothing is charged.
    minor
        Under age: only services with `minors_allowed`.
    insured_until_day
        Last insured day index; None: no end; -1: not insured. Asked only by services that need it.
    home_location_id, radius_minutes, radius_metres
        Visits farther from home than the radius (in the quickest mode of this person's shifts;
        metres as great circle) are not for this person.
    max_new_households
        At most so many different households in the plan that do not know this person.
    cost_per_minute_fen
        Public cost per service minute of slots not charged to a line (volunteers: 0).
    fair_capacity_minutes
        How much work counts as this person's full load, for fairness (soft): None means the length
        of all shifts, 0 leaves the person out of fairness.
    """

    id: str
    kind: ProviderKind
    gender: Gender = Gender.UNSPECIFIED
    languages: tuple[str, ...] = ()
    qualifications: tuple[Qualification, ...] = ()
    service_ids: tuple[str, ...] | None = None
    organisation_id: str | None = None
    needs_contract_line: bool = False
    minor: bool = False
    insured_until_day: int | None = bounded(-1, 100_000, default=None, unit="day")
    work_limits: tuple[WorkLimit, ...] = ()
    absences: tuple[Absence, ...] = ()
    home_location_id: str | None = None
    radius_minutes: float | None = minutes(default=None)
    radius_metres: float | None = bounded(0, 10**7, default=None, unit="metres")
    max_new_households: int | None = count(default=None)
    cost_per_minute_fen: int = fen(default=0)
    fair_capacity_minutes: float | None = minutes(default=None)


@dataclass(frozen=True, slots=True)
class Break:
    """A rest within a shift: it begins inside [earliest, latest] and is not interrupted.

    No service or access happens during it; it may fall into waiting, or cut a journey in two. It is
    due whenever the shift has a stop; a shift without stops has no breaks to show.
    """

    earliest_start_minutes: float = minutes()
    latest_start_minutes: float = minutes()
    duration_minutes: float = minutes(low=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One working span of one person on one day: the vehicle of the routing problem.

    The route leaves `start_location_id` not before `start_minutes` and is back at
    `end_location_id` not after `end_minutes`. A location of None means: begins (ends) at the first
    (last) visit, without travel. Shifts of one person must not overlap.
    """

    id: str
    caregiver_id: str
    day: int = day()
    start_minutes: float = minutes()
    end_minutes: float = minutes()
    mode_id: str = ""
    start_location_id: str | None = None
    end_location_id: str | None = None
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of service (服务项目) and who may give it.

    Parameters
    ----------
    provider_kinds
        Kinds that may fill a slot.
    mixes
        For visits of two people: the allowed combinations, order irrelevant, e.g.
        ``(("carer", "carer"), ("carer", "volunteer"))``; empty: every combination.
    required_qualifications
        Every one of them, valid on the day, for each person who comes.
    """

    id: str
    provider_kinds: tuple[ProviderKind, ...]
    mixes: tuple[tuple[ProviderKind, ProviderKind], ...] = ()
    required_qualifications: tuple[str, ...] = ()
    insurance_required: bool = False
    minors_allowed: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish about gender or language: one of `values`. Hard, or soft (costs when not met)."""

    values: tuple[str, ...]
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Pin:
    """What is already agreed for a slot: the person, the start, or both.

    A pinned person is never exchanged; with `start_minutes` the time is fixed too, without it the
    time may move within the windows. A pin does not override hard rules: if it breaks one, the visit
    is unserved and says why.
    """

    caregiver_id: str | None = None
    start_minutes: float | None = minutes(default=None)


@dataclass(frozen=True, slots=True)
class Slot:
    """One person's place in a visit; None and () mean "as the visit says".

    Parameters
    ----------
    required_qualifications
        In addition to those of the service and the visit.
    standing_caregiver_id
        The person who always comes (soft, strong): 固定服务人员.
    """

    service_id: str | None = None
    service_minutes: float | None = minutes(default=None)
    provider_kinds: tuple[ProviderKind, ...] = ()
    required_qualifications: tuple[str, ...] = ()
    standing_caregiver_id: str | None = None
    pin: Pin | None = None


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """Start of the second slot minus start of the first lies in [min, max] offset.

    (0, 0) is "both at the same time"; (30, 60) is "the second 30 to 60 minutes after the first".
    """

    min_offset_minutes: float = minutes(default=0)
    max_offset_minutes: float = minutes(default=0)
    same_caregiver_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: a household is served once by one or two people.

    Parameters
    ----------
    person_id
        The household member served; quotas are counted per person.
    service_minutes, access_minutes
        Duration of the service; and minutes from arriving at the place to the start of service
        (parking, stairs, the door), not needed when the caregiver's last stop was at this location.
    windows
        Alternatives, possibly on different days: every slot starts within the same one of them.
    max_tardiness_minutes
        How much later than the window's end a start may be; each such minute is tardiness (soft).
    preferred_windows
        Soft: minutes outside the nearest preferred window cost.
    tier
        Priority tier, 0 the most vital. Fewer unserved in a tier beats anything in lower tiers.
    mandatory
        Counted above every tier when unserved; optional visits are counted in their tier.
    slots, synchronisation
        One or two slots; the synchronisation is read with two only.
    provider_kinds, mixes, required_qualifications
        Narrow (never widen) what the service allows; qualifications add to the service's.
    excluded_caregiver_ids
        Never come to this visit.
    previous_caregiver_ids, preferred_caregiver_ids
        Soft: those who came before for this need (continuity), those who are wished for.
    contract_line_ids, line_rule
        The lines that may pay for this visit, in order, and how one of them is chosen.
    charge_minutes, charge_meals, charged_once
        What one slot draws from a line (None: its service minutes). With `charged_once` only the
        first slot, in slot order, that has a line is charged; otherwise every slot.
    """

    id: str
    household_id: str
    location_id: str
    service_id: str
    windows: tuple[TimeWindow, ...]
    service_minutes: float = minutes(low=1)
    access_minutes: float = minutes(default=0)
    person_id: str | None = None
    max_tardiness_minutes: float = minutes(default=0)
    preferred_windows: tuple[TimeWindow, ...] = ()
    tier: int = bounded(0, 9, default=1)
    mandatory: bool = False
    slots: tuple[Slot, ...] = (Slot(),)
    synchronisation: Synchronisation = Synchronisation()
    provider_kinds: tuple[ProviderKind, ...] = ()
    mixes: tuple[tuple[ProviderKind, ProviderKind], ...] = ()
    required_qualifications: tuple[str, ...] = ()
    gender_wish: Wish | None = None
    language_wish: Wish | None = None
    excluded_caregiver_ids: tuple[str, ...] = ()
    previous_caregiver_ids: tuple[str, ...] = ()
    preferred_caregiver_ids: tuple[str, ...] = ()
    fallback: FallbackRule = FallbackRule.NONE
    contract_line_ids: tuple[str, ...] = ()
    line_rule: LineRule = LineRule.ORDERED
    charge_minutes: float | None = minutes(default=None)
    charge_meals: int = count(default=0)
    charged_once: bool = False


@dataclass(frozen=True, slots=True)
class Household:
    """A household (家庭户).

    Parameters
    ----------
    known_caregiver_ids
        Those who have been there before: anyone else is a new face (soft, costs once per pair).
    max_new_faces
        At most so many different new faces in the plan (hard), already reduced by those who came
        earlier in the month.
    """

    id: str
    known_caregiver_ids: tuple[str, ...] = ()
    max_new_faces: int | None = count(default=None)


@dataclass(frozen=True, slots=True)
class ContractLine:
    """A contract line (合同条目): an organisation's paid capacity for some services and days.

    `price_fen` is per `unit` (minutes, visits or meals; never fen).
    """

    id: str
    organisation_id: str
    service_ids: tuple[str, ...]
    first_day: int = bounded(-100_000, 100_000, default=0, unit="day")
    last_day: int = bounded(-100_000, 100_000, default=100_000, unit="day")
    unit: Unit = Unit.MINUTES
    price_fen: int = fen(default=0)


@dataclass(frozen=True, slots=True)
class Budget:
    """The cap of one contract line over days first_day..last_day inclusive (usually a month).

    `used` has been drawn already. A slot counts on the day of its shift. Fallbacks count too: they
    reserve what they would draw.
    """

    id: str
    line_id: str
    first_day: int = day()
    last_day: int = day()
    cap: int = count()
    unit: Unit = Unit.MINUTES
    used: int = count(default=0)


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one person may receive over days first_day..last_day (usually a month).

    Counts what slots of that person's visits draw from `line_id`, or from every line if None.
    """

    id: str
    person_id: str
    first_day: int = day()
    last_day: int = day()
    cap: int = count()
    line_id: str | None = None
    unit: Unit = Unit.MINUTES
    used: int = count(default=0)


@dataclass(frozen=True, slots=True)
class ExcludedPair:
    """Two caregivers who are never together at a two-person visit."""

    first_caregiver_id: str
    second_caregiver_id: str


@dataclass(frozen=True, slots=True)
class RunningAssignment:
    """What people have been told: this person comes to this slot at this time."""

    visit_id: str
    slot: int = count(high=1)
    caregiver_id: str = ""
    start_minutes: float = minutes(default=0)


@dataclass(frozen=True, slots=True)
class RunningPlan:
    """The plan now in force; departing from it is priced per person who must be told.

    A start that moves by at most `tolerance_minutes` needs no telling.
    """

    assignments: tuple[RunningAssignment, ...] = ()
    tolerance_minutes: float = minutes(default=0)


@dataclass(frozen=True, slots=True)
class Instance:
    """One planning problem. `horizon_days` days are planned at once.

    `start_date` (ISO 8601, the date of day 0) is for reading only; nothing is computed from it.
    """

    horizon_days: int = bounded(1, 366, unit="day")
    locations: tuple[Location, ...] = ()
    travel_modes: tuple[TravelMode, ...] = ()
    services: tuple[Service, ...] = ()
    caregivers: tuple[Caregiver, ...] = ()
    shifts: tuple[Shift, ...] = ()
    households: tuple[Household, ...] = ()
    visits: tuple[Visit, ...] = ()
    contract_lines: tuple[ContractLine, ...] = ()
    budgets: tuple[Budget, ...] = ()
    quotas: tuple[Quota, ...] = ()
    excluded_pairs: tuple[ExcludedPair, ...] = ()
    running_plan: RunningPlan = RunningPlan()
    weights: ObjectiveWeights = field(default_factory=ObjectiveWeights)
    start_date: str | None = None
    name: str = ""
